"""The plans of candidates."""

from collections import Counter
from itertools import chain, pairwise

import pytest

from rehearsal.plans import DevicePlan, Edit, Ending, Plan, Sync, make_plan
from rehearsal.questions import compose

QUESTIONS = compose(40, seed=1)
PLANS = [make_plan(1, number, QUESTIONS, devices=2) for number in range(1, 101)]


def edit(question: int, *options: str) -> Edit:
    return Edit(question, options or None, marked_for_review=False, confidence=None, language=None)


def device_plan(*edits: Edit) -> DevicePlan:
    return DevicePlan(0, [Sync(0, edits)], by_attempt_token=True)


class TestPlan:
    def test_the_seed_decides(self) -> None:
        assert make_plan(1, 7, QUESTIONS, devices=2) == make_plan(1, 7, QUESTIONS, devices=2)
        assert make_plan(1, 7, QUESTIONS, devices=2) != make_plan(2, 7, QUESTIONS, devices=2)

    def test_every_kind_of_plan_is_there(self) -> None:
        assert {each.ending for each in PLANS} == set(Ending)
        assert {len(each.device_plans) for each in PLANS} == {1, 2}
        edits = list(chain.from_iterable(each.device_plans[0].edits for each in PLANS))
        assert any(each.answer is None for each in edits)
        assert any(each.marked_for_review for each in edits)
        assert max(each.revision for each in edits) > 2
        assert max(len(sync.edits) for each in PLANS for sync in each.device_plans[0].syncs) > len(QUESTIONS)

    def test_one_device_is_enough_if_there_is_one(self) -> None:
        assert {len(make_plan(1, number, QUESTIONS, devices=1).device_plans) for number in range(30)} == {1}

    @pytest.mark.parametrize("each", PLANS[:20], ids=lambda each: str(each.number))
    def test_revisions_and_time_count_up_on_a_device(self, each: Plan) -> None:
        for number, scenario in enumerate(each.device_plans):
            late = each.late if number == len(each.device_plans) - 1 else []
            last = Counter[int]()
            spent = Counter[int]()
            for done in [*scenario.edits, *late]:
                last[done.question] += 1
                assert done.revision == last[done.question]
                assert done.time_spent_ms > spent[done.question]
                spent[done.question] = done.time_spent_ms

    @pytest.mark.parametrize("each", PLANS[:20], ids=lambda each: str(each.number))
    def test_everything_is_sent_in_order_and_before_the_last_quarter(self, each: Plan) -> None:
        for scenario in each.device_plans:
            moments = [scenario.opens_at, *(sync.at for sync in scenario.syncs), 0.75]
            assert all(earlier <= later for earlier, later in pairwise(moments))


class TestIntendedAnswers:
    def test_the_last_edit_of_a_device_stands(self) -> None:
        assert Plan(
            1, [device_plan(edit(0, "a"), edit(1, "b"), edit(0, "c"))], Ending.NEVER, []
        ).intended_answers() == {
            0: ("c",),
            1: ("b",),
        }

    def test_a_later_device_wins_even_with_a_cleared_answer(self) -> None:
        attempt = Plan(1, [device_plan(edit(0, "a"), edit(1, "b")), device_plan(edit(0))], Ending.NEVER, [])

        assert attempt.intended_answers() == {0: None, 1: ("b",)}
