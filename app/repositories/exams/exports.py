"""What the official results of an exam rest on: answers, versions of keys, and the results themselves."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, func, select

from app.models import Attempt, Exam, ExamPaper, ExamResult, KeyVersion, Registration, Result
from app.repositories.base import Repository
from app.repositories.exams.results import MARKED, ROWS_AT_ONCE


@dataclass(frozen=True, slots=True)
class ExportedCandidate:
    """A candidate of the current release. Names and addresses are left out."""

    result: ExamResult
    category: str
    pwbd: int | None
    marked: Mapping[str, Any] | None
    """By the id of the exam paper: `answers` in the order of the paper, and `key`, the number of its version.

    None without a marked attempt.
    """


class ExamExportRepository(Repository):
    """Reads an exam for an export. Its caller has asked whether the results are released."""

    async def keys(self, paper_ids: Collection[UUID]) -> Sequence[KeyVersion]:
        """All versions of the papers' keys, the first one first."""
        statement = select(KeyVersion).where(KeyVersion.paper_id.in_(paper_ids)).order_by(KeyVersion.number)
        return (await self._session.scalars(statement)).all()

    async def candidates(self, exam: Exam) -> AsyncIterator[Sequence[ExportedCandidate]]:
        """The candidates of the current release by roll number, in batches."""
        answers = func.json_build_object("key", KeyVersion.number, "answers", Result.answers)
        marked = (
            select(func.json_object_agg(Attempt.exam_paper_id, answers, type_=JSON))
            .join(Result, Result.attempt_id == Attempt.id)
            .join(KeyVersion, KeyVersion.id == Result.key_id)
            .join(ExamPaper, ExamPaper.id == Attempt.exam_paper_id)
            .where(ExamPaper.exam_id == exam.id, Attempt.registration_id == Registration.id, MARKED)
            .scalar_subquery()
        )
        statement = (
            select(ExamResult, Registration.category, Registration.pwbd, marked)
            .join(Registration, Registration.id == ExamResult.registration_id)
            .where(ExamResult.exam_id == exam.id, ExamResult.version == exam.results_version)
            .order_by(ExamResult.roll_number)
        )
        async for rows in (await self._session.stream(statement)).partitions(ROWS_AT_ONCE):
            yield [ExportedCandidate(*row) for row in rows]
