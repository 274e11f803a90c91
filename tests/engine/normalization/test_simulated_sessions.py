"""Methods on simulated sessions. `python -m benchmarks.sessions` prints more of it."""

from collections.abc import Sequence

import numpy as np
import pytest

from benchmarks.sessions import METHODS, Plan, Session, farthest, simulate, top_shares


@pytest.fixture(scope="module")
def equal_ability() -> Sequence[Session]:
    return simulate([Plan(2_000), Plan(2_000, 0.4), Plan(2_000, -0.3)], seed=1)


@pytest.fixture(scope="module")
def unequal_ability() -> Sequence[Session]:
    return simulate([Plan(4_000), Plan(4_000, 0.4, 0.3)], seed=3)


@pytest.mark.parametrize(
    ("method", "farthest_apart"),
    [
        ("nta_percentile", 0.02),
        ("equipercentile", 0.02),
        ("equated, smoothed", 0.03),
        ("anchors, chained", 0.06),
        ("anchors, frequency estimation", 0.06),
        ("anchors, Tucker", 0.06),
    ],
)
def test_brings_the_distributions_of_equally_able_candidates_together(
    equal_ability: Sequence[Session], method: str, farthest_apart: float
) -> None:
    assert farthest(METHODS["raw marks"](equal_ability)) > 0.15
    assert farthest(METHODS[method](equal_ability)) < farthest_apart


@pytest.mark.parametrize("method", ["nta_percentile", "ssc_2019", "equipercentile", "equated, smoothed"])
def test_the_best_tenth_has_as_many_of_each_session(equal_ability: Sequence[Session], method: str) -> None:
    """By raw marks, the difficult paper has half of its share. SSC's line of 2019 is drawn for the best."""
    assert min(top_shares(METHODS["raw marks"](equal_ability))) < 0.07
    assert top_shares(METHODS[method](equal_ability)) == pytest.approx([0.1] * 3, abs=0.016)


@pytest.mark.parametrize("method", ["anchors, chained", "anchors, frequency estimation", "anchors, Tucker"])
def test_anchor_items_keep_a_difference_of_ability(unequal_ability: Sequence[Session], method: str) -> None:
    """The more able candidates would have 11 marks more on the other session's paper."""
    first, second = (session.elsewhere.mean() for session in unequal_ability)
    lower, higher = METHODS[method](unequal_ability)
    assert second - first > 10
    assert np.mean(higher) - np.mean(lower) == pytest.approx(second - first, abs=2.5)


@pytest.mark.parametrize("method", ["nta_percentile", "equipercentile", "equated, smoothed"])
def test_methods_without_anchors_wipe_it_out(unequal_ability: Sequence[Session], method: str) -> None:
    lower, higher = METHODS[method](unequal_ability)
    assert np.mean(higher) == pytest.approx(np.mean(lower), abs=0.5)
