"""Responses that the application hands to the server of `ias serve` as a whole (docs/decisions/0101)."""

import re
from collections.abc import Awaitable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.types import Message

if TYPE_CHECKING:
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

_STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}
_CONTROL_CHARACTER = re.compile(rb"[\x00-\x1f\x7f]")


def written(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Headers as HTTP writes them. Raises RuntimeError for a control character, which could end a header."""
    for name, value in headers:
        if _CONTROL_CHARACTER.search(name) or _CONTROL_CHARACTER.search(value):
            raise RuntimeError("control character in a header")
    return b"".join([b"%b: %b\r\n" % header for header in headers])


class WholeResponses:
    """The `send` of a request, which also takes a whole response.

    The two messages of ASGI take longer: uvicorn looks at each of their headers.
    """

    def __init__(self, cycle: "RequestResponseCycle") -> None:
        self._cycle = cycle

    def __call__(self, message: Message) -> Awaitable[None]:
        """Send a message of ASGI."""
        return self._cycle.send(message)  # type: ignore[arg-type]

    @property
    def must_wait(self) -> bool:
        """Whether the client reads so slowly that a response must wait."""
        return self._cycle.flow.write_paused

    async def respond(self, status: int, headers: bytes, body: bytes) -> None:
        """Answer the request. `headers` has the length, as `written` returns them. The date is added.

        It returns before the bytes are on the socket. So the log line of a request may say 200 although its
        client has gone and never gets the response.
        """
        if self.must_wait and not self._cycle.disconnected:
            await self._cycle.flow.drain()
        self.respond_now(status, headers, body)

    def respond_now(self, status: int, headers: bytes, body: bytes) -> None:
        """The same without waiting for a client that reads slowly."""
        cycle = self._cycle
        if cycle.disconnected:
            return
        date = b"".join([b"%b: %b\r\n" % header for header in cycle.default_headers])
        closing = b"" if cycle.keep_alive else b"connection: close\r\n"
        cycle.transport.write(b"".join((_STATUS_LINES[status], date, headers, closing, b"\r\n", body)))
        cycle.response_started = cycle.response_complete = True
        cycle.message_event.set()
        if not cycle.keep_alive:
            cycle.transport.close()
        # Afterwards the cycle holds no reference to its connection, as after a task of uvicorn.
        on_response, cycle.on_response = cycle.on_response, _do_nothing
        on_response()


def _do_nothing() -> None:
    pass
