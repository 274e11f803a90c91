"""The comparison: right results pass, and each way of being wrong is seen."""

from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest

from app.engine.responses import Event
from rehearsal.checks import mismatches
from rehearsal.client import Tally
from rehearsal.marking import mark, maximum
from rehearsal.plans import Answer, Ending, Plan, Sync, Term, Touch
from rehearsal.questions import Question
from rehearsal.sittings import Hall, Sitting

QUESTIONS = [
    Question(1, "single_choice", "a", aptitude=False),
    Question(2, "single_choice", "b", aptitude=False),
    Question(3, "numeric", "1.5", aptitude=True),
]
IDS = [UUID(int=number) for number in (1, 2, 3)]
HALL = Hall("http://127.0.0.1:1", "test", 1, UUID(int=9), IDS, 60, Tally())
SPENT = 1000


def taken(*answers: Answer) -> Sitting:
    """A sitting in which these answers were meant, acknowledged and marked; nobody else took the test."""
    touches = [Touch(place, answer, False, None, None, 1, SPENT) for place, answer in enumerate(answers)]
    sitting = Sitting(HALL, Plan(1, [Term(0, [Sync(0, touches)], True)], Ending.SUBMIT, []))
    sitting.log.acknowledge(
        Event(IDS[place], 1, 1, answer, time_spent_ms=SPENT) for place, answer in enumerate(answers)
    )
    marked = mark(QUESTIONS, dict(enumerate(answers, start=1)))
    outcomes = ("correct", "incorrect", "partial", "unattempted", "dropped")
    sitting.result = {outcome: marked.count(outcome) for outcome in outcomes} | {
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
    return sitting


def problems(sitting: Sitting) -> list[str]:
    return mismatches([sitting], QUESTIONS, IDS)


class TestMismatches:
    def test_a_right_result_has_none(self) -> None:
        assert problems(taken(("a",), None, "3/2")) == []

    def test_no_result_is_one(self) -> None:
        sitting = taken(("a",), ("b",), None)
        sitting.result = None

        assert problems(sitting) == ["Candidate 1: there is no result"]

    def test_an_answer_that_was_never_acknowledged(self) -> None:
        sitting = taken(("a",), ("b",), None)
        sitting.log.acknowledged.pop((IDS[1], 1, 1))

        assert "Candidate 1: question 2: ('b',) was graded, acknowledged was None" in problems(sitting)

    def test_an_acknowledged_answer_that_was_not_meant(self) -> None:
        sitting = taken(("a",), ("b",), None)
        sitting.log.acknowledge([Event(IDS[0], 1, 2, ("c",), time_spent_ms=SPENT)])

        assert "Candidate 1: question 1: ('a',) was graded, acknowledged was ('c',)" in problems(sitting)

    def test_a_lost_answer_may_have_been_graded_or_not(self) -> None:
        sitting = taken(("a",), ("b",), None)
        sitting.log.refuse([Event(IDS[2], 1, 2, "1")], unsure=True)

        assert problems(sitting) == []

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
        sitting = taken(("a",), ("b",), None)
        sitting.result = (sitting.result or {}) | wrong

        assert problems(sitting) == [f"Candidate 1: {sentence}"]

    @pytest.mark.parametrize(
        ("wrong", "sentence"),
        [
            ({"outcome": "incorrect"}, "question 1 is incorrect, it should be correct"),
            ({"time_spent_ms": 5}, "question 1: 5 ms were counted, not 1000"),
        ],
    )
    def test_a_wrong_question(self, wrong: dict[str, Any], sentence: str) -> None:
        sitting = taken(("a",), ("b",), None)
        assert sitting.result is not None
        sitting.result["questions"][0] |= wrong

        assert problems(sitting) == [f"Candidate 1: {sentence}"]

    def test_ranks_are_counted_over_all(self) -> None:
        best, other = taken(("a",), ("b",), "1.5"), taken(("a",), ("b",), "7")
        other.plan = Plan(2, other.plan.terms, Ending.SUBMIT, [])
        for sitting in (best, other):
            assert sitting.result is not None
            sitting.result["participants"] = 2
        assert mismatches([best, other], QUESTIONS, IDS) == [
            "Candidate 2: the rank is 1 of 2, it should be 2 of 2",
            "Candidate 2: the percentile is 100.0, it should be 50.0000000",
        ]

    def test_what_a_device_has_seen_counts_too(self) -> None:
        sitting = taken(("a",), ("b",), None)
        sitting.log.problems.append("the paper tells its key")

        assert problems(sitting) == ["Candidate 1: the paper tells its key"]
        assert Fraction((sitting.result or {})["score_exact"]) == 4
