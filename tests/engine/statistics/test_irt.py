"""Item response theory against published estimates and simulated people."""

import numpy as np
import pytest

from app.engine.statistics.irt.calibration import calibrate
from app.engine.statistics.irt.fit import item_fit, number_right_distribution
from app.engine.statistics.irt.model import Floats, Items, Model, information, nodes, probabilities
from app.engine.statistics.irt.posterior import Responses, abilities
from app.engine.statistics.irt.priors import NO_PRIORS, Priors
from app.engine.statistics.item_analysis import score_statistics
from tests.engine.statistics import lsat7
from tests.engine.statistics.lsat6 import PATTERNS, WEIGHTS

LSAT6 = Responses(PATTERNS, weights=WEIGHTS)


def people(count: int, items: Items, seed: int) -> tuple[Floats, Floats]:
    """Abilities, and right answers by the model."""
    random = np.random.default_rng(seed)
    ability = random.standard_normal(count)
    chances = random.random((count, len(items.difficulty)))
    return ability, (chances < probabilities(items, ability).T).astype(float)


def some_items(count: int, seed: int, guessing: float = 0.0) -> Items:
    random = np.random.default_rng(seed)
    discrimination = np.exp(random.normal(0.1, 0.3, count))
    return Items(discrimination, random.normal(0, 1, count), np.full(count, guessing))


class TestPublishedEstimates:
    """The estimates for LSAT 6 that the R packages ltm and mirt print."""

    def test_two_parameters(self) -> None:
        found = calibrate(LSAT6, Model.TWO)

        slopes, difficulties = found.items.discrimination, found.items.difficulty
        assert slopes == pytest.approx([0.82566, 0.72274, 0.89087, 0.68837, 0.65686], abs=1e-4)
        assert difficulties == pytest.approx([-3.35881, -1.37006, -0.27967, -1.86638, -3.12591], abs=1e-4)
        assert found.log_likelihood == pytest.approx(-2466.65338, abs=1e-4)
        assert found.converged
        # Standard errors as summary(ltm(LSAT ~ z1)) prints them, from another estimator of the information.
        assert found.discrimination_error == pytest.approx([0.2581, 0.1867, 0.2326, 0.1852, 0.2100], rel=0.05)
        assert found.difficulty_error == pytest.approx([0.8669, 0.3073, 0.0997, 0.4343, 0.8700], rel=0.05)

    def test_one_common_slope(self) -> None:
        found = calibrate(LSAT6, Model.ONE)

        published = [-3.6153, -1.3224, -0.3176, -1.7301, -2.7802]
        assert found.items.discrimination == pytest.approx([0.75513] * 5, abs=1e-4)
        assert found.items.difficulty == pytest.approx(published, abs=1e-4)
        assert found.log_likelihood == pytest.approx(-2466.9376, abs=1e-4)

    def test_three_parameters_of_lsat_7(self) -> None:
        """As mirt estimates them without priors (its tests/testthat/test-15-IRTpars.R).

        mirt stops where a step is below 1e-4. The likelihood is flat in item 2, so we go on a little. BFGS
        from mirt's solution ends at ours: -2658.05435 with d = .08186, a = 1.95127, c = .29790 of item 2.
        """
        found = calibrate(Responses(lsat7.PATTERNS, weights=lsat7.WEIGHTS), Model.THREE, NO_PRIORS)

        items = found.items
        assert items.intercept == pytest.approx([1.86562, 0.09404, 1.78052, 0.48189, 1.86845], abs=0.013)
        assert items.difficulty == pytest.approx([-1.85292, -0.04877, -1.0684, -0.65463, -2.43552], abs=0.007)
        assert items.guessing == pytest.approx([0, 0.29505, 0, 0, 0], abs=0.003)
        assert found.log_likelihood == pytest.approx(-2658.05435, abs=1e-4)
        assert items.intercept[1] == pytest.approx(0.08186, abs=1e-4)
        assert items.discrimination[1] == pytest.approx(1.95127, abs=2e-4)
        # mirt's standard errors, from another estimator of the information.
        assert found.difficulty_error[0] == pytest.approx(0.26006, rel=0.1)
        assert found.guessing_error[1] == pytest.approx(0.13986, rel=0.1)

    def test_a_prior_of_one_item_of_lsat_7(self) -> None:
        """Only item 5 has guessing: the example PRIOR = (5, g, norm, -1.5, 3) of mirt's manual."""
        priors = Priors(
            log_discrimination=None,
            intercept_deviation=np.inf,
            logit_guessing_mean=np.array([-40, -40, -40, -40, -1.5]),
            logit_guessing_deviation=np.array([0.001, 0.001, 0.001, 0.001, 3]),
        )
        found = calibrate(Responses(lsat7.PATTERNS, weights=lsat7.WEIGHTS), Model.THREE, priors).items

        assert found.discrimination == pytest.approx([0.987, 1.083, 1.706, 0.764, 0.788], abs=0.004)
        assert found.intercept == pytest.approx([1.855, 0.808, 1.804, 0.486, 1.6], abs=0.015)
        assert found.guessing == pytest.approx([0, 0, 0, 0, 0.19], abs=0.01)

    def test_cronbachs_alpha(self) -> None:
        everybody = np.repeat(PATTERNS, WEIGHTS.astype(int), axis=0)

        assert score_statistics(everybody).alpha == pytest.approx(0.29499719222, abs=1e-9)


