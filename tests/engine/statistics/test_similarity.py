"""Answer similarity: false alarms, power, and the tails by hand."""

import numpy as np
import pytest

from app.engine.statistics.distractors import Choices
from app.engine.statistics.item_analysis import Floats
from app.engine.statistics.similarity import similar_pairs

OPTIONS = 4


def sheets(count: int, items: int, seed: int) -> tuple[Choices, Floats]:
    """Answers of independent candidates and their totals; option 0 is right everywhere."""
    random = np.random.default_rng(seed)
    ability, difficulty = random.standard_normal(count), random.normal(0, 1, items)
    right = random.random((count, items)) < 1 / (1 + np.exp(difficulty - ability[:, None]))
    popular = np.array([random.dirichlet([2, 1, 1]) for _ in range(items)])
    wrong = 1 + np.array([random.choice(3, size=count, p=popular[item]) for item in range(items)]).T
    return np.where(right, 0, wrong).astype(np.int8), right.sum(axis=1).astype(float)


def test_independent_candidates_are_seldom_similar() -> None:
    choices, totals = sheets(600, 100, seed=1)

    pairs = 600 * 599 / 2
    assert len(similar_pairs(choices, totals, OPTIONS, 1e-3)) / pairs <= 1e-3


def test_a_copy_is_found_first() -> None:
    choices, totals = sheets(600, 100, seed=2)
    choices[17, :60] = choices[400, :60]
    totals[17] = (choices[17] == 0).sum()

    first = similar_pairs(choices, totals, OPTIONS, 1e-4)[0]

    assert (first.first, first.second) == (17, 400)
    assert first.equal == (choices[17] == choices[400]).sum() > first.expected


def test_the_tail_of_one_pair_by_hand() -> None:
    """Three candidates, two items: A half chance of option 0 or 1, smoothed by one half for each possible
    answer.
    """
    choices = np.array([[0, 0], [0, 0], [1, 1]], np.int8)
    shares = np.array([2.1, 1.1, 0.1, 0.1]) / 3.4
    equal = float((shares**2).sum())

    found = similar_pairs(choices, np.zeros(3), 2, 1.0)

    assert [(pair.first, pair.second, pair.equal) for pair in found] == [(0, 1, 2), (0, 2, 0), (1, 2, 0)]
    assert [pair.probability for pair in found] == pytest.approx([equal**2, 1, 1])
    assert found[0].expected == pytest.approx(2 * equal)


def test_blocks_do_not_change_the_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    choices, totals = sheets(150, 40, seed=3)
    whole = similar_pairs(choices, totals, OPTIONS, 0.01)
    monkeypatch.setattr("app.engine.statistics.similarity._BLOCK", 37)

    assert similar_pairs(choices, totals, OPTIONS, 0.01) == whole


def test_listed_pairs_are_compared_like_all(monkeypatch: pytest.MonkeyPatch) -> None:
    choices, totals = sheets(150, 40, seed=3)
    whole = similar_pairs(choices, totals, OPTIONS, 0.05)
    monkeypatch.setattr("app.engine.statistics.similarity._PAIRS_AT_ONCE", 7)
    listed = np.array([(pair.second, pair.first) for pair in whole[::2]])

    assert similar_pairs(choices, totals, OPTIONS, 0.05, listed) == whole[::2]
