"""A reference of marking, of what stands in a log, and of ranks; it uses nothing of the product."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from uuid import UUID

CORRECT, INCORRECT = Fraction(2), Fraction(-2, 3)


@dataclass(frozen=True)
class Mark:
    """The marks of an attempt."""

    score: Fraction
    correct: int
    outcomes: str
    """A letter for each question: correct, incorrect or unattempted."""
    thirds: tuple[int, ...]
    """The marks of each question, in thirds."""


def standing_of(events: Iterable[Mapping[str, Any]]) -> dict[UUID, str]:
    """The answer of each question by the highest lease and revision in time; cleared ones are left out."""
    best: dict[UUID, Mapping[str, Any]] = {}
    for event in events:
        question = UUID(event["question_id"])
        if not event["late"] and (question not in best or _place(event) > _place(best[question])):
            best[question] = event
    return {question: event["answer"][0] for question, event in best.items() if event["answer"]}


def _place(event: Mapping[str, Any]) -> tuple[int, int]:
    return event["lease"], event["revision"]


def mark(keys: Mapping[UUID, str], answers: Mapping[UUID, str]) -> Mark:
    """Two marks for what is right, two thirds off for what is wrong, nothing for a blank."""
    outcomes = ""
    for question, right in keys.items():
        outcomes += ("c" if answers[question] == right else "i") if question in answers else "u"
    marks = [{"c": CORRECT, "i": INCORRECT, "u": Fraction(0)}[outcome] for outcome in outcomes]
    thirds = tuple(int(each * 3) for each in marks)
    return Mark(sum(marks, Fraction(0)), outcomes.count("c"), outcomes, thirds)


def rank(score: Fraction, scores: Sequence[Fraction]) -> int:
    """One more than there are better scores."""
    return 1 + sum(other > score for other in scores)
