"""Sends push messages to phones and browsers with the HTTP v1 API of Firebase Cloud Messaging (FCM)."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol

import httpx
import jwt
import orjson

from app.core.channels import DeadTarget, MessageRejected, NotNow, NotSent
from app.core.clock import Clock

FCM_URL = "https://fcm.googleapis.com"
_SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_ASSERTION_LIFETIME = timedelta(hours=1)
_BEFORE_EXPIRY = timedelta(minutes=1)
_MAX_TTL = timedelta(days=28)
_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class PushMessage:
    """The title and body that a device shows, and the data for the app."""

    title: str
    body: str
    data: Mapping[str, str]
    tag: str
    """Of several messages with the same tag, a device shows only the last one."""
    urgent: bool = False
    expires_at: datetime | None = None
    """The message is not delivered after this time."""


class Pusher(Protocol):
    """Sends push messages. `send` raises NotSent if the message was not sent."""

    async def send(self, token: str, message: PushMessage) -> None: ...


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """The credentials of a Google service account, as its JSON key file contains them."""

    project_id: str
    client_email: str
    private_key: str
    private_key_id: str
    token_uri: str

    @classmethod
    def read(cls, given: str) -> "ServiceAccount":
        """Read a JSON document, or the file at a path. Raises ValueError if a field is missing."""
        text = given if given.lstrip().startswith("{") else Path(given).read_text()
        try:
            document = orjson.loads(text)
            return cls(**{name: str(document[name]) for name in cls.__slots__})
        except (orjson.JSONDecodeError, KeyError, TypeError):
            raise ValueError(
                "FCM_SERVICE_ACCOUNT is neither the JSON key of a service account nor a path to it"
            ) from None


class FcmPusher:
    """Sends messages one by one. It requests an access token from Google when it needs one."""

    def __init__(
        self, account: ServiceAccount, http: httpx.AsyncClient, clock: Clock, url: str = FCM_URL
    ) -> None:
        self._account = account
        self._http = http
        self._clock = clock
        self._url = f"{url.rstrip('/')}/v1/projects/{account.project_id}/messages:send"
        self._token: str | None = None
        self._token_until = datetime.min.replace(tzinfo=UTC)
        self._token_lock = asyncio.Lock()

    async def send(self, token: str, message: PushMessage) -> None:
        """Send the message to the device with this registration token."""
        access = await self._access_token()
        response = await self._post(
            self._url,
            json={"message": document_of(token, message, self._clock.now())},
            headers={"Authorization": f"Bearer {access}"},
        )
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            self._token = None  # It was revoked. The next call requests a new one.
        if not response.is_success:
            raise _not_sent(response, self._clock.now())

    async def _access_token(self) -> str:
        async with self._token_lock:
            now = self._clock.now()
            if self._token is None or now >= self._token_until - _BEFORE_EXPIRY:
                self._token, lifetime = await self._new_token(now)
                self._token_until = now + lifetime
            return self._token

    async def _new_token(self, now: datetime) -> tuple[str, timedelta]:
        claims = {
            "iss": self._account.client_email,
            "scope": _SCOPE,
            "aud": self._account.token_uri,
            "iat": int(now.timestamp()),
            "exp": int((now + _ASSERTION_LIFETIME).timestamp()),
        }
        headers = {"kid": self._account.private_key_id}
        assertion = jwt.encode(claims, self._account.private_key, "RS256", headers=headers)
        response = await self._post(
            self._account.token_uri, data={"grant_type": _GRANT, "assertion": assertion}
        )
        if not response.is_success:
            # The key of the service account may be revoked. This says nothing about the device.
            raise NotNow(f"no access token: {response.status_code}", _retry_after(response, now))
        document = response.json()
        return str(document["access_token"]), timedelta(seconds=int(document["expires_in"]))

    async def _post(self, url: str, **options: Any) -> httpx.Response:
        try:
            return await self._http.post(url, timeout=_TIMEOUT, **options)
        except httpx.HTTPError as error:
            raise NotNow(type(error).__name__) from error


def document_of(token: str, message: PushMessage, now: datetime) -> dict[str, Any]:
    """The message in the format of FCM."""
    ttl = min(message.expires_at - now, _MAX_TTL) if message.expires_at else _MAX_TTL
    seconds = max(0, int(ttl.total_seconds()))
    return {
        "token": token,
        "notification": {"title": message.title, "body": message.body},
        "data": dict(message.data),
        "android": {
            "priority": "HIGH" if message.urgent else "NORMAL",
            "ttl": f"{seconds}s",
            "notification": {"tag": message.tag},
        },
        "apns": {
            "headers": {
                "apns-priority": "10" if message.urgent else "5",
                "apns-expiration": str(int(now.timestamp()) + seconds),
                "apns-collapse-id": message.tag,
            }
        },
        "webpush": {
            "headers": {"TTL": str(seconds), "Urgency": "high" if message.urgent else "normal"},
            "notification": {"tag": message.tag},
        },
    }


def _not_sent(response: httpx.Response, now: datetime) -> NotSent:
    """The NotSent error for a response of FCM. A wrong configuration must not mark devices as dead."""
    error = _error_of(response)
    details = [each for each in error.get("details", []) if isinstance(each, dict)]
    code = next((each["errorCode"] for each in details if "errorCode" in each), error.get("status"))
    reason = f"FCM {response.status_code} {code}"
    if code in ("UNREGISTERED", "NOT_FOUND"):
        return DeadTarget(reason)
    if response.status_code == HTTPStatus.BAD_REQUEST:
        return DeadTarget(reason) if _concerns_token(error, details) else MessageRejected(reason)
    if code == "SENDER_ID_MISMATCH":  # The configured service account may belong to another project.
        return MessageRejected(reason)
    return NotNow(reason, _retry_after(response, now))


def _concerns_token(error: Mapping[str, Any], details: list[dict[str, Any]]) -> bool:
    """Whether INVALID_ARGUMENT is about the registration token. FCM uses it for invalid messages too."""
    fields = [field.get("field") for each in details for field in each.get("fieldViolations", [])]
    if fields:
        return fields == ["message.token"]
    return "registration token" in str(error.get("message", "")).lower()


def _error_of(response: httpx.Response) -> Mapping[str, Any]:
    try:
        error = orjson.loads(response.content)["error"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return {}
    return error if isinstance(error, dict) else {}


def _retry_after(response: httpx.Response, now: datetime) -> timedelta | None:
    """The Retry-After header, in seconds or as a date. For a 429 without it, FCM requires one minute."""
    given = response.headers.get("Retry-After", "")
    if given.isascii() and given.isdigit():
        return timedelta(seconds=min(int(given), 86_400))
    try:
        return max(parsedate_to_datetime(given) - now, timedelta())
    except (ValueError, TypeError):
        limited = response.status_code == HTTPStatus.TOO_MANY_REQUESTS
        return timedelta(minutes=1) if limited else None
