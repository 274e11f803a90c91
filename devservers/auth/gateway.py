"""The API keys that Supabase's gateway requires."""

import hmac
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from devservers.auth.errors import ApiError


class RequireKey:
    """Every request must have the public key or the service key, as at Supabase."""

    def __init__(self, app: ASGIApp, keys: Sequence[str]) -> None:
        self._app = app
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        shown = Headers(scope=scope).get("apikey", "")
        if not any(_same(shown, key) for key in self._keys):
            raise ApiError(401, "no_authorization", "No API key found in request, or it is not valid")
        await self._app(scope, receive, send)


class RequireServiceKey:
    """Administration requires the service key as the bearer token; a user's token is not enough."""

    def __init__(self, app: ASGIApp, key: str) -> None:
        self._app = app
        self._key = key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _same(required_bearer(Headers(scope=scope)), self._key):
            raise ApiError(403, "not_admin", "User not allowed")
        await self._app(scope, receive, send)


def required_bearer(headers: Headers) -> str:
    """The bearer token of the Authorization header."""
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise ApiError(401, "no_authorization", "This endpoint requires a valid Bearer token")
    return token.strip()


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
