"""Differential item functioning against a published example and simulated groups."""

import numpy as np
import pytest

from app.engine.statistics.dif import MantelHaenszel, mantel_haenszel, tables_of
from tests.engine.statistics.verbal_aggression import tables

ADMISSIONS = np.array(
    [
        [[512, 313], [89, 19]],
        [[353, 207], [17, 8]],
        [[120, 205], [202, 391]],
        [[138, 279], [131, 244]],
        [[53, 138], [94, 299]],
        [[22, 351], [24, 317]],
    ]
)
"""Admissions to Berkeley in 1973 by department (stratum), men and women: Bickel, Hammel and O'Connell (1975).
"""


def test_the_admissions_to_berkeley() -> None:
    """As R prints them: mantelhaen.test(UCBAdmissions)."""
    found = mantel_haenszel(ADMISSIONS)

    assert found.chi_square == pytest.approx(1.4269, abs=5e-5)
    assert found.probability == pytest.approx(0.2323, abs=5e-5)
    assert found.odds_ratio == pytest.approx(0.9046968, abs=5e-8)
    # R's 95 % interval of the odds ratio is from 0.7719074 to 1.0603298.
    edge = 1.959964 * found.delta_error / 2.35
    assert found.odds_ratio * np.exp([-edge, edge]) == pytest.approx([0.7719074, 1.0603298], abs=5e-6)
    assert found.ets_class == "A"


@pytest.mark.parametrize(
    ("item", "chi_square", "probability", "odds_ratio", "delta", "log_odds_z", "ets_class"),
    [
        ("S2WantShout", 9.6032, 0.0019, 2.8804, -2.4861, 3.1373, "C"),
        ("S4WantShout", 4.1188, 0.0424, 2.3458, -2.0036, 2.2368, "B"),
        ("S2DoScold", 6.8395, 0.0089, 0.3746, 2.3072, -2.6876, "B"),
        ("S1wantCurse", 1.7076, 0.1913, 1.7005, -1.2476, 1.4759, "A"),
    ],
)
def test_verbal_aggression_of_women_and_men(
    item: str,
    chi_square: float,
    probability: float,
    odds_ratio: float,
    delta: float,
    log_odds_z: float,
    ets_class: str,
) -> None:
    """As difR prints them: difMH(verbal, group = "Gender", focal.name = 1), also with MHstat = "logOR".

    difR's letters are by the size of delta alone; the classes of ETS, which are ours, also ask for
    significance.
    """
    found = mantel_haenszel(tables(item))

    assert found.chi_square == pytest.approx(chi_square, abs=5.1e-5)
    assert found.probability == pytest.approx(probability, abs=5.1e-5)
    assert found.odds_ratio == pytest.approx(odds_ratio, abs=5.1e-5)
    assert found.delta == pytest.approx(delta, abs=5.1e-5)
    assert -found.delta / found.delta_error == pytest.approx(log_odds_z, abs=5.1e-5)
    assert found.ets_class == ets_class


@pytest.mark.parametrize(
    ("delta", "error", "probability", "ets_class"),
    [
        (0.9, 0.1, 1e-9, "A"),  # too small, however certain
        (2.0, 1.5, 0.06, "A"),  # may be chance
        (1.2, 0.2, 0.001, "B"),
        (-1.6, 0.5, 0.001, "B"),  # not surely over 1
        (-1.6, 0.3, 0.001, "C"),
    ],
)
def test_classes_of_ets(delta: float, error: float, probability: float, ets_class: str) -> None:
    assert MantelHaenszel(1, 1, probability, delta, error).ets_class == ets_class


class TestSimulatedGroups:
    @pytest.mark.parametrize(("disadvantage", "ets_class"), [(0.0, "A"), (1.0, "C")])
    def test_an_item_that_is_harder_for_one_group(self, disadvantage: float, ets_class: str) -> None:
        """The focal group is weaker in all items, which alone is no DIF."""
        random = np.random.default_rng(1)
        focal = np.arange(6_000) % 2 == 1
        ability = random.standard_normal(6_000) - 0.5 * focal
        logit = ability[:, None] - random.normal(0, 1, 40)
        logit[:, 0] -= disadvantage * focal
        right = random.random((6_000, 40)) < 1 / (1 + np.exp(-logit))

        found = mantel_haenszel(tables_of(right[:, 0], focal, right.sum(axis=1)))

        assert found.ets_class == ets_class
        assert found.delta == pytest.approx(-2.35 * disadvantage, abs=3 * found.delta_error + 0.1)

    def test_a_group_that_is_missing_is_refused(self) -> None:
        with pytest.raises(ValueError, match="both groups"):
            mantel_haenszel(tables_of(np.ones(5, bool), np.zeros(5, bool), np.arange(5)))


def test_tables_by_hand() -> None:
    found = tables_of(
        np.array([True, False, True, True]), np.array([False, False, True, True]), np.array([1, 1, 1, 2])
    )
    assert found.tolist() == [[[1, 1], [1, 0]], [[0, 0], [1, 0]]]
