"""What is on record about one attempt, for signed response sheets and the timeline: no key and no marks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, case, func, select
from sqlalchemy.orm import InstrumentedAttribute

from app.models import (
    PSEUDONYM,
    Attempt,
    AttemptLease,
    AuditEntry,
    Exam,
    ExamPaper,
    Institute,
    LocalizedText,
    LoggedEvent,
    Paper,
    Registration,
    Test,
    User,
)
from app.repositories.base import Repository


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """An attempt with the names of what it belongs to. There is no exam for an attempt at a test."""

    attempt: Attempt
    institute: str
    name: str | None
    roll_number: str | None
    test_title: LocalizedText
    """As the attempt's version of the paper has it. The test's own title is that of its draft."""
    paper_version: int
    exam_paper: ExamPaper | None
    exam_title: LocalizedText | None


_LOGGED: Sequence[InstrumentedAttribute[Any]] = (
    LoggedEvent.question_id,
    LoggedEvent.lease,
    LoggedEvent.revision,
    LoggedEvent.answer,
    LoggedEvent.marked_for_review,
    LoggedEvent.time_spent_ms,
    LoggedEvent.confidence,
    LoggedEvent.language,
    LoggedEvent.late,
    LoggedEvent.received_at,
)


class AttemptRecordRepository(Repository):
    """Reads one attempt. The caller decides who may see it, and when."""

    async def attempt(self, attempt_id: UUID) -> Attempt | None:
        """An attempt of anybody, or None."""
        return await self._session.get(Attempt, attempt_id)

    async def record(self, attempt: Attempt) -> AttemptRecord:
        """The attempt with the names around it. A deleted account shows its pseudonym."""
        profile = case((User.deleted_at.is_not(None), PSEUDONYM), else_=User.name)
        statement = (
            select(
                Institute.name.label("institute"),
                func.coalesce(Registration.name, profile).label("name"),
                Registration.roll_number,
                Paper.title.label("test_title"),
                Paper.version,
                ExamPaper,
                Exam.title.label("exam_title"),
            )
            .select_from(Attempt)
            .join(Test, Test.id == Attempt.test_id)
            .join(Institute, Institute.id == Test.institute_id)
            .join(Paper, Paper.id == Attempt.paper_id)
            .outerjoin(User, User.id == Attempt.user_id)
            .outerjoin(Registration, Registration.id == Attempt.registration_id)
            .outerjoin(ExamPaper, ExamPaper.id == Attempt.exam_paper_id)
            .outerjoin(Exam, Exam.id == ExamPaper.exam_id)
            .where(Attempt.id == attempt.id)
        )
        row = (await self._session.execute(statement)).one()
        return AttemptRecord(
            attempt=attempt,
            institute=row.institute,
            name=row.name,
            roll_number=row.roll_number,
            test_title=row.test_title,
            paper_version=row.version,
            exam_paper=row.ExamPaper,
            exam_title=row.exam_title,
        )

    async def log(self, attempt_id: UUID) -> Sequence[Row[Any]]:
        """Every response event, late ones too, in the order of their arrival."""
        statement = (
            select(*_LOGGED)
            .where(LoggedEvent.attempt_id == attempt_id)
            .order_by(
                LoggedEvent.received_at,
                LoggedEvent.question_id,
                LoggedEvent.lease,
                LoggedEvent.revision,
            )
        )
        return (await self._session.execute(statement)).all()

    async def leases(self, attempt_id: UUID) -> Sequence[AttemptLease]:
        """The leases, the first one first."""
        statement = select(AttemptLease).where(AttemptLease.attempt_id == attempt_id)
        return (await self._session.scalars(statement.order_by(AttemptLease.lease))).all()

    async def staff_actions(self, attempt_id: UUID) -> Sequence[AuditEntry]:
        """What staff have done to the attempt, the first action first."""
        statement = select(AuditEntry).where(
            AuditEntry.subject_id == attempt_id, AuditEntry.subject_kind == "attempt"
        )
        return (await self._session.scalars(statement.order_by(AuditEntry.id))).all()
