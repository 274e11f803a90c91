"""What each candidate answers, drawn from an ability and the difficulty of each question."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from rehearsal.dispute.paper import LETTERS, Question

Answer = tuple[str, ...] | None

_CATEGORIES = {"general": 40, "ews": 10, "obc": 27, "sc": 15, "st": 8}
_PWBD_SHARE = 0.04
_DISCRIMINATION = 1.2
_MEAN_DIFFICULTY = 0.3
_GUESSES, _MARKS_TWO, _CHANGES = 0.55, 0.004, 0.06
"""Shares of what is not known that is guessed, of answers with two options, and of those changed later."""


@dataclass(frozen=True, slots=True)
class Person:
    """A candidate before the exam: who they are, and what they will answer, at first and in the end."""

    number: int
    category: str
    pwbd: int | None
    first: Sequence[Answer]
    final: Sequence[Answer]


def draw_people(questions: Sequence[Question], count: int, seed: int) -> list[Person]:
    """Equal seeds give equal people."""
    rng = Random(f"difficulties {seed}")  # noqa: S311 -- repeatable on purpose
    difficulties = [rng.gauss(_MEAN_DIFFICULTY, 1) for _ in questions]
    return [_person(questions, difficulties, number, seed) for number in range(1, count + 1)]


def _person(questions: Sequence[Question], difficulties: Sequence[float], number: int, seed: int) -> Person:
    rng = Random(f"person {number} {seed}")  # noqa: S311 -- repeatable on purpose
    ability = rng.gauss(0, 1)
    final = [
        _answer(rng, question, ability - difficulty)
        for question, difficulty in zip(questions, difficulties, strict=True)
    ]
    first = [(rng.choice(LETTERS),) if rng.random() < _CHANGES else answer for answer in final]
    category = rng.choices(list(_CATEGORIES), list(_CATEGORIES.values()))[0]
    return Person(number, category, rng.randint(1, 5) if rng.random() < _PWBD_SHARE else None, first, final)


def _answer(rng: Random, question: Question, advantage: float) -> Answer:
    if rng.random() < _MARKS_TWO:
        return tuple(rng.sample(LETTERS, 2))
    if question.right and rng.random() < 1 / (1 + math.exp(-_DISCRIMINATION * advantage)):
        return (question.right,)
    return (rng.choice(LETTERS),) if rng.random() < _GUESSES else None
