"""The probability of clearing a cut-off: exact against counting, uncertain as the answers are few."""

from itertools import product
from math import comb, prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.engine.statistics import clearing
from app.engine.statistics.clearing import (
    Answered,
    Chance,
    Marking,
    chances_of_clearing,
    items_of,
    total_distribution,
)
from app.engine.statistics.irt.model import Items, logistic

RIGHT, WRONG = 6, -2
"""Thirds of a mark, as in General Studies Paper I."""


def unknown_items(count: int) -> Items:
    """Items of equal difficulty, as if nothing were known of them."""
    return items_of([(1, 0, 0)] * count)


def answered(right: int, wrong: int) -> Answered:
    return Answered(unknown_items(right + wrong), np.array([True] * right + [False] * wrong))


def chance(known: Answered, count: int, cutoff: int, questions: int | None = None) -> Chance:
    """Of a paper like one of so many questions, of which `count` were answered; by default all."""
    marking = Marking(questions or count, RIGHT, WRONG)
    return chances_of_clearing(known, unknown_items(count), marking, [cutoff])[0]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=5), st.integers(0, 2))
@settings(max_examples=30)
def test_the_distribution_equals_all_outcomes(chances: list[float], blanks: int) -> None:
    """Each question is right, wrong or blank; the curves stand for the questions in turn."""
    count, questions = len(chances), len(chances) + blanks
    share = count / questions
    curves = [chances[number % count] for number in range(questions)]
    slow = np.zeros(4 * questions + 1)
    for outcome in product((3, -1, 0), repeat=questions):
        slow[sum(outcome) + questions] += prod(
            {3: share * p, -1: share * (1 - p), 0: 1 - share}[steps]
            for steps, p in zip(outcome, curves, strict=True)
        )
    found = total_distribution(np.array(chances).reshape(-1, 1), Marking(questions, RIGHT, WRONG))[0]
    assert found == pytest.approx(slow, abs=1e-12)


@pytest.mark.parametrize(
    ("right", "wrong", "cutoff", "fewest"),
    [(6, 4, 28, 6), (6, 4, 29, 7), (6, 4, -20, 0), (6, 4, 61, 11), (6, 4, 60, 10)],
)
def test_without_parameters_and_blanks_it_is_the_beta_binomial_distribution(
    right: int, wrong: int, cutoff: int, fewest: int
) -> None:
    """From a uniform prior, the next n answers have k right ones with the beta-binomial probability.

    Ten answers with r right ones earn 6 r - 2 (10 - r) thirds: six right ones earn 28.
    """
    n, a, b = right + wrong, 1 + right, 1 + wrong

    def beta(x: int, y: int) -> float:
        return 1 / (x * comb(x + y - 1, x))

    expected = sum(comb(n, k) * beta(k + a, n - k + b) / beta(a, b) for k in range(fewest, n + 1))
    assert chance(answered(right, wrong), n, cutoff).probability == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(("right", "wrong"), [(0, 1), (1, 0), (3, 2), (60, 30), (600, 300), (90, 0)])
def test_impossible_abilities_are_left_out_without_a_difference(
    monkeypatch: pytest.MonkeyPatch, right: int, wrong: int
) -> None:
    """The same chances as over all abilities."""
    cutoffs = [-8, 0, 20, 40, 60]

    def chances() -> list[float]:
        marking = Marking(10, RIGHT, WRONG)
        found = chances_of_clearing(answered(right, wrong), unknown_items(8), marking, cutoffs)
        return [value for each in found for value in (each.probability, each.low, each.high)]

    likely = chances()
    monkeypatch.setattr(clearing, "_likely", lambda _: slice(None))
    assert likely == pytest.approx(chances(), abs=1e-9)


def test_without_negative_marks() -> None:
    """Of four answers that are right half the time, at least two are right in eleven of sixteen cases."""
    known = Answered.of([(1, 0, 0)] * 4000, [True, False] * 2000)
    found = chances_of_clearing(known, unknown_items(4), Marking(4, 1, 0), [2])[0]
    assert found.probability == pytest.approx(11 / 16, abs=0.01)


def test_more_answers_narrow_the_interval() -> None:
    """The paper is the same, and so is the share of right answers. On average it earns 320 thirds."""
    few, many = (chance(answered(3 * n, n), 80, 300) for n in (10, 100))
    assert few.low < many.low < many.probability < many.high < few.high
    assert few.low >= 0
    assert few.high <= 1


def test_difficult_questions_show_more_ability() -> None:
    """The same answers, given to harder questions, promise more on a paper of ordinary ones."""
    is_right = np.array([True] * 20 + [False] * 20)
    ordinary, difficult = unknown_items(40), items_of([(1, 1, 0)] * 40)
    easy, hard = (chance(Answered(items, is_right), 60, 160) for items in (ordinary, difficult))
    assert hard.low > easy.probability


def test_a_higher_cutoff_is_never_more_likely() -> None:
    cutoffs = list(range(-210, 700, 7))
    found = chances_of_clearing(answered(50, 20), unknown_items(70), Marking(100, RIGHT, WRONG), cutoffs)
    shares = [each.probability for each in found]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] == pytest.approx(1)
    assert shares[-1] == 0
    assert all(0 <= each.low <= each.probability <= each.high <= 1 for each in found)


def test_is_calibrated() -> None:
    """Simulated candidates clear a cut-off with another paper as often as it was said before.

    Each has an ability and answers each question with a probability of their own.
    """
    random = np.random.default_rng(20260607)
    people, questions, cutoff = 3000, 60, 150
    ability, habit = random.logistic(size=(people, 1)), random.uniform(0.5, 0.95, size=(people, 1))
    first, again = ((random.random((people, questions)) < habit) for _ in range(2))
    right = first & (random.random((people, questions)) < logistic(ability))
    right_again = again & (random.random((people, questions)) < logistic(ability))
    cleared = (RIGHT - WRONG) * right_again.sum(axis=1) + WRONG * again.sum(axis=1) >= cutoff
    pairs = [(int(r), int(n)) for r, n in zip(right.sum(axis=1), first.sum(axis=1), strict=True)]
    some = sorted(set(pairs))[::12]
    said = {pair: chance(answered(pair[0], pair[1] - pair[0]), pair[1], cutoff, questions) for pair in some}
    asked = [(said[pair].probability, got) for pair, got in zip(pairs, cleared, strict=True) if pair in said]
    error = 0.0
    for low in np.arange(0, 1, 0.2):
        inside = [(p, got) for p, got in asked if low <= p < low + 0.2 or p == low + 0.2 == 1]
        if inside:
            error += abs(sum(p for p, _ in inside) - sum(got for _, got in inside)) / len(asked)
    assert len(asked) > 200
    assert error < 0.05
