"""Habits of answering that are proven to lose marks.

Candidates say how sure they are: sure, doubtful or guess. An answer pays if it is right with more than the
break-even probability (`guessing.py`). A habit is named only if the whole 90 % interval of its accuracy is on
one side of the break-even.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from app.engine.recommending import MIN_ANSWERS, Estimate, Ground, Technique
from app.engine.statistics.guessing import Accuracy, accuracy, break_even

MIN_BLANKS = 10
"""In a full paper. With fewer, the advice to answer more would gain little."""
FIFTY_FIFTY_BLANKS = 0.25
"""The share of blanks that are taken for questions with two options left."""


@dataclass(frozen=True, slots=True)
class Habits:
    """What a candidate did lately: answers by stated confidence, and blanks. Old ones count less."""

    guesses: float = 0.0
    guesses_right: float = 0.0
    doubtful: float = 0.0
    doubtful_right: float = 0.0
    blanks: float = 0.0
    questions: float = 0.0
    """All questions that were seen."""


def techniques(habits: Habits, paper_questions: float, right: float, wrong: float) -> list[Technique]:
    """Return the habits to change. `right` and `wrong` are the marks of an answer."""
    if habits.questions < MIN_ANSWERS or wrong >= 0:
        return []
    return list(_found(habits, paper_questions / habits.questions, right, wrong))


def _found(habits: Habits, papers: float, right: float, wrong: float) -> Iterator[Technique]:
    threshold = break_even(right, wrong)
    guesses = _accuracy(habits.guesses_right, habits.guesses, threshold)
    if guesses.answered >= MIN_ANSWERS and guesses.high < threshold:
        yield _technique(Ground.BLIND_GUESSES, guesses, -habits.guesses * papers, right, wrong)
    doubtful = _accuracy(habits.doubtful_right, habits.doubtful, threshold)
    blanks = habits.blanks * papers
    if doubtful.answered >= MIN_ANSWERS and doubtful.low > threshold and blanks >= MIN_BLANKS:
        yield _technique(Ground.FIFTY_FIFTIES, doubtful, blanks * FIFTY_FIFTY_BLANKS, right, wrong)


def _accuracy(right: float, answered: float, threshold: float) -> Accuracy:
    return accuracy(round(right), round(answered), threshold)


def _technique(ground: Ground, found: Accuracy, answers: float, right: float, wrong: float) -> Technique:
    """The gain of that many answers more in a paper, or of fewer if it is negative."""
    value = found.share or 0.0
    marks = sorted(answers * (share * right + (1 - share) * wrong) for share in (found.low, found.high))
    return Technique(
        ground=ground,
        marks=Estimate(answers * (value * right + (1 - value) * wrong), marks[0], marks[1], found.answered),
        share=Estimate(value, found.low, found.high, found.answered),
    )
