"""Official results against those that were computed apart: right ones pass, each wrong one is seen."""

from collections.abc import Sequence
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

import pytest

from rehearsal.account import Account
from rehearsal.client import Client, Tally
from rehearsal.exam.candidates import Candidate
from rehearsal.exam.cast import Part
from rehearsal.exam.halls import PaperHall
from rehearsal.exam.official import merit_list_mismatches, mismatches
from rehearsal.exam.server_time import ServerTime
from rehearsal.exam.sitting import PaperDevice, PaperSitting
from rehearsal.plans import Ending, Plan
from rehearsal.questions import Question

URL = "http://127.0.0.1:1"
QUESTIONS = [Question(number, "single_choice", "a", aptitude=False) for number in (1, 3, 5)]
IDS = [UUID(int=number) for number in (1, 2, 3)]
HALL = PaperHall(
    URL,
    "test",
    1,
    UUID(int=9),
    IDS,
    60,
    Tally(),
    exam_id=UUID(int=8),
    paper_id=UUID(int=7),
    place=0,
    code="P1",
    questions=QUESTIONS,
    qualifying_percent=None,
    time=ServerTime(),
    timetable=[],
)
PARTICIPANTS = 3


def seated(number: int, marked: str, rank: int, percentile: float) -> Candidate:
    """Who has answered the first questions with these letters, a being right, and was told so."""
    client = Client(URL, Tally(), Random(0))
    part = Part(number, "general", None, frozenset({0}))
    candidate = Candidate(part, Account("one@example.org", "One"), client, Tally())
    candidate.roll_number = f"{number:08}"
    sitting = PaperSitting(HALL, Plan(number, [], Ending.SUBMIT, []), candidate.account, part)
    device = PaperDevice(client, "", sitting.log, Tally(), Random(0))
    device.attempt_id = str(UUID(int=100 + number))
    sitting.devices.append(device)
    sitting._devices.append(device)
    shown = [{"question_id": str(id_), "answer": [letter]} for id_, letter in zip(IDS, marked, strict=False)]
    sitting.result = {"questions": shown}
    candidate.sittings = [sitting]
    right = marked.count("a")
    exact = f"{6 * right - 2 * (len(marked) - right)}/3"
    score = str(Decimal(6 * right - 2 * (len(marked) - right)) / 3)[:4]
    candidate.result = official(exact, score, rank, percentile)
    return candidate


def official(exact: str, score: str, rank: int, percentile: float) -> dict[str, Any]:
    paper = {"code": "P1", "score": score, "score_exact": exact, "rank": rank, "percentile": percentile}
    return {
        "outcome": "ranked",
        "total": score,
        "total_exact": exact,
        "rank": rank,
        "category_rank": rank,
        "participants": PARTICIPANTS,
        "percentile": percentile,
        "cutoff": {"category": "general", "marks": "3.00", "cleared": Decimal(score) >= 3},
        "papers": [paper | {"participants": PARTICIPANTS}],
    }


@pytest.fixture
def candidates() -> list[Candidate]:
    return [seated(1, "aaa", 1, 100.0), seated(2, "aa", 2, 200 / 3), seated(3, "ab", 3, 100 / 3)]


def found(candidates: Sequence[Candidate]) -> list[str]:
    return mismatches(candidates, [HALL], {"general": "3.00"})


class TestMismatches:
    def test_right_results_have_none(self, candidates: list[Candidate]) -> None:
        assert found(candidates) == []

    @pytest.mark.parametrize(
        ("name", "wrong", "sentence"),
        [
            ("rank", 3, "rank is 3, it should be 2"),
            ("category_rank", 1, "category_rank is 1, it should be 2"),
            ("participants", 4, "participants is 4, it should be 3"),
            ("total_exact", "11/3", "total is 11/3, it should be 4"),
            ("outcome", "absent", "outcome is absent, it should be ranked"),
            ("percentile", 66.6, "percentile is 66.6, it should be 200/3"),
            ("cutoff", None, "the cut-off is None, it should be 3.00"),
        ],
    )
    def test_a_wrong_figure(
        self, candidates: list[Candidate], name: str, wrong: object, sentence: str
    ) -> None:
        assert candidates[1].result is not None
        candidates[1].result[name] = wrong

        assert found(candidates) == [f"Candidate 2: official: {sentence}"]

    def test_a_paper_rank_off_by_one(self, candidates: list[Candidate]) -> None:
        assert candidates[2].result is not None
        candidates[2].result["papers"][0]["rank"] = 2

        assert found(candidates) == ["Candidate 3: official: P1: the rank is 2 of 3, not (3, 3)"]

    def test_a_lost_answer_moves_the_rank(self, candidates: list[Candidate]) -> None:
        result = candidates[2].sittings[0].result
        assert result is not None
        result["questions"][1]["answer"] = ["a"]  # What was acknowledged; the official result lacks it.

        assert "Candidate 3: official: rank is 3, it should be 2" in found(candidates)

    def test_a_zero_for_a_paper_that_was_not_sat(self, candidates: list[Candidate]) -> None:
        absent = seated(4, "", 4, 0.0)
        absent.sittings = []
        candidates.append(absent)

        assert "Candidate 4: official: outcome is ranked, it should be absent" in found(candidates)
        assert "Candidate 4: official: P1 was not sat, and has 0" in found(candidates)

    def test_a_paper_without_an_official_score(self, candidates: list[Candidate]) -> None:
        candidates[0].result = None

        assert found(candidates) == ["Candidate 1: a paper that was sat has no official score"]

    def test_no_result_at_all(self, candidates: list[Candidate]) -> None:
        absent = seated(4, "", 4, 0.0)
        absent.sittings, absent.result = [], None
        candidates.append(absent)

        assert found(candidates) == ["Candidate 4: there is no official result"]


class TestMeritListMismatches:
    def rows(self, candidates: Sequence[Candidate]) -> list[dict[str, Any]]:
        return [(each.result or {}) | {"roll_number": each.roll_number} for each in candidates]

    def test_each_once_and_best_first(self, candidates: list[Candidate]) -> None:
        assert merit_list_mismatches(self.rows(candidates), candidates) == []

    def test_another_order(self, candidates: list[Candidate]) -> None:
        assert merit_list_mismatches(self.rows(candidates)[::-1], candidates) == [
            "the merit list is not in order"
        ]

    def test_one_is_missing(self, candidates: list[Candidate]) -> None:
        assert merit_list_mismatches(self.rows(candidates)[1:], candidates) == [
            "the merit list has 2 rows for 3 ranked candidates"
        ]

    def test_another_total_than_the_candidate_sees(self, candidates: list[Candidate]) -> None:
        rows = self.rows(candidates)
        rows[0] = rows[0] | {"total": "5.00"}

        assert merit_list_mismatches(rows, candidates) == ["the merit list and 00000001's own result differ"]
