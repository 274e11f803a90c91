"""What users can do: sign up, sign in, refresh, sign out, recover, confirm, change."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from devservers.auth import errors, wire
from devservers.auth.errors import ApiError, validation_failed
from devservers.auth.mail import Mailer
from devservers.auth.passwords import Passwords, check_strength
from devservers.auth.store import Database, MailRequest, Session, Store, User
from devservers.auth.tokens import (
    AccessTokens,
    Bearer,
    RefreshTokens,
    Use,
    fingerprint,
    judge,
    new_one_time_token,
)

# The kinds of verification that a client may request, and the kind of mail for each.
_VERIFICATIONS = {"signup": "signup", "email": "signup", "recovery": "recovery"}
_MAIL_INTERVAL = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Accounts:
    """The use cases. Passwords are hashed outside of transactions, because hashing takes long."""

    database: Database
    passwords: Passwords
    access_tokens: AccessTokens
    refresh_tokens: RefreshTokens
    mailer: Mailer
    confirm_email: bool
    reuse_interval: timedelta
    mail_requested: asyncio.Event = field(default_factory=asyncio.Event)
    """Wakes the loop that sends requested mails."""

    async def sign_up(
        self, email: str, password: str, data: Mapping[str, Any], redirect_to: str | None
    ) -> dict[str, Any]:
        """A session; with confirmation on the user alone, and a made-up one for an address that is taken.

        With confirmation on, the statements are the same for a new address and a known one: a mail is asked
        for, and whether one is due is decided behind the answer.
        """
        check_strength(password)
        password_hash = await self.passwords.hash(password)
        async with self.database.transaction() as store:
            user = await store.add_user(
                email,
                password_hash,
                confirmed=not self.confirm_email,
                user_metadata=wire.merged({}, data),
                app_metadata={},
            )
            if user and not self.confirm_email:
                return await self._open_session(store, user, "password")
            if user is None and not self.confirm_email:
                raise ApiError(422, "user_already_exists", "User already registered")
            await store.add_mail_request("signup", email, redirect_to)
        self.mail_requested.set()
        return wire.user_json(user) if user else _made_up_user(email, data)

    async def sign_in(self, email: str, password: str) -> dict[str, Any]:
        async with self.database.transaction() as store:
            user = await store.user_by_email(email)
        # As in GoTrue, a ban is reported before the password is checked. The hash is computed nevertheless.
        usable = user is not None and not user.is_banned
        matches = await self.passwords.verify(user.password_hash if user and usable else None, password)
        if user and user.is_banned:
            raise errors.user_banned()
        if user is None or not matches:
            raise errors.invalid_credentials()
        if user.email_confirmed_at is None:
            raise ApiError(400, "email_not_confirmed", "Email not confirmed")
        async with self.database.transaction() as store:
            locked = await store.lock_user(user.id)
            # The password may have changed while the old one was verified.
            if locked is None or locked.password_hash != user.password_hash:
                raise errors.invalid_credentials()
            return await self._open_session(store, locked, "password")

    async def refresh(self, refresh_token: str) -> dict[str, Any]:
        token_hash = fingerprint(refresh_token)
        async with self.database.transaction() as store:
            session = await store.lock_session_of(token_hash)
            if session is None:
                raise ApiError(
                    400, "refresh_token_not_found", "Invalid Refresh Token: Refresh Token Not Found"
                )
            user = await store.user(session.user_id)
            if user is None or user.is_banned:
                raise errors.user_banned()
            number = await self._next_number(store, session, token_hash)
            if number is not None:
                return self._session_json(user, session, number)
            await store.end_session(session.id)
        # Raised after the transaction; otherwise the end of the session would be rolled back.
        raise ApiError(400, "refresh_token_already_used", "Invalid Refresh Token: Already Used")

    async def _next_number(self, store: Store, session: Session, token_hash: bytes) -> int | None:
        """The number of the token to issue in exchange; None if the token must not be used any more."""
        token = await store.refresh_token(token_hash)
        use = judge(
            number=token.number,
            active=session.active_token,
            rotated_at=token.rotated_at,
            now=token.now,
            interval=self.reuse_interval,
        )
        if use is Use.REUSED:
            return None
        if use is Use.REPEAT:
            return session.active_token
        await self._activate(store, session, token.number + 1)
        return token.number + 1

    async def verify(self, kind: str, token: str, email: str | None) -> dict[str, Any]:
        """Exchange a one-time token for a session. The token also confirms the address."""
        if kind not in _VERIFICATIONS:
            raise validation_failed(f"Verification of type {kind!r} is not supported")
        async with self.database.transaction() as store:
            user = await store.take_one_time_token(_VERIFICATIONS[kind], fingerprint(token), email)
            if user and not user.is_banned:
                return await self._open_session(store, confirmed(user), "otp")
        if user:
            raise errors.user_banned(403)
        raise ApiError(403, "otp_expired", "Token has expired or is invalid")

    async def request_mail(self, kind: str, email: str, redirect_to: str | None) -> None:
        """Request a mail with a one-time token. The work is the same with and without an account."""
        async with self.database.transaction() as store:
            await store.add_mail_request(kind, email, redirect_to)
        self.mail_requested.set()

    async def send_requested_mail(self) -> bool:
        """Do what one request asked for; False if there was none.

        The mail goes out before the commit: if that fails, the request is still there and is done again.
        """
        async with self.database.transaction() as store:
            request = await store.take_mail_request()
            if request is not None:
                await self._send_mail(store, request)
        return request is not None

    async def _send_mail(self, store: Store, request: MailRequest) -> None:
        """Mail a one-time token to an account that may get one, at most once a minute."""
        token = new_one_time_token()
        known = await store.user_by_email(request.email)
        user = await store.lock_user(known.id) if known else None
        if user is None or not _may_mail(request.kind, user):
            return
        now = datetime.now(UTC)
        sent: dict[str, Any] = (
            {"confirmation_sent_at": now} if request.kind == "signup" else {"recovery_sent_at": now}
        )
        await store.save_user(replace(user, **sent))
        await store.put_one_time_token(user.id, request.kind, fingerprint(token))
        await self.mailer.send(request.kind, user.email, token, request.redirect_to)

    async def authenticate(self, access_token: str) -> tuple[User, Bearer]:
        bearer = self.access_tokens.verify(access_token)
        async with self.database.transaction() as store:
            user = await store.user(bearer.user_id)
            session = await store.session(bearer.session_id, bearer.user_id)
        if user is None:
            raise errors.user_not_found(403)
        if session is None:
            raise errors.session_not_found()
        if user.is_banned:
            raise errors.user_banned(403)
        return user, bearer

    async def sign_out(self, bearer: Bearer, scope: str) -> None:
        async with self.database.transaction() as store:
            if scope == "local":
                await store.end_session(bearer.session_id)
            elif scope in {"global", "others"}:
                kept = bearer.session_id if scope == "others" else None
                await store.end_sessions(bearer.user_id, but=kept)
            else:
                raise validation_failed(f"Unsupported logout scope {scope!r}")

    async def update(self, user: User, bearer: Bearer, body: Mapping[str, Any]) -> dict[str, Any]:
        if "email" in body and wire.email(body) != user.email:
            raise validation_failed("Changing the e-mail address is not supported by this server")
        if body.get("app_metadata") is not None:
            raise ApiError(403, "not_admin", "Updating app_metadata requires admin privileges")
        password_hash = await self._new_password_hash(user, body)
        async with self.database.transaction() as store:
            locked = await store.lock_user(user.id)
            # A concurrent change of the password may have ended this session.
            if locked is None or await store.session(bearer.session_id, user.id) is None:
                raise errors.session_not_found()
            if password_hash:
                locked = await with_password(store, locked, password_hash, keep=bearer.session_id)
            data = wire.merged(locked.user_metadata, wire.metadata(body, "data"))
            return wire.user_json(await store.save_user(replace(locked, user_metadata=data)))

    async def _new_password_hash(self, user: User, body: Mapping[str, Any]) -> str | None:
        password, current = wire.text(body, "password"), wire.text(body, "current_password")
        if password is None:
            return None
        check_strength(password)
        if current is not None and not await self.passwords.verify(user.password_hash, current):
            raise errors.invalid_credentials()
        if await self.passwords.verify(user.password_hash, password):
            raise ApiError(422, "same_password", "New password should be different from the old password.")
        return await self.passwords.hash(password)

    async def _open_session(self, store: Store, user: User, method: str) -> dict[str, Any]:
        user = await store.save_user(replace(user, last_sign_in_at=datetime.now(UTC)))
        session = await store.add_session(user.id, method)
        await self._activate(store, session, 1)
        return self._session_json(user, session, 1)

    async def _activate(self, store: Store, session: Session, number: int) -> None:
        token = self.refresh_tokens.derive(session.id, number)
        await store.activate_token(session.id, number, fingerprint(token))

    def _session_json(self, user: User, session: Session, number: int) -> dict[str, Any]:
        access_token, expires_at = self.access_tokens.sign(user, session)
        return {
            "access_token": access_token,
            "token_type": "bearer",
            "expires_in": self.access_tokens.lifetime,
            "expires_at": expires_at,
            "refresh_token": self.refresh_tokens.derive(session.id, number),
            "user": wire.user_json(user),
        }


def _made_up_user(email: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """A made-up new user without identities, so that the response does not show that the address exists."""
    now = datetime.now(UTC)
    user = User(
        id=uuid4(),
        email=email,
        password_hash=None,
        email_confirmed_at=None,
        confirmation_sent_at=None,
        recovery_sent_at=None,
        last_sign_in_at=None,
        banned_until=None,
        app_metadata={"provider": "email", "providers": ["email"]},
        user_metadata=wire.merged({}, data),
        created_at=now,
        updated_at=now,
    )
    return {**wire.user_json(user), "identities": []}


def _may_mail(kind: str, user: User) -> bool:
    if kind == "signup" and user.email_confirmed_at is not None:
        return False
    sent_at = user.confirmation_sent_at if kind == "signup" else user.recovery_sent_at
    return sent_at is None or datetime.now(UTC) - sent_at >= _MAIL_INTERVAL


def confirmed(user: User) -> User:
    """The user with its address confirmed."""
    return replace(user, email_confirmed_at=user.email_confirmed_at or datetime.now(UTC))


async def with_password(store: Store, user: User, password_hash: str, *, keep: UUID | None) -> User:
    """The user with a new password, not saved yet. Its sessions and one-time tokens are deleted."""
    await store.clear_one_time_tokens(user.id)
    await store.end_sessions(user.id, but=keep)
    return replace(user, password_hash=password_hash)
