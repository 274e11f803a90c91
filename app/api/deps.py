"""What routes ask for in their signatures: who is calling, a transaction, the time, the parts of the app."""

from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Body, Depends, Query, Request
from fastapi.requests import HTTPConnection
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from app.core import tokens
from app.core.errors import Forbidden, InvalidToken, SessionRevoked, Unauthenticated, Unavailable
from app.models import Role
from app.repositories.base import PageRequest
from app.schemas.common import NothingIn
from app.services import users
from app.services.components import Components
from app.services.unit_of_work import Reading, UnitOfWork, reading, unit_of_work
from app.services.users import Principal


# All of these are `async`, those that wait for nothing too: FastAPI sends a plain function to a thread.
async def components(request: Request) -> Components:
    """The long-lived parts of the application, made by `create_app`."""
    parts: Components = request.app.state.components
    return parts


Parts = Annotated[Components, Depends(components)]


async def arrival(parts: Parts) -> datetime:
    """When the request arrived, by the server's clock: decided once, used everywhere."""
    return parts.clock.now()


Now = Annotated[datetime, Depends(arrival)]


async def _write(parts: Parts) -> AsyncIterator[UnitOfWork]:
    async with unit_of_work(parts.engine) as uow:
        yield uow


async def _read(parts: Parts) -> AsyncIterator[Reading]:
    async with reading(parts.engine) as reads:
        yield reads


# Decision D10: with scope="function" the commit comes before the answer; a failed commit is a 503.
Uow = Annotated[UnitOfWork, Depends(_write, scope="function")]
Reads = Annotated[Reading, Depends(_read, scope="function")]


async def _paging(
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[
        str | None, Query(max_length=500, description="`next_cursor` of the page before")
    ] = None,
) -> PageRequest:
    return PageRequest(limit, cursor)


Paging = Annotated[PageRequest, Depends(_paging)]


async def takes_nothing(body: Annotated[NothingIn | None, Body()] = None) -> None:
    """A POST that takes nothing accepts no body or `{}`; a field in it is somebody's misunderstanding."""


_bearer = HTTPBearer(auto_error=False, description="An access token, or an attempt token where that is said")
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


async def _current_user(request: Request, bearer: Bearer, parts: Parts) -> Principal:
    if bearer is None:
        raise Unauthenticated
    return await _authenticate(request, bearer.credentials, parts)


@dataclass(frozen=True, slots=True)
class Login:
    """Somebody who is signed in, and when the session began that says so."""

    principal: Principal
    signed_in_at: datetime


async def _authenticate(request: Request, token: str, parts: Components) -> Principal:
    return (await log_in(request, token, parts)).principal


async def log_in(connection: HTTPConnection, token: str, parts: Components) -> Login:
    """Who sends this access token; a fact of 401 or 503 if nobody, or if nobody can say."""
    if not parts.revocations.is_loaded:
        raise Unavailable
    try:
        claims = await parts.access_tokens.verify(token)
    except tokens.InvalidToken as error:
        raise InvalidToken from error
    except tokens.KeysUnavailable as error:
        raise Unavailable from error
    if parts.revocations.cover(claims.user_id, claims.session_id, claims.signed_in_at):
        raise SessionRevoked
    async with reading(parts.engine) as reads:
        principal = await users.find_principal(reads, claims.user_id, claims.session_id)
    if principal is None:
        async with unit_of_work(parts.engine) as uow:
            member = await users.ensure_profile(uow, claims.user_id, claims.email, claims.name or "")
        if not member.user.active:
            raise SessionRevoked
        principal = users.principal_of(member, claims.session_id)
    connection.state.user_id = str(principal.id)
    return Login(principal, claims.signed_in_at)


async def _current_login(request: Request, bearer: Bearer, parts: Parts) -> Login:
    if bearer is None:
        raise Unauthenticated
    return await log_in(request, bearer.credentials, parts)


CurrentLogin = Annotated[Login, Depends(_current_login)]
CurrentUser = Annotated[Principal, Depends(_current_user)]
CurrentCandidate = CurrentUser  # any role may take a test; what staff do is practice


def _only(*roles: Role) -> Callable[..., Coroutine[Any, Any, Principal]]:
    async def check(user: CurrentUser) -> Principal:
        if not user.is_any(*roles):
            raise Forbidden(f"This needs one of the roles: {', '.join([*roles, Role.ADMIN])}.")
        return user

    return check


CurrentAuthor = Annotated[Principal, Depends(_only(Role.AUTHOR))]
CurrentBankReader = Annotated[Principal, Depends(_only(Role.AUTHOR, Role.EVALUATOR))]
CurrentProctor = Annotated[Principal, Depends(_only(Role.PROCTOR, Role.AUTHOR))]
"""Who runs an exam: watches it and steers attempts."""
CurrentStaff = Annotated[Principal, Depends(_only(Role.PROCTOR, Role.AUTHOR, Role.EVALUATOR))]
CurrentAdmin = Annotated[Principal, Depends(_only())]


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose attempts a request may touch: a signed-in person's, or the one of an attempt token."""

    user_id: UUID
    grant: tokens.AttemptGrant | None
    principal: Principal | None


async def _holder(request: Request, bearer: Bearer, parts: Parts) -> Holder:
    """An exam outlives a login: an attempt token is enough for its own attempt (decision D5)."""
    if bearer is None:
        raise Unauthenticated
    if tokens.is_attempt_token(bearer.credentials):
        try:
            grant = parts.attempt_tokens.read(bearer.credentials)
        except tokens.InvalidToken as error:
            raise InvalidToken from error
        request.state.user_id = str(grant.user_id)
        return Holder(grant.user_id, grant, None)
    principal = await _authenticate(request, bearer.credentials, parts)
    return Holder(principal.id, None, principal)


AttemptHolder = Annotated[Holder, Depends(_holder)]
