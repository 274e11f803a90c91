"""uvicorn's WebSocket protocol with limits for clients and an orderly shutdown."""

import asyncio
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

MAX_MESSAGE_BYTES = 4096
"""The size limit of a client's message, in bytes. Clients send only pings and acknowledgements."""

FRAMES_PER_SECOND = 100
"""The limit for pings, pongs and continuation frames of a client. Messages have a lower limit."""

SHUTDOWN_SECONDS = 2.0
"""The time for the application to send its last messages when the server shuts down."""
FLUSH_SECONDS = 10.0
"""The time for a client to read the last bytes after the application has finished."""
RESTARTING = 1012


class SocketProtocol(WebSocketsSansIOProtocol):
    """The WebSocket protocol class of `ias serve`."""

    _second_began = 0.0
    _frames_in_second = 0

    def start_keepalive(self) -> None:
        """Forget the headers of the handshake, which is over."""
        super().start_keepalive()
        del self.request, self.response

    def handle_ping(self) -> None:
        """Reply to a ping. The limit bounds the memory for replies that a client does not read."""
        if self._may_send_more():
            super().handle_ping()

    def handle_pong(self, event: Frame) -> None:
        """Process the reply to our ping."""
        if self._may_send_more():
            super().handle_pong(event)

    def handle_cont(self, event: Frame) -> None:
        """Process a continuation frame. Empty frames do not count against the size limit of the message."""
        if self._may_send_more():
            super().handle_cont(event)

    def _may_send_more(self) -> bool:
        """Count a frame. Close the connection with the code 1008 if there are too many in a second."""
        if self.close_sent:
            return False
        now = self.loop.time()
        if now - self._second_began >= 1:
            self._second_began, self._frames_in_second = now, 0
        self._frames_in_second += 1
        if self._frames_in_second <= FRAMES_PER_SECOND:
            return True
        self.conn.fail(1008, "too many messages")
        self.handle_parser_exception()
        return False

    def shutdown(self) -> None:
        """Notify the application and close the socket later, so that it can send its last messages.

        uvicorn's own method closes the socket at once.
        """
        if not self.handshake_complete or self.close_sent:
            super().shutdown()
            return
        self.queue.put_nowait({"type": "websocket.disconnect", "code": RESTARTING})
        self.loop.call_later(SHUTDOWN_SECONDS, super().shutdown)

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        """Abort the connection if the client does not read the last bytes within a limit.

        Without the limit, a client that reads nothing would keep the socket open.
        """
        super().on_task_complete(task)
        self.loop.call_later(FLUSH_SECONDS, self.transport.abort)


OPTIONS: dict[str, Any] = {
    "ws": SocketProtocol,
    "ws_max_size": MAX_MESSAGE_BYTES,
    # A client that does not reply to pings is disconnected, for example a phone that has changed its network.
    "ws_ping_interval": 20.0,
    "ws_ping_timeout": 20.0,
    # Messages are short, and compression needs much memory for thousands of sockets.
    "ws_per_message_deflate": False,
}
"""The options of uvicorn for WebSockets."""
