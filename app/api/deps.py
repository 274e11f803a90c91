"""Dependencies of routes: the caller, a transaction, the time, the components of the application."""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Body, Depends, Header, Query, Request
from fastapi.requests import HTTPConnection

from app.api.routing import Access, bearer_token
from app.core import tokens
from app.core.admission import ADMITTED
from app.core.errors import Forbidden, InvalidToken, SessionRevoked, Unauthenticated, Unavailable
from app.models import Role
from app.repositories.base import MAX_CURSOR_LENGTH, PageRequest
from app.schemas.common import NothingIn
from app.sentences import Sentence
from app.services import users
from app.services.components import Components
from app.services.replica import reading_with_lag
from app.services.unit_of_work import Reading, UnitOfWork, reading, unit_of_work
from app.services.users import Principal


# All dependencies are `async`, because FastAPI runs plain functions in a thread.
async def components(request: Request) -> Components:
    """The components of the application, which live as long as the process."""
    parts: Components = request.app.state.components
    return parts


Parts = Annotated[Components, Depends(components)]


async def arrival(request: Request) -> datetime:
    """The time of arrival, recorded by the outermost middleware before anything is awaited."""
    arrived_at: datetime = request.state.arrived_at
    return arrived_at


Now = Annotated[datetime, Depends(arrival)]


async def _write(request: Request, parts: Parts) -> AsyncIterator[UnitOfWork]:
    async with personal_turn(request, parts), unit_of_work(parts.engine, parts.new_messages) as uow:
        yield uow
    await note_write(request, parts)


async def note_write(request: HTTPConnection, parts: Components) -> None:
    """Record that this person has written, so that their next reads do not come from a replica that lacks it.

    Call it after the commit and before the response.
    """
    user_id: str | None = getattr(request.state, "user_id", None)
    if parts.replica is not None and user_id is not None:
        await parts.replica.note_write(user_id)


async def _read(request: Request, parts: Parts) -> AsyncIterator[Reading]:
    async with personal_turn(request, parts), reading(parts.engine) as reads:
        yield reads


async def _read_with_lag(request: Request, parts: Parts) -> AsyncIterator[Reading]:
    user_id: str | None = getattr(request.state, "user_id", None)
    async with personal_turn(request, parts), reading_with_lag(parts, user_id) as reads:
        yield reads


def personal_turn(request: HTTPConnection, parts: Components) -> AbstractAsyncContextManager[None]:
    """A turn of the user of the request, if it has one. See `PersonalTurns`."""
    user_id: str | None = getattr(request.state, "user_id", None)
    if user_id is None:
        return nullcontext()
    return parts.personal_turns.turn(user_id, request.scope.get(ADMITTED))


# With scope="function" the commit precedes the response, so a failed commit is a 503 (docs/decisions/0023).
Uow = Annotated[UnitOfWork, Depends(_write, scope="function")]
Reads = Annotated[Reading, Depends(_read, scope="function")]
ReadsWithLag = Annotated[Reading, Depends(_read_with_lag, scope="function")]
"""For data that may be some seconds old if others changed it, such as boards, lists and analytics.

Not for a paper, standing answers, or what a person must see at once.
"""


async def _paging(
    limit: Annotated[int, Query(ge=1, le=100, description="The most items of a page")] = 20,
    cursor: Annotated[
        str | None, Query(max_length=MAX_CURSOR_LENGTH, description="`next_cursor` of the page before")
    ] = None,
) -> PageRequest:
    return PageRequest(limit, cursor)


Paging = Annotated[PageRequest, Depends(_paging)]


KnownEtag = Annotated[
    str | None,
    Header(alias="If-None-Match", description="An `ETag` that you have: the answer is 304 if it is current"),
]


async def takes_nothing(body: Annotated[NothingIn | None, Body()] = None) -> None:
    """For POST routes without content: accept no body or `{}`, and refuse any field."""


@dataclass(frozen=True, slots=True)
class Login:
    """A signed-in user, and when the session began."""

    principal: Principal
    signed_in_at: datetime


