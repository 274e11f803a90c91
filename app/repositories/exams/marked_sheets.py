"""What official ranks compare beside scores: marked answer sheets, and how papers are divided."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Select, select

from app.models import Attempt, ExamPaper, LocalizedText, Paper, PaperQuestion, Question, Result, Subject
from app.repositories.base import Repository
from app.repositories.exams.results import MARKED

ROWS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class StoredExamResult:
    """The result of an official attempt: outcomes by letter, and marks in parts of a unit."""

    registration_id: UUID
    paper_id: UUID
    """The exam paper."""
    outcomes: str
    marks: Sequence[int]
    marks_denominator: int
    key_id: UUID
    """The version of the key that marked it. It is an older one where a higher score was kept."""


@dataclass(frozen=True, slots=True)
class SubjectPart:
    """A subject of a paper, with the positions of its questions, counted from 0."""

    name: LocalizedText
    positions: Sequence[int]


_Row = tuple[UUID, UUID, str, Sequence[int], int, UUID]


class MarkedSheetRepository(Repository):
    """Marked sheets of an exam. Only a release reads them, and it has asked the embargo."""

    async def of_exam(self, exam_id: UUID) -> AsyncIterator[Sequence[StoredExamResult]]:
        """The results whose scores `ExamResultRepository.scored` returns, in batches."""
        statement = _of_exam(
            exam_id,
            Attempt.registration_id,
            Attempt.exam_paper_id,
            Result.outcomes,
            Result.marks,
            Result.marks_denominator,
            Result.key_id,
        )
        async for rows in (await self._session.stream(statement)).partitions(ROWS_AT_ONCE):
            yield [StoredExamResult(*cast("_Row", row)) for row in rows]

    async def key_ids(self, exam_id: UUID) -> Sequence[UUID]:
        """The versions of keys by which these results were marked."""
        return (await self._session.scalars(_of_exam(exam_id, Result.key_id).distinct())).all()

    async def sections(self, paper_ids: Collection[UUID]) -> Mapping[UUID, Mapping[UUID, LocalizedText]]:
        """The names of the sections of papers, by their ids, in their order."""
        statement = select(Paper.id, Paper.rules["sections"]).where(Paper.id.in_(paper_ids))
        return {
            paper_id: {UUID(section["id"]): section["name"] for section in sections}
            for paper_id, sections in await self._session.execute(statement)
        }

    async def subjects(self, paper_ids: Collection[UUID]) -> Mapping[UUID, Sequence[SubjectPart]]:
        """The subjects of the questions of papers, as the bank has them now."""
        statement = (
            select(PaperQuestion.paper_id, PaperQuestion.position, Subject.id, Subject.name)
            .join(Question, Question.id == PaperQuestion.question_id)
            .join(Subject, Subject.id == Question.subject_id)
            .where(PaperQuestion.paper_id.in_(paper_ids))
            .order_by(PaperQuestion.paper_id, PaperQuestion.position)
        )
        found: dict[UUID, dict[UUID, tuple[LocalizedText, list[int]]]] = {}
        for paper_id, position, subject_id, name in await self._session.execute(statement):
            parts = found.setdefault(paper_id, {})
            parts.setdefault(subject_id, (name, []))[1].append(position - 1)
        return {
            paper_id: [SubjectPart(name, positions) for name, positions in parts.values()]
            for paper_id, parts in found.items()
        }


def _of_exam(exam_id: UUID, *columns: Any) -> Select[Any]:
    """Columns of the results of an exam that an official result shows."""
    return (
        select(*columns)
        .select_from(Attempt)
        .join(Result, Result.attempt_id == Attempt.id)
        .join(ExamPaper, ExamPaper.id == Attempt.exam_paper_id)
        .where(ExamPaper.exam_id == exam_id, Attempt.registration_id.is_not(None))
        .where(MARKED)
    )
