"""The probability of clearing a cut-off: exact against counting, uncertain as the answers are few."""

from itertools import product
from math import comb, prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.engine.statistics.clearing import (
    Answered,
    chances_of_clearing,
    items_of,
    right_answers,
)
from app.engine.statistics.irt.model import Items, logistic

RIGHT, WRONG = 6, -2
"""Thirds of a mark, as in General Studies Paper I."""


def unknown_items(count: int) -> Items:
    """Items of equal difficulty, as if nothing were known of them."""
    return items_of([(1, 0, 0)] * count)


def answered(right: int, wrong: int) -> Answered:
    return Answered(unknown_items(right + wrong), np.array([True] * right + [False] * wrong))


@given(st.lists(st.floats(0, 1), max_size=7))
@settings(max_examples=30)
def test_the_number_of_right_answers_equals_all_outcomes(chances: list[float]) -> None:
    slow = np.zeros(len(chances) + 1)
    for outcome in product((True, False), repeat=len(chances)):
        slow[sum(outcome)] += prod(p if right else 1 - p for right, p in zip(outcome, chances, strict=True))
    curves = np.array(chances).reshape(-1, 1)
    assert right_answers(curves)[0] == pytest.approx(slow, abs=1e-12)


@pytest.mark.parametrize(
    ("right", "wrong", "cutoff", "fewest"),
    [(6, 4, 28, 6), (6, 4, 29, 7), (6, 4, -20, 0), (6, 4, 61, 11), (6, 4, 60, 10)],
)
def test_without_parameters_it_is_the_beta_binomial_distribution(
    right: int, wrong: int, cutoff: int, fewest: int
) -> None:
    """From a uniform prior, the next n answers have k right ones with the beta-binomial probability.

    Ten answers with r right ones earn 6 r - 2 (10 - r) thirds: six right ones earn 28.
    """
    n, a, b = right + wrong, 1 + right, 1 + wrong

    def beta(x: int, y: int) -> float:
        return 1 / (x * comb(x + y - 1, x))

    expected = sum(comb(n, k) * beta(k + a, n - k + b) / beta(a, b) for k in range(fewest, n + 1))
    found = chances_of_clearing(answered(right, wrong), unknown_items(n), RIGHT, WRONG, [cutoff])[0]
    assert found.probability == pytest.approx(expected, abs=1e-3)


def test_more_answers_narrow_the_interval() -> None:
    """The paper is the same, and so is the share of right answers. On average it earns 320 thirds."""
    paper = unknown_items(80)
    few, many = (chances_of_clearing(answered(3 * n, n), paper, RIGHT, WRONG, [300])[0] for n in (10, 100))
    assert few.low < many.low < many.probability < many.high < few.high
    assert few.low >= 0
    assert few.high <= 1


def test_difficult_questions_show_more_ability() -> None:
    """The same answers, given to harder questions, promise more on a paper of ordinary ones."""
    hard = items_of([(1, 1, 0)] * 40)
    is_right = np.array([True] * 20 + [False] * 20)
    ordinary = unknown_items(60)
    easy_start, hard_start = (
        chances_of_clearing(Answered(items, is_right), ordinary, RIGHT, WRONG, [160])[0]
        for items in (unknown_items(40), hard)
    )
    assert hard_start.low > easy_start.probability


def test_a_higher_cutoff_is_never_more_likely() -> None:
    found = chances_of_clearing(answered(50, 20), unknown_items(70), RIGHT, WRONG, list(range(-150, 450, 7)))
    shares = [each.probability for each in found]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] == pytest.approx(1)
    assert shares[-1] == 0
    assert all(0 <= each.low <= each.probability <= each.high <= 1 for each in found)


def test_is_calibrated() -> None:
    """Simulated candidates clear a cut-off as often as it was said before."""
    random = np.random.default_rng(20260607)
    ability = random.logistic(size=4000)
    first = random.random((4000, 60)) < logistic(ability)[:, None]
    second = (random.random((4000, 60)) < logistic(ability)[:, None]).sum(axis=1)
    cleared = RIGHT * second + WRONG * (60 - second) >= 200
    by_count = [
        chances_of_clearing(answered(count, 60 - count), unknown_items(60), RIGHT, WRONG, [200])[
            0
        ].probability
        for count in range(61)
    ]
    said = np.array(by_count)[first.sum(axis=1)]
    bins = np.minimum((said * 10).astype(int), 9)
    error = sum(
        abs(said[bins == each].mean() - cleared[bins == each].mean()) * (bins == each).mean()
        for each in np.unique(bins)
    )
    assert error < 0.03
