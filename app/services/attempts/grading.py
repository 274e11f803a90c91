"""Grading: what was answered becomes a result, and a result is taken back where it must not count."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID

from app.engine.scoring import Answer, Scorecard, Tally, score_paper
from app.models import Attempt, AttemptStatus, ResponseEvent, Result
from app.repositories.attempts.grading import Score
from app.services.components import Components
from app.services.tests.papers import FrozenPaper
from app.services.unit_of_work import UnitOfWork

GRADING_BATCH = 100

AnsweredAttempt = tuple[Attempt, Mapping[UUID, Answer]]
"""An attempt, and what stands in it."""

COUNTS = ("correct", "incorrect", "partial", "unattempted", "dropped")


def is_held(attempt: Attempt) -> bool:
    """Whether its result is withheld until an exam is released (docs/decisions/0021)."""
    return attempt.exam_paper_id is not None and not attempt.practice


def ask_for_grading(uow: UnitOfWork, attempt_ids: Sequence[UUID]) -> None:
    """Have closed attempts graded after this transaction, in batches."""
    for first in range(0, len(attempt_ids), GRADING_BATCH):
        batch = attempt_ids[first : first + GRADING_BATCH]
        uow.jobs.add("grade_attempts", attempt_ids=[str(attempt_id) for attempt_id in batch])


async def grade_forgotten(uow: UnitOfWork, now: datetime, patience: timedelta) -> int:
    """Ask again for the grading of attempts that were closed long ago: a job may have been given up."""
    forgotten = await uow.attempts.ungraded(now - patience)
    ask_for_grading(uow, forgotten)
    return len(forgotten)


async def grade_closed(uow: UnitOfWork, parts: Components, attempt_id: UUID, now: datetime) -> bool:
    """Grade one closed attempt; False where that is done already or is not due."""
    attempt = await uow.attempts.lock_any(attempt_id)
    if attempt is None or attempt.status != AttemptStatus.SUBMITTED:
        return False
    if is_held(attempt) and await uow.attempts.result(attempt_id) is not None:
        return False
    await grade(uow, attempt, await parts.papers.get(uow, attempt.paper_id), now)
    return True


async def grade(uow: UnitOfWork, attempt: Attempt, paper: FrozenPaper, now: datetime) -> None:
    """Mark a locked, closed attempt: one transaction, the histogram last (docs/decisions/0014)."""
    card = score_paper(answers_of(await uow.attempts.standing(attempt.id)), paper.key)
    result = result_of(attempt, card, now)
    await uow.attempts.add_result(result)
    if not is_held(attempt):
        attempt.status = AttemptStatus.GRADED
        await uow.attempts.flush()
    if result.counted:
        await uow.attempts.count_score(result.cohort_id, card.score)


async def grade_batch(uow: UnitOfWork, parts: Components, attempt_ids: Sequence[UUID], now: datetime) -> int:
    """Grade closed attempts together, as one would be; how many it was due for.

    All are locked first, and the histograms come last for all of them (docs/decisions/0014).
    """
    attempts = await uow.grading.lock_due(attempt_ids)
    scores: Counter[Score] = Counter()
    for first in range(0, len(attempts), GRADING_BATCH):
        scores += await _grade_some(uow, parts, attempts[first : first + GRADING_BATCH], now)
    await uow.grading.mark_graded([attempt.id for attempt in attempts if not is_held(attempt)])
    await uow.grading.count_scores(scores)
    return len(attempts)


async def _grade_some(
    uow: UnitOfWork, parts: Components, attempts: Sequence[Attempt], now: datetime
) -> Counter[Score]:
    standing = await uow.grading.standing([attempt.id for attempt in attempts])
    by_paper: dict[UUID, list[AnsweredAttempt]] = {}
    for attempt in attempts:
        by_paper.setdefault(attempt.paper_id, []).append((attempt, answered(standing[attempt.id])))
    scores: Counter[Score] = Counter()
    for paper_id, sheets in by_paper.items():
        paper = await parts.papers.get(uow, paper_id)
        scores += await keep_results(uow, await marked(paper, sheets, now))
    return scores


async def marked(paper: FrozenPaper, sheets: Sequence[AnsweredAttempt], now: datetime) -> list[Result]:
    """The results of closed attempts at one paper.

    Marking a hundred sheets takes a while: a thread does it, and others are served meanwhile.
    """
    return await asyncio.to_thread(_results_of, paper, sheets, now)


async def keep_results(uow: UnitOfWork, results: Sequence[Result]) -> Counter[Score]:
    """Store results; what the histograms have to count, at the end of the transaction."""
    await uow.grading.add_results(results)
    return Counter(
        (result.cohort_id, Fraction(result.score_numerator, result.score_denominator))
        for result in results
        if result.counted
    )


def _results_of(paper: FrozenPaper, sheets: Sequence[AnsweredAttempt], now: datetime) -> list[Result]:
    return [result_of(attempt, score_paper(answers, paper.key), now) for attempt, answers in sheets]


def result_of(attempt: Attempt, card: Scorecard, now: datetime) -> Result:
    """The result of an attempt as it is stored."""
    return Result(
        attempt_id=attempt.id,
        cohort_id=attempt.exam_paper_id or attempt.test_id,
        user_id=attempt.user_id,
        counted=not attempt.practice,
        score_numerator=card.score.numerator,
        score_denominator=card.score.denominator,
        raw_numerator=card.raw.numerator,
        raw_denominator=card.raw.denominator,
        scorecard=stored_scorecard(card),
        graded_at=now,
    )


async def withdraw_results(uow: UnitOfWork, attempt_ids: Sequence[UUID]) -> None:
    """Take back the results of locked attempts, and their scores out of the histograms, these last."""
    results = await uow.attempts.take_results(attempt_ids)
    counted = [
        (result.cohort_id, Fraction(result.score_numerator, result.score_denominator))
        for result in results
        if result.counted
    ]
    for cohort_id, score in sorted(counted):
        await uow.attempts.discount_score(cohort_id, score)


def answers_of(standing: Iterable[ResponseEvent]) -> dict[UUID, Answer]:
    """The log's standing events as the answer sheet that the rule marks; cleared ones are blank."""
    return answered({event.question_id: event.answer for event in standing if event.answer is not None})


def answered(stored: Mapping[UUID, Any]) -> dict[UUID, Answer]:
    """Stored answers by question, as the rule wants them."""
    return {
        question_id: tuple(answer) if isinstance(answer, list) else answer
        for question_id, answer in stored.items()
    }


def stored_scorecard(card: Scorecard) -> dict[str, Any]:
    """A scorecard as JSON, every number of marks as an exact string."""
    return _stored_tally(card) | {
        "sections": [
            {"section_id": str(section.section_id)} | _stored_tally(section) for section in card.sections
        ],
        "items": [
            {"question_id": str(item.question_id), "outcome": item.outcome, "marks": str(item.marks)}
            for item in card.items
        ],
    }


def _stored_tally(tally: Tally) -> dict[str, Any]:
    return {name: getattr(tally, name) for name in COUNTS} | {
        "factor": str(tally.factor),
        "max_score": str(tally.max_score),
        "marks_gained": str(tally.marks_gained),
        "marks_lost": str(tally.marks_lost),
    }
