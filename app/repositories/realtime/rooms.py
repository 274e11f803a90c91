"""Access to rooms, their counts, and tickets of sockets."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    DateTime,
    Row,
    Select,
    Uuid,
    and_,
    bindparam,
    delete,
    exists,
    func,
    or_,
    select,
)

from app.models import (
    Attempt,
    AttemptStatus,
    Exam,
    ExamPaper,
    Registration,
    SocketTicket,
    Test,
)
from app.repositories.attempts import RUNNING
from app.repositories.base import Repository
from app.repositories.embargo import Reader, belongs_to_another, hides_test
from app.repositories.tests import Viewer, is_open, ranked_candidates

_ROOM = bindparam("room_id", type_=Uuid)
"""The id of the exam or test whose room it is."""
_USER = bindparam("user_id", type_=Uuid)
_INSTITUTE = bindparam("institute_id", type_=Uuid)
_NOW = bindparam("now", type_=DateTime(timezone=True))
_ENROLLED = bindparam("enrolled", type_=Boolean)

# A message to a whole room may hold only what every candidate may see.
ANY_CANDIDATE = Reader(UUID(int=0), is_staff=False, is_admin=False)


@dataclass(frozen=True, slots=True)
class PaperCounts:
    """The number of official attempts at one exam paper, by status."""

    paper_id: UUID
    code: str
    by_status: Mapping[str, int]


class RoomRepository(Repository):
    """Who may enter a room (docs/decisions/0021), and the counts that are sent to rooms."""

    async def may_enter_exam(self, viewer: Viewer, exam_id: UUID) -> bool:
        """Whether the viewer may enter an exam's room: staff, or registered for a published exam."""
        return await self._may_enter(_entry_to_exam(is_staff=viewer.is_staff), viewer, exam_id)

    async def may_enter_test(self, viewer: Viewer, test_id: UUID, now: datetime) -> bool:
        """Whether the viewer may start the test now, or has a running attempt and the test is not hidden."""
        statement = _entry_to_test(viewer.reader)
        return await self._may_enter(statement, viewer, test_id, now=now, enrolled=viewer.enrolled)

    async def registered(self, exam_id: UUID) -> int:
        """The number of registrations of an exam."""
        statement = select(func.count()).where(Registration.exam_id == exam_id)
        return (await self._session.scalar(statement)) or 0

    async def counts(self, exam_id: UUID) -> Sequence[PaperCounts]:
        """The official attempts of an exam by paper and status. Previews of staff do not count."""
        statement = (
            select(ExamPaper.id, ExamPaper.code, Attempt.status, func.count(Attempt.id))
            .outerjoin(Attempt, and_(Attempt.exam_paper_id == ExamPaper.id, ~Attempt.practice))
            .where(ExamPaper.exam_id == exam_id)
            .group_by(ExamPaper.id, ExamPaper.code, Attempt.status)
            .order_by(ExamPaper.starts_at, ExamPaper.id)
        )
        return _by_paper((await self._session.execute(statement)).all())

    async def participants(self, test_ids: Collection[UUID]) -> Mapping[UUID, tuple[int, int]]:
        """The published version of each test, and the number of ranked candidates of its cohort.

        Tests that are hidden from candidates are left out.
        """
        statement = select(Test.id, Test.paper_version, ranked_candidates()).where(
            Test.id.in_(test_ids), Test.paper_version.is_not(None), ~hides_test(ANY_CANDIDATE)
        )
        rows = await self._session.execute(statement)
        return {test_id: (version or 0, int(count)) for test_id, version, count in rows}

    async def _may_enter(self, statement: Select[bool], viewer: Viewer, room_id: UUID, **values: Any) -> bool:
        of_room = {"room_id": room_id, "user_id": viewer.user_id, "institute_id": viewer.institute_id}
        return bool(await self._session.scalar(statement, of_room | values))


class TicketRepository(Repository):
    """Tickets that open a socket. One DELETE consumes a ticket, so each works once."""

    def add(self, tickets: Sequence[SocketTicket]) -> None:
        """Add new tickets."""
        self._session.add_all(tickets)

    async def consume(self, digest: bytes) -> SocketTicket | None:
        """Delete the ticket and return it, or None if there is none."""
        statement = delete(SocketTicket).where(SocketTicket.digest == digest).returning(SocketTicket)
        return (await self._session.scalars(statement)).one_or_none()

    async def delete_expired(self, now: datetime) -> None:
        """Delete expired tickets."""
        await self._session.execute(delete(SocketTicket).where(SocketTicket.expires_at < now))


# Building these statements took longer than running them, and a whole hall may enter in the same minute.


@cache
def _entry_to_exam(*, is_staff: bool) -> Select[bool]:
    registered = exists().where(Registration.exam_id == Exam.id, Registration.user_id == _USER)
    takes_part = and_(Exam.published_at.is_not(None), Exam.cancelled_at.is_(None), registered)
    own = and_(Exam.id == _ROOM, Exam.institute_id == _INSTITUTE)
    return select(exists().where(own if is_staff else and_(own, takes_part)))


@lru_cache(100)
def _entry_to_test(reader: Reader) -> Select[bool]:
    """All candidates are one reader."""
    offered = ~belongs_to_another(_USER)
    if not reader.is_staff:
        offered = and_(offered, is_open(_NOW, _ENROLLED))
    sits = exists().where(Attempt.test_id == Test.id, Attempt.user_id == _USER, Attempt.status.in_(RUNNING))
    own = and_(Test.id == _ROOM, Test.institute_id == _INSTITUTE)
    return select(exists().where(own, ~hides_test(reader), or_(offered, sits)))


def _by_paper(rows: Sequence[Row[UUID, str, str, int]]) -> Sequence[PaperCounts]:
    papers: dict[UUID, tuple[str, dict[str, int]]] = {}
    for paper_id, code, status, count in rows:
        _, by_status = papers.setdefault(paper_id, (code, dict.fromkeys(map(str, AttemptStatus), 0)))
        if status is not None:
            by_status[status] = count
    return [PaperCounts(paper_id, code, by_status) for paper_id, (code, by_status) in papers.items()]
