"""Periodic counts for rooms: the state of an exam for proctors, and the ranked candidates of a test."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from app.core.realtime import crowd
from app.core.realtime.hub import Room
from app.core.realtime.inbox import NOT_ALLOWED, Inbox
from app.services.components import Components
from app.services.unit_of_work import Reading, reading
from app.services.users import find_principal

SHOWN_ANNOUNCEMENTS = 10
Json = dict[str, Any]


class RoomCounts:
    """Reads the counts of each room with listeners, and sends those that have changed."""

    def __init__(self, parts: Components) -> None:
        self._parts = parts
        self._hub = parts.hub
        self._sent: dict[str, Json] = {}

    async def step(self) -> None:
        """Read the counts of all rooms in one transaction, and send the changes."""
        exams = {name: room for name, room in self._rooms("exam") if room.staff}
        tests = dict(self._rooms("test"))
        self._sent = {name: sent for name, sent in self._sent.items() if name in exams or name in tests}
        if not exams and not tests:
            return
        async with reading(self._parts.engine) as reads:
            counts = {name: await _counts(reads, _id(name)) for name in exams}
            participants = await reads.rooms.participants([_id(name) for name in tests]) if tests else {}
        for name, room in exams.items():
            data = counts[name] | await self._hints(name)
            self._send(name, "monitor", room.staff, data)
        for name, room in tests.items():
            # `participants` leaves out tests under embargo: a ranking is derived from keys.
            if (count := participants.get(_id(name))) is not None:
                self._send(name, "leaderboard", room.everybody, {"participants": count})

    async def review_staff(self) -> None:
        """Close the sockets of users who are no longer staff, because staff receive more messages.

        They may reconnect with their current role. A ban closes sockets at once, because it ends the
        sessions.
        """
        inboxes = [inbox for inbox in self._hub.inboxes if inbox.listener.is_staff]
        if not inboxes:
            return
        async with reading(self._parts.engine) as reads:
            for inbox in inboxes:
                person = await find_principal(reads, inbox.listener.user_id, inbox.listener.session_id)
                if person is None or not person.is_staff:
                    inbox.close(NOT_ALLOWED)
                    self._hub.leave(inbox)

    def _rooms(self, kind: str) -> list[tuple[str, Room]]:
        return [(name, room) for name, room in self._hub.rooms.items() if name.startswith(f"{kind}:")]

    async def _hints(self, name: str) -> Json:
        """Counts from Redis: connected candidates, and acknowledgements of the last announcements."""
        shown = self._hub.memory.latest(name, "announcement", SHOWN_ANNOUNCEMENTS)
        ids = [posted.message_id for posted in shown if posted.message_id is not None]
        counts = await crowd.acknowledged(self._parts.redis, ids)
        return {
            "connected": await crowd.count_connected(self._parts.redis, name, self._parts.clock.now()),
            "announcements": [
                {"id": posted.id, "acknowledged": counts[posted.message_id]}
                for posted in shown
                if posted.message_id in counts
            ],
        }

    def _send(self, name: str, kind: str, inboxes: Iterable[Inbox], data: Json) -> None:
        """Send the counts to everybody if they have changed, and to new listeners in any case."""
        changed = self._sent.get(name) != data
        self._sent[name] = data
        audience = [inbox for inbox in inboxes if changed or kind not in inbox.told]
        for inbox in audience:
            inbox.told.add(kind)
        if audience:
            self._hub.tell(audience, kind, self._parts.clock.now(), data)


async def _counts(reads: Reading, exam_id: UUID) -> Json:
    papers = [
        {"paper_id": paper.paper_id, "code": paper.code, **paper.by_status}
        for paper in await reads.rooms.counts(exam_id)
    ]
    return {"registered": await reads.rooms.registered(exam_id), "papers": papers}


def _id(name: str) -> UUID:
    return UUID(name.partition(":")[2])
