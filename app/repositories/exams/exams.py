"""Exams and their papers, announcements and accommodations."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    Uuid,
    and_,
    any_,
    bindparam,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import InstrumentedAttribute, aliased

from app.core.errors import NotFound
from app.engine.schedule import ExamStage
from app.models import (
    Accommodation,
    Announcement,
    Attempt,
    Exam,
    ExamPaper,
    Membership,
    Paper,
    Registration,
    Test,
)
from app.repositories import locks
from app.repositories.base import Page, PageRequest, Repository
from app.repositories.locks import Mode, Rank


@dataclass(frozen=True, slots=True)
class ExamViewer:
    """Who reads exams. Candidates see published exams only."""

    user_id: UUID
    institute_id: UUID
    is_staff: bool


@dataclass(frozen=True, slots=True)
class ExamFilter:
    """Which exams to list. None, and no stages, do not filter."""

    stages: Collection[ExamStage] = ()
    registered: bool | None = None
    """Whether the viewer is registered."""


@dataclass(frozen=True, slots=True)
class PaperContent:
    """What candidates are told of an exam's paper before it opens."""

    duration_seconds: int
    question_count: int
    max_marks: str
    languages: Sequence[str]
    marking: Mapping[str, Any]


class ExamRepository(Repository):
    """Exams of an institute. Every statement starts from the ones that this viewer may see."""

    async def page(
        self, viewer: ExamViewer, wanted: ExamFilter, now: datetime, page: PageRequest
    ) -> Page[Exam]:
        """Exams that match the filter, newest first."""
        statement = _visible(viewer)
        if wanted.stages:
            statement = statement.where(or_(*(in_stage(stage, now) for stage in wanted.stages)))
        if wanted.registered is not None:
            has_place = _is_registered(viewer)
            statement = statement.where(has_place if wanted.registered else ~has_place)
        return await self._page(statement, [Exam.id], page, descending=True)

    async def coming(self, viewer: ExamViewer, now: datetime, limit: int) -> Sequence[Exam]:
        """Exams with a paper that is not over, if the viewer is registered or may still register.

        Those with a registration come first, then by the start of the first paper that is not over.
        """
        has_place = _is_registered(viewer)
        of_exam = ExamPaper.exam_id == Exam.id
        start = select(func.min(ExamPaper.starts_at)).where(of_exam, _is_not_over(now)).scalar_subquery()
        takes_entries = exists().where(
            of_exam, ExamPaper.closed_at.is_(None), ExamPaper.entry_closes_at > now
        )
        running = Exam.published_at.is_not(None), Exam.released_at.is_(None), Exam.cancelled_at.is_(None)
        statement = (
            _visible(viewer)
            .where(*running, exists().where(of_exam, _is_not_over(now)), or_(has_place, takes_entries))
            .order_by(has_place.desc(), start, Exam.id)
            .limit(limit)
        )
        return (await self._session.scalars(statement)).all()

    async def find(self, viewer: ExamViewer, exam_id: UUID) -> Exam:
        """An exam that the viewer may see."""
        values = {"institute_id": viewer.institute_id, "exam_id": exam_id}
        return await self._one(_visible_exam(is_staff=viewer.is_staff), values)

    async def lock(self, institute_id: UUID, exam_id: UUID) -> Exam:
        """Lock an exam against changes by other staff. Candidates are not blocked."""
        statement = select(Exam).where(Exam.id == exam_id, Exam.institute_id == institute_id)
        exam = (await self._lock(Rank.EXAM, Mode.CHANGE, statement)).one_or_none()
        if exam is None:
            raise NotFound("exam")
        return exam

    async def papers(self, exam_id: UUID) -> Sequence[ExamPaper]:
        """The papers of an exam, in the order of their start."""
        statement = select(ExamPaper).where(ExamPaper.exam_id == exam_id)
        return (await self._session.scalars(statement.order_by(ExamPaper.starts_at, ExamPaper.code))).all()

    async def papers_of(self, exam_ids: Collection[UUID]) -> Mapping[UUID, Sequence[ExamPaper]]:
        """The papers of each of these exams, in the order of their start."""
        statement = select(ExamPaper).where(ExamPaper.exam_id.in_(exam_ids))
        papers: dict[UUID, list[ExamPaper]] = {exam_id: [] for exam_id in exam_ids}
        for paper in await self._session.scalars(statement.order_by(ExamPaper.starts_at, ExamPaper.code)):
            papers[paper.exam_id].append(paper)
        return papers

    async def contents(self, exam_paper_ids: Collection[UUID]) -> Mapping[UUID, PaperContent]:
        """The content of each of these exam papers.

        It is the content of the pinned paper version, before the publication of the exam that of the test's
        published version, and that of the draft if the test was never published.
        """
        published = (
            select(Paper.id)
            .where(Paper.test_id == Test.id, Paper.version == Test.paper_version)
            .correlate(Test)
            .scalar_subquery()
        )
        pinned = aliased(Paper)
        statement = (
            select(
                ExamPaper.id,
                func.coalesce(pinned.duration_seconds, Test.duration_seconds),
                func.coalesce(pinned.question_count, 0),
                func.coalesce(pinned.max_marks, "0"),
                func.coalesce(pinned.languages, Test.languages),
                func.coalesce(pinned.marking, Test.marking),
            )
            .join(Test, Test.id == ExamPaper.test_id)
            .outerjoin(pinned, pinned.id == func.coalesce(ExamPaper.paper_id, published))
            .where(ExamPaper.id.in_(exam_paper_ids))
        )
        rows = await self._session.execute(statement)
        return {exam_paper_id: PaperContent(*columns) for exam_paper_id, *columns in rows}

    async def max_marks(self, version_ids: Collection[UUID]) -> Mapping[UUID, str]:
        """The maximum marks of these versions of papers."""
        statement = select(Paper.id, Paper.max_marks).where(Paper.id.in_(version_ids))
        return {row.id: row.max_marks for row in await self._session.execute(statement)}

    async def paper(self, viewer: ExamViewer, exam_id: UUID, paper_id: UUID) -> tuple[Exam, ExamPaper]:
        """A paper of an exam that the viewer may see."""
        return await self._paper(viewer, exam_id, paper_id)

    async def lock_paper_for_entry(
        self, viewer: ExamViewer, exam_id: UUID, paper_id: UUID
    ) -> tuple[Exam, ExamPaper]:
        """Lock the entry of the exam in shared mode and return the paper: see `lock_papers_exclusively`."""
        await locks.lock_entry_shared(self._session, exam_id)
        return await self._paper(viewer, exam_id, paper_id)

    async def lock_exam_for_entry(self, viewer: ExamViewer, exam_id: UUID) -> Exam:
        """Lock the entry of the exam in shared mode and return the exam, to register a candidate."""
        await locks.lock_entry_shared(self._session, exam_id)
        statement = _visible(viewer).where(Exam.id == exam_id)
        return await self._one(statement.execution_options(populate_existing=True))

    async def lock_papers_exclusively(self, exam_id: UUID) -> Sequence[ExamPaper]:
        """Lock the entry of the exam exclusively and return its papers, locked, in the order of their start.

        Candidates who are entering finish first; later ones wait and then read the changed exam. A use case
        that changes what entry depends on (the window, the paper version, extra time) or counts the attempts
        must call this. The papers are locked too, because the loop of exam windows changes them.
        """
        await locks.lock_entry_exclusively(self._session, exam_id)
        statement = select(ExamPaper).where(ExamPaper.exam_id == exam_id)
        ordered = statement.order_by(ExamPaper.starts_at, ExamPaper.code)
        return (await self._lock(Rank.EXAM_PAPER, Mode.CHANGE, ordered)).all()

    async def _paper(self, viewer: ExamViewer, exam_id: UUID, paper_id: UUID) -> tuple[Exam, ExamPaper]:
        values = {"institute_id": viewer.institute_id, "exam_id": exam_id, "paper_id": paper_id}
        found = await self._session.execute(_visible_paper(is_staff=viewer.is_staff), values)
        row = found.one_or_none()
        if row is None:
            raise NotFound("exam paper")
        return row.Exam, row.ExamPaper

    async def placement(self, paper_id: UUID) -> tuple[UUID, UUID] | None:
        """The ids of the exam and the test of an exam paper. They never change."""
        statement = select(ExamPaper.exam_id, ExamPaper.test_id).where(ExamPaper.id == paper_id)
        row = (await self._session.execute(statement)).one_or_none()
        return (row.exam_id, row.test_id) if row is not None else None

    async def with_reference(self, institute_id: UUID, reference: str) -> UUID | None:
        """The exam that has this reference."""
        statement = select(Exam.id).where(Exam.institute_id == institute_id, Exam.reference == reference)
        return await self._session.scalar(statement)

    async def add(self, row: Exam | ExamPaper | Announcement) -> None:
        """Insert a new exam, exam paper or announcement."""
        self._session.add(row)
        await self._session.flush()

    async def remove_paper(self, paper: ExamPaper) -> None:
        """Delete a paper of an exam that was never published."""
        await self._session.delete(paper)
        await self._session.flush()

    async def flush(self) -> None:
        """Send pending changes to the database."""
        await self._session.flush()

    async def lock_tests_shared(self, test_ids: Iterable[UUID]) -> None:
        """Lock the tests against changes and publication until this transaction ends."""
        statement = select(Test.id).where(Test.id.in_(list(test_ids))).order_by(Test.id)
        await self._lock(Rank.TEST, Mode.KEY_SHARE, statement)

    async def test(self, institute_id: UUID, test_id: UUID) -> Test | None:
        """A test of the institute, or None. Practice tests of persons are not placed in exams."""
        of_all = Test.id == test_id, Test.institute_id == institute_id, ~Test.is_personal
        statement = select(Test).where(*of_all)
        return (await self._session.scalars(statement)).one_or_none()

    async def was_attempted(self, test_id: UUID) -> bool:
        """Whether candidates have attempted a test. Attempts of staff do not count."""
        staff = exists().where(Membership.user_id == Attempt.user_id, Membership.role != "student")
        return bool(await self._session.scalar(select(exists().where(Attempt.test_id == test_id, ~staff))))

    async def was_started(self, paper_ids: Iterable[UUID]) -> bool:
        """Whether one of these papers has an attempt."""
        return bool(
            await self._session.scalar(select(exists().where(Attempt.exam_paper_id.in_(list(paper_ids)))))
        )

    async def announcements(self, exam_id: UUID, page: PageRequest) -> Page[Announcement]:
        """Announcements of an exam, newest first."""
        statement = select(Announcement).where(Announcement.exam_id == exam_id)
        return await self._page(statement, [Announcement.id], page, descending=True)

    async def accommodations(self, exam_id: UUID) -> Sequence[Accommodation]:
        """All grants of extra time in an exam."""
        statement = select(Accommodation).where(Accommodation.exam_id == exam_id)
        return (await self._session.scalars(statement.order_by(Accommodation.id))).all()

    async def accommodations_page(self, exam_id: UUID, page: PageRequest) -> Page[Accommodation]:
        """One page of them."""
        statement = select(Accommodation).where(Accommodation.exam_id == exam_id)
        return await self._page(statement, [Accommodation.id], page)

    async def accommodations_for(
        self, exam_id: UUID, user_ids: Iterable[UUID | None]
    ) -> Sequence[Accommodation]:
        """Grants that may apply to these candidates: their own and those of groups."""
        asked = literal([user_id for user_id in user_ids if user_id is not None], ARRAY(Uuid))
        statement = select(Accommodation).where(
            Accommodation.exam_id == exam_id,
            or_(Accommodation.user_id == any_(asked), Accommodation.user_id.is_(None)),
        )
        return (await self._session.scalars(statement)).all()

    async def grant(
        self,
        exam_id: UUID,
        target: tuple[str, UUID | str],
        extra_seconds: int,
        reason: str,
        created_by: UUID | None,
    ) -> None:
        """Grant extra time to a user or a group. It replaces an earlier grant to the same user or group."""
        column, value = target
        values = {
            column: value,
            "exam_id": exam_id,
            "extra_seconds": extra_seconds,
            "reason": reason,
            "created_by": created_by,
        }
        statement = insert(Accommodation).values(values)
        changed = {
            "extra_seconds": extra_seconds,
            "reason": reason,
            "created_by": created_by,
            "updated_at": func.now(),
        }
        await self._session.execute(
            statement.on_conflict_do_update(index_elements=["exam_id", column], set_=changed)
        )

    async def withdraw_grant(self, exam_id: UUID, target: tuple[str, UUID | str]) -> None:
        """Delete the grant to a user or a group."""
        column, value = target
        statement = delete(Accommodation).where(
            Accommodation.exam_id == exam_id, getattr(Accommodation, column) == value
        )
        await self._session.execute(statement)

    async def mark_opening_announced(self, now: datetime) -> Sequence[ExamPaper]:
        """Mark and return the papers that have opened since the last call. One worker gets each paper."""
        return await self._mark_announced(ExamPaper.opening_told_at, now, ExamPaper.starts_at <= now)

    async def mark_closing_announced(self, now: datetime) -> Sequence[ExamPaper]:
        """Mark and return the papers whose window has ended. One worker gets each paper."""
        over = or_(ExamPaper.ends_at <= now, ExamPaper.closed_at.is_not(None))
        return await self._mark_announced(ExamPaper.closing_told_at, now, over)

    async def _mark_announced(
        self, column: InstrumentedAttribute[datetime | None], now: datetime, due: ColumnElement[bool]
    ) -> Sequence[ExamPaper]:
        running = exists().where(
            Exam.id == ExamPaper.exam_id, Exam.published_at.is_not(None), Exam.cancelled_at.is_(None)
        )
        waiting = select(ExamPaper.id).where(column.is_(None), due, running).with_for_update(skip_locked=True)
        statement = update(ExamPaper).where(ExamPaper.id.in_(waiting)).values({column: now})
        return (await self._session.scalars(statement.returning(ExamPaper))).all()

    async def _one(self, statement: Select[Exam], values: Mapping[str, Any] | None = None) -> Exam:
        exam = (await self._session.scalars(statement, values)).one_or_none()
        if exam is None:
            raise NotFound("exam")
        return exam


