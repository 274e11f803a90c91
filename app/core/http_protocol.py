"""uvicorn's HTTP, with bounds on the head of a request and on the time that it may take to arrive."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD = 64 * 1024
"""Bytes of request line and headers. The server reads up to 256 KB at a time, so slightly more may pass."""
MOST_HEADERS = 100
HEAD_SECONDS = 10.0
"""How long a new connection, or a request that has begun, may take until its headers are complete."""
MOST_CONNECTIONS = 10_000
"""Of one process; further requests are answered 503."""

REFUSAL = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: application/problem+json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s"
)
PROBLEM = (
    b'{"type":"urn:ias:problem:headers_too_large","title":"Headers too large","status":431,'
    b'"code":"headers_too_large","detail":"Send at most 64 KB of headers, and at most 100 of them."}'
)


class BoundedHttpProtocol(HttpToolsProtocol):
    """Given to uvicorn by `ias serve`; uvicorn itself bounds neither headers nor idle new connections."""

    head_seconds = HEAD_SECONDS

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._in_head = True
        self._head_ended = False
        self._head_bytes = 0
        self._refused = False
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request, but not for ever."""
        super().connection_made(transport)
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what arrives before the headers are complete."""
        if self._refused:
            return
        self._head_ended = False
        super().data_received(data)
        if not self._in_head:
            return
        # What holds the end of an earlier head or body says little of how long the next head is.
        self._head_bytes = 0 if self._head_ended else self._head_bytes + len(data)
        if self._head_bytes > LARGEST_HEAD:
            self._refuse()
        elif self._head_timer is None:
            self._start_timer()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Refuse as soon as there are too many, before the application is called."""
        super().on_header(name, value)
        if len(self.headers) > MOST_HEADERS:
            self._refuse()

    def on_headers_complete(self) -> None:
        """The head is in time: its clock stops."""
        self._in_head = False
        self._head_ended = True
        self._stop_timer()
        if not self._refused:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """The rest of a refused request is dropped."""
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """What comes next is another head."""
        self._in_head = True
        self._head_ended = True
        if not self._refused:
            super().on_message_complete()

    def _refuse(self) -> None:
        if not self._refused:
            self._refused = True
            self.transport.write(REFUSAL % (len(PROBLEM), PROBLEM))
            self.transport.close()

    def _start_timer(self) -> None:
        self._stop_timer()
        self._head_timer = self.loop.call_later(self.head_seconds, self._give_up)

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up(self) -> None:
        """Close, unless an earlier request of this connection is still being answered."""
        if getattr(self.cycle, "response_complete", True):
            self.transport.close()
        else:
            self._start_timer()


OPTIONS: dict[str, Any] = {"http": BoundedHttpProtocol, "limit_concurrency": MOST_CONNECTIONS}
"""How uvicorn is to hold HTTP connections."""
