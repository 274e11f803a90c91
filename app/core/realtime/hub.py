"""The sockets of this process and what they are told. Nothing here waits: each call is one moment."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from app.core import telemetry
from app.core.realtime.inbox import MOVED, Inbox, Listener
from app.core.realtime.memory import Memory
from app.core.realtime.messages import BEGINNING, Posted, passing_id, position_of, wire

CAPACITY = 10_000
"""Messages kept: about as many as the stream has."""

REPLAY_LIMIT = 500
QUEUE_LIMIT = 256
SOCKETS_PER_PERSON = 20
"""In each process, whose memory it guards: with N API processes a person may have N times as many."""


@dataclass(slots=True)
class Room:
    """The inboxes of a room, by who may hear what."""

    everybody: set[Inbox] = field(default_factory=set)
    staff: set[Inbox] = field(default_factory=set)
    of_user: defaultdict[UUID, set[Inbox]] = field(default_factory=lambda: defaultdict(set))


class Hub:
    """Who listens where. A socket joins and is replayed what it missed in the same moment."""

    def __init__(self, capacity: int = CAPACITY, queue_limit: int = QUEUE_LIMIT) -> None:
        self.memory = Memory(capacity)
        self.rooms: dict[str, Room] = {}
        self._queue_limit = queue_limit
        self._sockets_of: Counter[UUID] = Counter()
        """Seated ones, and places that are reserved."""

    @property
    def inboxes(self) -> list[Inbox]:
        """All sockets of this process."""
        return [inbox for room in self.rooms.values() for inbox in room.everybody]

    @contextmanager
    def place_for(self, user_id: UUID) -> Iterator[bool]:
        """Reserve a place for one more socket of a person while it is decided whether it is let in.

        Gives False where the person has as many as they may. What joins within the block has a place of
        its own when the block ends.
        """
        if self._sockets_of[user_id] >= SOCKETS_PER_PERSON:
            yield False
            return
        self._sockets_of[user_id] += 1
        try:
            yield True
        finally:
            self._give_back(user_id)

    def join(self, listener: Listener, since: str | None, now: datetime, heartbeat: float) -> Inbox:
        """Open an inbox that begins with `hello` and whatever was said in the room after `since`."""
        position = position_of(since) if since is not None else None
        known = self.memory.knows(position)
        missed = self._missed(listener, position) if since is not None else []
        gap = since is not None and (not known or len(missed) > REPLAY_LIMIT)
        missed = missed[-REPLAY_LIMIT:]
        # A socket that breaks between `hello` and the rest must be able to ask for the rest again.
        cursor = (position if known and position else BEGINNING) if missed else self.memory.cursor
        inbox = Inbox(listener, self._queue_limit)
        hello = {
            "room": listener.room,
            "server_time": now,
            "heartbeat_seconds": heartbeat,
            "cursor": cursor,
            "replayed": len(missed),
            "gap": gap,
        }
        inbox.begin("hello", wire(passing_id(cursor), "hello", now, hello))
        for posted in missed:
            inbox.begin(posted.type, posted.text)
        self._seat(inbox)
        return inbox

    def leave(self, inbox: Inbox) -> None:
        """Forget a socket. Twice is harmless."""
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
        self._give_back(listener.user_id)
        telemetry.sockets_open.labels(listener.kind).dec()

    def take(self, posted: Posted, *, is_history: bool = False) -> None:
        """Remember an entry of the stream, and tell whom it concerns; history is only remembered."""
        if not self.memory.add(posted) or is_history:
            return
        for inbox in list(self._audience(posted)):
            inbox.put(posted.type, posted.text)
            if posted.session_id is not None and inbox.listener.session_id != posted.session_id:
                inbox.close(MOVED)
            if inbox.closing is not None:
                self.leave(inbox)

    def tell(self, inboxes: Iterable[Inbox], kind: str, now: datetime, data: dict[str, Any]) -> None:
        """Tell sockets what is not in the stream, because it is soon out of date."""
        text = wire(passing_id(self.memory.cursor), kind, now, data)
        for inbox in list(inboxes):
            inbox.put(kind, text)
            if inbox.closing is not None:
                self.leave(inbox)

    def _seat(self, inbox: Inbox) -> None:
        listener = inbox.listener
        room = self.rooms.setdefault(listener.room, Room())
        room.everybody.add(inbox)
        room.of_user[listener.user_id].add(inbox)
        if listener.is_staff:
            room.staff.add(inbox)
        self._sockets_of[listener.user_id] += 1
        telemetry.sockets_open.labels(listener.kind).inc()

    def _give_back(self, user_id: UUID) -> None:
        self._sockets_of[user_id] -= 1
        if self._sockets_of[user_id] <= 0:
            del self._sockets_of[user_id]

    def _missed(self, listener: Listener, position: str | None) -> list[Posted]:
        """What the listener may hear of the room after a position, one more than is replayed."""
        heard = (
            posted for posted in self.memory.after(position, listener.room) if may_hear(listener, posted)
        )
        return list(islice(heard, REPLAY_LIMIT + 1))[::-1]

    def _audience(self, posted: Posted) -> Collection[Inbox]:
        room = self.rooms.get(posted.room)
        if room is None:
            return ()
        if posted.audience == "everybody":
            return room.everybody
        if posted.audience == "staff":
            return room.staff
        return room.of_user.get(posted.user_id, ()) if posted.user_id is not None else ()


def may_hear(listener: Listener, posted: Posted) -> bool:
    """Whether a message of their room is for this listener."""
    if posted.audience == "everybody":
        return True
    if posted.audience == "staff":
        return listener.is_staff
    return posted.user_id is not None and posted.user_id == listener.user_id