def in_stage(stage: ExamStage, now: datetime) -> ColumnElement[bool]:
    """`engine/schedule.stage` as an SQL condition. A test checks that both agree."""
    of_exam = ExamPaper.exam_id == Exam.id
    is_live = exists().where(of_exam, _is_not_over(now), ExamPaper.starts_at <= now)
    has_paper_left = exists().where(of_exam, _is_not_over(now))
    open_ended = and_(Exam.released_at.is_(None), Exam.cancelled_at.is_(None))
    published = and_(open_ended, Exam.published_at.is_not(None))
    over = and_(published, ~has_paper_left)
    conditions = {
        ExamStage.RELEASED: Exam.released_at.is_not(None),
        ExamStage.CANCELLED: and_(Exam.released_at.is_(None), Exam.cancelled_at.is_not(None)),
        ExamStage.DRAFT: and_(open_ended, Exam.published_at.is_(None)),
        ExamStage.SCHEDULED: and_(published, has_paper_left, ~is_live),
        ExamStage.LIVE: and_(published, is_live),
        ExamStage.CLOSED: and_(over, Exam.key_stage.is_(None)),
    }
    return conditions[stage] if stage in conditions else and_(over, Exam.key_stage == stage)


def _is_not_over(now: datetime) -> ColumnElement[bool]:
    """Whether a paper can still be started or continued, now or later."""
    return and_(ExamPaper.closed_at.is_(None), ExamPaper.ends_at > now)


