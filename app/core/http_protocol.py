"""uvicorn's HTTP protocol with limits for the size of request headers and for slow clients."""

import asyncio
from collections.abc import Awaitable
from functools import partial
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.flow_control import service_unavailable
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from app.core.server_problems import HEADERS_TOO_LARGE, MALFORMED, too_many_connections
from app.core.whole_responses import WholeResponses

MAX_HEAD_BYTES = 64 * 1024
"""The limit for the request line and headers, in bytes. The server reads up to 256 KB at a time, so that a
larger head may be accepted if it arrives at once."""
MAX_HEADERS = 100
MAX_BUFFERED_WRITES = 2
"""The most writes that are buffered. One more flushes them."""
HEAD_SECONDS = 10.0
"""The time within which the headers of a request must arrive, from the start of the connection or request."""
READ_SECONDS = 30.0
"""The longest time for which a client may read nothing of a response."""
RECHECK_SECONDS = 0.1
"""After the event loop was blocked, timers run before the sockets are read. A timer that expires therefore
checks its condition again after this time."""
KEEP_ALIVE_SECONDS = 75
"""How long a connection is kept without a request. nginx keeps one to the API for 60 seconds. If that were
longer, nginx could send a request into a connection that is being closed, and answer 502. Apps that save
every 20 to 30 seconds need no new connection each time."""
MAX_CONNECTIONS = 24_000
"""The number of connections of a process: 10,000 sockets, a connection that each of their apps keeps,
and 4,000 others. Further requests get the status 503."""


class JoinedWrites:
    """A transport that buffers what is written, and writes it together in the next iteration of the loop.

    The head and the body of a response that comes as messages take one system call and one packet, not two;
    a whole response is one write already. The responses of an iteration are written one directly after the
    other. If the client or proxy is on the same machine, writing wakes it, which costs most. If all are
    written in a row, it is woken once.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self.transport = transport
        self._loop = loop
        self._buffer: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Buffer a head and the beginning of its body. With a further part, all is written immediately."""
        if not self._buffer:
            self._loop.call_soon(self.flush)
        self._buffer.append(data)
        if len(self._buffer) > MAX_BUFFERED_WRITES:
            self.flush()

    def flush(self) -> None:
        """Write what is buffered."""
        buffered, self._buffer = self._buffer, []
        if buffered and not self.transport.is_closing():
            self.transport.write(b"".join(buffered))

    def close(self) -> None:
        """Close the connection after everything is written."""
        self.flush()
        self.transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.transport, name)


