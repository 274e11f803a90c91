"""Accounts and sessions: our rules around the auth server."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import structlog

from app.core import errors, supabase_auth, tokens
from app.core.passwords import check_password
from app.core.supabase_auth import AuthSession
from app.repositories.users import Member
from app.services.auth.revocations import end_session, end_tokens
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork, unit_of_work
from app.services.users import Principal, ensure_profile, stored_address

log = structlog.get_logger(__name__)

SignOutScope = Literal["local", "global", "others"]


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session and whose it is."""

    session: AuthSession
    member: Member


@dataclass(frozen=True, slots=True)
class Registered:
    """What came of a registration: a session, or a mail with a link if addresses are confirmed."""

    user_id: UUID
    email: str
    name: str
    session: AuthSession | None


async def register(
    parts: Components, email: str, password: str, name: str, client_address: str | None
) -> Registered:
    """Make an account. Raises WeakPassword, or EmailTaken where addresses are not confirmed by mail.

    Where they are, the answer for a known address is that for a new one, and takes as long.
    """
    check_password(password, email=email, name=name)
    started = time.monotonic()
    async with auth_errors():
        made = await parts.auth.sign_up(email, password, name, client_address=client_address)
    if made.session is None:
        await _wait_for_floor(parts, started)
    if made.session is not None:
        async with unit_of_work(parts.engine) as uow:
            await ensure_profile(uow, made.user_id, made.session.user.email, name)
    return Registered(made.user_id, email.lower(), name, made.session)


async def login(parts: Components, email: str, password: str, client_address: str | None) -> SignedIn:
    """Sign in. A refusal takes the same time and says the same, whoever is asked for."""
    started = time.monotonic()
    try:
        async with auth_errors():
            session = await parts.auth.sign_in(email, password, client_address=client_address)
        return await _signed_in(parts, session)
    except errors.InvalidCredentials:
        await _wait_for_floor(parts, started)
        raise


async def _wait_for_floor(parts: Components, started: float) -> None:
    await asyncio.sleep(rest_of_floor(time.monotonic() - started, parts.settings.login_floor_ms / 1000))


def rest_of_floor(elapsed: float, floor: float) -> float:
    """How long to wait for a whole multiple of the floor: what took longer than it tells nothing either."""
    return -elapsed % floor if floor else 0.0


async def refresh(parts: Components, refresh_token: str, client_address: str | None) -> SignedIn:
    """Exchange a refresh token for the next pair. Raises InvalidToken."""
    async with auth_errors():
        session = await parts.auth.refresh(refresh_token, client_address=client_address)
    if await _was_ended(parts, session):
        with suppress(supabase_auth.AuthError):
            await parts.auth.sign_out(session.access_token, "local")
        raise errors.InvalidToken
    try:
        return await _signed_in(parts, session)
    except errors.InvalidCredentials:
        raise errors.InvalidToken from None


async def _was_ended(parts: Components, session: AuthSession) -> bool:
    """Whether we have ended the session, though the auth server still refreshes it."""
    try:
        claims = await parts.access_tokens.verify(session.access_token)
    except (tokens.TokenRejected, tokens.KeysUnavailable):
        return False  # whoever presents it is told
    return parts.revocations.cover(claims.user_id, claims.session_id, claims.signed_in_at)


async def _signed_in(parts: Components, session: AuthSession) -> SignedIn:
    user = session.user
    async with unit_of_work(parts.engine) as uow:
        member = await ensure_profile(uow, user.id, user.email, user.name or "")
        address = stored_address(user.email)
        if member.user.email != address:  # The auth server is where addresses are changed.
            await uow.users.change(user.id, {"email": address})
    if not member.user.active:
        raise errors.InvalidCredentials
    return SignedIn(session, member)


async def logout(
    uow: UnitOfWork, parts: Components, user: Principal, token: str, scope: SignOutScope
) -> None:
    """End this session, all sessions of the person, or all others; their access tokens die at once."""
    async with auth_errors():
        await parts.auth.sign_out(token, scope)
    if scope == "local":
        await end_session(uow, parts, user.id, user.session_id)
    else:
        kept = user.session_id if scope == "others" else None
        await end_tokens(uow, parts, user.id, except_session_id=kept)


