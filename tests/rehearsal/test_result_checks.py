"""Checks of results: right results pass, and each wrong result is reported."""

from fractions import Fraction
from typing import Any, ClassVar
from uuid import UUID

import pytest

from rehearsal.attempts import Attempt, RehearsedTest
from rehearsal.client import Metrics
from rehearsal.marking import mark, maximum
from rehearsal.plans import Answer, DevicePlan, Edit, Ending, Plan, Sync
from rehearsal.questions import Question
from rehearsal.response_log import ResponseEvent
from rehearsal.result_checks import mismatches, own_figures

QUESTIONS = [
    Question(1, "single_choice", "a", aptitude=False),
    Question(2, "single_choice", "b", aptitude=False),
    Question(3, "numeric", "1.5", aptitude=True),
]
IDS = [UUID(int=number) for number in (1, 2, 3)]
HALL = RehearsedTest("http://127.0.0.1:1", "test", 1, UUID(int=9), IDS, 60, Metrics())
SPENT = 1000


def taken(*answers: Answer) -> Attempt:
    """An attempt with these answers planned, acknowledged and marked; nobody else took the test."""
    edits = [Edit(position, answer, False, None, None, 1, SPENT) for position, answer in enumerate(answers)]
    attempt = Attempt(HALL, Plan(1, [DevicePlan(0, [Sync(0, edits)], True)], Ending.SUBMIT, []))
    attempt.log.acknowledge(
        ResponseEvent(IDS[position], 1, 1, answer, time_spent_ms=SPENT)
        for position, answer in enumerate(answers)
    )
    marked = mark(QUESTIONS, dict(enumerate(answers, start=1)))
    outcomes = ("correct", "incorrect", "partial", "unattempted", "dropped")
    attempt.result = {outcome: marked.count(outcome) for outcome in outcomes} | {
        "score_exact": str(marked.score),
        "max_score": f"{float(maximum(QUESTIONS)):.2f}",
        "rank": 1,
        "participants": 1,
        "percentile": 100.0,
        "questions": [
            {
                "question_id": str(id_),
                "number": number,
                "answer": list(answer) if isinstance(answer, tuple) else answer,
                "outcome": marked.outcomes[number],
                "time_spent_ms": SPENT,
            }
            for number, (id_, answer) in enumerate(zip(IDS, answers, strict=True), start=1)
        ],
    }
    return attempt


def problems(attempt: Attempt) -> list[str]:
    return mismatches([attempt], QUESTIONS, IDS)


class TestMismatches:
    def test_a_right_result_has_none(self) -> None:
        assert problems(taken(("a",), None, "3/2")) == []

    def test_no_result_is_one(self) -> None:
        attempt = taken(("a",), ("b",), None)
        attempt.result = None

        assert problems(attempt) == ["Candidate 1: there is no result"]

    def test_an_answer_that_was_never_acknowledged(self) -> None:
        attempt = taken(("a",), ("b",), None)
        attempt.log.acknowledged.pop((IDS[1], 1, 1))

        assert "Candidate 1: question 2: ('b',) was graded, acknowledged was None" in problems(attempt)

    def test_an_acknowledged_answer_that_was_not_meant(self) -> None:
        attempt = taken(("a",), ("b",), None)
        attempt.log.acknowledge([ResponseEvent(IDS[0], 1, 2, ("c",), time_spent_ms=SPENT)])

        assert "Candidate 1: question 1: ('a',) was graded, acknowledged was ('c',)" in problems(attempt)

    def test_a_lost_answer_may_have_been_graded_or_not(self) -> None:
        attempt = taken(("a",), ("b",), None)
        attempt.log.refuse([ResponseEvent(IDS[2], 1, 2, "1")], maybe_processed=True)

        assert problems(attempt) == []

    @pytest.mark.parametrize(
        ("wrong", "sentence"),
        [
            ({"score_exact": "4/3"}, "the score is 4/3, it should be 4"),
            ({"max_score": "6.00"}, "the maximum is 6.00, it should be 13/2"),
            ({"correct": 3}, "3 questions are correct, it should be 2"),
            ({"rank": 2}, "the rank is 2 of 1, it should be 1 of 1"),
            ({"participants": 2}, "the rank is 1 of 2, it should be 1 of 1"),
            ({"percentile": 99.9}, "the percentile is 99.9, it should be 100.0000000"),
        ],
    )
    def test_a_wrong_figure(self, wrong: dict[str, Any], sentence: str) -> None:
        attempt = taken(("a",), ("b",), None)
        attempt.result = (attempt.result or {}) | wrong

        assert problems(attempt) == [f"Candidate 1: {sentence}"]

    @pytest.mark.parametrize(
        ("wrong", "sentence"),
        [
            ({"outcome": "incorrect"}, "question 1 is incorrect, it should be correct"),
            ({"time_spent_ms": 5}, "question 1: 5 ms were counted, not 1000"),
        ],
    )
    def test_a_wrong_question(self, wrong: dict[str, Any], sentence: str) -> None:
        attempt = taken(("a",), ("b",), None)
        assert attempt.result is not None
        attempt.result["questions"][0] |= wrong

        assert problems(attempt) == [f"Candidate 1: {sentence}"]

    def test_ranks_are_counted_over_all(self) -> None:
        best, other = taken(("a",), ("b",), "1.5"), taken(("a",), ("b",), "7")
        other.plan = Plan(2, other.plan.device_plans, Ending.SUBMIT, [])
        for attempt in (best, other):
            assert attempt.result is not None
            attempt.result["participants"] = 2
        assert mismatches([best, other], QUESTIONS, IDS) == [
            "Candidate 2: the rank is 1 of 2, it should be 2 of 2",
            "Candidate 2: the percentile is 100.0, it should be 50.0000000",
        ]

    def test_problems_of_devices_are_reported(self) -> None:
        attempt = taken(("a",), ("b",), None)
        attempt.log.problems.append("the paper shows its key")

        assert problems(attempt) == ["Candidate 1: the paper shows its key"]
        assert Fraction((attempt.result or {})["score_exact"]) == 4


class TestOwnFigures:
    """Two answers to a submit are compared by these."""

    FIRST: ClassVar = {"id": "1", "result": {"score": "4", "rank": 3, "participants": 7, "percentile": 71.4}}

    def test_a_candidate_graded_in_between_makes_no_difference(self) -> None:
        second = {"id": "1", "result": {"score": "4", "rank": 2, "participants": 4, "percentile": 75.0}}

        assert own_figures(self.FIRST) == own_figures(second)

    @pytest.mark.parametrize("second", [{"id": "1", "result": {"score": "5"}}, {"id": "1", "result": None}])
    def test_another_score_or_none_is_a_difference(self, second: dict[str, Any]) -> None:
        assert own_figures(self.FIRST) != own_figures(second)
