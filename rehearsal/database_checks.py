"""Checks of what the database holds of a test, by SQL statements of their own."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from asyncpg import Connection

from rehearsal.database import connected
from rehearsal.response_log import ResponseEvent
from rehearsal.result_checks import FinishedAttempt

_JOBS_WITHIN = 180

_COUNTS = """
    select count(*) as attempts, count(distinct user_id) as candidates,
      count(*) filter (where status = 'graded') as graded,
      (select count(*) from ias.results where cohort_id = $1) as results,
      (select count(*) from ias.results where cohort_id = $1 and counted) as counted,
      (select coalesce(sum(candidates), 0) from ias.score_counts where cohort_id = $1) as in_histogram
    from ias.attempts where coalesce(exam_paper_id, test_id) = $1
"""
_HISTOGRAM_ERRORS = """
    with actual as (
      select score_numerator as numerator, score_denominator as denominator, count(*) as candidates
      from ias.results where cohort_id = $1 and counted group by 1, 2
    ), kept as (
      select numerator, denominator, candidates from ias.score_counts
      where cohort_id = $1 and candidates > 0
    )
    select count(*)
    from ((table actual except table kept) union all (table kept except table actual)) as wrong
"""
# Notifications wait for mail servers, and no mark depends on them.
_JOBS = "select count(*) from ias.jobs where task not like 'notify%' and "
_UNFINISHED = _JOBS + "finished_at is null"
_GIVEN_UP = _JOBS + "error is not null and created_at > now() - interval '1 hour'"
_EVENTS = """
    select attempt_id, question_id, lease, revision, answer from ias.response_events
    where not late and attempt_id in (
      select id from ias.attempts where coalesce(exam_paper_id, test_id) = $1)
"""

Stored = dict[tuple[UUID, UUID, int, int], Any]


async def mismatches(cohort_id: UUID, attempts: Sequence[FinishedAttempt], void: int = 0) -> list[str]:
    """What is wrong in the database, one sentence each. Waits until the worker has finished its jobs.

    A cohort is a test or a paper of an exam; `void` of its attempts are void and must not count.
    """
    found = await _job_mismatches()
    async with connected() as connection:
        found += await _count_mismatches(connection, cohort_id, len(attempts), void)
        return found + _missing_events(attempts, await _stored_events(connection, cohort_id))


async def _job_mismatches() -> list[str]:
    for _ in range(_JOBS_WITHIN):
        unfinished, given_up = await _job_counts()
        if unfinished == 0:
            return [f"{given_up} jobs were given up"] if given_up else []
        await asyncio.sleep(1)
    return [f"{unfinished} jobs are unfinished after {_JOBS_WITHIN} s"]


async def _job_counts() -> tuple[int, int]:
    async with connected() as connection:
        return await connection.fetchval(_UNFINISHED), await connection.fetchval(_GIVEN_UP)


async def _count_mismatches(connection: Connection, cohort_id: UUID, candidates: int, void: int) -> list[str]:
    counts = dict(await connection.fetchrow(_COUNTS, cohort_id))
    wrong = await connection.fetchval(_HISTOGRAM_ERRORS, cohort_id)
    expected = dict.fromkeys(counts, candidates - void) | {"attempts": candidates, "candidates": candidates}
    found = [
        f"{name}: {counts[name]}, not {count}" for name, count in expected.items() if counts[name] != count
    ]
    return [*found, f"the histogram is wrong at {wrong} scores"] if wrong else found


async def _stored_events(connection: Connection, cohort_id: UUID) -> Stored:
    rows = await connection.fetch(_EVENTS, cohort_id)
    return {
        (row["attempt_id"], row["question_id"], row["lease"], row["revision"]): row["answer"] for row in rows
    }


def _missing_events(attempts: Iterable[FinishedAttempt], stored: Stored) -> list[str]:
    found = []
    for attempt in attempts:
        events = attempt.log.acknowledged.values()
        missing = [event for event in events if not _is_stored(event, UUID(attempt.attempt_id), stored)]
        if missing:
            found.append(
                f"Candidate {attempt.plan.number}: {len(missing)} acknowledged answers are not stored"
            )
    return found


def _is_stored(event: ResponseEvent, attempt_id: UUID, stored: Stored) -> bool:
    key = (attempt_id, *event.identity)
    answer = list(event.answer) if isinstance(event.answer, tuple) else event.answer
    return key in stored and stored[key] == answer