async def confirm(parts: Components, token: str, client_address: str | None) -> None:
    """Confirm an address by the token of its mail. The session that comes of it is not wanted."""
    async with auth_errors():
        session = await parts.auth.verify("signup", token, client_address=client_address)
        await parts.auth.sign_out(session.access_token, "local")


async def reset_password(
    uow: UnitOfWork, parts: Components, token: str, password: str, client_address: str | None
) -> None:
    """Set a new password by the token of a mail, and end every session of the person.

    The policy comes first, since verifying uses the token up.
    """
    check_password(password, email="")
    async with auth_errors():
        session = await parts.auth.verify("recovery", token, client_address=client_address)
        try:
            await parts.auth.update_user(session.access_token, password=password)
        except supabase_auth.SamePassword:
            log.info("password_reset_to_the_same")
    await end_tokens(uow, parts, session.user.id)
    try:
        await parts.auth.sign_out(session.access_token, "global")
    except supabase_auth.AuthError as error:
        # The change itself has ended all sessions but the link's own, which nobody else has seen.
        log.warning("sessions_not_ended_after_reset", error=str(error))


async def change_account(
    uow: UnitOfWork,
    parts: Components,
    user: Principal,
    token: str,
    *,
    name: str | None,
    password: str | None,
    current_password: str | None,
    client_address: str | None,
) -> Member:
    """Change name or password. A new password needs the current one and ends all other sessions."""
    if password is not None:
        await _change_password(parts, user, token, password, current_password, client_address)
        await end_tokens(uow, parts, user.id, except_session_id=user.session_id)
    if name is not None:
        async with auth_errors():
            await parts.auth.update_user(token, name=name)
        await uow.users.change(user.id, {"name": name})
    member = await uow.users.member(user.id)
    assert member is not None  # noqa: S101 -- the request was authenticated as this person
    return member


async def _change_password(
    parts: Components,
    user: Principal,
    token: str,
    password: str,
    current_password: str | None,
    client_address: str | None,
) -> None:
    if current_password is None:
        raise errors.Invalid.field("current_password", "send the current password to set a new one")
    check_password(password, email=user.email, name=user.name)
    try:
        async with auth_errors():
            proof = await parts.auth.sign_in(user.email, current_password, client_address=client_address)
    except errors.InvalidCredentials:
        raise errors.Invalid.field("current_password", "this is not the current password") from None
    async with auth_errors():
        try:
            if proof.user.id != user.id:  # The address has changed at the auth server, and is another's now.
                raise errors.Invalid.field("current_password", "this is not the current password")
            await parts.auth.update_user(token, password=password)
        except supabase_auth.SamePassword:
            log.info("password_changed_to_the_same")
        finally:
            await parts.auth.sign_out(proof.access_token, "local")


@asynccontextmanager
async def auth_errors() -> AsyncIterator[None]:
    """Turn what the auth server says inside the block into our facts."""
    try:
        yield
    except supabase_auth.AuthError as error:
        raise _fact(error) from error


def _fact(error: supabase_auth.AuthError) -> errors.DomainError:
    match error:
        case supabase_auth.InvalidCredentials() | supabase_auth.EmailNotConfirmed():
            return errors.InvalidCredentials()
        case supabase_auth.EmailTaken():
            return errors.EmailTaken()
        case supabase_auth.WeakPassword():
            return errors.WeakPassword(str(error))
        case supabase_auth.RateLimited():
            return errors.TooManyRequests(error.retry_after or 60)
        case supabase_auth.InvalidRefreshToken() | supabase_auth.InvalidOneTimeToken():
            return errors.InvalidToken()
        case supabase_auth.InvalidSession() | supabase_auth.UserNotFound():
            return errors.SessionRevoked()
        case supabase_auth.Rejected():
            return errors.Invalid(f"The auth server refuses this: {error}")
        case _:
            return errors.Unavailable()
