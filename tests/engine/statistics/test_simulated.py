"""Statistics are true of simulated candidates. `python -m benchmarks.simulation` prints more of it."""

import pytest

from benchmarks import simulation
from tests.thorough import thorough_only


@thorough_only
def test_estimates_recover_the_order_of_candidates() -> None:
    """Of only 200; of 2,000 the correlations are higher, because the questions are known better."""
    found = simulation.order(200)

    assert found["irt"] > 0.92
    assert found["elo"] > 0.84
    assert found["irt"] > found["accuracy of answers"]


@thorough_only
def test_intervals_hold_the_truth_nine_times_in_ten() -> None:
    found = simulation.intervals(1_000)

    for name in ("ability, everything answered", "ability, blanks by choice", "true score in the luck band"):
        assert 0.88 <= found[name] <= 0.92, name
    # Answers of unequal probability vary less than the equal ones for which the interval is made.
    assert 0.88 <= found["accuracy"] <= 0.93
    # A second score has luck of its own: it is outside more often.
    assert found["next score in the luck band"] == pytest.approx(0.755, abs=0.03)


@thorough_only
def test_nothing_is_said_that_is_chance() -> None:
    found = simulation.verdicts(400)

    assert found["null candidates with a strength"] < 0.1
    assert found["candidates of real strengths with one"] > 0.3
    assert found["no improvement, yet up or down"] == pytest.approx(0.05, abs=0.03)
    assert found["better by one logit, and up"] > 0.6


def test_recommended_practice_beats_random_practice() -> None:
    found = simulation.practice(150)

    assert found["recommended above random"] - found["its 90 % error"] > 0
