"""What an export has of attempts and exams: as much as the person may see, by the rules of the embargo."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.core.errors import NotFound, NotGradedYet, ResultsNotReleased
from app.engine.marks import RoundingPolicy
from app.repositories.analytics.progress import AttemptFilter, ListedAttempt
from app.repositories.base import PageRequest
from app.services import attempts, exams
from app.services.analytics import progress
from app.services.attempts import ResultView
from app.services.components import Components
from app.services.unit_of_work import Reading
from app.services.users import Principal

Row = dict[str, Any]
ATTEMPTS_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Contents:
    """The attempts and official results of one person, at one time."""

    reads: Reading
    parts: Components
    user: Principal
    now: datetime

    async def attempts(self) -> AsyncIterator[Mapping[str, Any]]:
        """All attempts, newest first, with the score of those whose result may be seen."""
        async for listed in self._listed():
            view = await self._result(listed)
            yield _attempt(listed) | {
                "rank": view.rank if view else None,
                "participants": view.participants if view else None,
                "percentile": view.percentile if view else None,
            }

    async def answers(self) -> AsyncIterator[Mapping[str, Any]]:
        """The answers that stand, with outcome and marks where the person may review them."""
        async for listed in self._listed():
            view = await self._result(listed)
            questions = view.questions if view else None
            reviewed = {each.question_id: each for each in questions or ()}
            for event in await self.reads.attempts.standing(listed.attempt.id):
                review = reviewed.get(event.question_id)
                yield {
                    "attempt_id": listed.attempt.id,
                    "question_id": event.question_id,
                    "answer": event.answer,
                    "marked_for_review": event.marked_for_review,
                    "confidence": event.confidence,
                    "outcome": review.outcome if review else None,
                    "marks": review.marks if review else None,
                }

    async def official_results(self) -> AsyncIterator[Mapping[str, Any]]:
        """The official results of exams that are released."""
        for exam_id in await self.reads.registrations.exams_of(self.user.id):
            try:
                found = (await exams.result(self.reads, self.user, exam_id)).result
            except (NotFound, ResultsNotReleased):
                continue
            yield {
                "exam_id": exam_id,
                "roll_number": found.roll_number,
                "outcome": found.outcome,
                "total": found.total,
                "qualified": found.qualified,
                "rank": found.rank,
                "percentile": found.percentile,
                "category_rank": found.category_rank,
                "papers": found.papers,
            }

    async def _listed(self) -> AsyncIterator[ListedAttempt]:
        cursor: str | None = None
        while True:
            request = PageRequest(ATTEMPTS_AT_ONCE, cursor)
            page = await progress.attempts(self.reads, self.user, AttemptFilter(), request)
            for listed in page.items:
                yield listed
            if (cursor := page.next_cursor) is None:
                return

    async def _result(self, listed: ListedAttempt) -> ResultView | None:
        test_id, attempt_id = listed.attempt.test_id, listed.attempt.id
        try:
            return await attempts.result(self.reads, self.parts, self.user, test_id, attempt_id)
        except (NotFound, NotGradedYet, ResultsNotReleased):
            return None


def _attempt(listed: ListedAttempt) -> Row:
    attempt, score = listed.attempt, listed.score
    policy = RoundingPolicy(listed.rounding)
    return {
        "id": attempt.id,
        "test_id": attempt.test_id,
        "test_title": listed.title,
        "exam_paper_id": attempt.exam_paper_id,
        "number": attempt.number,
        "practice": attempt.practice,
        "status": listed.status,
        "device": attempt.device,
        "started_at": attempt.started_at,
        "submitted_at": attempt.submitted_at,
        "deadline_at": attempt.deadline_at,
        "score": score.printed(policy) if score else None,
        "score_exact": str(score.exact) if score else None,
        "max_score": score.printed_maximum(policy) if score else None,
    }


ABOUT: Mapping[str, str] = {
    "attempts": "Your attempts at tests and exams, with score and rank where results are out.",
    "answers": "The answers that stand in each attempt, with marks where you may review them.",
    "official_results": "Your official results of exams that are released.",
}
"""What each set of rows has, for the README of the export."""
