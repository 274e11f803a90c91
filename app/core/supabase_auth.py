"""A client of the parts of Supabase Auth's HTTP API that the application uses (docs/decisions/0005)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlencode
from uuid import UUID

import httpx

from app.core.supabase_errors import (
    AuthUnavailable,
    CredentialsRejected,
    InvalidOneTimeToken,
    InvalidRefreshToken,
    InvalidSession,
    RateLimited,
    Rejected,
    UserNotFound,
    error_of,
    json_of,
)

_API_VERSION = "2024-01-01"
_TIMEOUT = httpx.Timeout(5.0, connect=2.0)
_FOREVER = "876000h"

SignOutScope = Literal["local", "global", "others"]
OneTimeTokenType = Literal["recovery", "signup"]


@dataclass(frozen=True, slots=True)
class AuthUser:
    """An account of the auth server. The user can change the name, so that it must not decide permissions."""

    id: UUID
    email: str
    name: str | None
    email_confirmed_at: datetime | None
    banned_until: datetime | None
    created_at: datetime
    is_invited: bool = False
    """Whether a roster has created the account. Only the service key can set this."""


@dataclass(frozen=True, slots=True)
class AuthSession:
    """A session with its tokens."""

    access_token: str
    refresh_token: str
    expires_in: int
    user: AuthUser


@dataclass(frozen=True, slots=True)
class SignUp:
    """The result of a registration. `session` is None if the address must be confirmed first.

    If the address is taken, the server returns an invented user. Then `user` is None, and `user_id` may be
    shown, so that the response is the same as for a new address, but nothing may be stored under it.
    """

    user_id: UUID
    user: AuthUser | None
    session: AuthSession | None


class SupabaseAuth:
    """A client for all users. It keeps no session: each method takes the token that it needs."""

    def __init__(self, base_url: str, anon_key: str, service_key: str, http: httpx.AsyncClient) -> None:
        self._url = f"{base_url.rstrip('/')}/auth/v1"
        self._anon_key = anon_key
        self._service_key = service_key
        self._http = http

    # Calls without an access token

    async def sign_up(
        self, email: str, password: str, name: str, *, client_address: str | None = None
    ) -> SignUp:
        body = {"email": email, "password": password, "data": {"name": name}}
        content = await self._public("/signup", body, client_address)
        if "access_token" in content:
            session = _session(content)
            return SignUp(session.user.id, session.user, session)
        user = _user(content)
        # A user without identities is invented, because the address is taken.
        return SignUp(user.id, user if content.get("identities") else None, None)

    async def sign_in(self, email: str, password: str, *, client_address: str | None = None) -> AuthSession:
        body = {"email": email, "password": password}
        try:
            return _session(await self._public("/token?grant_type=password", body, client_address))
        except Rejected as error:
            if error.code == "validation_failed":  # The address is not valid, so that it has no account.
                raise CredentialsRejected(str(error)) from error
            raise

    async def refresh(self, refresh_token: str, *, client_address: str | None = None) -> AuthSession:
        body = {"refresh_token": refresh_token}
        try:
            return _session(await self._public("/token?grant_type=refresh_token", body, client_address))
        except (CredentialsRejected, InvalidSession) as error:
            raise InvalidRefreshToken(str(error)) from error
        except Rejected as error:
            if error.code == "validation_failed":
                raise InvalidRefreshToken(str(error)) from error
            raise

    async def recover(self, email: str, *, client_address: str | None = None) -> None:
        """Request a recovery mail. The result does not depend on whether the account exists."""
        await self._ask_for_mail("/recover", {"email": email}, client_address)

    async def resend(self, email: str, *, client_address: str | None = None) -> None:
        """Request the confirmation mail again. The result does not depend on whether the account exists."""
        await self._ask_for_mail("/resend", {"type": "signup", "email": email}, client_address)

    async def verify(
        self, kind: OneTimeTokenType, token_hash: str, *, client_address: str | None = None
    ) -> AuthSession:
        """Exchange the token of a mail for a session. The token cannot be used again."""
        body = {"type": kind, "token_hash": token_hash}
        try:
            return _session(await self._public("/verify", body, client_address))
        except (CredentialsRejected, UserNotFound) as error:
            raise InvalidOneTimeToken(str(error)) from error

    # Calls with a user's access token

    async def get_user(self, access_token: str) -> AuthUser:
        return _user(await self._as_user("GET", "/user", access_token))

    async def update_user(
        self, access_token: str, *, password: str | None = None, name: str | None = None
    ) -> AuthUser:
        """Change the given fields. A new password ends the user's other sessions."""
        body = {"password": password, "data": {"name": name} if name is not None else None}
        return _user(await self._as_user("PUT", "/user", access_token, _without_none(body)))

    async def sign_out(self, access_token: str, scope: SignOutScope = "local") -> None:
        """End sessions. Does nothing if the token has expired or its session has ended."""
        try:
            await self._as_user("POST", f"/logout?scope={scope}", access_token)
        except (InvalidSession, CredentialsRejected):
            return

    # Calls with the service key

    async def admin_create(
        self,
        email: str,
        *,
        password: str | None = None,
        password_hash: str | None = None,
        user_id: UUID | None = None,
        name: str | None = None,
        is_invited: bool = False,
    ) -> AuthUser:
        """Create an account with a confirmed address. An import gives `user_id` and an argon2id hash.

        Without a password nobody can sign in until one is set with a recovery token. The address of an
        invited account is confirmed too: where addresses are not confirmed by mail, a stranger who registers
        an unconfirmed one would get its session.
        """
        body = {
            "id": str(user_id) if user_id else None,
            "email": email,
            "email_confirm": True,
            "password": password,
            "password_hash": password_hash,
            "user_metadata": {"name": name} if name is not None else None,
            "app_metadata": {"invited": True} if is_invited else None,
        }
        return _user(await self._as_admin("POST", "/admin/users", _without_none(body)))

    async def admin_find(self, email: str) -> AuthUser | None:
        """The account with this address. The server's filter finds parts, so that others are left out."""
        query = urlencode({"filter": email, "per_page": 100})
        content = await self._as_admin("GET", f"/admin/users?{query}")
        found = (_user(each) for each in content.get("users") or ())
        return next((user for user in found if user.email.lower() == email.lower()), None)

    async def recovery_token(self, email: str) -> str:
        """A one-time token that sets the password of an account. The token before it becomes invalid."""
        body = {"type": "recovery", "email": email}
        content = await self._as_admin("POST", "/admin/generate_link", body)
        token = content.get("hashed_token")
        if not isinstance(token, str):
            raise AuthUnavailable("The auth server sent a link without a token")
        return token

    async def admin_get(self, user_id: UUID) -> AuthUser:
        return _user(await self._as_admin("GET", f"/admin/users/{user_id}"))

    async def admin_ban(self, user_id: UUID, *, banned: bool = True) -> AuthUser:
        """Ban or unban a user. Access tokens stay valid until they expire, so revoke them too."""
        body = {"ban_duration": _FOREVER if banned else "none"}
        return _user(await self._as_admin("PUT", f"/admin/users/{user_id}", body))

    async def admin_delete(self, user_id: UUID) -> None:
        await self._as_admin("DELETE", f"/admin/users/{user_id}", {"should_soft_delete": False})

    # HTTP

    async def _public(self, path: str, body: Mapping[str, Any], client_address: str | None) -> dict[str, Any]:
        return await self._call("POST", path, self._public_headers(client_address), body)

    def _public_headers(self, client_address: str | None) -> dict[str, str]:
        """Headers with the client's address for rate limits. Supabase uses it only with a secret key."""
        if client_address is None:
            return {"apikey": self._anon_key}
        key = self._service_key if self._service_key.startswith("sb_secret_") else self._anon_key
        return {"apikey": key, "Sb-Forwarded-For": client_address}

    async def _ask_for_mail(self, path: str, body: Mapping[str, Any], client_address: str | None) -> None:
        try:
            await self._public(path, body, client_address)
        except RateLimited:
            return  # Supabase limits only known addresses, so that an error would show that one is known.

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
        """Send one request. There is no retry, because a sign-up without a response may have succeeded."""
        # Supabase rejects secret keys in requests with the User-Agent of a browser.
        defaults = {"User-Agent": "ias-backend", "X-Supabase-Api-Version": _API_VERSION}
        try:
            response = await self._http.request(
                method, self._url + path, headers={**defaults, **headers}, json=body, timeout=_TIMEOUT
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise AuthUnavailable(f"The auth server does not respond: {error!r}") from error
        if response.is_success:
            return json_of(response) if response.content else {}
        raise error_of(response)


def _without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


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
            is_invited=(content.get("app_metadata") or {}).get("invited") is True,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise AuthUnavailable(f"The auth server sent an invalid user: {error!r}") from error


def _time(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None
