"""Supabase Auth over HTTP: the few calls that we need, typed, with its traps kept on this side.

AuthError
├── InvalidCredentials   unknown address, wrong password or banned: one and the same
├── EmailNotConfirmed
├── EmailTaken
├── WeakPassword
├── SamePassword
├── InvalidRefreshToken
├── InvalidOneTimeToken
├── InvalidSession       the access token, its session or its user is no more
├── UserNotFound
├── RateLimited
├── Rejected             anything else that the server will not do
└── AuthUnavailable      no answer, a broken one, or our keys are wrong
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import httpx

_API_VERSION = "2024-01-01"
_TIMEOUT = httpx.Timeout(5.0, connect=2.0)
_FOREVER = "876000h"

SignOutScope = Literal["local", "global", "others"]
OneTimeTokenType = Literal["recovery", "signup"]


class AuthError(Exception):
    """The auth server said no, or nothing."""


class InvalidCredentials(AuthError):
    pass


class EmailNotConfirmed(AuthError):
    pass


class EmailTaken(AuthError):
    pass


class WeakPassword(AuthError):
    """`reasons` as the server names them: length, characters, pwned."""

    def __init__(self, message: str, reasons: tuple[str, ...]) -> None:
        super().__init__(message)
        self.reasons = reasons


class SamePassword(AuthError):
    pass


class InvalidRefreshToken(AuthError):
    pass


class InvalidOneTimeToken(AuthError):
    pass


class InvalidSession(AuthError):
    pass


class UserNotFound(AuthError):
    pass


class RateLimited(AuthError):
    """`retry_after` in seconds, if the server says it."""

    def __init__(self, message: str, retry_after: int | None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Rejected(AuthError):
    """`code` is Supabase's error code."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class AuthUnavailable(AuthError):
    pass


_ERRORS: Mapping[str, type[AuthError]] = {
    "invalid_credentials": InvalidCredentials,
    "user_banned": InvalidCredentials,
    "email_not_confirmed": EmailNotConfirmed,
    "user_already_exists": EmailTaken,
    "email_exists": EmailTaken,
    "same_password": SamePassword,
    "refresh_token_not_found": InvalidRefreshToken,
    "refresh_token_already_used": InvalidRefreshToken,
    "session_expired": InvalidRefreshToken,
    "conflict": AuthUnavailable,  # Too many refreshes of one session at once.
    "otp_expired": InvalidOneTimeToken,
    "bad_jwt": InvalidSession,
    "session_not_found": InvalidSession,
    "user_not_found": UserNotFound,
}


@dataclass(frozen=True, slots=True)
class AuthUser:
    """An account as the auth server knows it. The name is what the user calls themselves; never a role."""

    id: UUID
    email: str
    name: str | None
    email_confirmed_at: datetime | None
    banned_until: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AuthSession:
    """A sign-in with its tokens."""

    access_token: str
    refresh_token: str
    expires_in: int
    user: AuthUser


@dataclass(frozen=True, slots=True)
class SignUp:
    """What came of a registration: a session, or (with confirmation on) nothing yet but a mail.

    `user` is None when the server made one up because the address is taken: `user_id` may be shown,
    so that the answer looks as for a new address, and nothing may be stored under it.
    """

    user_id: UUID
    user: AuthUser | None
    session: AuthSession | None


