"""Attempts of people at a test with their results, and what the embargo says of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Row,
    ScalarSelect,
    Select,
    Uuid,
    bindparam,
    distinct,
    exists,
    func,
    select,
    true,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import aliased

from app.core.errors import NotFound
from app.engine.ranking import CohortPlace
from app.models import Attempt, AttemptStatus, KeyVersion, Paper, Result, RevisedResult, ScoreCount, Test
from app.repositories.base import Repository
from app.repositories.embargo import CANDIDATE, Reader, ResultEmbargo, of_result
from app.repositories.tests import Viewer


@dataclass(frozen=True, slots=True)
class OwnResult:
    """An attempt and its result, which is None before it is graded.

    `known` says what is withheld now. Whoever uses the rest must look at it first.
    """

    attempt: Attempt
    stored: Result | None
    known: ResultEmbargo
    place: CohortPlace
    """Where the score is, or would be, in its cohort now."""
    versions: Sequence[int]
    """The paper versions of the test that have a key of the cohort, in order."""
    is_revised: bool
    """Whether a revision of the key has regraded it."""


class OwnResultRepository(Repository):
    """Results of candidates, each at an attempt of their own."""

    async def find(self, viewer: Viewer, test_id: UUID, attempt_id: UUID | None) -> OwnResult:
        """The result of an attempt, in an exam or outside, by default the last that is not void.

        One statement reads it all. Raises NotFound.
        """
        by_id = attempt_id is not None
        values = {"attempt_id": attempt_id} if by_id else {}
        found = await self._found(viewer.reader, [viewer.user_id], test_id, by_id=by_id, **values)
        if viewer.user_id not in found:
            raise NotFound("attempt")
        return found[viewer.user_id]

    async def of_candidates(self, user_ids: Sequence[UUID], test_id: UUID) -> Mapping[UUID, OwnResult]:
        """The results of the last attempts of candidates that are not void, by one statement."""
        return await self._found(CANDIDATE, user_ids, test_id, by_id=False)

    async def _found(
        self, reader: Reader, user_ids: Sequence[UUID], test_id: UUID, *, by_id: bool, **values: Any
    ) -> Mapping[UUID, OwnResult]:
        values |= {"user_ids": list(user_ids), "test_id": test_id}
        rows = await self._session.execute(_own_results(reader, by_id=by_id), values)
        return {row.Attempt.user_id: _own_result(row) for row in rows}


def own_attempt(*, by_id: bool) -> ScalarSelect[UUID]:
    """The id of the attempt `:attempt_id`, or of the last one, of `:user_id` at `:test_id`."""
    own = select(Attempt.id).where(
        Attempt.user_id == bindparam("user_id", type_=Uuid),
        Attempt.test_id == bindparam("test_id", type_=Uuid),
    )
    if by_id:
        own = own.where(Attempt.id == bindparam("attempt_id", type_=Uuid))
    else:
        own = own.where(Attempt.status != AttemptStatus.VOID)
    # OFFSET 0 keeps PostgreSQL from reading everybody's attempts from the newest on until it finds one.
    theirs = own.offset(0).subquery()
    return select(theirs.c.id).order_by(theirs.c.id.desc()).limit(1).scalar_subquery()


@lru_cache(maxsize=32)
def _own_results(reader: Reader, *, by_id: bool) -> Select[*tuple[Any, ...]]:
    """The attempts `:attempt_id`, or the last ones, of `:user_ids` at `:test_id`."""
    asked = func.unnest(bindparam("user_ids", type_=ARRAY(Uuid))).table_valued("user_id").render_derived()
    theirs = aliased(Attempt)
    # An aggregate, because PostgreSQL could read everybody's attempts from the newest on for the first one.
    ids = func.array_agg(aggregate_order_by(theirs.id, theirs.id.desc()), type_=ARRAY(Uuid))
    own = (
        select(ids[1].label("id"))
        .where(
            theirs.user_id == type_coerce(asked.c.user_id, Uuid),
            theirs.test_id == bindparam("test_id", type_=Uuid),
            theirs.id == bindparam("attempt_id", type_=Uuid)
            if by_id
            else theirs.status != AttemptStatus.VOID,
        )
        .lateral()
    )
    score, other = Result.score_numerator, ScoreCount.numerator
    is_higher = other * Result.score_denominator > score * ScoreCount.denominator
    candidates = func.sum(ScoreCount.candidates)
    counted = (
        select(
            func.coalesce(candidates.filter(is_higher), 0).label("above"),
            func.coalesce(candidates, 0).label("participants"),
        )
        .where(ScoreCount.cohort_id == Result.cohort_id)
        .lateral()
    )
    version = func.array_agg(distinct(Paper.version))
    versions = (
        select(version)
        .join(KeyVersion, KeyVersion.paper_id == Paper.id)
        .where(Paper.test_id == Attempt.test_id, KeyVersion.cohort_id == Result.cohort_id)
        .scalar_subquery()
    )
    return (
        select(
            Attempt,
            Result,
            counted.c.above,
            counted.c.participants,
            versions,
            exists().where(RevisedResult.attempt_id == Attempt.id),
            *of_result(reader, Attempt.paper_id),
        )
        .select_from(asked)
        .join(own, true())
        .join(Attempt, Attempt.id == own.c.id)
        .join(Test, Test.id == Attempt.test_id)
        .outerjoin(Result, Result.attempt_id == Attempt.id)
        .join(counted, true())
    )


def _own_result(row: Row[*tuple[Any, ...]]) -> OwnResult:
    attempt, stored, above, participants, versions, is_revised, *known = row
    place = CohortPlace(above, participants)
    return OwnResult(attempt, stored, ResultEmbargo(*known), place, versions or (), is_revised)
