"""uvicorn's HTTP, with bounds on the head of a request, and on the time that clients may take."""

import asyncio
from functools import partial
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD = 64 * 1024
"""Bytes of request line and headers. The server reads up to 256 KB at a time, so slightly more may pass."""
MOST_HEADERS = 100
HEAD_SECONDS = 10.0
"""How long a new connection, or a request that has begun, may take until its headers are complete."""
READ_SECONDS = 30.0
"""How long a client may read nothing of an answer that waits for it."""
SECOND_LOOK = 0.1
"""Where the loop was held, timers fire before the sockets are read: they look again after so many seconds."""
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
    read_seconds = READ_SECONDS

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._in_head = True
        self._has_parsed = False
        self._unparsed_bytes = 0
        self._refused = False
        self._is_socket = False
        self._head_timer: asyncio.TimerHandle | None = None
        self._read_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request, but not for ever."""
        super().connection_made(transport)
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timers."""
        self._stop_timer()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what arrives and is no body: heads that do not end, trailers, chunk extensions."""
        if self._refused:
            return
        self._has_parsed = False
        super().data_received(data)
        if self._is_socket:
            return
        # What holds the end of an earlier head or body says little of how long the next head is.
        self._unparsed_bytes = 0 if self._has_parsed else self._unparsed_bytes + len(data)
        if self._unparsed_bytes > LARGEST_HEAD:
            self._refuse()
        elif self._in_head and self._head_timer is None:
            self._start_timer()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Refuse as soon as there are too many, before the application is called."""
        super().on_header(name, value)
        if len(self.headers) > MOST_HEADERS:
            self._refuse()

    def on_headers_complete(self) -> None:
        """The head is in time: its clock stops."""
        self._in_head = False
        self._has_parsed = True
        self._stop_timer()
        if not self._refused:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """The rest of a refused request is dropped."""
        self._has_parsed = True
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """What comes next is another head."""
        self._in_head = True
        self._has_parsed = True
        if not self._refused:
            super().on_message_complete()

    def pause_writing(self) -> None:
        """The client does not read as fast as we write: it has to go on reading."""
        super().pause_writing()
        self._watch_reading()

    def resume_writing(self) -> None:
        """It has read."""
        if self._read_timer is not None:
            self._read_timer.cancel()
            self._read_timer = None
        super().resume_writing()

    def _watch_reading(self) -> None:
        waiting = self.transport.get_write_buffer_size()
        self._read_timer = self.loop.call_later(self.read_seconds, self._check_reading, waiting)

    def _check_reading(self, waited: int, *, again: bool = False) -> None:
        """Cut the connection if nothing was read since; closing would wait for what nobody reads."""
        if self.transport.get_write_buffer_size() < waited:
            self._watch_reading()
        elif again:
            self.transport.abort()
        else:
            look_again = partial(self._check_reading, waited, again=True)
            self._read_timer = self.loop.call_later(SECOND_LOOK, look_again)

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that rests, unless a request waits in its socket."""
        self.timeout_keep_alive_task = self.loop.call_later(SECOND_LOOK, super().timeout_keep_alive_handler)

    def handle_websocket_upgrade(self) -> None:
        """No more requests come over this connection: nothing waits for a head."""
        self._is_socket = True
        self._stop_timer()
        super().handle_websocket_upgrade()

    def _should_upgrade(self) -> bool:
        """A handshake is a GET: to others the WebSocket's protocol says nothing, and waits for ever."""
        return super()._should_upgrade() and self.parser.get_method() == b"GET"

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
        """Close, unless the rest of the head waits in the socket."""
        self._head_timer = self.loop.call_later(SECOND_LOOK, self._close_or_wait)

    def _close_or_wait(self) -> None:
        """Close, unless an earlier request of this connection is still being answered."""
        if getattr(self.cycle, "response_complete", True):
            self.transport.close()
        else:
            self._start_timer()


OPTIONS: dict[str, Any] = {"http": BoundedHttpProtocol, "limit_concurrency": MOST_CONNECTIONS}
"""How uvicorn is to hold HTTP connections."""