class SupabaseAuth:
    """One instance serves all users: it keeps no session, each call is told whose token it carries."""

    def __init__(self, base_url: str, anon_key: str, service_key: str, http: httpx.AsyncClient) -> None:
        self._url = f"{base_url.rstrip('/')}/auth/v1"
        self._anon_key = anon_key
        self._service_key = service_key
        self._http = http

    # For the public

    async def sign_up(
        self, email: str, password: str, name: str, *, client_address: str | None = None
    ) -> SignUp:
        body = {"email": email, "password": password, "data": {"name": name}}
        answer = await self._public("/signup", body, client_address)
        if "access_token" in answer:
            session = _session(answer)
            return SignUp(session.user.id, session.user, session)
        user = _user(answer)
        # Supabase's sign of a made-up user for an address that is taken.
        return SignUp(user.id, user if answer.get("identities") else None, None)

    async def sign_in(self, email: str, password: str, *, client_address: str | None = None) -> AuthSession:
        body = {"email": email, "password": password}
        try:
            return _session(await self._public("/token?grant_type=password", body, client_address))
        except Rejected as error:
            if error.code == "validation_failed":  # What is no address has no account.
                raise InvalidCredentials(str(error)) from error
            raise

    async def refresh(self, refresh_token: str, *, client_address: str | None = None) -> AuthSession:
        body = {"refresh_token": refresh_token}
        try:
            return _session(await self._public("/token?grant_type=refresh_token", body, client_address))
        except (InvalidCredentials, InvalidSession) as error:
            raise InvalidRefreshToken(str(error)) from error
        except Rejected as error:
            if error.code == "validation_failed":
                raise InvalidRefreshToken(str(error)) from error
            raise

    async def recover(self, email: str, *, client_address: str | None = None) -> None:
        """Ask for a recovery mail. Whether there is such an account, nobody learns."""
        await self._ask_for_mail("/recover", {"email": email}, client_address)

    async def resend(self, email: str, *, client_address: str | None = None) -> None:
        """Ask for the confirmation mail again. Whether there is such an account, nobody learns."""
        await self._ask_for_mail("/resend", {"type": "signup", "email": email}, client_address)

    async def verify(
        self, kind: OneTimeTokenType, token_hash: str, *, client_address: str | None = None
    ) -> AuthSession:
        """Exchange the token of a mail for a session. The token is used up, whatever comes afterwards."""
        body = {"type": kind, "token_hash": token_hash}
        try:
            return _session(await self._public("/verify", body, client_address))
        except (InvalidCredentials, UserNotFound) as error:
            raise InvalidOneTimeToken(str(error)) from error

    # For the holder of an access token

    async def get_user(self, access_token: str) -> AuthUser:
        return _user(await self._as_user("GET", "/user", access_token))

    async def update_user(
        self, access_token: str, *, password: str | None = None, name: str | None = None
    ) -> AuthUser:
        """Change what is given. A new password ends the user's other sessions."""
        body = {"password": password, "data": {"name": name} if name is not None else None}
        return _user(await self._as_user("PUT", "/user", access_token, _present(body)))

    async def sign_out(self, access_token: str, scope: SignOutScope = "local") -> None:
        """End sessions. A token that has expired, or whose session is gone, has nothing left to end."""
        try:
            await self._as_user("POST", f"/logout?scope={scope}", access_token)
        except (InvalidSession, InvalidCredentials):
            return

    # For administrators, with the service key

    async def admin_create(
        self,
        email: str,
        *,
        password: str | None = None,
        password_hash: str | None = None,
        user_id: UUID | None = None,
        name: str | None = None,
    ) -> AuthUser:
        """An account with a confirmed address. An id and an argon2id hash may come from another server."""
        body = {
            "id": str(user_id) if user_id else None,
            "email": email,
            "email_confirm": True,
            "password": password,
            "password_hash": password_hash,
            "user_metadata": {"name": name} if name is not None else None,
        }
        return _user(await self._as_admin("POST", "/admin/users", _present(body)))

    async def admin_get(self, user_id: UUID) -> AuthUser:
        return _user(await self._as_admin("GET", f"/admin/users/{user_id}"))

    async def admin_update(
        self,
        user_id: UUID,
        *,
        email: str | None = None,
        password: str | None = None,
        email_confirm: bool | None = None,
        name: str | None = None,
        app_metadata: Mapping[str, Any] | None = None,
    ) -> AuthUser:
        body = {
            "email": email,
            "password": password,
            "email_confirm": email_confirm,
            "user_metadata": {"name": name} if name is not None else None,
            "app_metadata": app_metadata,
        }
        return _user(await self._as_admin("PUT", f"/admin/users/{user_id}", _present(body)))

    async def admin_ban(self, user_id: UUID, *, banned: bool = True) -> AuthUser:
        """Ban or let in again. Tokens that are out stay good until they expire: revoke them besides."""
        body = {"ban_duration": _FOREVER if banned else "none"}
        return _user(await self._as_admin("PUT", f"/admin/users/{user_id}", body))

    async def admin_delete(self, user_id: UUID) -> None:
        await self._as_admin("DELETE", f"/admin/users/{user_id}", {"should_soft_delete": False})

    # The wire

    async def _public(self, path: str, body: Mapping[str, Any], client_address: str | None) -> dict[str, Any]:
        return await self._call("POST", path, self._public_headers(client_address), body)

    def _public_headers(self, client_address: str | None) -> dict[str, str]:
        """Supabase counts calls by address; it believes ours about the client's only with a secret key."""
        if client_address is None:
            return {"apikey": self._anon_key}
        key = self._service_key if self._service_key.startswith("sb_secret_") else self._anon_key
        return {"apikey": key, "Sb-Forwarded-For": client_address}

    async def _ask_for_mail(self, path: str, body: Mapping[str, Any], client_address: str | None) -> None:
        try:
            await self._public(path, body, client_address)
        except RateLimited:
            return  # Supabase says this about known addresses only.

    async def _as_user(
        self, method: str, path: str, access_token: str, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        headers = {"apikey": self._anon_key, "Authorization": f"Bearer {access_token}"}
        try:
            return await self._call(method, path, headers, body)
        except UserNotFound as error:
            raise InvalidSession(str(error)) from error

    async def _as_admin(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        headers = {"apikey": self._service_key, "Authorization": f"Bearer {self._service_key}"}
        return await self._call(method, path, headers, body)

    async def _call(
        self, method: str, path: str, headers: Mapping[str, str], body: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        """One request and no retry: it is not known whether a sign-up that got no answer took place."""
        # Supabase refuses secret keys from anything that calls itself a browser, so we name ourselves.
        ours = {"User-Agent": "ias-backend", "X-Supabase-Api-Version": _API_VERSION}
        try:
            response = await self._http.request(
                method, self._url + path, headers={**ours, **headers}, json=body, timeout=_TIMEOUT
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise AuthUnavailable(f"The auth server does not answer: {error!r}") from error
        if response.is_success:
            return _json(response) if response.content else {}
        raise _error(response)


def _present(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        content = response.json()
    except ValueError as error:
        raise AuthUnavailable(f"The auth server sent no JSON (status {response.status_code})") from error
    if not isinstance(content, dict):
        raise AuthUnavailable(f"The auth server sent no object (status {response.status_code})")
    return content


def _error(response: httpx.Response) -> AuthError:
    """Our name for an answer that is not success. Servers before the API version say `error_code`, `msg`."""
    if response.status_code >= 500:
        return AuthUnavailable(f"The auth server failed with status {response.status_code}")
    try:
        content = _json(response)
    except AuthUnavailable as error:
        return error
    message = str(content.get("message") or content.get("msg") or "no message")
    code = content["code"] if isinstance(content.get("code"), str) else content.get("error_code")
    if response.status_code == 429:
        return RateLimited(message, _retry_after(response))
    if code == "weak_password":
        reasons = (content.get("weak_password") or {}).get("reasons") or ()
        return WeakPassword(message, tuple(reasons))
    if code is None or code in {"no_authorization", "not_admin"}:
        return AuthUnavailable(f"The auth server refused our keys: {message}")
    return _ERRORS[code](message) if code in _ERRORS else Rejected(message, code)


def _retry_after(response: httpx.Response) -> int | None:
    value = response.headers.get("Retry-After", "")
    return int(value) if value.isdecimal() else None


def _session(content: Mapping[str, Any]) -> AuthSession:
    try:
        return AuthSession(
            access_token=content["access_token"],
            refresh_token=content["refresh_token"],
            expires_in=content["expires_in"],
            user=_user(content["user"]),
        )
    except (KeyError, TypeError) as error:
        raise AuthUnavailable(f"The auth server sent a session without {error}") from error


def _user(content: Mapping[str, Any]) -> AuthUser:
    try:
        name = (content.get("user_metadata") or {}).get("name")
        return AuthUser(
            id=UUID(content["id"]),
            email=content.get("email") or "",
            name=name if isinstance(name, str) else None,
            email_confirmed_at=_time(content.get("email_confirmed_at")),
            banned_until=_time(content.get("banned_until")),
            created_at=datetime.fromisoformat(content["created_at"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise AuthUnavailable(f"The auth server sent a user that we do not understand: {error!r}") from error


def _time(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None
