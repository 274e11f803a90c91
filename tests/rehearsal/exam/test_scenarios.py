"""The scenarios of a rehearsed exam's candidates."""

from collections import Counter

from rehearsal.exam.scenarios import Arrival, Intervention, make_scenarios


class TestMakeScenarios:
    def test_the_seed_decides(self) -> None:
        assert make_scenarios(1, 50, 2) == make_scenarios(1, 50, 2)
        assert make_scenarios(1, 50, 2) != make_scenarios(2, 50, 2)

    def test_a_small_exam_has_every_scenario(self) -> None:
        scenarios = make_scenarios(1, 20, 2)

        assert {scenario.intervention for scenario in scenarios} == set(Intervention) - {
            Intervention.VOIDED_BY_MISTAKE
        }
        assert {scenario.arrival for scenario in scenarios} == set(Arrival)
        assert {scenario.papers for scenario in scenarios} >= {frozenset(), frozenset({0}), frozenset({1})}
        assert any(scenario.has_own_grant and scenario.pwbd for scenario in scenarios)

    def test_on_a_bad_day_staff_end_nobody_on_purpose(self) -> None:
        scenarios = make_scenarios(1, 20, 2, bad_day=True)

        assert {scenario.intervention for scenario in scenarios} == {
            Intervention.NONE,
            Intervention.PAUSED,
            Intervention.VOIDED_BY_MISTAKE,
        }
        assert sum(scenario.intervention is Intervention.PAUSED for scenario in scenarios) == 5
        assert any(scenario.has_extra_time for scenario in scenarios)

    def test_most_candidates_take_every_paper_and_are_on_time(self) -> None:
        scenarios = make_scenarios(1, 300, 2)

        arrivals = Counter(scenario.arrival for scenario in scenarios)
        assert [scenario.number for scenario in scenarios] == list(range(1, 301))
        assert arrivals[Arrival.ON_TIME] > 240
        assert sum(scenario.papers == {0, 1} for scenario in scenarios) > 250
        assert 50 < sum(scenario.intervention is Intervention.PAUSED for scenario in scenarios) < 70

    def test_with_one_paper_nobody_takes_a_part(self) -> None:
        assert {scenario.papers for scenario in make_scenarios(1, 100, 1)} == {frozenset(), frozenset({0})}
