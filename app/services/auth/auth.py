"""Accounts and sessions: registration, sign-in, and ending sessions at the auth server and here."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

import structlog

from app.core import errors, supabase_errors, tokens
from app.core.passwords import check_password
from app.core.supabase_auth import AuthSession
from app.models import Role
from app.repositories.users import Member
from app.sentences import Sentence
from app.services.auth.revocations import end_session, end_tokens, enforce
from app.services.components import Components
from app.services.unit_of_work import reading, unit_of_work
from app.services.users import Account, Principal, member_of

log = structlog.get_logger(__name__)

SignOutScope = Literal["local", "global", "others"]


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session and its user."""

    session: AuthSession
    member: Member


@dataclass(frozen=True, slots=True)
class AccountChanges:
    """What users may change in their own account. None does not change a value."""

    name: str | None
    password: str | None
    current_password: str | None
    """Needed for a new password."""
    client_address: str | None


@dataclass(frozen=True, slots=True)
class RegisteredAccount:
    """A new account. It has no session yet if its address must be confirmed by mail."""

    user_id: UUID
    email: str
    name: str
    session: AuthSession | None


async def register(
    parts: Components, email: str, password: str, name: str, client_address: str | None
) -> RegisteredAccount:
    """Create an account. Raises WeakPassword, or EmailTaken if addresses are not confirmed by mail.

    If they are, a known address gets the same answer as a new one, after the same time.
    """
    check_password(password, email=email, name=name)
    started = time.monotonic()
    async with parts.login_turns.turn(object()), auth_errors():
        made = await parts.auth.sign_up(email, password, name, client_address=client_address)
    if made.session is None:
        await _wait_for_floor(parts, started)
    if made.session is not None:
        await member_of(parts.engine, replace(await _account_of(parts, made.session), name=name))
    return RegisteredAccount(made.user_id, email.lower(), name, made.session)


async def login(parts: Components, email: str, password: str, client_address: str | None) -> SignedIn:
    """Sign in. A refusal takes the same time and says the same for every account and reason."""
    started = time.monotonic()
    try:
        async with parts.login_turns.turn(object()), auth_errors():
            session = await parts.auth.sign_in(email, password, client_address=client_address)
        return await _signed_in(parts, session)
    except errors.InvalidCredentials:
        await _wait_for_floor(parts, started)
        raise


async def _wait_for_floor(parts: Components, started: float) -> None:
    await asyncio.sleep(rest_of_floor(time.monotonic() - started, parts.settings.login_floor_ms / 1000))


def rest_of_floor(elapsed: float, floor: float) -> float:
    """How long to wait until the next whole multiple of the floor, so that the time reveals nothing."""
    return -elapsed % floor if floor else 0.0


async def refresh(parts: Components, refresh_token: str, client_address: str | None) -> SignedIn:
    """Exchange a refresh token for the next pair. Raises InvalidToken."""
    async with auth_errors():
        session = await parts.auth.refresh(refresh_token, client_address=client_address)
    if await _was_ended(parts, session):
        with suppress(supabase_errors.AuthError):
            await parts.auth.sign_out(session.access_token, "local")
        raise errors.InvalidToken
    try:
        return await _signed_in(parts, session)
    except errors.InvalidCredentials:
        raise errors.InvalidToken from None


async def _was_ended(parts: Components, session: AuthSession) -> bool:
    """Whether the session is revoked here, although the auth server still refreshes it.

    It asks the database, because this process may not have read the newest revocations yet.
    """
    try:
        claims = await parts.access_tokens.verify(session.access_token)
    except (tokens.TokenRejected, tokens.KeysUnavailable):
        return False  # A request with this token is refused anyway.
    async with reading(parts.engine) as reads:
        return await reads.revocations.cover(claims.user_id, claims.session_id, claims.signed_in_at)


async def _signed_in(parts: Components, session: AuthSession) -> SignedIn:
    member = await member_of(parts.engine, await _account_of(parts, session))
    if not member.user.active:
        raise errors.InvalidCredentials
    if member.role != Role.STUDENT:
        parts.admission.remember_staff(member.user.id)
    return SignedIn(session, member)


async def _account_of(parts: Components, session: AuthSession) -> Account:
    """The account of a session that the auth server has just given."""
    try:
        issued_at = (await parts.access_tokens.verify(session.access_token)).issued_at
    except (tokens.TokenRejected, tokens.KeysUnavailable):
        issued_at = parts.clock.now()  # Requests with this token are refused until it can be verified.
    user = session.user
    is_verified = user.email_confirmed_at is not None
    return Account(user.id, user.email, user.name or "", issued_at, is_verified, is_answer=True)


async def logout(parts: Components, user: Principal, token: str, scope: SignOutScope) -> None:
    """End this session, all sessions of the user, or all others, and revoke their access tokens at once."""
    async with auth_errors():
        await parts.auth.sign_out(token, scope)
    if scope == "local":
        async with unit_of_work(parts.engine) as uow:
            revocation = await end_session(uow, user.id, user.session_id, parts.clock.now())
        await enforce(parts, revocation)
    else:
        kept = user.session_id if scope == "others" else None
        await _end_sessions(parts, user.id, except_session_id=kept)


