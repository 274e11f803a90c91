"""The last entries of the stream as this process has read them. They are used for replay."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.core.realtime.messages import BEGINNING, Posted


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry and its number in the order of arrival. Unlike ids of the stream, numbers never restart."""

    number: int
    posted: Posted


class Memory:
    """A bounded list of entries. A new entry replaces the oldest one if the list is full."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._kept: deque[Kept] = deque()
        self._rooms: dict[str, deque[Kept]] = {}
        self._number_of: dict[str, int] = {}
        self._number_of_message: dict[UUID, int] = {}
        self._next = 0
        self.cursor = BEGINNING
        """The id of the last entry."""

    def add(self, posted: Posted) -> bool:
        """Add an entry. Returns False if its message is stored already under another entry id."""
        is_new = posted.message_id is None or posted.message_id not in self._number_of_message
        kept = Kept(self._next, posted if is_new else Posted(posted.id))
        self._next += 1
        self._kept.append(kept)
        self._number_of[posted.id] = kept.number
        self.cursor = posted.id
        if kept.posted.message_id is not None:
            self._number_of_message[kept.posted.message_id] = kept.number
        if kept.posted.room:
            self._rooms.setdefault(kept.posted.room, deque()).append(kept)
        if len(self._kept) > self._capacity:
            self._drop_oldest()
        return is_new

    def knows(self, entry_id: str | None) -> bool:
        """Whether the entry, and therefore every later one, is stored."""
        return entry_id in self._number_of

    def after(self, entry_id: str | None, room: str) -> Iterator[Posted]:
        """The messages of a room after an entry, newest first. All of them if the entry is unknown."""
        number = self._number_of.get(entry_id or "", -1)
        for kept in reversed(self._rooms.get(room, ())):
            if kept.number <= number:
                return
            yield kept.posted

    def latest(self, room: str, kind: str, limit: int) -> Sequence[Posted]:
        """The last messages of one type in a room, oldest first."""
        found = [posted for posted in self.after(None, room) if posted.type == kind]
        return found[:limit][::-1]

    def find(self, room: str, reference: str) -> Posted | None:
        """The message with this entry id or message id, or None if it is not stored or in another room."""
        number = self._number_of.get(reference)
        if number is None and (message_id := _uuid(reference)) is not None:
            number = self._number_of_message.get(message_id)
        if number is None:
            return None
        posted = self._kept[number - self._kept[0].number].posted
        return posted if posted.room == room else None

    def _drop_oldest(self) -> None:
        oldest = self._kept.popleft()
        if self._number_of.get(oldest.posted.id) == oldest.number:
            del self._number_of[oldest.posted.id]
        if oldest.posted.message_id is not None:
            del self._number_of_message[oldest.posted.message_id]
        if oldest.posted.room:
            room = self._rooms[oldest.posted.room]
            room.popleft()
            if not room:
                del self._rooms[oldest.posted.room]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
