"""Requests and responses: reading bodies, and writing users and sessions in GoTrue's format."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from starlette.requests import Request

from devservers.auth.errors import ApiError, validation_failed
from devservers.auth.store import User

_MAX_BODY = 64 * 1024
_EMAIL = re.compile(
    r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*"
)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|m|s)")
_FOREVER = datetime(9999, 1, 1, tzinfo=UTC)


async def read_body(request: Request) -> dict[str, Any]:
    """The JSON object of a request; an empty body is an empty object."""
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > _MAX_BODY:
            raise ApiError(413, "request_too_large", f"The body may have at most {_MAX_BODY} bytes")
    try:
        body = json.loads(content or b"{}")
        # A lone surrogate is valid JSON, but it can be neither hashed nor stored in PostgreSQL.
        json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise ApiError(400, "bad_json", f"Could not parse request body as JSON: {error}") from error
    if not isinstance(body, dict):
        raise ApiError(400, "bad_json", "The request body must be a JSON object")
    return body


def text(body: Mapping[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise validation_failed(f"{name} must be a string")
    return value


def metadata(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise validation_failed(f"{name} must be an object")
    return value


def email(body: Mapping[str, Any]) -> str:
    """The address as it is stored, trimmed and in lower case."""
    address = (text(body, "email") or "").strip().lower()
    if len(address) > 255 or not _EMAIL.fullmatch(address):
        raise validation_failed("Unable to validate email address: invalid format")
    return address


def identifier(value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError as error:
        raise validation_failed("The id must be an UUID") from error


def banned_until(duration: str) -> datetime | None:
    """The end of a ban from a duration in Go's format, "24h" or "1h30m"; "none" lifts the ban."""
    if duration == "none":
        return None
    if not duration or _DURATION.sub("", duration):
        raise validation_failed("invalid format for ban duration")
    units = {"h": "hours", "m": "minutes", "s": "seconds"}
    parts = _DURATION.findall(duration)
    try:
        return datetime.now(UTC) + sum((timedelta(**{units[u]: float(n)}) for n, u in parts), timedelta())
    except OverflowError:
        return _FOREVER


def merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Merge metadata by key; null removes a key."""
    return {key: value for key, value in {**old, **new}.items() if value is not None}


def user_json(user: User) -> dict[str, Any]:
    return {
        "id": str(user.id),
        "aud": "authenticated",
        "role": "authenticated",
        "email": user.email,
        "phone": "",
        "email_confirmed_at": _time(user.email_confirmed_at),
        "confirmed_at": _time(user.email_confirmed_at),
        "confirmation_sent_at": _time(user.confirmation_sent_at),
        "recovery_sent_at": _time(user.recovery_sent_at),
        "last_sign_in_at": _time(user.last_sign_in_at),
        "banned_until": _time(user.banned_until),
        "app_metadata": user.app_metadata,
        "user_metadata": user.user_metadata,
        "identities": [_identity(user)],
        "created_at": _time(user.created_at),
        "updated_at": _time(user.updated_at),
        "is_anonymous": False,
    }


def _identity(user: User) -> dict[str, Any]:
    """The identity of an account. It is derived from the address and not stored."""
    return {
        "identity_id": str(uuid5(NAMESPACE_URL, f"email:{user.id}")),
        "id": str(user.id),
        "user_id": str(user.id),
        "identity_data": {
            **user.user_metadata,
            "email": user.email,
            "email_verified": user.email_confirmed_at is not None,
            "phone_verified": False,
            "sub": str(user.id),
        },
        "provider": "email",
        "email": user.email,
        "last_sign_in_at": _time(user.last_sign_in_at),
        "created_at": _time(user.created_at),
        "updated_at": _time(user.updated_at),
    }


def _time(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None
