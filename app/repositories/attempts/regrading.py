"""Regrading many attempts: what is graded goes to a temporary table, and from there into the results."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from io import BytesIO
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import ARRAY, Uuid, bindparam, text

from app.repositories.attempts.grading import Score
from app.repositories.base import Repository

# The primary key finds the rows of a range. `version` is the row of `results` that was read: each change of a
# result makes another one.
CREATE = text(
    """
    create temporary table regraded_results (
      attempt_id uuid primary key, version xid not null, paper_id uuid not null, exam_paper_id uuid,
      key_before uuid not null, cohort_before uuid not null, was_counted boolean not null,
      kept boolean not null, is_counted boolean not null,
      score_before text not null, score_after text not null, exact_before text not null,
      exact_after text not null, score_numerator numeric not null, score_denominator numeric not null,
      raw_numerator numeric, raw_denominator numeric, qualification text, outcomes text, marks text,
      marks_denominator numeric
    ) on commit drop
    """
)
CREATE_KEYS = text(
    "create temporary table regraded_keys (paper_id uuid, key_id uuid, cohort_id uuid) on commit drop"
)
FILL_KEYS = text("insert into regraded_keys select * from unnest(:papers, :keys, :cohorts)").bindparams(
    *(bindparam(name, type_=ARRAY(Uuid)) for name in ("papers", "keys", "cohorts"))
)
ANALYZE_KEYS = text("analyze regraded_keys")
ANALYZE = text("analyze regraded_results")

_LISTED = "attempts.test_id = :test_id and attempts.number > 0 and attempts.paper_id = any(:papers)"
"""The condition of the index `ix_attempts_listed`."""
_GRADED = f"""
    select attempts.id, attempts.paper_id, attempts.exam_paper_id, attempts.practice, results.xmin::text,
      results.cohort_id, results.key_id, results.counted, results.was_staff, results.qualification,
      results.score_numerator::text, results.score_denominator::text,
      results.raw_numerator::text, results.raw_denominator::text, results.answers::text
    from ias.attempts join ias.results on results.attempt_id = attempts.id
    where {_LISTED} and attempts.id > :after
