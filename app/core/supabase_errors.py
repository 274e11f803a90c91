"""The errors of the auth server's API, and how a response becomes one.

AuthError
├── CredentialsRejected  unknown address, wrong password or banned user
├── EmailNotConfirmed
├── EmailExists
├── PasswordRejected
├── SamePassword
├── InvalidRefreshToken
├── InvalidOneTimeToken
├── InvalidSession       the access token, its session or its user does not exist any more
├── UserNotFound
├── RateLimited
├── Rejected             any other rejection
└── AuthUnavailable      no response, an invalid response, or API keys that the server rejects
"""

from collections.abc import Mapping
from typing import Any

import httpx


class AuthError(Exception):
    """A call of the auth server failed."""


class CredentialsRejected(AuthError):
    pass


class EmailNotConfirmed(AuthError):
    pass


class EmailExists(AuthError):
    pass


class PasswordRejected(AuthError):
    """The password is too weak. `reasons` are the server's names: length, characters, pwned."""

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
    """`retry_after` is in seconds, or None if the server does not send it."""

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
    "invalid_credentials": CredentialsRejected,
    "user_banned": CredentialsRejected,
    "email_not_confirmed": EmailNotConfirmed,
    "user_already_exists": EmailExists,
    "email_exists": EmailExists,
    "same_password": SamePassword,
    "refresh_token_not_found": InvalidRefreshToken,
    "refresh_token_already_used": InvalidRefreshToken,
    "session_expired": InvalidRefreshToken,
    "conflict": AuthUnavailable,  # Too many concurrent refreshes of a session.
    "otp_expired": InvalidOneTimeToken,
    "bad_jwt": InvalidSession,
    "session_not_found": InvalidSession,
    "user_not_found": UserNotFound,
}


def json_of(response: httpx.Response) -> dict[str, Any]:
    try:
        content = response.json()
    except ValueError as error:
        raise AuthUnavailable(f"The response is not JSON (status {response.status_code})") from error
    if not isinstance(content, dict):
        raise AuthUnavailable(f"The response is not an object (status {response.status_code})")
    return content


def error_of(response: httpx.Response) -> AuthError:
    """The AuthError for an error response. Older servers have `error_code` and `msg` in their responses."""
    if response.status_code >= 500:
        return AuthUnavailable(f"The auth server failed with status {response.status_code}")
    try:
        content = json_of(response)
    except AuthUnavailable as error:
        return error
    message = str(content.get("message") or content.get("msg") or "no message")
    code = content["code"] if isinstance(content.get("code"), str) else content.get("error_code")
    if response.status_code == 429:
        return RateLimited(message, _retry_after(response))
    if code == "weak_password":
        reasons = (content.get("weak_password") or {}).get("reasons") or ()
        return PasswordRejected(message, tuple(reasons))
    if code is None or code in {"no_authorization", "not_admin"}:
        return AuthUnavailable(f"The auth server rejected the API keys: {message}")
    return _ERRORS[code](message) if code in _ERRORS else Rejected(message, code)


def _retry_after(response: httpx.Response) -> int | None:
    value = response.headers.get("Retry-After", "")
    return int(value) if value.isdecimal() else None