class BoundedHttpProtocol(HttpToolsProtocol):
    """The protocol class of `ias serve`. uvicorn's own class limits neither headers nor slow clients.

    It asks the application first whether it can answer a request without a task.
    """

    head_seconds = HEAD_SECONDS
    read_seconds = READ_SECONDS

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._in_head = True
        self._has_begun = False
        self._has_parsed = False
        self._unparsed_bytes = 0
        self._refused = False
        self._is_socket = False
        self._head_timer: asyncio.TimerHandle | None = None
        self._read_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the timeout of the first request."""
        super().connection_made(JoinedWrites(transport, self.loop))  # type: ignore[arg-type]
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the timers."""
        self._stop_timer()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Limit the bytes that are not part of a body: headers, trailers and chunk extensions."""
        if self._refused:
            return
        self._has_parsed = False
        super().data_received(data)
        if self._is_socket:
            return
        # Data with the end of a head or body may also hold the start of the next head. It is not counted.
        self._unparsed_bytes = 0 if self._has_parsed else self._unparsed_bytes + len(data)
        if self._unparsed_bytes > MAX_HEAD_BYTES:
            self._refuse()
        elif self._in_head and self._head_timer is None and (self._has_begun or not self._has_parsed):
            self._start_timer()
        self._restart_idle_timer()

    def _restart_idle_timer(self) -> None:
        """Restart the idle timer if the data was the rest of a body whose request is answered already.

        uvicorn has stopped it, and starts it only after a response.
        """
        has_timer = self._head_timer is not None or self.timeout_keep_alive_task is not None
        is_answered = getattr(self.cycle, "response_complete", False)
        if is_answered and not has_timer and not self.transport.is_closing():
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def on_message_begin(self) -> None:
        """Note that a head has begun. Before that, only the time of an idle connection counts."""
        super().on_message_begin()
        self._has_begun = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """Reject the request at the first header above the limit, before the application is called."""
        super().on_header(name, value)
        if len(self.headers) > MAX_HEADERS:
            self._refuse()

    def on_headers_complete(self) -> None:
        """Stop the timeout of the head."""
        self._in_head = self._has_begun = False
        self._has_parsed = True
        self._stop_timer()
        if not self._refused:
            super().on_headers_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Let the application answer without a task, if its class has a method for that, or start its task.

        If requests wait behind it, it gets a task. Answering without one would call this method again for the
        next one, inside itself.
        """
        if app is service_unavailable:  # uvicorn's response beyond `limit_concurrency`
            app = too_many_connections
        send = WholeResponses(cycle)
        if self.pipeline or send.must_wait or not self._is_answered_without_task(cycle, app, send):
            # If an earlier request of the same data was answered without a task, the idle timer is running.
            self._unset_keepalive_if_required()
            super()._start_asgi_task(cycle, partial(_call, app, send))

    def _is_answered_without_task(self, cycle: RequestResponseCycle, app: Any, send: WholeResponses) -> bool:
        answer = getattr(app, "answer_without_task", None)
        try:
            return answer is not None and answer(cycle.scope, send)
        except Exception:
            # The parser, which calls this, would take it for a malformed request. What was answered stands.
            self.logger.exception("Exception in ASGI application")
            return cycle.response_complete

    def on_body(self, body: bytes) -> None:
        """Ignore the body of a rejected request."""
        self._has_parsed = True
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Expect the head of the next request."""
        self._in_head = True
        self._has_parsed = True
        if not self._refused:
            super().on_message_complete()

    def pause_writing(self) -> None:
        """Start the timeout for reading: the client reads slower than the application writes."""
        super().pause_writing()
        self._watch_reading()

    def resume_writing(self) -> None:
        """Stop the timeout for reading."""
        if self._read_timer is not None:
            self._read_timer.cancel()
            self._read_timer = None
        super().resume_writing()

    def _watch_reading(self) -> None:
        waiting = self.transport.get_write_buffer_size()
        self._read_timer = self.loop.call_later(self.read_seconds, self._check_reading, waiting)

    def _check_reading(self, waiting_before: int, *, is_recheck: bool = False) -> None:
        """Abort the connection if the client has read nothing. `close` would wait until all data is read."""
        if self.transport.get_write_buffer_size() < waiting_before:
            self._watch_reading()
        elif is_recheck:
            self.transport.abort()
        else:
            recheck = partial(self._check_reading, waiting_before, is_recheck=True)
            self._read_timer = self.loop.call_later(RECHECK_SECONDS, recheck)

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection, unless a request waits in its socket."""
        handler = super().timeout_keep_alive_handler
        self.timeout_keep_alive_task = self.loop.call_later(RECHECK_SECONDS, handler)

    def handle_websocket_upgrade(self) -> None:
        """Stop the timeouts of requests: no further one comes over this connection."""
        self._is_socket = True
        self._stop_timer()
        self._unset_keepalive_if_required()  # A response to a request of the same data has set it.
        if isinstance(self.transport, JoinedWrites):
            self.transport.flush()
            self.transport = self.transport.transport  # What a socket sends is one write already.
        super().handle_websocket_upgrade()

    def _should_upgrade(self) -> bool:
        """Accept the handshake only with GET. For other methods, the WebSocket protocol never responds."""
        return super()._should_upgrade() and self.parser.get_method() == b"GET"

    def send_400_response(self, msg: str) -> None:
        """Answer what the parser refuses with a problem document. uvicorn's answer is plain text."""
        if not self._refused:
            self.transport.write(MALFORMED.as_bytes())
            self.transport.close()

    def _refuse(self) -> None:
        if not self._refused:
            self._refused = True
            self.transport.write(HEADERS_TOO_LARGE.as_bytes())
            self.transport.close()

    def _start_timer(self) -> None:
        self._stop_timer()
        self._head_timer = self.loop.call_later(self.head_seconds, self._give_up)

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up(self) -> None:
        """Close the connection, unless the rest of the head waits in the socket."""
        self._head_timer = self.loop.call_later(RECHECK_SECONDS, self._close_or_wait)

    def _close_or_wait(self) -> None:
        """Close the connection, unless an earlier request is still being processed."""
        if getattr(self.cycle, "response_complete", True):
            self.transport.close()
        else:
            self._start_timer()


def _call(app: ASGIApp, send: WholeResponses, scope: Scope, receive: Receive, _: Send) -> Awaitable[None]:
    return app(scope, receive, send)


OPTIONS: dict[str, Any] = {
    "http": BoundedHttpProtocol,
    "limit_concurrency": MAX_CONNECTIONS,
    "timeout_keep_alive": KEEP_ALIVE_SECONDS,
}
"""The options of uvicorn for HTTP connections."""
