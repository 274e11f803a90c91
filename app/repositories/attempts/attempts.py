"""Attempts, the log of responses, results and the distribution of scores."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Numeric, ScalarResult, Select, Uuid, any_, bindparam, select, text
from sqlalchemy.dialects.postgresql import JSONB

from app.core.attempt_scope import AttemptRef, AttemptScope
from app.core.errors import NotFound
from app.core.ids import first_uuid7
from app.engine.ranking import CohortPlace, Distribution
from app.models import Attempt, AttemptLease, AttemptStatus, LoggedEvent, ResponseEvent, Result, ScoreCount
from app.repositories import locks
from app.repositories.attempts.standing import standing_events
from app.repositories.base import Repository
from app.repositories.locks import Mode, Rank

RUNNING = (AttemptStatus.IN_PROGRESS, AttemptStatus.PAUSED)

ATTEMPTS_PER_STATEMENT = 20
"""Objects for the answers of more attempts would hold the event loop for too long."""

PLACES = text(
    """
    select
      coalesce(sum(candidates) filter (
        where numerator * asked_denominator > asked_numerator * denominator), 0)::int,
      coalesce(sum(candidates), 0)::int
    from unnest(:cohorts, :numerators, :denominators) with ordinality
      as asked(cohort_id, asked_numerator, asked_denominator, place)
    left join ias.score_counts using (cohort_id)
    group by place order by place
    """
).bindparams(
    bindparam("cohorts", type_=ARRAY(Uuid)),
    bindparam("numerators", type_=ARRAY(Numeric)),
    bindparam("denominators", type_=ARRAY(Numeric)),
)

CLOSE_OVERDUE = text(
    """
    with overdue as materialized (
      select id from ias.attempts
      where status = 'in_progress' and deadline_at < :before
      order by deadline_at limit :limit
      for update skip locked
    )
    update ias.attempts set status = 'submitted', closed_by = 'deadline', submitted_at = deadline_at,
      updated_at = :now
    from overdue where attempts.id = overdue.id
    returning attempts.id
    """
)

# Kept, because to build a statement and the key of SQLAlchemy's cache takes longer than PostgreSQL's part.
_STANDING = standing_events(LoggedEvent, LoggedEvent.attempt_id == bindparam("attempt_id", type_=Uuid))
_HISTOGRAM = select(ScoreCount.numerator, ScoreCount.denominator, ScoreCount.candidates).where(
    ScoreCount.cohort_id == bindparam("cohort_id", type_=Uuid), ScoreCount.candidates > 0
)

COUNT_EVENTS = text(
    "select coalesce(sum(events), 0), coalesce(max(events), 0) from (select count(*) as events from"
    " ias.response_events where attempt_id = :attempt_id group by question_id) as of_question"
)

PACKED_LOG = (
    text(
        "select to_jsonb(event) as event from ias.logged_events as event"
        " where attempt_id = :attempt_id and question_id = any(:question_ids) and not late"
    )
    .bindparams(bindparam("question_ids", type_=ARRAY(Uuid)))
    .columns(event=JSONB)
)

# The lateral join reads each attempt's part of the log. Without it the planner may read all partitions.
STANDING = select(LoggedEvent).from_statement(
    text(
        """
        select standing.*
        from unnest(:attempts) as attempt(id) cross join lateral (
          select distinct on (question_id) * from ias.logged_events
          where attempt_id = attempt.id and not late
          order by question_id, lease desc, revision desc
        ) as standing
        order by attempt_id, question_id
        """
    )
    .bindparams(bindparam("attempts", type_=ARRAY(Uuid)))
    .columns(*LoggedEvent.__table__.columns)
)

PARTITIONS_LOCK = 0x1A6  # any constant: everybody who makes partitions takes the same one

# Attaching needs the default partition for itself, and saves wait behind whoever waits for that: rather
# give up and try again. A month that has begun in the default partition stays there.
CREATE_PARTITION = """
do $$ begin
  set local lock_timeout = '1s';
  perform pg_advisory_xact_lock({lock});
  if to_regclass('ias.{name}') is null and not exists (
    select from ias.response_events_default where attempt_id >= '{first}' and attempt_id < '{end}'
  ) then
    create table ias.{name} (like ias.response_events including defaults including constraints);
    alter table ias.{name} enable row level security;
    alter table ias.response_events attach partition ias.{name} for values from ('{first}') to ('{end}');
  end if;