"""  # noqa: S608 -- a constant
_ORDER = "order by attempts.id limit :limit"
_NOT_STAGED = "and not exists (select from regraded_results as staged where staged.attempt_id = attempts.id)"
GRADED = text(f"{_GRADED} {_ORDER}").bindparams(bindparam("papers", type_=ARRAY(Uuid)))
GRADED_SINCE = text(f"{_GRADED} {_NOT_STAGED} {_ORDER}").bindparams(bindparam("papers", type_=ARRAY(Uuid)))
COUNT_GRADED = text(
    f"select count(*) from ias.attempts join ias.results on results.attempt_id = attempts.id where {_LISTED}"  # noqa: S608 -- constants
).bindparams(bindparam("papers", type_=ARRAY(Uuid)))
FORGET_CHANGED = text(
    """
    delete from regraded_results as staged where not exists (
      select from ias.results where results.attempt_id = staged.attempt_id and results.xmin = staged.version
    )
    """
)
_IN_RANGE = "staged.attempt_id > :above and staged.attempt_id <= :to"
_RESULTS_IN_RANGE = "results.attempt_id > :above and results.attempt_id <= :to"
"""Said of both tables, or PostgreSQL reads all results for each range."""
_NEW_COHORT = "coalesce(staged.exam_paper_id, regraded_keys.cohort_id)"
SCORES = text(
    f"""
    select cohort_before, was_counted, exact_before, {_NEW_COHORT}, is_counted, exact_after, count(*)
    from regraded_results as staged join regraded_keys using (paper_id) group by 1, 2, 3, 4, 5, 6
    """  # noqa: S608 -- constants
)
OUTCOMES = text(
    f"""
    select paper_id, cohort_before, {_NEW_COHORT}, max(length(results.outcomes)),
      coalesce(string_agg(results.outcomes, '') filter (where was_counted), ''),
      coalesce(string_agg(coalesce(staged.outcomes, results.outcomes), '') filter (where is_counted), '')
    from regraded_results as staged join regraded_keys using (paper_id)
    join ias.results using (attempt_id)
    where {_IN_RANGE} and {_RESULTS_IN_RANGE} group by 1, 2, 3
    """  # noqa: S608 -- constants
)
# The triggers of `results` would count each question of each result, twice: see `count_outcomes`.
REPLACE = text(
    f"""
    update ias.results set
      cohort_id = {_NEW_COHORT},
      key_id = case when staged.kept then results.key_id else regraded_keys.key_id end,
      counted = staged.is_counted,
      qualification = coalesce(staged.qualification, results.qualification),
      score_numerator = staged.score_numerator, score_denominator = staged.score_denominator,
      raw_numerator = coalesce(staged.raw_numerator, results.raw_numerator),
      raw_denominator = coalesce(staged.raw_denominator, results.raw_denominator),
      outcomes = coalesce(staged.outcomes, results.outcomes),
      marks = coalesce(staged.marks, results.marks),
      marks_denominator = coalesce(staged.marks_denominator, results.marks_denominator),
      graded_at = :now
    from regraded_results as staged join regraded_keys using (paper_id)
    where results.attempt_id = staged.attempt_id and {_IN_RANGE} and {_RESULTS_IN_RANGE}
    """  # noqa: S608 -- constants
)
RECORD = text(
    f"""
    insert into ias.revised_results (revision_id, attempt_id, key_before, key_after, kept, score_before,
      score_after, exact_before, exact_after, rank_before, rank_after)
    select :revision_id, staged.attempt_id, key_before, regraded_keys.key_id, kept, score_before, score_after,
      exact_before, exact_after, before.rank, after.rank
    from regraded_results as staged
    join regraded_keys using (paper_id)
    left join regraded_ranks as before on was_counted and not before.is_after
      and before.cohort_id = cohort_before and before.exact = exact_before
    left join regraded_ranks as after on is_counted and after.is_after
      and after.cohort_id = {_NEW_COHORT} and after.exact = exact_after
    where {_IN_RANGE}
    """  # noqa: S608 -- constants
)
IDS = text(
    """
    select array_agg(attempt_id::text order by attempt_id)
    from (
      select attempt_id, row_number() over (order by attempt_id) - 1 as place from regraded_results
    ) as staged
    group by place / :size order by place / :size
    """
)
CREATE_RANKS = text(
    """
    create temporary table regraded_ranks on commit drop as
    select * from json_to_recordset(:ranks) as rank(is_after boolean, cohort_id uuid, exact text, rank int)
    """
)
ANALYZE_RANKS = text("analyze regraded_ranks")
COUNT_OUTCOMES = text(
    """
    insert into ias.outcome_counts as stored (cohort_id, paper_id, shard, results, correct)
    select cohort_id, paper_id, pg_backend_pid() % 8, results, correct
    from json_to_recordset(:rows) as row(cohort_id uuid, paper_id uuid, results int, correct int[])
    order by paper_id, cohort_id
    on conflict (cohort_id, paper_id, shard) do update
      set results = stored.results + excluded.results,
        correct = (
          select array_agg(before + change order by place)
          from unnest(stored.correct, excluded.correct) with ordinality as pair (before, change, place)
        )
    """
)


class StoredGrading(NamedTuple):
    """A graded attempt: its answers, and its result by the key that holds. Numbers are texts."""

    attempt_id: UUID
    paper_id: UUID
    exam_paper_id: UUID | None
    practice: bool
    version: str
    """The version of the row; see `forget_changed`."""
    cohort_id: UUID
    key_id: UUID
    counted: bool
    was_staff: bool
    qualification: str
    score_numerator: str
    score_denominator: str
    raw_numerator: str
    raw_denominator: str
    answers: str


@dataclass(frozen=True, slots=True)
class Range:
    """Attempts by their ids: those above the first one, up to the second one."""

    above: UUID
    to: UUID


@dataclass(frozen=True, slots=True)
class ScoreChange:
    """Attempts with the same score before and after, each None where it does not count."""

    before: Score | None
    after: Score | None
    attempts: int


@dataclass(frozen=True, slots=True)
class OutcomeChange:
    """Outcomes of the results that count before and after, one after the other, in two cohorts of a paper."""

    paper_id: UUID
    cohort_before: UUID
    cohort_after: UUID
    questions: int
    before: str
    after: str


class RegradingRepository(Repository):
    """The results of many attempts by other keys. Its temporary tables end with the transaction."""

    async def begin(self) -> None:
        """Create the temporary tables. This transaction regrades once."""
        await self._session.execute(CREATE)
        await self._session.execute(CREATE_KEYS)

    async def count(self, test_id: UUID, paper_ids: Collection[UUID]) -> int:
        """How many attempts at the papers are graded."""
        values = {"test_id": test_id, "papers": list(paper_ids)}
        return await self._session.scalar(COUNT_GRADED, values) or 0

    async def graded(
        self,
        test_id: UUID,
        paper_ids: Collection[UUID],
        after: UUID,
        limit: int,
        *,
        is_staged: bool | None = None,
    ) -> Sequence[StoredGrading]:
        """Graded attempts at the papers in the order of their ids; with False, those that are not staged."""
        statement = GRADED_SINCE if is_staged is False else GRADED
        values = {"test_id": test_id, "papers": list(paper_ids), "after": after, "limit": limit}
        return [StoredGrading(*row) for row in await self._session.execute(statement, values)]

    async def stage(self, rows: Iterable[Sequence[str | None]]) -> None:
        """Write regraded attempts into the temporary table. None of the texts needs to be escaped."""
        lines = "".join("\t".join([r"\N" if cell is None else cell for cell in row]) + "\n" for row in rows)
        connection = await (await self._session.connection()).get_raw_connection()
        driver: Any = connection.driver_connection
        await driver.copy_to_table("regraded_results", source=BytesIO(lines.encode()))

    async def forget_changed(self) -> None:
        """Forget what was staged of results that have been changed or deleted since."""
        await self._session.execute(ANALYZE)
        await self._session.execute(FORGET_CHANGED)

    async def set_keys(self, keys: Mapping[UUID, tuple[UUID, UUID]]) -> None:
        """The new key of each paper, and the cohort of this key."""
        key_ids, cohort_ids = zip(*keys.values(), strict=True)
        values = {"papers": list(keys), "keys": list(key_ids), "cohorts": list(cohort_ids)}
        await self._session.execute(FILL_KEYS, values)
        await self._session.execute(ANALYZE_KEYS)

    async def score_changes(self) -> Sequence[ScoreChange]:
        """What the histograms have of the staged attempts, and what they will have."""
        return [
            ScoreChange(
                before=(cohort_before, Fraction(before)) if was_counted else None,
                after=(cohort_after, Fraction(after)) if is_counted else None,
                attempts=attempts,
            )
            for cohort_before, was_counted, before, cohort_after, is_counted, after, attempts in (
                await self._session.execute(SCORES)
            )
        ]

    async def outcome_changes(self, part: Range) -> Sequence[OutcomeChange]:
        """The outcomes in the range before they are replaced, and after."""
        return [OutcomeChange(*row) for row in await self._session.execute(OUTCOMES, _values(part))]

    async def replace(self, part: Range, now: datetime) -> None:
        """Replace the results in the range by those that were staged."""
        await self._session.execute(REPLACE, _values(part) | {"now": now})

    async def count_outcomes(self, changes: Mapping[tuple[UUID, UUID], tuple[int, Sequence[int]]]) -> None:
        """Write `outcome_counts`, as the triggers of `results` do after an insert or a deletion.

        By paper and cohort: how many results more, and how many right answers more to each question.
        """
        rows = [
            {"paper_id": str(paper_id), "cohort_id": str(cohort_id), "results": results, "correct": correct}
            for (paper_id, cohort_id), (results, correct) in changes.items()
        ]
        await self._session.execute(COUNT_OUTCOMES, {"rows": orjson.dumps(rows).decode()})

    async def set_ranks(self, ranks: Iterable[tuple[bool, UUID, Fraction, int]]) -> None:
        """The rank of each score in its cohort before, and after."""
        rows = [
            {"is_after": is_after, "cohort_id": str(cohort_id), "exact": str(exact), "rank": rank}
            for is_after, cohort_id, exact, rank in ranks
        ]
        await self._session.execute(CREATE_RANKS, {"ranks": orjson.dumps(rows).decode()})
        await self._session.execute(ANALYZE_RANKS)

    async def record(self, part: Range, revision_id: UUID) -> None:
        """Keep what the results in the range were before, with ranks: see `RevisedResult`."""
        await self._session.execute(RECORD, _values(part) | {"revision_id": revision_id})

    async def staged_ids(self, size: int) -> Sequence[Sequence[str]]:
        """The ids of the regraded attempts, so many at a time."""
        return (await self._session.scalars(IDS, {"size": size})).all()


def _values(part: Range) -> dict[str, UUID]:
    return {"above": part.above, "to": part.to}
