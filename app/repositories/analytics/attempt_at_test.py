"""One attempt at a test with everything that its analysis needs, and what the embargo says of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, select

from app.core.errors import NotFound
from app.models import (
    Attempt,
    AttemptFigures,
    AttemptStatus,
    Paper,
    PaperStatistics,
    Result,
    Test,
)
from app.repositories.analytics.shown import COLUMNS, ShownAttempt, attempt_of
from app.repositories.attempts.own_results import own_attempt
from app.repositories.base import Repository
from app.repositories.embargo import Reader, hides_test, is_placed, withholds_a_version, withholds_paper
from app.repositories.tests import Viewer


@dataclass(frozen=True, slots=True)
class AttemptAtTest:
    """A person's attempt. `shown` is None unless it is graded.

    The flags say what the embargo withholds now. Whoever uses the rest must look at them first.
    """

    attempt: Attempt
    is_hidden: bool
    """The test is hidden from the person."""
    is_withheld: bool
    """The result is withheld, because an exam holds a question of the paper."""
    shown: ShownAttempt | None
    marks: Sequence[int]
    marks_denominator: int
    spent_ms: Sequence[int] | None
    answered_order: Sequence[int] | None
    statistics: PaperStatistics | None


class AttemptAtTestRepository(Repository):
    """A person's own attempts at one test."""

    async def find(self, viewer: Viewer, test_id: UUID, attempt_id: UUID | None) -> AttemptAtTest:
        """An attempt, in an exam or outside, by default the last that is not void, by one statement.

        Raises NotFound.
        """
        statement = _attempt(viewer.reader, by_id=attempt_id is not None)
        values = {"user_id": viewer.user_id, "test_id": test_id}
        if attempt_id is not None:
            values["attempt_id"] = attempt_id
        row = (await self._session.execute(statement, values)).one_or_none()
        if row is None:
            raise NotFound("attempt")
        return _found(row)


@lru_cache(maxsize=32)
def _attempt(reader: Reader, *, by_id: bool) -> Select[*tuple[Any, ...]]:
    """The attempt `:attempt_id`, or the last one, of `:user_id` at `:test_id`."""
    statistics = and_(
        PaperStatistics.cohort_id == Result.cohort_id, PaperStatistics.paper_id == Attempt.paper_id
    )
    return (
        select(
            Attempt,
            PaperStatistics,
            *COLUMNS,
            Result.marks,
            Result.marks_denominator,
            AttemptFigures.spent_ms,
            AttemptFigures.answered_order,
            _hidden(reader).label("is_hidden"),
            withholds_paper(reader, Attempt.paper_id).label("is_withheld"),
            (~withholds_a_version(reader, Attempt.test_id)).label("may_compare"),
        )
        .select_from(Attempt)
        .join(Test, Test.id == Attempt.test_id)
        .join(Paper, Paper.id == Attempt.paper_id)
        .outerjoin(Result, Result.attempt_id == Attempt.id)
        .outerjoin(AttemptFigures, AttemptFigures.attempt_id == Attempt.id)
        .outerjoin(PaperStatistics, statistics)
        .where(Attempt.id == own_attempt(by_id=by_id))
    )


def _hidden(reader: Reader) -> ColumnElement[bool]:
    """A test that only shares questions keeps its attempts in candidates' sight: their results come later."""
    return hides_test(reader) if reader.is_staff else is_placed(Attempt.test_id)


def _found(row: Row[Any]) -> AttemptAtTest:
    is_graded = row.Attempt.status == AttemptStatus.GRADED and row.marks is not None
    return AttemptAtTest(
        attempt=row.Attempt,
        is_hidden=row.is_hidden,
        is_withheld=row.is_withheld,
        shown=attempt_of(row) if is_graded else None,
        marks=row.marks or (),
        marks_denominator=row.marks_denominator or 1,
        spent_ms=row.spent_ms,
        answered_order=row.answered_order,
        statistics=row.PaperStatistics,
    )
