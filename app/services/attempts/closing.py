"""Ending attempts, by their candidate or by the clock, and grading what was answered."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from app.engine import timing
from app.engine.scoring import Answer, Scorecard, Tally, score_paper
from app.models import Attempt, AttemptStatus, ResponseEvent, Result
from app.repositories.attempts import RUNNING
from app.services.components import Components
from app.services.tests.papers import FrozenPaper
from app.services.unit_of_work import UnitOfWork

GRADING_BATCH = 100

COUNTS = ("correct", "incorrect", "partial", "unattempted", "dropped")


async def submit(
    uow: UnitOfWork, parts: Components, attempt_id: UUID, user_id: UUID, test_id: UUID, now: datetime
) -> Attempt:
    """End an attempt and grade it. Asking again, at once or later, gives the same graded attempt.

    The lock waits for saves that are under way and shuts out later ones: an answer is in this grading or
    its save is refused.
    """
    attempt = await uow.attempts.lock(attempt_id, of=user_id, test=test_id, exam_paper=None)
    if attempt.status in RUNNING:
        grace = timedelta(seconds=parts.settings.grace_seconds)
        if timing.arrival(now, attempt.deadline_at, grace) is timing.Arrival.LATE:
            await close(uow, attempt, "deadline", attempt.deadline_at)
        else:
            await close(uow, attempt, "candidate", now)
    if attempt.status == AttemptStatus.SUBMITTED:
        await _grade(uow, attempt, await parts.papers.get(uow, attempt.paper_id), now)
    return attempt


async def close(
    uow: UnitOfWork, attempt: Attempt, by: Literal["candidate", "deadline", "staff"], at: datetime
) -> None:
    """End a locked attempt; whatever happens next, a job will see that it is graded."""
    attempt.status = AttemptStatus.SUBMITTED
    attempt.closed_by = by
    attempt.submitted_at = at
    if by != "candidate":
        uow.jobs.add("grade_attempts", attempt_ids=[str(attempt.id)])


async def close_overdue(uow: UnitOfWork, now: datetime, grace: timedelta, limit: int = 5000) -> int:
    """End every attempt whose deadline and grace are over; grading follows in batches."""
    closed = await uow.attempts.close_overdue(now, grace, limit)
    _ask_for_grading(uow, closed)
    return len(closed)


async def grade_forgotten(uow: UnitOfWork, now: datetime, patience: timedelta) -> int:
    """Ask again for the grading of attempts that were closed long ago: a job may have been given up."""
    forgotten = await uow.attempts.ungraded(now - patience)
    _ask_for_grading(uow, forgotten)
    return len(forgotten)


def _ask_for_grading(uow: UnitOfWork, attempt_ids: Sequence[UUID]) -> None:
    for first in range(0, len(attempt_ids), GRADING_BATCH):
        batch = attempt_ids[first : first + GRADING_BATCH]
        uow.jobs.add("grade_attempts", attempt_ids=[str(attempt_id) for attempt_id in batch])


async def grade_closed(uow: UnitOfWork, parts: Components, attempt_id: UUID, now: datetime) -> bool:
    """Grade one closed attempt; False where that is done already or is not due."""
    attempt = await uow.attempts.lock_any(attempt_id)
    if attempt is None or attempt.status != AttemptStatus.SUBMITTED:
        return False
    await _grade(uow, attempt, await parts.papers.get(uow, attempt.paper_id), now)
    return True


async def _grade(uow: UnitOfWork, attempt: Attempt, paper: FrozenPaper, now: datetime) -> None:
    """Mark a locked, closed attempt: one transaction, the histogram last (decision D8)."""
    card = score_paper(answers_of(await uow.attempts.standing(attempt.id)), paper.key)
    cohort_id = attempt.exam_paper_id or attempt.test_id
    result = Result(
        attempt_id=attempt.id,
        cohort_id=cohort_id,
        user_id=attempt.user_id,
        counted=not attempt.practice,
        score_numerator=card.score.numerator,
        score_denominator=card.score.denominator,
        raw_numerator=card.raw.numerator,
        raw_denominator=card.raw.denominator,
        scorecard=stored_scorecard(card),
        graded_at=now,
    )
    await uow.attempts.add_result(result)
    attempt.status = AttemptStatus.GRADED
    await uow.attempts.flush()
    if result.counted:
        await uow.attempts.count_score(cohort_id, card.score)


def answers_of(standing: Iterable[ResponseEvent]) -> dict[UUID, Answer]:
    """The log's standing events as the answer sheet that the rule marks; cleared ones are blank."""
    return {
        event.question_id: tuple(event.answer) if isinstance(event.answer, list) else event.answer
        for event in standing
        if event.answer is not None
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
