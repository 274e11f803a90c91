"""Official results computed apart."""

from decimal import Decimal
from fractions import Fraction

from rehearsal.exam.standing import Expected, Paper, Scored, results

PAPERS = [Paper("P1", Fraction(200), None), Paper("P2", Fraction(100), 33)]


def candidate(number: int, category: str = "general", **scores: str) -> Scored:
    exact = {code: Fraction(score) for code, score in scores.items()}
    return Scored(
        number, category, exact, {code: Decimal(f"{float(each):.2f}") for code, each in exact.items()}
    )


class TestResults:
    def test_ranks_by_exact_totals_equal_ones_share(self) -> None:
        found = results(
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

    def test_who_missed_a_paper_has_no_rank_and_no_zero(self) -> None:
        found = results(PAPERS, [candidate(1, P1="-10", P2="33"), candidate(2, P1="150"), candidate(3)])

        assert found[2] == Expected("incomplete", None, None, None, None, None, 1)
        assert found[3] == Expected("absent", None, None, None, None, None, 1)
        assert (found[1].rank, found[1].participants) == (1, 1)

    def test_who_failed_to_qualify_has_a_total_and_no_rank(self) -> None:
        found = results(PAPERS, [candidate(1, P1="150", P2="32.99"), candidate(2, P1="1", P2="33")])

        assert (found[1].outcome, found[1].total, found[1].rank) == (
            "not_qualified",
            Fraction("182.99"),
            None,
        )
        assert (found[2].outcome, found[2].rank, found[2].participants) == ("ranked", 1, 1)

    def test_qualifying_marks_are_compared_as_printed(self) -> None:
        rounded = Scored(
            1,
            "sc",
            {"P1": Fraction(1), "P2": Fraction(98996, 3000)},
            {"P1": Decimal(1), "P2": Decimal("33.00")},
        )

        assert results(PAPERS, [rounded])[1].outcome == "ranked"
