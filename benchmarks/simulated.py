"""Simulated candidates of an exam with negative marking, for benchmarks.simulation and its tests.

A candidate has an ability, which differs by subject, a pace, a risk appetite and fatigue. The probability of
a right answer is that of a 3PL item. The candidate perceives it with an error, answers where it is above a
threshold of their own, and leaves the rest blank, as well as the questions that there was no time for.
Fatigue lowers the ability along the paper.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.engine.statistics.irt.model import Floats, Items, logistic

RIGHT, WRONG = 2.0, -2 / 3
GUESS = 0.25
QUESTIONS, SUBJECTS = 100, 6


@dataclass(frozen=True, eq=False)
class Paper:
    """Questions, and the subject of each."""

    items: Items
    subjects: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Candidates:
    """Arrays with one value, and of `ability` one row, for each candidate."""

    ability: Floats
    """By subject."""

    reached: NDArray[np.int64]
    """How many questions there is time for."""

    threshold: Floats
    """The perceived probability above which a question is answered."""

    fatigue: Floats
    """By how many logits the ability is lower at the end of the paper."""

    @property
    def overall(self) -> Floats:
        mean: Floats = self.ability.mean(axis=1)
        return mean


@dataclass(frozen=True, eq=False)
class Sheets:
    """What candidates (rows) did with questions (columns)."""

    right: NDArray[np.bool_]
    answered: NDArray[np.bool_]

    @property
    def marks(self) -> Floats:
        found: Floats = np.where(self.answered, np.where(self.right, RIGHT, WRONG), 0.0)
        return found

    @property
    def shares(self) -> Floats:
        """A blank counts as a blind guess."""
        found: Floats = np.where(self.answered, self.right.astype(float), GUESS)
        return found


def paper(random: np.random.Generator) -> Paper:
    """Questions of all subjects in random order."""
    items = Items(
        np.exp(random.normal(0.1, 0.3, QUESTIONS)),
        random.normal(0, 1, QUESTIONS),
        np.full(QUESTIONS, GUESS),
    )
    return Paper(items, random.permutation(np.arange(QUESTIONS) % SUBJECTS))


def candidates(random: np.random.Generator, count: int, spread: float, fatigue: float = 0.3) -> Candidates:
    """Candidates whose abilities differ by subject with this standard deviation; 0 means no strengths."""
    overall = random.standard_normal((count, 1))
    return Candidates(
        ability=overall + spread * random.standard_normal((count, SUBJECTS)),
        reached=np.minimum(random.normal(105, 10, count), QUESTIONS).astype(np.int64),
        threshold=np.clip(random.normal(0.33, 0.08, count), 0.1, 0.6),
        fatigue=fatigue * random.random(count),
    )


def chances(people: Candidates, questions: Paper) -> Floats:
    """The probability of a right answer of each candidate to each question."""
    tired = people.fatigue[:, None] * np.linspace(0, 1, QUESTIONS)
    ability = people.ability[:, questions.subjects] - tired
    items = questions.items
    known = logistic(items.discrimination * (ability - items.difficulty))
    found: Floats = items.guessing + (1 - items.guessing) * known
    return found


def sit(random: np.random.Generator, people: Candidates, questions: Paper) -> Sheets:
    """One sitting of all candidates."""
    chance = chances(people, questions)
    perceived = logistic(np.log(chance / (1 - chance)) + random.normal(0, 0.5, chance.shape))
    in_time = np.arange(QUESTIONS) < people.reached[:, None]
    answered = in_time & (perceived > people.threshold[:, None])
    return Sheets(answered & (random.random(chance.shape) < chance), answered)
