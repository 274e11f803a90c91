"""GoTrue's errors, in both formats that its clients know."""

import json
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import Response

API_VERSION_HEADER = "X-Supabase-Api-Version"
API_VERSION = "2024-01-01"


class ApiError(Exception):
    """An error response: HTTP status, GoTrue's error code, a message, further members."""

    def __init__(self, status: int, code: str, message: str, **members: Any) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.members: Mapping[str, Any] = members


def validation_failed(message: str) -> ApiError:
    return ApiError(400, "validation_failed", message)


def weak_password(message: str, *reasons: str) -> ApiError:
    return ApiError(422, "weak_password", message, weak_password={"reasons": list(reasons)})


def invalid_credentials() -> ApiError:
    return ApiError(400, "invalid_credentials", "Invalid login credentials")


def user_banned(status: int = 400) -> ApiError:
    return ApiError(status, "user_banned", "User is banned")


def user_not_found(status: int = 404) -> ApiError:
    return ApiError(status, "user_not_found", "User not found")


def email_exists() -> ApiError:
    return ApiError(422, "email_exists", "A user with this email address has already been registered")


def session_not_found() -> ApiError:
    return ApiError(403, "session_not_found", "Session from session_id claim in JWT does not exist")


def render(error: ApiError, headers: Headers) -> Response:
    """Clients that send an API version read a string `code`, if the response repeats the version."""
    if headers.get(API_VERSION_HEADER, "") >= API_VERSION:
        body = {"code": error.code, "message": error.message, **error.members}
        echo = {API_VERSION_HEADER: API_VERSION}
    else:
        body = {"code": error.status, "error_code": error.code, "msg": error.message, **error.members}
        echo = {}
    return Response(json.dumps(body), error.status, echo, media_type="application/json")
