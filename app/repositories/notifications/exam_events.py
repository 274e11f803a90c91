"""Exams, papers, registrations and attempts, as notifications need them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select

from app.models import Attempt, AttemptStatus, Exam, ExamPaper, Registration
from app.repositories.base import Repository

ENDED = (AttemptStatus.SUBMITTED, AttemptStatus.GRADED)


@dataclass(frozen=True, slots=True)
class SubmittedAttempt:
    """An official attempt at an exam paper that has ended. It holds nothing derived from the answers."""

    attempt_id: UUID
    user_id: UUID
    submitted_at: datetime
    closed_by: str
    accommodation_seconds: int
    paper: ExamPaper
    exam: Exam


class ExamEventRepository(Repository):
    """Reads for notifications about exams."""

    async def exam(self, exam_id: UUID) -> tuple[Exam, Sequence[ExamPaper]] | None:
        """A published exam with its papers in the order of their start."""
        statement = select(Exam).where(Exam.id == exam_id, Exam.published_at.is_not(None))
        exam = (await self._session.scalars(statement)).one_or_none()
        if exam is None:
            return None
        papers = select(ExamPaper).where(ExamPaper.exam_id == exam_id)
        ordered = papers.order_by(ExamPaper.starts_at, ExamPaper.code)
        return exam, (await self._session.scalars(ordered)).all()

    async def registration(self, registration_id: UUID) -> Registration | None:
        """A registration, or None."""
        statement = select(Registration).where(Registration.id == registration_id)
        return (await self._session.scalars(statement)).one_or_none()

    async def submitted_attempts(self, attempt_ids: Sequence[UUID]) -> Sequence[SubmittedAttempt]:
        """Those of the attempts that are official, at an exam, with an account, and have ended."""
        statement = (
            select(Attempt, ExamPaper, Exam)
            .join(ExamPaper, ExamPaper.id == Attempt.exam_paper_id)
            .join(Exam, Exam.id == ExamPaper.exam_id)
            .where(
                Attempt.id.in_(attempt_ids),
                Attempt.practice.is_(False),
                Attempt.status.in_(ENDED),
            )
            .order_by(Attempt.id)
        )
        return [
            SubmittedAttempt(
                attempt_id=attempt.id,
                user_id=attempt.user_id,
                submitted_at=attempt.submitted_at,
                closed_by=attempt.closed_by or "candidate",
                accommodation_seconds=attempt.accommodation_seconds,
                paper=paper,
                exam=exam,
            )
            for attempt, paper, exam in await self._session.execute(statement)
            if attempt.user_id is not None and attempt.submitted_at is not None
        ]

    async def registered(
        self, exam_id: UUID, after: UUID | None, limit: int, registered_until: datetime | None = None
    ) -> Sequence[Registration]:
        """Up to `limit` registrations with an account, ordered by id, after `after`.

        With `registered_until`, only registrations that were made by then.
        """
        statement = select(Registration).where(
            Registration.exam_id == exam_id, Registration.user_id.is_not(None)
        )
        if after is not None:
            statement = statement.where(Registration.id > after)
        if registered_until is not None:
            statement = statement.where(Registration.created_at <= registered_until)
        return (await self._session.scalars(statement.order_by(Registration.id).limit(limit))).all()

    async def papers_starting(self, after: datetime, until: datetime) -> Sequence[tuple[Exam, ExamPaper]]:
        """Papers that start later than `after` and not later than `until`."""
        statement = (
            select(Exam, ExamPaper)
            .join(ExamPaper, ExamPaper.exam_id == Exam.id)
            .where(_will_open(), ExamPaper.starts_at > after, ExamPaper.starts_at <= until)
            .order_by(ExamPaper.starts_at, ExamPaper.id)
        )
        return [(exam, paper) for exam, paper in await self._session.execute(statement)]

    async def starts(self, reminded: Collection[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], datetime]:
        """The start times of papers, for these pairs of a paper and a user.

        Pairs are left out if the paper will not open or the user is not registered any more.
        """
        statement = (
            select(ExamPaper.id, Registration.user_id, ExamPaper.starts_at)
            .join(Exam, Exam.id == ExamPaper.exam_id)
            .join(Registration, Registration.exam_id == Exam.id)
            .where(
                _will_open(),
                ExamPaper.id.in_({paper_id for paper_id, _ in reminded}),
                Registration.user_id.in_({user_id for _, user_id in reminded}),
            )
        )
        found = await self._session.execute(statement)
        starts = {(row.id, row.user_id): row.starts_at for row in found if row.user_id is not None}
        return {pair: starts[pair] for pair in reminded if pair in starts}


def _will_open() -> ColumnElement[bool]:
    return and_(Exam.published_at.is_not(None), Exam.cancelled_at.is_(None), ExamPaper.closed_at.is_(None))
