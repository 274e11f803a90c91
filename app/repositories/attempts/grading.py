"""Grading many attempts at once: one statement of each kind for all of them."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ARRAY, Uuid, bindparam, select, text, update
from sqlalchemy.dialects.postgresql import JSONB

from app.models import Attempt, AttemptStatus, Result
from app.repositories.base import Repository
from app.repositories.locks import Mode, Rank

Score = tuple[UUID, Fraction]
"""A cohort, and a score in it."""

ATTEMPTS_AT_ONCE = 200

STANDING = (
    text(
        """
    select attempt_id, jsonb_object_agg(question_id, answer) as answers
    from (
      select distinct on (attempt_id, question_id) attempt_id, question_id, answer
      from ias.response_events where attempt_id = any(:attempts) and not late
      order by attempt_id, question_id, lease desc, revision desc
    ) as standing
    where answer is not null group by attempt_id
    """
    )
    .bindparams(bindparam("attempts", type_=ARRAY(Uuid)))
    .columns(answers=JSONB)
)

# One statement locks the rows of the histogram in the order in which they are given.
COUNT = text(
    """
    insert into ias.score_counts (cohort_id, numerator, denominator, candidates)
    select cohort_id, numerator, denominator, candidates
    from jsonb_to_recordset(:counts) as score(
      place int, cohort_id uuid, numerator numeric, denominator numeric, candidates int)
    order by place
    on conflict (cohort_id, numerator, denominator)
      do update set candidates = score_counts.candidates + excluded.candidates
    """
)


class GradingRepository(Repository):
    """Closed attempts of anybody, for the worker and for staff who bring in answer sheets."""

    async def lock_due(self, attempt_ids: Sequence[UUID]) -> Sequence[Attempt]:
        """Those that are closed and have no result, in the order of their ids, locked.

        A second statement looks for results: the first one, if it had to wait, sees none that came meanwhile.
        """
        statement = select(Attempt).where(
            Attempt.id.in_(attempt_ids), Attempt.status == AttemptStatus.SUBMITTED
        )
        closed = (await self._lock(Rank.ATTEMPT, Mode.EXCLUSIVE, statement.order_by(Attempt.id))).all()
        graded = select(Result.attempt_id).where(Result.attempt_id.in_([attempt.id for attempt in closed]))
        has_result = set(await self._session.scalars(graded))
        return [attempt for attempt in closed if attempt.id not in has_result]

    async def standing(self, attempt_ids: Sequence[UUID]) -> Mapping[UUID, Mapping[UUID, Any]]:
        """What stands in each attempt, by question: of the highest (lease, revision) that was in time.

        Cleared answers are left out. Gathered by PostgreSQL: a thousand sheets are no hundred thousand rows.
        """
        found: dict[UUID, Mapping[UUID, Any]] = {attempt_id: {} for attempt_id in attempt_ids}
        for first in range(0, len(attempt_ids), ATTEMPTS_AT_ONCE):
            some = attempt_ids[first : first + ATTEMPTS_AT_ONCE]
            for attempt_id, answers in await self._session.execute(STANDING, {"attempts": some}):
                found[attempt_id] = {_uuid(question_id): answer for question_id, answer in answers.items()}
        return found

    async def add_results(self, results: Sequence[Result]) -> None:
        """Keep the results of graded attempts."""
        self._session.add_all(results)
        await self._session.flush()

    async def mark_graded(self, attempt_ids: Sequence[UUID]) -> None:
        """Show attempts that have a result as what they are."""
        statement = update(Attempt).where(Attempt.id.in_(attempt_ids)).values(status=AttemptStatus.GRADED)
        await self._session.execute(statement)

    async def count_scores(self, counts: Mapping[Score, int]) -> None:
        """Add candidates to the histograms: the last statement of a grading (docs/decisions/0014)."""
        rows = [
            {
                "place": place,
                "cohort_id": str(cohort_id),
                "numerator": str(score.numerator),
                "denominator": str(score.denominator),
                "candidates": counts[cohort_id, score],
            }
            for place, (cohort_id, score) in enumerate(sorted(counts))
        ]
        if rows:
            await self._session.execute(COUNT, {"counts": orjson.dumps(rows).decode()})


@lru_cache(maxsize=4_096)
def _uuid(text_: str) -> UUID:
    """The same questions come with each sheet."""
    return UUID(text_)
