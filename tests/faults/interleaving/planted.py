"""Faults put into the product on purpose, to show that the checker finds them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import starmap
from typing import Any
from unittest.mock import patch

from sqlalchemy import ScalarResult, Select, select

from app.models import Attempt, AttemptRow, AttemptStatus, Exam, ExamPaper, Result
from app.repositories.attempts import AttemptRepository, save_statement
from app.repositories.attempts.grading import GradingRepository, Score
from app.repositories.exams import ExamAttemptRepository, ExamRepository
from app.repositories.exams.exam_attempts import ATTEMPT_COLUMNS
from app.services import audit

Fault = tuple[object, str, Any]
"""Where, which attribute, and what stands there instead."""


def _unlocked_attempt() -> list[Fault]:
    async def read_only(self: AttemptRepository, statement: Select[Attempt]) -> ScalarResult[Attempt]:
        return await self._session.scalars(statement.execution_options(populate_existing=True))

    return [(AttemptRepository, "_locked", read_only)]


def _unlocked_steering() -> list[Fault]:
    async def read_only(
        self: ExamAttemptRepository, statement: Select[Attempt], *_: Any
    ) -> Sequence[AttemptRow]:
        ordered = statement.with_only_columns(*ATTEMPT_COLUMNS).order_by(Attempt.id)
        return list(starmap(AttemptRow, await self._session.execute(ordered)))

    return [(ExamAttemptRepository, "_locked", read_only)]


def _unlocked_start() -> list[Fault]:
    return [(ExamRepository, "lock_paper_for_entry", ExamRepository.paper)]


def _unlocked_save() -> list[Fault]:
    return [(save_statement, "SAVE", save_statement.SAVE.replace("for key share", ""))]


def _open_door() -> list[Fault]:
    async def read_only(self: ExamRepository, exam_id: Any) -> Sequence[ExamPaper]:
        return await self.papers(exam_id)

    return [(ExamRepository, "lock_papers_exclusively", read_only)]


def _unlocked_exam() -> list[Fault]:
    async def read_only(self: ExamRepository, institute_id: Any, exam_id: Any) -> Exam:
        return await self._one(select(Exam).where(Exam.id == exam_id, Exam.institute_id == institute_id))

    return [(ExamRepository, "lock", read_only)]


def _counted_twice() -> list[Fault]:
    count = GradingRepository.count_scores

    async def twice(self: GradingRepository, counts: Mapping[Score, int]) -> None:
        await count(self, counts)
        await count(self, counts)

    return [(GradingRepository, "count_scores", twice)]


def _graded_unlocked() -> list[Fault]:
    async def unlocked(self: GradingRepository, attempt_ids: Sequence[Any]) -> Sequence[Attempt]:
        asked = select(Attempt).where(Attempt.id.in_(attempt_ids)).order_by(Attempt.id)
        found = await self._session.scalars(asked.execution_options(populate_existing=True))
        closed = [each for each in found if each.status == AttemptStatus.SUBMITTED]
        standing = [await self._session.get(Result, each.id) for each in closed]
        return [each for each, result in zip(closed, standing, strict=True) if result is None]

    return [(GradingRepository, "lock_due", unlocked)]


def _void_keeps_score() -> list[Fault]:
    async def nothing(*_: Any) -> None: ...

    return [(GradingRepository, "discount_scores", nothing)]


def _audit_forgotten() -> list[Fault]:
    async def nothing(*_: Any, **__: Any) -> None: ...

    return [(audit, "record_for_attempts", nothing)]


PLANTED: dict[str, Callable[[], list[Fault]]] = {
    "submit-without-lock": _unlocked_attempt,
    "steering-without-lock": _unlocked_steering,
    "start-without-lock": _unlocked_start,
    "save-without-lock": _unlocked_save,
    "closing-without-lock": _open_door,
    "exam-without-lock": _unlocked_exam,
    "grading-without-lock": _graded_unlocked,
    "counted-twice": _counted_twice,
    "void-keeps-score": _void_keeps_score,
    "audit-forgotten": _audit_forgotten,
}


@contextmanager
def planted(name: str | None) -> Iterator[None]:
    """Have a fault in this process's product code, or none."""
    patches = [patch.object(*fault) for fault in (PLANTED[name]() if name else [])]
    for each in patches:
        each.start()
    try:
        yield
    finally:
        for each in patches:
            each.stop()