def _is_registered(viewer: ExamViewer) -> ColumnElement[bool]:
    return exists().where(Registration.exam_id == Exam.id, Registration.user_id == viewer.user_id)


def _visible(viewer: ExamViewer) -> Select[Exam]:
    return _visible_in(literal(viewer.institute_id, Uuid), is_staff=viewer.is_staff)


@cache
def _visible_exam(*, is_staff: bool) -> Select[Exam]:
    """The exam `:exam_id` of `:institute_id`."""
    visible = _visible_in(bindparam("institute_id", type_=Uuid), is_staff=is_staff)
    return visible.where(Exam.id == bindparam("exam_id", type_=Uuid))


@cache
def _visible_paper(*, is_staff: bool) -> Select[Exam, ExamPaper]:
    """The same exam with its paper `:paper_id`."""
    with_paper = _visible_exam(is_staff=is_staff).add_columns(ExamPaper)
    return (
        with_paper.join(ExamPaper, ExamPaper.exam_id == Exam.id)
        .where(ExamPaper.id == bindparam("paper_id", type_=Uuid))
        # The transaction may have read the row before it waited for a lock.
        .execution_options(populate_existing=True)
    )


def _visible_in(institute_id: ColumnElement[UUID], *, is_staff: bool) -> Select[Exam]:
    statement = select(Exam).where(Exam.institute_id == institute_id)
    return statement if is_staff else statement.where(Exam.published_at.is_not(None))
