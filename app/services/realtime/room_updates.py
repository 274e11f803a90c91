"""Figures that rooms receive while they change: the progress of an exam, the ranked attempts of a test."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from app.core.realtime import presence_tracker
from app.core.realtime.hub import Room
from app.core.realtime.inbox import NOT_ALLOWED, Inbox
from app.core.realtime.payloads import MessageData
from app.models.message_data import (
    AcknowledgedAnnouncement,
    AnnouncementData,
    LeaderboardData,
    MonitorData,
    PaperProgress,
)
from app.services.components import Components
from app.services.unit_of_work import Reading, reading
from app.services.users import find_principal

SHOWN_ANNOUNCEMENTS = 10


class RoomUpdates:
    """Computes the figures of each room with sockets, and sends those that have changed."""

    def __init__(self, parts: Components) -> None:
        self._parts = parts
        self._hub = parts.hub
        self._told: dict[str, MessageData] = {}

    async def step(self) -> None:
        """Update all rooms, in one transaction."""
        exams = {name: room for name, room in self._rooms("exam") if room.staff}
        tests = dict(self._rooms("test"))
        self._told = {name: told for name, told in self._told.items() if name in exams or name in tests}
        if not exams and not tests:
            return
        async with reading(self._parts.engine) as reads:
            counts = {name: await _counts(reads, _id(name)) for name in exams}
            participants = await reads.rooms.participants([_id(name) for name in tests]) if tests else {}
        for name, room in exams.items():
            self._tell(name, room.staff, await self._with_hints(name, counts[name]))
        for name, room in tests.items():
            # A test that an exam holds back has no count: nothing that comes of keys is told before its time.
            if (ranked := participants.get(_id(name))) is not None:
                version, count = ranked
                figures = LeaderboardData(participants=count, paper_version=version)
                self._tell(name, room.everybody, figures)

    async def review_staff(self) -> None:
        """Close the sockets of staff whose role was taken from them: they hear more than their own.

        They may come back as whatever they are now. Bans end sockets at once, like every session.
        """
        inboxes = [inbox for inbox in self._hub.inboxes if inbox.listener.is_staff]
        if not inboxes:
            return
        now = self._parts.clock.now()
        async with reading(self._parts.engine) as reads:
            for inbox in inboxes:
                listener = inbox.listener
                person = await find_principal(reads, listener.user_id, listener.session_id, now)
                if person is None or not person.is_staff:
                    inbox.close(NOT_ALLOWED)
                    self._hub.leave(inbox)

    def _rooms(self, kind: str) -> list[tuple[str, Room]]:
        return [(name, room) for name, room in self._hub.rooms.items() if name.startswith(f"{kind}:")]

    async def _with_hints(self, name: str, counts: "_Counts") -> MonitorData:
        """The counts, and what Redis knows: who is connected, and who has acknowledged announcements."""
        shown = self._hub.memory.latest(name, AnnouncementData.type, SHOWN_ANNOUNCEMENTS)
        ids = [posted.message_id for posted in shown if posted.message_id is not None]
        acknowledged = await presence_tracker.acknowledged(self._parts.redis, ids)
        return MonitorData(
            registered=counts.registered,
            connected=await presence_tracker.count_connected(
                self._parts.redis, name, self._parts.clock.now()
            ),
            announcements=[
                AcknowledgedAnnouncement(id=each, acknowledged=count) for each, count in acknowledged.items()
            ],
            papers=counts.papers,
        )

    def _tell(self, name: str, inboxes: Iterable[Inbox], data: MessageData) -> None:
        """Send the figures to all of these sockets if they have changed, otherwise only to new ones."""
        changed = self._told.get(name) != data
        self._told[name] = data
        audience = [inbox for inbox in inboxes if changed or data.type not in inbox.snapshots_sent]
        for inbox in audience:
            inbox.snapshots_sent.add(data.type)
        if audience:
            self._hub.send(audience, self._parts.clock.now(), data)


@dataclass(frozen=True, slots=True)
class _Counts:
    """The counts of an exam that are in the database."""

    registered: int
    papers: list[PaperProgress]


async def _counts(reads: Reading, exam_id: UUID) -> _Counts:
    papers = [
        PaperProgress(paper_id=paper.paper_id, code=paper.code, **paper.by_status)
        for paper in await reads.rooms.counts(exam_id)
    ]
    return _Counts(await reads.rooms.registered(exam_id), papers)


def _id(name: str) -> UUID:
    return UUID(name.partition(":")[2])
