"""Problem documents of the HTTP server itself, for requests that do not reach the application."""

from dataclasses import dataclass
from http import HTTPStatus

import orjson
import structlog
from starlette.types import Receive, Scope, Send

from app.core.ids import uuid7_text
from app.core.middleware import request_id_of
from app.core.whole_responses import written

log = structlog.get_logger(__name__)

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class ServerProblem:
    """A problem after which the connection is closed. Its sentences are in English."""

    status: HTTPStatus
    code: str
    title: str
    detail: str
    retry_after: int | None = None

    def answer(self, request_id: str) -> tuple[Headers, bytes]:
        """The headers and the document. The log gets the id."""
        log.warning("request_refused", request_id=request_id, status=self.status.value, problem=self.code)
        document = {
            "type": f"urn:ias:problem:{self.code}",
            "title": self.title,
            "status": self.status.value,
            "detail": self.detail,
            "code": self.code,
            "request_id": request_id,
        }
        body = orjson.dumps(document)
        headers = [
            (b"content-type", b"application/problem+json"),
            (b"content-length", b"%d" % len(body)),
            (b"x-request-id", request_id.encode()),
            (b"cache-control", b"no-store"),
            (b"connection", b"close"),
        ]
        if self.retry_after is not None:
            headers.append((b"retry-after", b"%d" % self.retry_after))
        return headers, body

    def as_bytes(self) -> bytes:
        """The whole answer to a request that cannot be read. Its id is new."""
        headers, body = self.answer(uuid7_text())
        line = f"HTTP/1.1 {self.status.value} {self.status.phrase}\r\n".encode()
        return b"".join((line, written(headers), b"\r\n", body))


MALFORMED = ServerProblem(
    HTTPStatus.BAD_REQUEST,
    "malformed_request",
    "Malformed request",
    "This is not a valid request of HTTP/1.1. Check its first line, its headers and the form of its body.",
)
HEADERS_TOO_LARGE = ServerProblem(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    "headers_too_large",
    "Headers too large",
    "Send at most 64 KB of headers, and at most 100 of them.",
)
TOO_MANY_CONNECTIONS = ServerProblem(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "unavailable",
    "Temporarily unavailable",
    "The server has too many connections. Nothing was changed. Send the request again.",
    retry_after=5,
)


async def too_many_connections(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI application that answers while the process has as many connections as it takes."""
    headers, body = TOO_MANY_CONNECTIONS.answer(request_id_of(scope))
    await send({"type": "http.response.start", "status": TOO_MANY_CONNECTIONS.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
