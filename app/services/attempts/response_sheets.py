"""Response sheets: what a candidate answered to each question of an attempt, and how."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.models import Attempt
from app.repositories.attempts import NOT_SAVED
from app.services.components import Components
from app.services.unit_of_work import Reading


@dataclass(frozen=True, slots=True)
class ResponseSheetEntry:
    """One question of a paper, and the answer to it that stands."""

    question_id: UUID
    number: int
    """Its place in the paper, from 1."""
    section_id: UUID
    answer: Any
    """None if the question is blank."""
    marked_for_review: bool
    confidence: str | None
    changes: int
    """See `engine.responses.count_changes`."""
    time_spent_ms: int
    saved_at: datetime | None
    """When the standing answer was saved. None if nothing was saved for the question."""


@dataclass(frozen=True, slots=True)
class ResponseSheet:
    """All questions of an attempt's paper in the paper's order. It has no key, and no marks."""

    attempt: Attempt
    paper_version: int
    entries: Sequence[ResponseSheetEntry]

    @property
    def answered(self) -> int:
        """The number of questions with an answer."""
        return sum(entry.answer is not None for entry in self.entries)

    @property
    def marked_for_review(self) -> int:
        """The number of questions that are marked for review."""
        return sum(entry.marked_for_review for entry in self.entries)


async def compose(reads: Reading, parts: Components, attempt: Attempt) -> ResponseSheet:
    """The response sheet of an attempt in any state, from the log. Late answers do not count.

    The sheets that staff see of a test's attempts and of an exam's registrations are composed here. It checks
    no permission. The caller must have found the attempt for somebody who may see its answers, and decides
    when: staff see the sheet of an exam's attempt after it has ended. It costs one statement, because papers
    are in memory.
    """
    paper = await parts.papers.get(reads, attempt.paper_id)
    logs = (await reads.attempt_reviews.question_logs([attempt.id])).get(attempt.id, {})
    section_of = {question: section.id for section in paper.sections for question in section.question_ids}
    entries = []
    for number, question_id in enumerate(paper.questions, start=1):
        log = logs.get(question_id, NOT_SAVED)
        entries.append(
            ResponseSheetEntry(
                question_id=question_id,
                number=number,
                section_id=section_of[question_id],
                answer=log.answer,
                marked_for_review=log.marked_for_review,
                confidence=log.confidence,
                changes=log.changes,
                time_spent_ms=log.time_spent_ms,
                saved_at=log.saved_at,
            )
        )
    return ResponseSheet(attempt, paper.version, entries)
