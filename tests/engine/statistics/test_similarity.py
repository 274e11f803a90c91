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
    """Three candidates with equal totals, two items, two options; smoothed by a tenth for each answer."""
    choices = np.array([[0, 0], [0, 0], [1, -1]], np.int8)
    first, second = np.array([2.1, 1.1, 0.1]) / 3.3, np.array([2.1, 0.1, 0.1]) / 2.3
    chances = float((first**2).sum()), float((second**2).sum())

    found = similar_pairs(choices, np.zeros(3), 2, 1.0)

    assert [(pair.first, pair.second, pair.both, pair.equal) for pair in found] == [
        (0, 1, 2, 2),
        (0, 2, 1, 0),
        (1, 2, 1, 0),
    ]
    assert [pair.probability for pair in found] == pytest.approx([chances[0] * chances[1], 1, 1])
    assert [pair.expected for pair in found] == pytest.approx([sum(chances), chances[0], chances[0]])


def test_cautious_candidates_are_not_alike() -> None:
    """Who is cautious leaves much blank, whatever the total. Equal blanks are no agreement."""
    choices, _ = sheets(400, 100, seed=4)
    random = np.random.default_rng(4)
    choices[random.random(choices.shape) < random.beta(1.2, 3, 400)[:, None]] = -1
    accuracy = ((choices == 0).sum(axis=1) + 1) / ((choices >= 0).sum(axis=1) + 2)

    pairs = 400 * 399 / 2
    assert len(similar_pairs(choices, accuracy, OPTIONS, 1e-3)) / pairs <= 1e-3
    assert not similar_pairs(choices, accuracy, OPTIONS, 0.05 / pairs)


def test_screening_loses_no_pair() -> None:
    choices, totals = sheets(150, 40, seed=5)
    choices[:20, :30] = choices[20:40, :30]
    every = similar_pairs(choices, totals, OPTIONS, 1.0)

    for threshold in (1e-6, 1e-3, 0.05):
        similar = [pair for pair in every if pair.probability <= threshold]
        assert similar
        assert similar_pairs(choices, totals, OPTIONS, threshold) == similar


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
