"""Strengths of subjects: found where there are any, and seldom where there are none."""

import numpy as np
import pytest

from app.engine.statistics.irt.model import Floats, Items, probabilities
from app.engine.statistics.strengths import Verdict, benjamini_hochberg, strengths

SUBJECTS = np.repeat(np.arange(6), 20)


def items(seed: int) -> Items:
    random = np.random.default_rng(seed)
    return Items(np.exp(random.normal(0, 0.3, 120)), random.normal(0, 1, 120), np.full(120, 0.2))


def sheets(count: int, questions: Items, seed: int, gain: float = 0.0) -> list[Floats]:
    """Answers of candidates who are stronger by `gain` in subject 0."""
    random = np.random.default_rng(seed)
    found = []
    for ability in random.standard_normal(count):
        by_subject = np.where(SUBJECTS == 0, ability + gain, ability)
        curve = np.diagonal(probabilities(questions, by_subject))
        found.append((random.random(120) < curve).astype(float))
    return found


def test_candidates_without_strengths_seldom_get_one() -> None:
    questions = items(1)
    found = [strengths(sheet, questions, SUBJECTS) for sheet in sheets(200, questions, seed=2)]

    wrong = [any(each.verdict is Verdict.STRENGTH for each in one.values()) for one in found]
    assert np.mean(wrong) < 0.1


def test_a_real_strength_is_found() -> None:
    questions = items(3)
    found = [strengths(sheet, questions, SUBJECTS) for sheet in sheets(40, questions, seed=4, gain=3.0)]

    assert np.mean([one[0].verdict is Verdict.STRENGTH for one in found]) > 0.7
    assert not any(one[0].verdict is Verdict.WEAKNESS for one in found)


def test_too_little_to_compare() -> None:
    questions = items(5)
    sheet = sheets(1, questions, seed=6)[0]

    assert strengths(sheet, questions, np.zeros(120, int)) == {}
    assert set(strengths(sheet, questions, np.r_[np.zeros(117, int), np.ones(3, int)])) == {0}


@pytest.mark.parametrize(
    ("probabilities", "rejected"),
    [
        ([], []),
        ([0.5, 0.6], [False, False]),
        # Of five at a rate of .05: .01, .02, .03, .04, .05 are the limits by rank.
        ([0.009, 0.04, 0.021, 0.029, 0.5], [True, True, True, True, False]),
        ([0.5, 0.05, 0.6, 0.001, 0.7], [False, False, False, True, False]),
    ],
)
def test_benjamini_hochberg(probabilities: list[float], rejected: list[bool]) -> None:
    assert benjamini_hochberg(probabilities, 0.05) == rejected
