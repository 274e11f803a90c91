"""A candidate's answers to the questions of one subject, question by question, of shown attempts."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from app.engine.grading import LETTERS
from app.engine.scoring import Outcome
from app.repositories.analytics.shown import ShownAttempt
from app.repositories.analytics.subject_questions import PlacedQuestion
from app.services.analytics.cutoffs import ItemCurve
from app.services.unit_of_work import Reading

Key = TypeVar("Key", bound=Hashable)

CORRECT, INCORRECT, PARTIAL, BLANK, DROPPED = (
    LETTERS[each]
    for each in (
        Outcome.CORRECT,
        Outcome.INCORRECT,
        Outcome.PARTIAL,
        Outcome.UNATTEMPTED,
        Outcome.DROPPED,
    )
)


@dataclass(frozen=True, slots=True)
class SubjectAnswer:
    """What became of one question of the subject in one attempt.

    Dropped questions are left out, and of a section with `choose` those without an answer that counts.
    """

    attempt_id: UUID
    practice: bool
    at: datetime
    may_review: bool
    question_id: UUID
    chapter_id: UUID | None
    difficulty: str | None
    tags: Sequence[str]
    guess: float
    """How often a blind guess is right."""
    outcome: str
    """A letter, as in a result."""
    own_ms: int | None
    median_ms: int | None
    """Of the participants who took the same paper."""
    curve: ItemCurve | None
    """The calibrated parameters, if there are any."""

    @property
    def is_answered(self) -> bool:
        return self.outcome in (CORRECT, INCORRECT, PARTIAL)

    @property
    def share(self) -> float:
        """What the answer is worth: a blank as much as a blind guess."""
        if self.outcome == BLANK:
            return self.guess
        return 0.5 if self.outcome == PARTIAL else float(self.outcome == CORRECT)


async def gather(
    reads: Reading, subject_id: UUID, attempts: Sequence[ShownAttempt]
) -> Sequence[SubjectAnswer]:
    """The answers of these attempts, the oldest first. Five statements, however many attempts there are."""
    placed = await reads.subject_questions.placed(subject_id, {each.paper_id for each in attempts})
    by_paper: dict[UUID, list[PlacedQuestion]] = {}
    for question in placed:
        by_paper.setdefault(question.paper_id, []).append(question)
    asked = [each for each in attempts if each.paper_id in by_paper]
    times = await reads.shown.spent_ms([each.id for each in asked])
    statistics = await reads.test_statistics.of_places({(each.cohort_id, each.paper_id) for each in asked})
    medians = {place: row.median_ms for place, row in statistics.items()}
    curves = {
        question_id: ItemCurve(row.discrimination, row.difficulty, row.guessing)
        for question_id, row in (
            await reads.test_statistics.parameters({question.question_id for question in placed})
        ).items()
    }
    answers = []
    for attempt in sorted(asked, key=lambda each: (each.submitted_at, each.id)):
        median = medians.get((attempt.cohort_id, attempt.paper_id), [])
        own = times.get(attempt.id, [])
        for question in by_paper[attempt.paper_id]:
            answer = _answer(attempt, question, own, median, curves)
            was_asked = answer.outcome != BLANK or not question.is_optional
            answers += [answer] if answer.outcome != DROPPED and was_asked else []
    return answers


def _answer(
    attempt: ShownAttempt,
    question: PlacedQuestion,
    own: Sequence[int],
    median: Sequence[int | None],
    curves: Mapping[UUID, ItemCurve],
) -> SubjectAnswer:
    place = question.position - 1
    return SubjectAnswer(
        attempt_id=attempt.id,
        practice=attempt.practice,
        at=attempt.submitted_at,
        may_review=attempt.may_review,
        question_id=question.question_id,
        chapter_id=question.chapter_id,
        difficulty=question.difficulty,
        tags=question.tags,
        guess=question.guess,
        outcome=attempt.outcomes[place],
        own_ms=own[place] if own else None,
        median_ms=median[place] if median else None,
        curve=curves.get(question.question_id),
    )


def grouped(
    answers: Iterable[SubjectAnswer], keys_of: Callable[[SubjectAnswer], Iterable[Key]]
) -> dict[Key, list[SubjectAnswer]]:
    """The answers by key. An answer may have several keys, as with tags."""
    groups: dict[Key, list[SubjectAnswer]] = {}
    for answer in answers:
        for key in keys_of(answer):
            groups.setdefault(key, []).append(answer)
    return groups
