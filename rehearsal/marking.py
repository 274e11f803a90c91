"""The marking rules, written as plainly as possible. Nothing is shared with the server's code."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from rehearsal.plans import Answer
from rehearsal.questions import TOLERANCE, Question


@dataclass(frozen=True, slots=True)
class Marked:
    """The score of an answer sheet, and the outcome of each question by its number."""

    score: Fraction
    outcomes: Mapping[int, str]

    def count(self, outcome: str) -> int:
        """The number of questions with this outcome."""
        return list(self.outcomes.values()).count(outcome)


def mark(questions: Sequence[Question], answers: Mapping[int, Answer]) -> Marked:
    """Add up the marks; dropped questions are prorated, as UPSC does."""
    marks = Fraction(0)
    outcomes = {}
    for question in questions:
        outcome, earned = _mark_one(question, answers.get(question.number))
        outcomes[question.number] = outcome
        marks += earned
    remaining = sum((question.correct for question in questions if not question.is_dropped), Fraction(0))
    return Marked(marks * maximum(questions) / remaining, outcomes)


def maximum(questions: Sequence[Question]) -> Fraction:
    """The maximum of the paper, dropped questions included."""
    return sum((question.correct for question in questions), Fraction(0))


def _mark_one(question: Question, answer: Answer) -> tuple[str, Fraction]:
    if question.is_dropped:
        return "dropped", Fraction(0)
    if answer is None:
        return "unattempted", Fraction(0)
    share = _share(question, answer)
    if share == 1:
        return "correct", question.correct
    if share == 0:
        return "incorrect", question.incorrect
    return "partial", question.correct * share


def _share(question: Question, answer: tuple[str, ...] | str) -> Fraction:
    """The share of the key that an answer matches; only the aptitude section has partial marks."""
    if isinstance(answer, str):
        return Fraction(abs(Fraction(answer) - Fraction(question.key)) <= TOLERANCE)
    if question.type == "true_false":
        return Fraction(answer == (question.key,))
    if set(answer) == set(question.key):
        return Fraction(1)
    if question.aptitude and set(answer) < set(question.key):
        return Fraction(len(answer), len(question.key))
    return Fraction(0)


def rank(score: Fraction, scores: Sequence[Fraction]) -> int:
    """One more than the number of better scores: 1, 2, 2, 4."""
    return 1 + len([other for other in scores if other > score])


def percentile(score: Fraction, scores: Sequence[Fraction]) -> Fraction:
    """The percentage of scores that are equal or lower."""
    return Fraction(100 * len([other for other in scores if other <= score]), len(scores))
