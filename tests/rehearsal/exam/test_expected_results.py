"""The reference for official results."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from rehearsal.exam.expected_results import CandidateScores, ExpectedResult, PaperRules, expected_results

PAPERS = [PaperRules("P1", Fraction(200), None), PaperRules("P2", Fraction(100), 33)]


def candidate(number: int, category: str = "general", **scores: str) -> CandidateScores:
    exact = {code: Fraction(score) for code, score in scores.items()}
    return CandidateScores(
        number, category, exact, {code: Decimal(f"{float(each):.2f}") for code, each in exact.items()}
    )


class TestExpectedResults:
    def test_equal_totals_share_a_rank(self) -> None:
        found = expected_results(
            PAPERS,
            [
                candidate(1, P1="100", P2="40"),
                candidate(2, "obc", P1="99", P2="41"),
                candidate(3, "obc", P1="301/3", P2="40"),
                candidate(4, P1="10", P2="40"),
            ],
        )

        assert {number: each.rank for number, each in found.items()} == {3: 1, 1: 2, 2: 2, 4: 4}
        assert {number: each.category_rank for number, each in found.items()} == {1: 1, 2: 2, 3: 1, 4: 2}
        assert {number: each.percentile for number, each in found.items()} == {1: 75, 2: 75, 3: 100, 4: 25}

    def test_a_candidate_who_missed_a_paper_has_no_rank_and_no_zero(self) -> None:
        found = expected_results(
            PAPERS,
            [
                candidate(1, P1="-10", P2="33"),
                candidate(2, P1="150"),
                candidate(3),
                replace(candidate(4), was_voided=True),
            ],
        )

        assert found[2] == ExpectedResult("incomplete", None, None, None, None, None, 1)
        assert found[3] == ExpectedResult("absent", None, None, None, None, None, 1)
        assert found[4] == ExpectedResult("void", None, None, None, None, None, 1)
        assert (found[1].rank, found[1].participants) == (1, 1)

    def test_a_candidate_who_did_not_qualify_has_a_total_and_no_rank(self) -> None:
        found = expected_results(PAPERS, [candidate(1, P1="150", P2="32.99"), candidate(2, P1="1", P2="33")])

        assert (found[1].outcome, found[1].total, found[1].rank) == (
            "not_qualified",
            Fraction("182.99"),
            None,
        )
        assert (found[2].outcome, found[2].rank, found[2].participants) == ("ranked", 1, 1)

    def test_qualifying_marks_are_compared_as_printed(self) -> None:
        rounded = CandidateScores(
            1,
            "sc",
            {"P1": Fraction(1), "P2": Fraction(98996, 3000)},
            {"P1": Decimal(1), "P2": Decimal("33.00")},
        )

        assert expected_results(PAPERS, [rounded])[1].outcome == "ranked"
