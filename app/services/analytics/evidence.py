"""The answers that a candidate's estimates rest on: question by question, of the latest official attempts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from app.engine.attempt_figures import NO_CONFIDENCE
from app.engine.grading import LETTERS
from app.engine.scoring import Outcome, PaperKey
from app.repositories.analytics.shown import PaperQuestions, ShownAttempt
from app.services.analytics.cutoffs import ItemCurve, TakenPaper
from app.services.components import Components
from app.services.tests.papers import FrozenPaper
from app.services.unit_of_work import Reading

BLANK = LETTERS[Outcome.UNATTEMPTED]
MAX_ATTEMPTS = 10
"""The latest ones: older attempts say less of the candidate of today."""


class Evidence(NamedTuple):
    """A question of an attempt that was not dropped. An overview makes a thousand of them.

    Of a section with `choose` only answers that count are here: the other questions were not asked for.
    """

    question_id: UUID
    subject_id: UUID
    outcome: str
    """The letter of its outcome, as in a result."""
    confidence: str
    """The letter of the stated confidence, as in the figures."""
    guess: float
    """How often a blind guess is right."""
    right: float
    wrong: float
    """The marks of an answer."""
    may_review: bool
    """Whether the candidate may see what became of this question."""
    curve: ItemCurve | None
    """The calibrated parameters of the question, if there are any."""


@dataclass(frozen=True, slots=True)
class Record:
    """The answers of some attempts, and their papers, the latest last."""

    answers: Sequence[Evidence]
    papers: Sequence[TakenPaper]
    curves: Mapping[UUID, ItemCurve]
    """Of calibrated questions, except those of attempts that the candidate may not review."""


def newest_official(attempts: Sequence[ShownAttempt]) -> Sequence[ShownAttempt]:
    """The newest official ones of attempts that stand newest first; the latest last."""
    return [attempt for attempt in attempts if not attempt.practice][:MAX_ATTEMPTS][::-1]


async def gather(
    reads: Reading,
    parts: Components,
    attempts: Sequence[ShownAttempt],
    questions: Mapping[UUID, PaperQuestions],
) -> Record:
    """What these shown attempts say, the latest last. Papers and keys are in memory."""
    keys = {each.key_id: (await parts.papers.key(reads, each.key_id)).rules for each in attempts}
    papers = {each.paper_id: await parts.papers.get(reads, each.paper_id) for each in attempts}
    answers = [
        evidence
        for each in attempts
        for evidence in _answers(each, keys[each.key_id], papers[each.paper_id], questions[each.paper_id])
    ]
    # A probability by the difficulty of single questions tells which of them were right.
    closed = {each.question_id for each in answers if not each.may_review}
    curves = {
        each.question_id: each.curve
        for each in answers
        if each.curve is not None and each.question_id not in closed
    }
    taken = [TakenPaper(keys[each.key_id], each.outcomes) for each in attempts]
    return Record(answers, taken, curves)


def _answers(
    attempt: ShownAttempt,
    key: PaperKey,
    paper: FrozenPaper,
    questions: PaperQuestions,
) -> list[Evidence]:
    marks, guesses = key.marks_in_floats, paper.guess_shares
    confidence = attempt.figures.confidence if attempt.figures else NO_CONFIDENCE * len(key.items)
    return [
        Evidence(
            question_id=item.question_id,
            subject_id=questions.subjects[place],
            outcome=attempt.outcomes[place],
            confidence=confidence[place],
            guess=guesses[place],
            right=marks[place][0],
            wrong=marks[place][1],
            may_review=attempt.may_review,
            curve=ItemCurve(*curve) if (curve := questions.curves[place]) is not None else None,
        )
        for place, item in enumerate(key.items)
        if not item.is_dropped
        and not (attempt.outcomes[place] == BLANK and item.question_id in paper.optional_ids)
    ]
