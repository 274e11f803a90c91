"""The refresh of a test's statistics (docs/decisions/0067).

A refresh computes each group of results that has changed since it was computed last, in a child process, and
stores it in a transaction of its own. So it may be killed at any time and run again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.models import PaperStatistics
from app.repositories.analytics.matrices import Group
from app.repositories.analytics.test_statistics import Counts, NewParameters, Place
from app.sentences import Sentence
from app.services import audit
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork, reading, unit_of_work
from app.services.users import Principal

if TYPE_CHECKING:
    from app.engine.statistics.test_analysis import Analysis

TASK = "refresh_test_statistics"
MIN_PARTICIPANTS = 10
"""A test that fewer have taken is refreshed at night only."""
TESTS_AT_ONCE = 20
NIGHT_BEGINS, NIGHT = time(19, 30, tzinfo=UTC), timedelta(hours=5)
"""One o'clock in India, for five hours."""

_ADVICE = Sentence("An operator can raise FILE_SECONDS and FILE_MEMORY_MB.")


@dataclass(frozen=True, slots=True)
class RequestedRefresh:
    """A job that refreshes a test."""

    job_id: UUID
    test_id: UUID
    is_new: bool


async def request_refresh(
    uow: UnitOfWork, test_id: UUID, now: datetime, *, by: Principal | None = None
) -> RequestedRefresh:
    """Add a job that computes everything again, unless one waits or runs."""
    waiting = await uow.test_statistics.pending_refresh(TASK, test_id)
    if waiting is not None:
        return RequestedRefresh(waiting, test_id, is_new=False)
    job_id = uow.jobs.add(TASK, test_id=str(test_id), computed_before=now.isoformat())
    if by is not None:
        audit.record(uow, by, "refresh_statistics", audit.AuditSubject("test", test_id))
    return RequestedRefresh(job_id, test_id, is_new=True)


async def request_due(uow: UnitOfWork, now: datetime, most: int = TESTS_AT_ONCE) -> Sequence[UUID]:
    """Add jobs for tests that have grown by a tenth, and at night for those that have changed."""
    due = await uow.test_statistics.changed_tests(TASK, _night_before(now), MIN_PARTICIPANTS, most)
    for test_id in due:
        uow.jobs.add(TASK, test_id=str(test_id))
    return due


async def refresh(
    uow: UnitOfWork,
    parts: Components,
    test_id: UUID,
    now: datetime,
    *,
    computed_before: datetime | None = None,
) -> int:
    """Compute what has changed, and what was computed before `computed_before`; how many groups these were.

    `uow` holds the lock of the test until the refresh has ended.
    """
    await uow.test_statistics.lock(test_id)
    async with reading(parts.engine) as reads:
        counts = await reads.test_statistics.counts(test_id)
        groups = await reads.test_statistics.groups(test_id)
        stored = {
            (row.cohort_id, row.paper_id): row for row in await reads.test_statistics.all_of_test(test_id)
        }
    computed = 0
    for group in groups:
        place = group.cohort_id, group.paper_id
        if place in counts and _is_due(stored.get(place), group, counts[place], computed_before):
            await _compute(parts, group, counts[place], now)
            computed += 1
    async with unit_of_work(parts.engine) as own:
        places = [(group.cohort_id, group.paper_id) for group in groups]
        await own.test_statistics.delete_others(test_id, places)
        await _share_parameters(own, test_id, places)
    return computed


def is_stale(row: PaperStatistics, counts: Counts | None) -> bool:
    """Whether results have been added, withdrawn or graded again since the row was computed."""
    return counts is None or (row.participants, row.right_answers) != (
        counts.participants,
        counts.right_answers,
    )


def _is_due(
    row: PaperStatistics | None, group: Group, counts: Counts, computed_before: datetime | None
) -> bool:
    if row is None or row.key_id != group.key_id or is_stale(row, counts):
        return True
    return computed_before is not None and row.computed_at < computed_before


def _night_before(now: datetime) -> datetime:
    """The begin of this night; in the daytime a time before everything, so that nothing is due."""
    began = datetime.combine(now.astimezone(UTC), NIGHT_BEGINS)
    if began > now:
        began -= timedelta(days=1)
    return began if now - began < NIGHT else datetime.min.replace(tzinfo=UTC)


async def _compute(parts: Components, group: Group, counts: Counts, now: datetime) -> None:
    from app.engine.statistics.test_analysis import analyze  # noqa: PLC0415 -- numpy
    from app.services.analytics.item_analysis import load  # noqa: PLC0415 -- numpy

    async with reading(parts.engine) as reads:
        loaded = await load(reads, parts, group)
    # Arrays are large: what the child has received is not kept here while it computes.
    analysis = await parts.files.run(analyze, loaded.data, caller=(TASK, group.test_id), advice=_ADVICE)
    async with unit_of_work(parts.engine) as uow:
        await _store(uow, group, counts, analysis, loaded.questions, now)


async def _store(
    uow: UnitOfWork,
    group: Group,
    counts: Counts,
    analysis: "Analysis",
    questions: Sequence[Mapping[str, Any]],
    now: datetime,
) -> None:
    await uow.test_statistics.store(
        (group.cohort_id, group.paper_id),
        test_id=group.test_id,
        key_id=group.key_id,
        participants=counts.participants,
        right_answers=counts.right_answers,
        attempts=analysis.attempts,
        computed_at=now,
        mean=analysis.mean,
        standard_deviation=analysis.standard_deviation,
        alpha=analysis.alpha,
        standard_error=analysis.standard_error,
        median_ms=analysis.median_ms,
        option_counts=analysis.option_counts,
        analysis={**analysis.document, "questions": questions},
    )


async def _share_parameters(uow: UnitOfWork, test_id: UUID, places: Sequence[Place]) -> None:
    """Copy parameters to where ratings and recommendations read them, except those under embargo.

    The release of an exam runs a refresh, which copies what was withheld before.
    """
    shown = await uow.test_statistics.open_papers(test_id)
    await uow.test_statistics.delete_parameters(shown, places)
    for row in await uow.test_statistics.all_of_test(test_id):
        if row.paper_id in shown:
            await uow.test_statistics.store_parameters(list(_parameters(row)))


def _parameters(row: PaperStatistics) -> Sequence[NewParameters]:
    calibration = row.analysis["irt"]
    if calibration is None or not calibration["converged"]:
        return []
    return [
        NewParameters(
            question_id=UUID(question["id"]),
            question_version=question["version"],
            model=calibration["model"],
            difficulty=item["difficulty"],
            difficulty_error=item["difficulty_error"],
            discrimination=item["discrimination"],
            discrimination_error=item["discrimination_error"],
            guessing=item["guessing"],
            guessing_error=item["guessing_error"],
            answers=calibration["answers"],
            cohort_id=row.cohort_id,
            paper_id=row.paper_id,
            computed_at=row.computed_at,
        )
        for question, item in zip(row.analysis["questions"], calibration["items"], strict=True)
        if item is not None and None not in item.values()
    ]
