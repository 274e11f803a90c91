"""Grading: standing answers become results, and results are withdrawn where they must not count.

There is one way to grade, `grade`. A submit grades a batch of one, a job a hundred, a release what is left.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import groupby
from typing import Any
from uuid import UUID

from app.engine.answers import answer_of
from app.engine.qualifying import Qualification
from app.models import Attempt, AttemptRow, AttemptStatus, Result
from app.repositories.attempts import Score
from app.services.components import Components
from app.services.tests.papers import CompiledKey, FrozenPaper
from app.services.unit_of_work import UnitOfWork

GRADING_BATCH = 100


def is_held(attempt: Attempt | AttemptRow) -> bool:
    """Whether the attempt stays `submitted` until the release of its exam (docs/decisions/0035)."""
    return attempt.exam_paper_id is not None and not attempt.practice


def request_grading(uow: UnitOfWork, attempt_ids: Sequence[UUID]) -> None:
    """Add jobs that grade closed attempts in batches."""
    for first in range(0, len(attempt_ids), GRADING_BATCH):
        batch = attempt_ids[first : first + GRADING_BATCH]
        uow.jobs.add("grade_attempts", attempt_ids=[str(attempt_id) for attempt_id in batch])


async def request_missing_grading(uow: UnitOfWork, now: datetime, delay: timedelta) -> int:
    """Add jobs for attempts that were closed more than `delay` ago and have no result.

    Their jobs were lost or given up.
    """
    missing = await uow.grading.ungraded(now - delay)
    request_grading(uow, missing)
    return len(missing)


async def grade_batch(uow: UnitOfWork, parts: Components, attempt_ids: Sequence[UUID], now: datetime) -> int:
    """Grade those of the attempts that are closed and have no result. Returns their number."""
    due = await uow.grading.lock_due(attempt_ids)
    await grade(uow, parts, due, now)
    return len(due)


async def grade(
    uow: UnitOfWork,
    parts: Components,
    attempts: Sequence[Attempt],
    now: datetime,
    *,
    was_staff_before: Mapping[UUID, bool] | None = None,
    append_results_to: list[Result] | None = None,
) -> None:
    """Grade closed attempts that are locked and have no result.

    Their keys are locked next, so that a key version which is added meanwhile is either used for all of them
    or added after them. The histograms come last (docs/decisions/0014).

    The result of a candidate who is staff, or was since the start, is practice (docs/decisions/0054).
    `was_staff_before` says by attempt whether its candidate was staff when it was graded first; it is read
    from the database if not given.

    Only `submitting_together` needs the results, in `append_results_to`; a release has too many.
    """
    if not attempts:
        return
    in_order = sorted(attempts, key=lambda attempt: (attempt.paper_id, attempt.id))
    key_ids = await uow.keys.lock_current({attempt.paper_id for attempt in in_order})
    scores: Counter[Score] = Counter()
    for paper_id, of_paper in groupby(in_order, key=lambda attempt: attempt.paper_id):
        paper = await parts.papers.get(uow, paper_id)
        key = await parts.papers.key(uow, key_ids[paper_id])
        # The triggers that count outcomes lock their rows in the order of paper and cohort.
        attempts_of_paper = sorted(
            of_paper, key=lambda attempt: (attempt.exam_paper_id or key.cohort_id, attempt.id)
        )
        for first in range(0, len(attempts_of_paper), GRADING_BATCH):
            batch = attempts_of_paper[first : first + GRADING_BATCH]
            results = await _grade_together(uow, paper, key, batch, was_staff_before or {}, now)
            scores.update(_counted(results))
            if append_results_to is not None:
                append_results_to += results
    await uow.grading.count_scores(scores)


async def _grade_together(
    uow: UnitOfWork,
    paper: FrozenPaper,
    key: CompiledKey,
    attempts: Sequence[Attempt],
    was_staff_before: Mapping[UUID, bool],
    now: datetime,
) -> list[Result]:
    """Grade a batch of attempts at one paper, all but the histograms."""
    staff = await uow.grading.staff_since_start([attempt.id for attempt in attempts])
    was_staff = {attempt.id: was_staff_before.get(attempt.id, attempt.id in staff) for attempt in attempts}
    results = await _results(uow, paper, key, attempts, was_staff, now)
    for attempt in attempts:
        if attempt.exam_paper_id is None:
            attempt.practice = attempt.practice or was_staff[attempt.id]
        if not is_held(attempt):
            attempt.status = AttemptStatus.GRADED
    await uow.grading.add_results(results)
    uow.jobs.add("calculate_user_analytics", attempt_ids=[str(each.attempt_id) for each in results])
    return results


async def _results(
    uow: UnitOfWork,
    paper: FrozenPaper,
    key: CompiledKey,
    attempts: Sequence[Attempt],
    was_staff: Mapping[UUID, bool],
    now: datetime,
) -> list[Result]:
    answers = await uow.grading.answers([attempt.id for attempt in attempts])
    return [
        _result(attempt, paper, key, answers[attempt.id], now, was_staff=was_staff[attempt.id])
        for attempt in attempts
    ]


def _result(
    attempt: Attempt,
    paper: FrozenPaper,
    key: CompiledKey,
    stored: Mapping[str, Any],
    now: datetime,
    *,
    was_staff: bool,
) -> Result:
    answers = list(map(stored.get, paper.question_texts))
    graded = key.grader.grade([answer_of(answer) for answer in answers])
    return Result(
        attempt_id=attempt.id,
        cohort_id=attempt.exam_paper_id or key.cohort_id,
        user_id=attempt.user_id,
        counted=not attempt.practice
        and not was_staff
        and graded.qualification is not Qualification.DISQUALIFIED,
        was_staff=was_staff,
        qualification=graded.qualification,
        key_id=key.id,
        score_numerator=graded.score.numerator,
        score_denominator=graded.score.denominator,
        raw_numerator=graded.raw.numerator,
        raw_denominator=graded.raw.denominator,
        answers=answers,
        outcomes=graded.outcomes,
        marks=graded.marks,
        marks_denominator=graded.denominator,
        graded_at=now,
    )


def _counted(results: Iterable[Result]) -> Counter[Score]:
    """How many candidates the results add to each score of a histogram."""
    return Counter(
        (result.cohort_id, Fraction(result.score_numerator, result.score_denominator))
        for result in results
        if result.counted
    )


async def withdraw_results(uow: UnitOfWork, attempt_ids: Sequence[UUID]) -> Sequence[Result]:
    """Delete the results of locked attempts, and remove them from the histograms, which are changed last."""
    results = await uow.grading.delete_results(attempt_ids)
    await uow.grading.discount_scores(_counted(results))
    return results
