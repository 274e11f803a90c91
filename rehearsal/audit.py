"""A look into the database itself, by statements of its own: an audit does not ask whom it checks."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncEngine

from app.config import get_settings
from app.database import create_engine, transaction
from app.engine.responses import Event
from rehearsal.checks import Taken

_PATIENCE = 90

_ATTEMPTS = """
    select count(*) as attempts, count(distinct user_id) as candidates,
      count(*) filter (where status = 'graded') as graded,
      (select count(*) from ias.results where cohort_id = :cohort_id) as results,
      (select count(*) from ias.results where cohort_id = :cohort_id and counted) as counted,
      (select coalesce(sum(candidates), 0) from ias.score_counts where cohort_id = :cohort_id) as in_histogram
    from ias.attempts where coalesce(exam_paper_id, test_id) = :cohort_id
"""
_HISTOGRAM_ERRORS = """
    with actual as (
      select score_numerator as numerator, score_denominator as denominator, count(*) as candidates
      from ias.results where cohort_id = :cohort_id and counted group by 1, 2
    ), kept as (
      select numerator, denominator, candidates from ias.score_counts
      where cohort_id = :cohort_id and candidates > 0
    )
    select count(*)
    from ((table actual except table kept) union all (table kept except table actual)) as wrong
"""
# Notices wait for mail servers and the like; no mark depends on them.
_JOBS = "select count(*) from ias.jobs where task not like 'notify%' and "
_UNFINISHED = _JOBS + "finished_at is null"
_GIVEN_UP = _JOBS + "error is not null and created_at > now() - interval '1 hour'"
_EVENTS = text(
    """
    select attempt_id, question_id, lease, revision, answer from ias.response_events
    where not late and attempt_id in (
      select id from ias.attempts where coalesce(exam_paper_id, test_id) = :cohort_id)
    """
).columns(answer=JSONB)

Stored = dict[tuple[UUID, UUID, int, int], Any]


async def audit(cohort_id: UUID, sittings: Sequence[Taken], void: int = 0) -> list[str]:
    """What is wrong in the database, a sentence each. It waits until the worker has done its jobs.

    A cohort is a test, or a paper of an exam; `void` attempts at it must be nowhere else.
    """
    async with auditing() as engine:
        found = await _job_mismatches(engine)
        found += await _count_mismatches(engine, cohort_id, len(sittings), void)
        return found + _missing_events(sittings, await _stored_events(engine, cohort_id))


@asynccontextmanager
async def auditing() -> AsyncIterator[AsyncEngine]:
    """A connection of one's own to the database."""
    engine = create_engine(get_settings(), application_name="ias-demo-audit", pool_size=1)
    try:
        yield engine
    finally:
        await engine.dispose()


async def _job_mismatches(engine: AsyncEngine) -> list[str]:
    for _ in range(_PATIENCE):
        unfinished = await _number(engine, _UNFINISHED)
        if unfinished == 0:
            break
        await asyncio.sleep(1)
    else:
        return [f"{unfinished} jobs are unfinished after {_PATIENCE} s"]
    given_up = await _number(engine, _GIVEN_UP)
    return [f"{given_up} jobs were given up"] if given_up else []


async def _count_mismatches(engine: AsyncEngine, cohort_id: UUID, candidates: int, void: int) -> list[str]:
    cohort = {"cohort_id": cohort_id}
    async with transaction(engine, read_only=True) as session:
        counts = (await session.execute(text(_ATTEMPTS), cohort)).one()._asdict()
        wrong = await session.scalar(text(_HISTOGRAM_ERRORS), cohort)
    expected = dict.fromkeys(counts, candidates - void) | {"attempts": candidates, "candidates": candidates}
    found = [
        f"{name}: {counts[name]}, not {count}" for name, count in expected.items() if counts[name] != count
    ]
    return [*found, f"the histogram is wrong at {wrong} scores"] if wrong else found


async def _stored_events(engine: AsyncEngine, cohort_id: UUID) -> Stored:
    async with transaction(engine, read_only=True) as session:
        rows = await session.execute(_EVENTS, {"cohort_id": cohort_id})
        return {(row.attempt_id, row.question_id, row.lease, row.revision): row.answer for row in rows}


async def _number(engine: AsyncEngine, statement: str) -> int:
    async with transaction(engine, read_only=True) as session:
        return int(await session.scalar(text(statement)) or 0)


def _missing_events(sittings: Iterable[Taken], stored: Stored) -> list[str]:
    found = []
    for sitting in sittings:
        events = sitting.log.acknowledged.values()
        missing = [event for event in events if not _is_stored(event, UUID(sitting.attempt_id), stored)]
        if missing:
            found.append(
                f"Candidate {sitting.plan.number}: {len(missing)} acknowledged answers are not stored"
            )
    return found


def _is_stored(event: Event, attempt_id: UUID, stored: Stored) -> bool:
    key = (attempt_id, event.question_id, event.lease, event.revision)
    answer = list(event.answer) if isinstance(event.answer, tuple) else event.answer
    return key in stored and stored[key] == answer