async def log_in(connection: HTTPConnection, token: str, parts: Components) -> Login:
    """The user of an access token.

    Raises InvalidToken, SessionRevoked, or Unavailable if it cannot be checked.
    """
    if not parts.revocations.is_loaded:
        raise Unavailable
    try:
        claims = await parts.access_tokens.verify(token)
    except tokens.TokenRejected as error:
        raise InvalidToken from error
    except tokens.KeysUnavailable as error:
        raise Unavailable from error
    if parts.revocations.cover(claims.user_id, claims.session_id, claims.signed_in_at):
        raise SessionRevoked
    member = await users.caller_of(parts, users.account_of(claims))
    if not member.active:
        raise SessionRevoked
    principal = users.principal_of(member, claims.session_id, parts.clock.now())
    connection.state.user_id = str(principal.id)
    if principal.is_staff:
        parts.admission.remember_staff(principal.id)
    return Login(principal, claims.signed_in_at)


async def _token(request: Request) -> str:
    bearer = await bearer_token(request)
    if bearer is None:
        raise Unauthenticated
    return bearer.credentials


async def _login(request: Request) -> Login:
    return await log_in(request, await _token(request), request.app.state.components)


_SIGN_IN_FIRST = (Unauthenticated, InvalidToken, SessionRevoked)


async def _user(request: Request) -> Principal:
    return (await current_login.caller(request)).principal


current_login = Access(_login, raises=_SIGN_IN_FIRST)
current_user = Access(_user, raises=_SIGN_IN_FIRST)

CurrentLogin = Annotated[Login, Depends(current_login.of)]
CurrentUser = Annotated[Principal, Depends(current_user.of)]
CurrentCandidate = CurrentUser  # any role may take a test; attempts of staff are practice


def _only(*roles: Role) -> Callable[[Request], Coroutine[Any, Any, Principal]]:
    """Allow callers with one of the roles. Every check also allows admins; without a role, only admins."""

    async def check(request: Request) -> Principal:
        user = await current_user.caller(request)
        if not user.is_any(*roles):
            names = ", ".join([*roles, Role.ADMIN])
            raise Forbidden(Sentence("This needs one of the roles: {roles}.", roles=names))
        return user

    return Access(check, raises=(*_SIGN_IN_FIRST, Forbidden)).of


CurrentAuthor = Annotated[Principal, Depends(_only(Role.AUTHOR))]
CurrentBankReader = Annotated[Principal, Depends(_only(Role.AUTHOR, Role.EVALUATOR))]
CurrentProctor = Annotated[Principal, Depends(_only(Role.PROCTOR, Role.AUTHOR))]
"""May monitor a running exam and act on attempts."""
CurrentStaff = Annotated[Principal, Depends(_only(Role.PROCTOR, Role.AUTHOR, Role.EVALUATOR))]
CurrentAdmin = Annotated[Principal, Depends(_only())]


async def _bank_turn(user: CurrentUser, parts: Parts) -> AsyncIterator[None]:
    async with parts.bank_turns.turn(user.id):
        yield


BankTurn = Annotated[None, Depends(_bank_turn, scope="function")]
"""A turn to work on the whole bank.

Declare it before `Uow` or `Reads`, so that waiting holds no connection.
"""


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose attempts a request may use: those of a signed-in user, or the one of an attempt token."""

    user_id: UUID
    grant: tokens.AttemptGrant | None
    principal: Principal | None


async def _holder(request: Request) -> Holder:
    """An exam can outlast a session, so an attempt token suffices for its attempt (docs/decisions/0025)."""
    token = await _token(request)
    parts: Components = request.app.state.components
    if tokens.is_attempt_token(token):
        try:
            grant = parts.attempt_tokens.read(token)
        except tokens.TokenRejected as error:
            raise InvalidToken from error
        request.state.user_id = str(grant.attempt.user_id)
        return Holder(grant.attempt.user_id, grant, None)
    principal = await current_user.caller(request)
    return Holder(principal.id, None, principal)


AttemptHolder = Annotated[Holder, Depends(Access(_holder, raises=_SIGN_IN_FIRST).of_attempt)]
