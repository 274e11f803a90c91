"""Checks of official results: right results pass, and each wrong result is reported."""

from collections.abc import Sequence
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

import pytest

from rehearsal.account import Account
from rehearsal.client import Client, Metrics
from rehearsal.exam.attempts import PaperAttempt, PaperDevice
from rehearsal.exam.candidates import SimulatedCandidate
from rehearsal.exam.papers import RehearsedPaper
from rehearsal.exam.result_checks import merit_list_mismatches, mismatches
from rehearsal.exam.scenarios import Scenario
from rehearsal.exam.server_clock import ServerClock
from rehearsal.plans import Ending, Plan
from rehearsal.questions import Question

URL = "http://127.0.0.1:1"
QUESTIONS = [Question(number, "single_choice", "a", aptitude=False) for number in (1, 3, 5)]
IDS = [UUID(int=number) for number in (1, 2, 3)]
PAPER = RehearsedPaper(
    URL,
    "test",
    1,
    UUID(int=9),
    IDS,
    60,
    Metrics(),
    exam_id=UUID(int=8),
    paper_id=UUID(int=7),
    index=0,
    code="P1",
    questions=QUESTIONS,
    qualifying_percent=None,
    clock=ServerClock(),
    timetable=[],
)
PARTICIPANTS = 3


def ranked(number: int, marked: str, rank: int, percentile: float) -> SimulatedCandidate:
    """A candidate who answered the first questions with these letters, and their result."""
    client = Client(URL, Metrics(), Random(0))
    scenario = Scenario(number, "general", None, frozenset({0}))
    candidate = SimulatedCandidate(scenario, Account("one@example.org", "One"), client, Metrics())
    candidate.roll_number = f"{number:08}"
    attempt = PaperAttempt(PAPER, Plan(number, [], Ending.SUBMIT, []), candidate.account, scenario)
    device = PaperDevice(client, "", attempt.log, Metrics(), Random(0), attempt.interruption)
    device.attempt_id = str(UUID(int=100 + number))
    attempt.devices.append(device)
    attempt._devices.append(device)
    shown = [{"question_id": str(id_), "answer": [letter]} for id_, letter in zip(IDS, marked, strict=False)]
    attempt.result = {"questions": shown}
    candidate.attempts = [attempt]
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
def candidates() -> list[SimulatedCandidate]:
    return [ranked(1, "aaa", 1, 100.0), ranked(2, "aa", 2, 200 / 3), ranked(3, "ab", 3, 100 / 3)]


def found(candidates: Sequence[SimulatedCandidate]) -> list[str]:
    return mismatches(candidates, [PAPER], {"general": "3.00"})


class TestMismatches:
    def test_right_results_have_none(self, candidates: list[SimulatedCandidate]) -> None:
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
        self, candidates: list[SimulatedCandidate], name: str, wrong: object, sentence: str
    ) -> None:
        assert candidates[1].result is not None
        candidates[1].result[name] = wrong

        assert found(candidates) == [f"Candidate 2: official: {sentence}"]

    def test_a_paper_rank_off_by_one(self, candidates: list[SimulatedCandidate]) -> None:
        assert candidates[2].result is not None
        candidates[2].result["papers"][0]["rank"] = 2

        assert found(candidates) == ["Candidate 3: official: P1: the rank is 2 of 3, not (3, 3)"]

    def test_a_lost_answer_moves_the_rank(self, candidates: list[SimulatedCandidate]) -> None:
        result = candidates[2].attempts[0].result
        assert result is not None
        result["questions"][1]["answer"] = ["a"]  # What was acknowledged; the official result lacks it.

        assert "Candidate 3: official: rank is 3, it should be 2" in found(candidates)

    def test_a_zero_for_a_paper_that_was_not_taken(self, candidates: list[SimulatedCandidate]) -> None:
        absent = ranked(4, "", 4, 0.0)
        absent.attempts = []
        candidates.append(absent)

        assert "Candidate 4: official: outcome is ranked, it should be absent" in found(candidates)
        assert "Candidate 4: official: P1 was not taken, and has 0" in found(candidates)

    def test_a_paper_without_an_official_score(self, candidates: list[SimulatedCandidate]) -> None:
        candidates[0].result = None

        assert found(candidates) == ["Candidate 1: a paper that was taken has no official score"]

    def test_no_result_at_all(self, candidates: list[SimulatedCandidate]) -> None:
        absent = ranked(4, "", 4, 0.0)
        absent.attempts, absent.result = [], None
        candidates.append(absent)

        assert found(candidates) == ["Candidate 4: there is no official result"]


class TestMeritListMismatches:
    def rows(self, candidates: Sequence[SimulatedCandidate]) -> list[dict[str, Any]]:
        return [(each.result or {}) | {"roll_number": each.roll_number} for each in candidates]

    def test_each_once_and_best_first(self, candidates: list[SimulatedCandidate]) -> None:
        assert merit_list_mismatches(self.rows(candidates), candidates) == []

    def test_another_order(self, candidates: list[SimulatedCandidate]) -> None:
        assert merit_list_mismatches(self.rows(candidates)[::-1], candidates) == [
            "the merit list is not in order"
        ]

    def test_one_is_missing(self, candidates: list[SimulatedCandidate]) -> None:
        assert merit_list_mismatches(self.rows(candidates)[1:], candidates) == [
            "the merit list has 2 rows for 3 ranked candidates"
        ]

    def test_another_total_than_the_candidate_sees(self, candidates: list[SimulatedCandidate]) -> None:
        rows = self.rows(candidates)
        rows[0] = rows[0] | {"total": "5.00"}

        assert merit_list_mismatches(rows, candidates) == ["the merit list and 00000001's own result differ"]
