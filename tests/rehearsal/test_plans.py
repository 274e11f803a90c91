"""What candidates of a rehearsal mean to do."""

from collections import Counter
from itertools import chain, pairwise

import pytest

from rehearsal.plans import Ending, Plan, Sync, Term, Touch, plan
from rehearsal.questions import compose

QUESTIONS = compose(40, seed=1)
PLANS = [plan(1, number, QUESTIONS, devices=2) for number in range(1, 101)]


def touch(question: int, *options: str) -> Touch:
    return Touch(question, options or None, marked_for_review=False, confidence=None, language=None)


def term(*touches: Touch) -> Term:
    return Term(0, [Sync(0, touches)], by_attempt_token=True)


class TestPlan:
    def test_the_seed_decides(self) -> None:
        assert plan(1, 7, QUESTIONS, devices=2) == plan(1, 7, QUESTIONS, devices=2)
        assert plan(1, 7, QUESTIONS, devices=2) != plan(2, 7, QUESTIONS, devices=2)

    def test_every_way_of_sitting_is_there(self) -> None:
        assert {each.ending for each in PLANS} == set(Ending)
        assert {len(each.terms) for each in PLANS} == {1, 2}
        touches = list(chain.from_iterable(each.terms[0].touches for each in PLANS))
        assert any(each.answer is None for each in touches)
        assert any(each.marked_for_review for each in touches)
        assert max(each.revision for each in touches) > 2
        assert max(len(sync.touches) for each in PLANS for sync in each.terms[0].syncs) > len(QUESTIONS)

    def test_one_device_is_enough_if_there_is_one(self) -> None:
        assert {len(plan(1, number, QUESTIONS, devices=1).terms) for number in range(30)} == {1}

    @pytest.mark.parametrize("each", PLANS[:20], ids=lambda each: str(each.number))
    def test_revisions_and_time_count_up_on_a_device(self, each: Plan) -> None:
        for number, part in enumerate(each.terms):
            late = each.late if number == len(each.terms) - 1 else []
            last = Counter[int]()
            spent = Counter[int]()
            for done in [*part.touches, *late]:
                last[done.question] += 1
                assert done.revision == last[done.question]
                assert done.time_spent_ms > spent[done.question]
                spent[done.question] = done.time_spent_ms

    @pytest.mark.parametrize("each", PLANS[:20], ids=lambda each: str(each.number))
    def test_everything_is_sent_in_order_and_before_the_last_quarter(self, each: Plan) -> None:
        for part in each.terms:
            moments = [part.opens_at, *(sync.at for sync in part.syncs), 0.75]
            assert all(earlier <= later for earlier, later in pairwise(moments))


class TestMeant:
    def test_the_last_touch_of_a_device_stands(self) -> None:
        assert Plan(1, [term(touch(0, "a"), touch(1, "b"), touch(0, "c"))], Ending.NEVER, []).meant() == {
            0: ("c",),
            1: ("b",),
        }

    def test_a_later_device_wins_even_with_a_cleared_answer(self) -> None:
        sitting = Plan(1, [term(touch(0, "a"), touch(1, "b")), term(touch(0))], Ending.NEVER, [])

        assert sitting.meant() == {0: None, 1: ("b",)}
