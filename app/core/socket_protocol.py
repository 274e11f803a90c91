"""uvicorn's WebSocket, which lets the application say goodbye, and does not wait for a peer that is stuck."""

import asyncio
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

LARGEST_MESSAGE = 4096
"""What a client may send, in bytes: pings and acknowledgements."""

FRAMES_PER_SECOND = 100
"""Pings, pongs and later parts of messages that a client may send. Messages have a lower limit."""

GOODBYE_SECONDS = 2.0
LINGER_SECONDS = 10.0
RESTARTING = 1012


class SocketProtocol(WebSocketsSansIOProtocol):
    """Given to uvicorn by `ias serve`."""

    _second_began = 0.0
    _frames_in_second = 0

    def handle_ping(self) -> None:
        """Answer a ping. A client that reads no answers would otherwise fill our memory with them."""
        if self._may_send_more():
            super().handle_ping()

    def handle_pong(self, event: Frame) -> None:
        """Take the answer to our ping."""
        if self._may_send_more():
            super().handle_pong(event)

    def handle_cont(self, event: Frame) -> None:
        """Take a part of a message. Empty parts do not count against its size, and need not end."""
        if self._may_send_more():
            super().handle_cont(event)

    def _may_send_more(self) -> bool:
        """Count a frame, and close the connection with 1008 when there are too many in a second."""
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
        """uvicorn would close each socket at once: first the application hears of it, and may still send."""
        if not self.handshake_complete or self.close_sent:
            super().shutdown()
            return
        self.queue.put_nowait({"type": "websocket.disconnect", "code": RESTARTING})
        self.loop.call_later(GOODBYE_SECONDS, super().shutdown)

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        """The application is done: whoever has not read the last bytes after a while gets no more.

        Closing waits until they are sent, and a peer that reads nothing would hold its socket for ever.
        """
        super().on_task_complete(task)
        self.loop.call_later(LINGER_SECONDS, self.transport.abort)


OPTIONS: dict[str, Any] = {
    "ws": SocketProtocol,
    "ws_max_size": LARGEST_MESSAGE,
    # Who answers no ping for so long is gone; a phone that changes its network looks the same.
    "ws_ping_interval": 20.0,
    "ws_ping_timeout": 20.0,
    # Our messages are short, and a compressor for each of thousands of sockets is much memory.
    "ws_per_message_deflate": False,
}
"""How uvicorn is to hold sockets."""