class TestCalibrate:
    def test_equal_people_may_be_counted_once(self) -> None:
        everybody = Responses(np.repeat(PATTERNS, WEIGHTS.astype(int), axis=0))

        assert calibrate(everybody, Model.TWO).items.difficulty == pytest.approx(
            calibrate(LSAT6, Model.TWO).items.difficulty, abs=1e-6
        )

    @pytest.mark.parametrize("model", Model)
    def test_recovers_the_items_of_simulated_people(self, model: Model) -> None:
        true = some_items(20, seed=1, guessing=0.2 if model is Model.THREE else 0.0)
        if model is Model.ONE:
            true = Items(np.ones(20), true.difficulty, true.guessing)
        _, right = people(3_000, true, seed=2)

        found = calibrate(Responses(right), model, Priors() if model is Model.THREE else None)

        off = (found.items.difficulty - true.difficulty) / found.difficulty_error
        assert np.abs(off).max() < 4
        assert np.sqrt((off**2).mean()) < 1.5
        assert found.converged

    def test_items_that_were_not_given_are_left_out(self) -> None:
        true = some_items(12, seed=3)
        _, right = people(2_000, true, seed=4)
        seen = np.ones_like(right, dtype=bool)
        seen[:1_000, :4] = False
        seen[1_000:, 8:] = False

        found = calibrate(Responses(np.where(seen, right, 0), seen), Model.TWO)

        assert np.abs((found.items.difficulty - true.difficulty) / found.difficulty_error).max() < 4

    def test_an_item_that_all_have_right_has_no_estimate(self) -> None:
        _, right = people(500, some_items(5, seed=5), seed=6)
        right[:, 2] = 1

        found = calibrate(Responses(right), Model.TWO)

        assert np.isnan(found.items.difficulty[2])
        assert not np.isnan(np.delete(found.items.difficulty, 2)).any()

    def test_refusals(self) -> None:
        with pytest.raises(ValueError, match="priors"):
            calibrate(LSAT6, Model.THREE)
        with pytest.raises(ValueError, match="No item"):
            calibrate(Responses(np.ones((3, 2))), Model.TWO)

    def test_a_label_counts_where_answers_are_few(self) -> None:
        random = np.random.default_rng(7)
        right = (random.random((10, 6)) < 0.5).astype(float)
        labels = np.array([2.0, -2.0] * 3)
        by_label = calibrate(
            Responses(right), Model.TWO, Priors(intercept_mean=labels, intercept_deviation=0.3)
        )

        assert (by_label.items.difficulty[::2] < 0).all()
        assert (by_label.items.difficulty[1::2] > 0).all()


class TestAbilities:
    def test_intervals_hold_the_true_ability(self) -> None:
        items = some_items(50, seed=8)
        true, right = people(4_000, items, seed=9)

        found = abilities(Responses(right), items)

        inside = np.abs(found.estimate - true) <= 1.6449 * found.standard_error
        assert 0.88 <= inside.mean() <= 0.92
        assert np.corrcoef(found.estimate, true)[0, 1] > 0.9

    def test_without_answers_nothing_is_known(self) -> None:
        items = some_items(5, seed=10)
        found = abilities(Responses(np.zeros((1, 5)), np.zeros((1, 5), bool)), items)

        assert found.estimate == pytest.approx([0], abs=1e-9)
        assert found.standard_error == pytest.approx([1], abs=1e-4)

    def test_a_blank_as_a_share_is_between_wrong_and_right(self) -> None:
        items = some_items(10, seed=11, guessing=0.25)
        half = np.tile([1.0, 0.0], 5)
        sheets = np.stack([np.where(np.arange(10) == 9, last, half) for last in (0, 0.25, 1)])

        low, middle, high = abilities(Responses(sheets), items).estimate
        assert low < middle < high


class TestInformation:
    def test_is_largest_at_the_difficulty_without_guessing(self) -> None:
        items = Items(np.array([1.5]), np.array([0.3]), np.array([0.0]))
        grid = np.linspace(-3, 3, 601)

        found = information(items, grid)[0]

        assert grid[found.argmax()] == pytest.approx(0.3)
        assert found.max() == pytest.approx(1.5**2 / 4)

    def test_equals_the_definition(self) -> None:
        items, step = some_items(4, seed=12, guessing=0.2), 1e-5
        points = nodes()
        curve = probabilities(items, points)
        slope = (probabilities(items, points + step) - probabilities(items, points - step)) / (2 * step)

        assert information(items, points) == pytest.approx(slope**2 / (curve * (1 - curve)), rel=1e-5)


class TestItemFit:
    def test_the_number_right_by_hand(self) -> None:
        found = number_right_distribution(np.array([[0.5], [0.2]]))

        assert found[:, 0] == pytest.approx([0.4, 0.5, 0.1])

    def test_rejects_about_one_in_twenty_true_items(self) -> None:
        items = some_items(25, seed=13)
        _, right = people(2_000, items, seed=14)
        found = calibrate(Responses(right), Model.TWO)

        probability = item_fit(right.astype(bool), found.items, Model.TWO).probability
        assert (probability < 0.05).mean() <= 0.15
        assert np.median(probability) > 0.2

    def test_finds_an_item_that_does_not_follow_the_model(self) -> None:
        items = some_items(20, seed=15)
        ability, right = people(2_000, items, seed=16)
        right[:, 7] = np.abs(ability) < 0.7  # Right for those in the middle.
        found = calibrate(Responses(right), Model.TWO)

        assert item_fit(right.astype(bool), found.items, Model.TWO).probability[7] < 1e-6