async def _end_sessions(parts: Components, user_id: UUID, *, except_session_id: str | None = None) -> None:
    """Revoke the tokens of a user's sessions in a transaction of its own, and enforce it."""
    async with unit_of_work(parts.engine) as uow:
        now = parts.clock.now()
        revocation = await end_tokens(uow, user_id, now, except_session_id=except_session_id)
    await enforce(parts, revocation)


async def confirm(parts: Components, token: str, client_address: str | None) -> None:
    """Confirm an address with the token of its mail, and end the session that this opens."""
    async with auth_errors():
        session = await parts.auth.verify("signup", token, client_address=client_address)
        await parts.auth.sign_out(session.access_token, "local")


async def reset_password(parts: Components, token: str, password: str, client_address: str | None) -> None:
    """Set a new password with the token of a mail, and end every session of the user.

    The password policy is checked first, because a token can be verified only once.
    """
    check_password(password, email="")
    async with auth_errors():
        session = await parts.auth.verify("recovery", token, client_address=client_address)
        try:
            await parts.auth.update_user(session.access_token, password=password)
        except supabase_errors.SamePassword:
            log.info("password_reset_to_the_same")
    await _end_sessions(parts, session.user.id)
    try:
        await parts.auth.sign_out(session.access_token, "global")
    except supabase_errors.AuthError as error:
        # The password change has ended all sessions except the one of the link, which nobody else has.
        log.warning("sessions_not_ended_after_reset", error=str(error))


async def change_account(parts: Components, user: Principal, token: str, changes: AccountChanges) -> Member:
    """Change name or password. A new password needs the current one and ends all other sessions."""
    if changes.password is not None:
        await _change_password(parts, user, token, changes.password, changes)
        await _end_sessions(parts, user.id, except_session_id=user.session_id)
    if changes.name is not None:
        async with auth_errors():
            await parts.auth.update_user(token, name=changes.name)
    async with unit_of_work(parts.engine) as uow:
        if changes.name is not None:
            await uow.users.change(user.id, {"name": changes.name})
        member = await uow.users.member(user.id)
    assert member is not None  # noqa: S101 -- the request was authenticated as this user
    return member


async def _change_password(
    parts: Components, user: Principal, token: str, password: str, changes: AccountChanges
) -> None:
    if changes.current_password is None:
        raise errors.Invalid.field("current_password", "Send the current password to set a new one.")
    check_password(password, email=user.email, name=user.name)
    await prove_password(parts, user, changes.current_password, "current_password", changes.client_address)
    async with auth_errors():
        try:
            await parts.auth.update_user(token, password=password)
        except supabase_errors.SamePassword:
            log.info("password_changed_to_the_same")


async def prove_password(
    parts: Components, user: Principal, password: str, field: str, client_address: str | None
) -> None:
    """Raise Invalid for the field if this is not the user's current password.

    The session that the proof opens is ended.
    """
    try:
        async with auth_errors():
            # The profile has no address if another account has taken it over.
            email = user.email or (await parts.auth.admin_get(user.id)).email
            proof = await parts.auth.sign_in(email, password, client_address=client_address)
    except errors.InvalidCredentials:
        raise errors.Invalid.field(field, "This is not the current password.") from None
    async with auth_errors():
        await parts.auth.sign_out(proof.access_token, "local")
    if proof.user.id != user.id:  # At the auth server the address now belongs to another account.
        raise errors.Invalid.field(field, "This is not the current password.")


@asynccontextmanager
async def auth_errors() -> AsyncIterator[None]:
    """Raise errors of the auth server inside the block as domain errors."""
    try:
        yield
    except supabase_errors.AuthError as error:
        raise _domain_error(error) from error


_REFUSED_PASSWORD = Sentence(
    "The auth server does not accept this password. Choose a longer one that others would not guess."
)


def _domain_error(error: supabase_errors.AuthError) -> errors.DomainError:
    match error:
        case supabase_errors.CredentialsRejected() | supabase_errors.EmailNotConfirmed():
            return errors.InvalidCredentials()
        case supabase_errors.EmailExists():
            return errors.EmailTaken()
        case supabase_errors.PasswordRejected():
            return errors.WeakPassword(_REFUSED_PASSWORD)
        case supabase_errors.RateLimited():
            return errors.TooManyRequests(error.retry_after or 60)
        case supabase_errors.InvalidRefreshToken() | supabase_errors.InvalidOneTimeToken():
            return errors.InvalidToken()
        case supabase_errors.InvalidSession() | supabase_errors.UserNotFound():
            return errors.SessionRevoked()
        case supabase_errors.Rejected():
            return errors.Invalid(Sentence("The auth server rejects this: {reason}", reason=str(error)))
        case _:
            return errors.Unavailable()
