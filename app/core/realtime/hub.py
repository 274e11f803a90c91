"""The open sockets of a process by room. No method awaits, so that each call is atomic."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from uuid import UUID

from app.core import telemetry
from app.core.realtime.inbox import MOVED, Inbox, Listener
from app.core.realtime.memory import Memory
from app.core.realtime.messages import BEGINNING, Posted, position_of, transient_id, wire
from app.core.realtime.payloads import HelloData, MessageData

CAPACITY = 10_000
"""The number of messages kept for replay, about the length of the stream."""

REPLAY_LIMIT = 500
QUEUE_LIMIT = 256
SOCKETS_PER_PERSON = 20
"""The limit in each process, to bound its memory. With N API processes, a person may have N times as many."""


@dataclass(slots=True)
class Room:
    """The inboxes of a room by audience."""

    everybody: set[Inbox] = field(default_factory=set)
    staff: set[Inbox] = field(default_factory=set)
    of_user: defaultdict[UUID, set[Inbox]] = field(default_factory=lambda: defaultdict(set))


class Hub:
    """Delivers messages to sockets. `join` replays missed messages and adds the socket in one atomic step."""

    def __init__(self, capacity: int = CAPACITY, queue_limit: int = QUEUE_LIMIT) -> None:
        self.memory = Memory(capacity)
        self.rooms: dict[str, Room] = {}
        self._queue_limit = queue_limit
        self._sockets_of: Counter[UUID] = Counter()
        """Open sockets and reserved places by user."""

    @property
    def inboxes(self) -> list[Inbox]:
        """All sockets of this process."""
        return [inbox for room in self.rooms.values() for inbox in room.everybody]

    @contextmanager
    def reserve_place(self, user_id: UUID) -> Iterator[bool]:
        """Reserve a place for a socket of a person while its permission is checked.

        Yields False if the person has the largest number of sockets. The reservation ends with the block. A
        socket that joins in the block is counted by itself.
        """
        if self._sockets_of[user_id] >= SOCKETS_PER_PERSON:
            yield False
            return
        self._sockets_of[user_id] += 1
        try:
            yield True
        finally:
            self._release(user_id)

    def join(self, listener: Listener, since: str | None, now: datetime, heartbeat: float) -> Inbox:
        """Create an inbox that starts with `hello` and the messages of the room after `since`."""
        position = position_of(since) if since is not None else None
        known = self.memory.knows(position)
        missed = self._missed(listener, position) if since is not None else []
        gap = since is not None and (not known or len(missed) > REPLAY_LIMIT)
        missed = missed[-REPLAY_LIMIT:]
        # A client that is disconnected after `hello` must be able to request the missed messages again.
        cursor = (position if known and position else BEGINNING) if missed else self.memory.cursor
        inbox = Inbox(listener, self._queue_limit)
        hello = HelloData(
            room=listener.room,
            server_time=now,
            heartbeat_seconds=heartbeat,
            cursor=cursor,
            replayed=len(missed),
            gap=gap,
        )
        inbox.put_initial(hello.type, wire(transient_id(cursor), hello.type, now, hello.document()))
        for posted in missed:
            inbox.put_initial(posted.type, posted.text)
        self._add(inbox)
        return inbox

    def leave(self, inbox: Inbox) -> None:
        """Remove a socket. Does nothing if it was removed before."""
        listener = inbox.listener
        room = self.rooms.get(listener.room)
        if room is None or inbox not in room.everybody:
            return
        room.everybody.discard(inbox)
        room.staff.discard(inbox)
        room.of_user[listener.user_id].discard(inbox)
        if not room.of_user[listener.user_id]:
            del room.of_user[listener.user_id]
        if not room.everybody:
            del self.rooms[listener.room]
        self._release(listener.user_id)
        telemetry.sockets_open.labels(listener.kind).dec()

    def deliver(self, posted: Posted, *, is_history: bool = False) -> None:
        """Store an entry of the stream and put it into the inboxes of its audience.

        An entry that is history is only stored, for replay.
        """
        if not self.memory.add(posted) or is_history:
            return
        for inbox in list(self._audience(posted)):
            inbox.put(posted.type, posted.text)
            if posted.session_id is not None and inbox.listener.session_id != posted.session_id:
                inbox.close(MOVED)
            if inbox.closing is not None:
                self.leave(inbox)

    def send(self, inboxes: Iterable[Inbox], now: datetime, data: MessageData) -> None:
        """Send a message that is not in the stream and is never replayed, such as the server's time."""
        text = wire(transient_id(self.memory.cursor), data.type, now, data.document())
        for inbox in list(inboxes):
            inbox.put(data.type, text)
            if inbox.closing is not None:
                self.leave(inbox)

    def _add(self, inbox: Inbox) -> None:
        listener = inbox.listener
        room = self.rooms.setdefault(listener.room, Room())
        room.everybody.add(inbox)
        room.of_user[listener.user_id].add(inbox)
        if listener.is_staff:
            room.staff.add(inbox)
        self._sockets_of[listener.user_id] += 1
        telemetry.sockets_open.labels(listener.kind).inc()

    def _release(self, user_id: UUID) -> None:
        self._sockets_of[user_id] -= 1
        if self._sockets_of[user_id] <= 0:
            del self._sockets_of[user_id]

    def _missed(self, listener: Listener, position: str | None) -> list[Posted]:
        """The listener's messages after a position: at most one more than is replayed, to detect a gap."""
        missed = (
            posted for posted in self.memory.after(position, listener.room) if may_receive(listener, posted)
        )
        return list(islice(missed, REPLAY_LIMIT + 1))[::-1]

    def _audience(self, posted: Posted) -> Collection[Inbox]:
        room = self.rooms.get(posted.room)
        if room is None:
            return ()
        if posted.audience == "everybody":
            return room.everybody
        if posted.audience == "staff":
            return room.staff
        return room.of_user.get(posted.user_id, ()) if posted.user_id is not None else ()


def may_receive(listener: Listener, posted: Posted) -> bool:
    """Whether the listener is in the audience of a message of the same room."""
    if posted.audience == "everybody":
        return True
    if posted.audience == "staff":
        return listener.is_staff
    return posted.user_id is not None and posted.user_id == listener.user_id
