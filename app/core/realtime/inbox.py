"""The bounded queue of messages for one socket. A socket whose queue is full is closed."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.core import telemetry


@dataclass(frozen=True, slots=True)
class Closing:
    """The code and the reason with which a socket is closed. `advice` is for developers of clients."""

    code: int
    reason: str
    advice: str


_SIGN_IN = "Refresh the access token or sign in, then request a new ticket."
_CORRECT = "Correct the app."
_LATER = "Reconnect with `since` after a pause."

UNAUTHENTICATED = Closing(4401, "unauthenticated", f"No valid ticket or token. {_SIGN_IN}")
SESSION_ENDED = Closing(4401, "session ended", f"The session was ended. {_SIGN_IN}")
NOT_ALLOWED = Closing(4403, "not allowed", "Your role was changed. Do not reconnect automatically.")
FOREIGN_ORIGIN = Closing(4403, "foreign origin", "This page may not open sockets. Do not reconnect.")
MOVED = Closing(4403, "moved", "Another device has resumed the attempt. Do not reconnect automatically.")
NO_SUCH_ROOM = Closing(
    4404, "no such room", "It does not exist or is not yours. Do not reconnect; a candidate registers first."
)
MALFORMED = Closing(1008, "unknown message", f"The client sent neither `ping` nor `ack`. {_CORRECT}")
TOO_MANY = Closing(1008, "too many messages", f"The client sent more than 20 messages a second. {_CORRECT}")
TOO_LARGE = Closing(1009, "message too large", f"The client sent more than 4 KiB at once. {_CORRECT}")
TOO_SLOW = Closing(1013, "too slow", f"The client did not read. {_LATER}")
TRY_AGAIN = Closing(1013, "try again later", f"An outage or a limit. {_LATER}")
RESTARTING = Closing(
    1012, "restarting", "The server restarts. Reconnect after the `after_ms` of `reconnect`."
)
UNEXPECTED_ERROR = Closing(1011, "unexpected error", f"An error of the server. {_LATER}")
CLOSINGS = (
    UNAUTHENTICATED,
    SESSION_ENDED,
    NOT_ALLOWED,
    FOREIGN_ORIGIN,
    MOVED,
    NO_SUCH_ROOM,
    MALFORMED,
    TOO_MANY,
    TOO_LARGE,
    RESTARTING,
    TOO_SLOW,
    TRY_AGAIN,
    UNEXPECTED_ERROR,
)
"""All of them, for the AsyncAPI document."""


@dataclass(frozen=True, slots=True)
class Listener:
    """The user and the room of a socket."""

    room: str
    user_id: UUID
    session_id: str
    issued_at: datetime
    is_staff: bool

    @property
    def kind(self) -> str:
        """`exam`, `test` or `user`."""
        return self.room.partition(":")[0]


class Inbox:
    """The queue of one socket. It holds at most `limit` messages besides the initial ones.

    A process has thousands of them: futures and a list take a quarter of the memory of events and a deque.
    """

    __slots__ = (
        "_closed",
        "_limit",
        "_next",
        "_waiting",
        "closing",
        "listener",
        "next_time_at",
        "sent",
        "snapshots_sent",
    )

    def __init__(self, listener: Listener, limit: int) -> None:
        self.listener = listener
        self.closing: Closing | None = None
        self.next_time_at = 0.0
        """When the next `time` message is due, by the clock of the event loop."""
        self.snapshots_sent: set[str] = set()
        """The kinds of snapshots that this socket has received."""
        self.sent = 0
        self._limit = limit
        self._waiting: list[tuple[str, str]] = []
        self._next: asyncio.Future[None] | None = None
        self._closed: asyncio.Future[None] | None = None

    def put_initial(self, kind: str, text: str) -> None:
        """Append a message that does not count against the limit."""
        self._waiting.append((kind, text))
        self._limit += 1
        self._wake()

    def put(self, kind: str, text: str) -> None:
        """Append a message, or close the socket if the queue is full."""
        if self.closing is not None:
            return
        if len(self._waiting) >= self._limit:
            self._waiting.clear()
            self.close(TOO_SLOW)
            return
        self._waiting.append((kind, text))
        self._wake()

    def close(self, closing: Closing) -> None:
        """Close the socket after the waiting messages are sent. A second call has no effect."""
        if self.closing is None:
            self.closing = closing
        if self._closed is not None and not self._closed.done():
            self._closed.set_result(None)
        self._wake()

    async def next(self) -> str | Closing:
        """Wait for the next message. Returns the Closing if no message is left and the socket is closing."""
        while not self._waiting:
            if self.closing is not None:
                return self.closing
            self._next = asyncio.get_running_loop().create_future()
            await self._next
        kind, text = self._waiting.pop(0)
        self.sent += 1
        telemetry.socket_messages_total.labels(kind).inc()
        return text

    def closed(self) -> asyncio.Future[None]:
        """A future that is done once `close` was called."""
        if self._closed is None:
            self._closed = asyncio.get_running_loop().create_future()
            if self.closing is not None:
                self._closed.set_result(None)
        return self._closed

    def _wake(self) -> None:
        if self._next is not None and not self._next.done():
            self._next.set_result(None)
