"""uvicorn's WebSocket, which lets the application say goodbye, and does not wait for a peer that is stuck."""

import asyncio
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

LARGEST_MESSAGE = 4096
"""What a client may send, in bytes: pings and acknowledgements."""

GOODBYE_SECONDS = 2.0
LINGER_SECONDS = 10.0
RESTARTING = 1012


class SocketProtocol(WebSocketsSansIOProtocol):
    """Given to uvicorn by `ias serve`."""

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
