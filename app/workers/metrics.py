"""The worker's metrics for Prometheus: counters of all its processes, and the backlog."""

import asyncio
import secrets
from http import HTTPStatus
from ipaddress import ip_address

import structlog

from app.core import telemetry
from app.services import backlog
from app.services.components import Components

REQUEST_SECONDS = 5
MAX_HEAD_BYTES = 16_384

log = structlog.get_logger(__name__)


async def serve_metrics(parts: Components) -> None:
    """Serve `GET /metrics` until cancelled, if a port is set.

    Raises OSError if the port is in use; the caller tries again, and the other loops go on.
    """
    settings = parts.settings
    if settings.worker_metrics_port is None:
        return

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _answer_request(parts, reader, writer)

    host, port = settings.worker_metrics_host, settings.worker_metrics_port
    try:
        server = await asyncio.start_server(answer, host, port, limit=MAX_HEAD_BYTES)
    except OSError as error:
        log.error("metrics_not_served", host=host, port=port, error=repr(error))  # noqa: TRY400 -- the error is in the event
        raise
    async with server:
        await server.serve_forever()


async def _answer_request(
    parts: Components, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Answer one request and close the connection."""
    try:
        async with asyncio.timeout(REQUEST_SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
            peer = str(writer.get_extra_info("peername")[0])
            status = _permission(head, peer, _token(parts))
            body, content_type = b"", "text/plain"
            if status is HTTPStatus.OK:
                content, content_type = telemetry.metrics_payload()
                body = content + telemetry.measured_payload(await backlog.measure(parts))
            writer.write(_head(status, content_type, len(body)) + body)
            await writer.drain()
    except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
        pass  # The client was too slow, sent too much, or closed the connection.
    finally:
        writer.close()


def _permission(head: bytes, peer: str, token: str | None) -> HTTPStatus:
    """As the API's: this machine may, others with the token; without one there is nothing for them."""
    request, *lines = head.decode("latin-1").split("\r\n")
    method, _, rest = request.partition(" ")
    if method != "GET" or rest.partition(" ")[0].partition("?")[0] != "/metrics":
        return HTTPStatus.NOT_FOUND
    if ip_address(peer.partition("%")[0]).is_loopback:
        return HTTPStatus.OK
    if token is None:
        return HTTPStatus.NOT_FOUND
    given = next((line for line in lines if line.lower().startswith("authorization:")), "")
    scheme, _, credentials = given.partition(":")[2].strip().partition(" ")
    known = secrets.compare_digest(credentials.strip().encode(), token.encode())
    return HTTPStatus.OK if scheme.lower() == "bearer" and known else HTTPStatus.UNAUTHORIZED


def _token(parts: Components) -> str | None:
    token = parts.settings.metrics_token
    return token.get_secret_value() if token else None


def _head(status: HTTPStatus, content_type: str, length: int) -> bytes:
    lines = (
        f"HTTP/1.1 {status.value} {status.phrase}",
        f"Content-Type: {content_type}",
        f"Content-Length: {length}",
        "Connection: close",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
