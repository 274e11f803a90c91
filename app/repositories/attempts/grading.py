"""Grading attempts, one or many: one statement of each kind for all of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import (
    ARRAY,
    JSON,
    Uuid,
    any_,
    bindparam,
    delete,
    exists,
    func,
    literal,
    select,
    text,
)

from app.models import Attempt, AttemptStatus, Membership, ResponseEvent, Result, Role
from app.repositories.attempts.standing import standing_events
from app.repositories.base import Repository
from app.repositories.locks import Mode, Rank

Score = tuple[UUID, Fraction]
"""A cohort, and a score in it."""

ATTEMPTS_PER_STATEMENT = 200

WITH_RESULT = text("select attempt_id from ias.results where attempt_id = any(:attempts)").bindparams(
    bindparam("attempts", type_=ARRAY(Uuid))
)

_COLUMNS = {column.name: column.type for column in Result.__table__.columns}
INSERT = text(
    f"""
    insert into ias.results ({", ".join(_COLUMNS)})
    select * from unnest({", ".join(f":{name}" for name in _COLUMNS)})
    """  # noqa: S608 -- the names of columns
).bindparams(*(bindparam(name, type_=ARRAY(type_, dimensions=1)) for name, type_ in _COLUMNS.items()))

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
DISCOUNT = text(
    """
    with locked as materialized (
      select cohort_id, numerator, denominator, score.candidates
      from jsonb_to_recordset(:counts) as score(
        place int, cohort_id uuid, numerator numeric, denominator numeric, candidates int)
      join ias.score_counts as stored using (cohort_id, numerator, denominator)
      order by place
      for update of stored
    )
    update ias.score_counts as stored set candidates = stored.candidates - locked.candidates
    from locked
    where (stored.cohort_id, stored.numerator, stored.denominator)
      = (locked.cohort_id, locked.numerator, locked.denominator)
    """
)


class GradingRepository(Repository):
    """Attempts that are over, their results, and the histograms, whoever they belong to."""

    async def ungraded(self, closed_before: datetime, limit: int = 1000) -> Sequence[UUID]:
        """Attempts that were closed before then and have no result."""
        statement = select(Attempt.id).where(
            Attempt.status == AttemptStatus.SUBMITTED,
            Attempt.submitted_at < closed_before,
            ~exists().where(Result.attempt_id == Attempt.id),
        )
        return (await self._session.scalars(statement.order_by(Attempt.id).limit(limit))).all()

    async def lock_due(self, attempt_ids: Sequence[UUID]) -> Sequence[Attempt]:
        """Those that are closed and have no result, in the order of their ids, locked.

        The status is looked at after the lock, which may have waited for whoever closes the attempt. A second
        statement looks for results: the first one would not see a result that was stored while it waited.
        """
        statement = select(Attempt).where(Attempt.id.in_(attempt_ids)).order_by(Attempt.id)
        locked = await self._lock(Rank.ATTEMPT, Mode.EXCLUSIVE, statement)
        closed = [attempt for attempt in locked if attempt.status == AttemptStatus.SUBMITTED]
        ids = [attempt.id for attempt in closed]
        graded = set(await self._session.scalars(WITH_RESULT, {"attempts": ids})) if ids else set()
        return [attempt for attempt in closed if attempt.id not in graded]

    async def staff_since_start(self, attempt_ids: Sequence[UUID]) -> set[UUID]:
        """Those of the attempts whose candidate is staff now, or was at any time since the start.

        The attempts must be locked. A role that is given later comes too late for their answers.
        """
        statement = (
            select(Attempt.id)
            .join(Membership, Membership.user_id == Attempt.user_id)
            .where(
                Attempt.id == any_(literal(list(attempt_ids), ARRAY(Uuid))),
                (Membership.role != Role.STUDENT) | (Membership.last_staff_at >= Attempt.started_at),
            )
        )
        return set((await self._session.scalars(statement)).all())

    async def answers(self, attempt_ids: Sequence[UUID]) -> Mapping[UUID, Mapping[str, Any]]:
        """The standing answers of each attempt, by the text of the question's id. Cleared ones are left out.

        PostgreSQL gathers them: otherwise a thousand sheets would be a hundred thousand rows here.
        """
        found: dict[UUID, Mapping[str, Any]] = {attempt_id: {} for attempt_id in attempt_ids}
        for first in range(0, len(attempt_ids), ATTEMPTS_PER_STATEMENT):
            some = literal(list(attempt_ids[first : first + ATTEMPTS_PER_STATEMENT]), ARRAY(Uuid))
            standing = standing_events(ResponseEvent, ResponseEvent.attempt_id == any_(some)).subquery()
            statement = (
                select(
                    standing.c.attempt_id,
                    func.json_object_agg(standing.c.question_id, standing.c.answer, type_=JSON),
                )
                .where(standing.c.answer.is_not(None))
                .group_by(standing.c.attempt_id)
            )
            found |= dict((await self._session.execute(statement)).all())
        return found

    async def add_results(self, results: Sequence[Result]) -> None:
        """Store the results of graded attempts, by one statement. The objects stay outside of the session."""
        values = {name: [getattr(result, name) for result in results] for name in _COLUMNS}
        await self._session.execute(INSERT, values)

    async def delete_results(self, attempt_ids: Sequence[UUID]) -> Sequence[Result]:
        """Delete the results of attempts; what they were."""
        asked = any_(literal(list(attempt_ids), ARRAY(Uuid)))
        statement = delete(Result).where(Result.attempt_id == asked).returning(Result)
        results = (await self._session.scalars(statement)).all()
        for result in results:
            self._session.expunge(result)  # The session would take the next result for the same object.
        return results

    async def count_scores(self, counts: Mapping[Score, int]) -> None:
        """Add candidates to the histograms: the last statement of a grading (docs/decisions/0014)."""
        if counts:
            await self._session.execute(COUNT, {"counts": _in_order(counts)})

    async def discount_scores(self, counts: Mapping[Score, int]) -> None:
        """Remove candidates from the histograms, in the same order."""
        if counts:
            await self._session.execute(DISCOUNT, {"counts": _in_order(counts)})


def _in_order(counts: Mapping[Score, int]) -> str:
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
    return orjson.dumps(rows).decode()