end $$
"""


class AttemptRepository(Repository):
    """One person's attempts. Every statement starts from the rows that this person may access."""

    async def running(self, user_id: UUID, scope: AttemptScope) -> Attempt | None:
        """Lock and return the attempt that is in progress or paused."""
        statement = self._of(user_id, scope).where(Attempt.status.in_(RUNNING))
        return (await self._locked(statement)).one_or_none()

    async def lock_running(self, user_id: UUID) -> Sequence[Attempt]:
        """Lock and return all of a person's attempts that are in progress or paused."""
        statement = select(Attempt).where(Attempt.user_id == user_id, Attempt.status.in_(RUNNING))
        return (await self._locked(statement.order_by(Attempt.id))).all()

    async def earlier(self, user_id: UUID, scope: AttemptScope) -> Sequence[Attempt]:
        """All attempts so far in the order of their numbers, void ones included."""
        statement = self._of(user_id, scope).order_by(Attempt.number)
        return (await self._session.scalars(statement)).all()

    async def add(self, attempt: Attempt) -> None:
        """Insert a new attempt, with the lease of the device that starts it."""
        lease = AttemptLease(
            attempt_id=attempt.id, lease=attempt.lease, device=attempt.device, given_at=attempt.started_at
        )
        self._session.add_all([attempt, lease])
        await self._session.flush()

    async def lock(self, attempt: AttemptRef) -> Attempt:
        """Lock a person's attempt. Saves and other submits wait until the transaction ends."""
        statement = self._of(attempt.user_id, attempt.scope).where(Attempt.id == attempt.id)
        return found((await self._locked(statement)).one_or_none())

    async def lock_free(self, attempt_ids: Sequence[UUID]) -> Sequence[Attempt]:
        """Lock those of the attempts that no other transaction has locked, in the order of their ids."""
        asked = bindparam("attempt_ids", type_=ARRAY(Uuid))
        statement = select(Attempt).where(Attempt.id == any_(asked)).order_by(Attempt.id)
        values = {"attempt_ids": list(attempt_ids)}
        return await locks.lock_free(self._session, Rank.ATTEMPT, Mode.EXCLUSIVE, statement, values)

    async def find(self, attempt: AttemptRef) -> Attempt:
        """A person's attempt."""
        statement = self._of(attempt.user_id, attempt.scope).where(Attempt.id == attempt.id)
        return found((await self._session.scalars(statement)).one_or_none())

    async def find_all(self, attempt_ids: Sequence[UUID]) -> Mapping[UUID, Attempt]:
        """Attempts of any persons by their ids. Those that do not exist are left out."""
        asked = Attempt.id == any_(bindparam("attempt_ids", type_=ARRAY(Uuid)))
        found = await self._session.scalars(select(Attempt).where(asked), {"attempt_ids": list(attempt_ids)})
        return {attempt.id: attempt for attempt in found}

    async def latest(self, user_id: UUID, scope: AttemptScope) -> Attempt:
        """A person's last attempt that is not void."""
        statement = (
            self._of(user_id, scope)
            .where(Attempt.status != AttemptStatus.VOID)
            .order_by(Attempt.number.desc())
            .limit(1)
        )
        return found((await self._session.scalars(statement)).one_or_none())

    async def current(self, user_id: UUID, scope: AttemptScope) -> Attempt:
        """A person's last attempt. A void one is returned only if there is no other."""
        values = {"user_id": user_id, "test_id": scope.test_id}
        if scope.exam_paper_id is not None:
            values["exam_paper_id"] = scope.exam_paper_id
        statement = _current(in_exam=scope.exam_paper_id is not None)
        return found((await self._session.scalars(statement, values)).one_or_none())

    async def packed_log(
        self, attempt_id: UUID, question_ids: Collection[UUID]
    ) -> Sequence[Mapping[str, Any]]:
        """The events of some questions of a packed log, in the form of `SaveOutcome.log`."""
        values = {"attempt_id": attempt_id, "question_ids": list(question_ids)}
        return (await self._session.scalars(PACKED_LOG, values)).all()

    async def count_events(self, attempt_id: UUID) -> tuple[int, int]:
        """How many events the log of an attempt has, late ones too, and how many the longest question."""
        row = (await self._session.execute(COUNT_EVENTS, {"attempt_id": attempt_id})).one()
        return int(row[0]), int(row[1])

    async def standing(self, attempt_id: UUID) -> Sequence[ResponseEvent]:
        """What stands for each question that has an event in time."""
        return (await self._session.scalars(_STANDING, {"attempt_id": attempt_id})).all()

    async def standing_of(self, attempt_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[ResponseEvent]]:
        """The same for many attempts, by attempt. Attempts without events are left out."""
        found: dict[UUID, list[ResponseEvent]] = {}
        for first in range(0, len(attempt_ids), ATTEMPTS_PER_STATEMENT):
            some = list(attempt_ids[first : first + ATTEMPTS_PER_STATEMENT])
            for event in await self._session.scalars(STANDING, {"attempts": some}):
                found.setdefault(event.attempt_id, []).append(event)
        return found

    async def close_overdue(self, now: datetime, grace: timedelta, limit: int) -> Sequence[UUID]:
        """End attempts whose deadline and grace are over: one statement, each by exactly one worker."""
        rows = await self._session.scalars(CLOSE_OVERDUE, {"before": now - grace, "now": now, "limit": limit})
        return rows.all()

    async def result(self, attempt_id: UUID) -> Result | None:
        """The result of an attempt, if it has been graded."""
        return await self._session.get(Result, attempt_id)

    async def with_results(self, attempt_ids: Sequence[UUID]) -> Sequence[tuple[Attempt, Result | None]]:
        """Attempts with their results, read by one statement, so that each pair belongs together."""
        asked = Attempt.id == any_(bindparam("attempt_ids", type_=ARRAY(Uuid)))
        statement = select(Attempt, Result).outerjoin(Result, Result.attempt_id == Attempt.id).where(asked)
        rows = await self._session.execute(statement, {"attempt_ids": list(attempt_ids)})
        return [(attempt, result) for attempt, result in rows]

    async def distribution(self, cohort_id: UUID) -> Distribution[Fraction]:
        """The histogram in the order of its scores. Requests for an unchanged one share it."""
        rows = await self._session.execute(_HISTOGRAM, {"cohort_id": cohort_id})
        return _distribution(tuple((n, d, count) for n, d, count in rows))

    async def histogram(self, cohort_id: UUID) -> Mapping[Fraction, int]:
        """How many candidates have each score."""
        rows = await self._session.execute(_HISTOGRAM, {"cohort_id": cohort_id})
        return {Fraction(n, d): count for n, d, count in rows}

    async def places(self, results: Sequence[Result]) -> Sequence[CohortPlace]:
        """Where the score of each result is, or would be, in its cohort now."""
        values = {
            "cohorts": [result.cohort_id for result in results],
            "numerators": [Decimal(result.score_numerator) for result in results],
            "denominators": [Decimal(result.score_denominator) for result in results],
        }
        return [CohortPlace(*row) for row in await self._session.execute(PLACES, values)]

    async def ensure_partitions(self, now: datetime, months: int = 3) -> None:
        """Make the monthly partitions of the response log from `now` on, ahead of time."""
        first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        for _ in range(months):
            end = (first + timedelta(days=32)).replace(day=1)
            name = f"response_events_{first:%Y_%m}"
            statement = CREATE_PARTITION.format(
                lock=PARTITIONS_LOCK, name=name, first=first_uuid7(first), end=first_uuid7(end)
            )
            await self._session.execute(text(statement))
            first = end

    async def flush(self) -> None:
        """Send pending changes to the database, in this order."""
        await self._session.flush()

    async def _locked(self, statement: Select[Attempt]) -> ScalarResult[Attempt]:
        return await self._lock(Rank.ATTEMPT, Mode.EXCLUSIVE, statement)

    def _of(self, user_id: UUID, scope: AttemptScope) -> Any:
        return select(Attempt).where(
            Attempt.user_id == user_id,
            Attempt.test_id == scope.test_id,
            Attempt.exam_paper_id.is_not_distinct_from(scope.exam_paper_id),
        )


@cache
def _current(*, in_exam: bool) -> Select[Attempt]:
    """The last attempt of `:user_id` at the test `:test_id` by itself, or at its exam paper."""
    paper = bindparam("exam_paper_id", type_=Uuid) if in_exam else None
    return (
        select(Attempt)
        .where(
            Attempt.user_id == bindparam("user_id", type_=Uuid),
            Attempt.test_id == bindparam("test_id", type_=Uuid),
            Attempt.exam_paper_id == paper,
        )
        .order_by(Attempt.status == AttemptStatus.VOID, Attempt.number.desc())
        .limit(1)
    )


@lru_cache(maxsize=64)
def _distribution(rows: tuple[tuple[int, int, int], ...]) -> Distribution[Fraction]:
    return Distribution({Fraction(n, d): count for n, d, count in rows})


def found(attempt: Attempt | None) -> Attempt:
    """The attempt. Raises NotFound for None."""
    if attempt is None:
        raise NotFound("attempt")
    return attempt
