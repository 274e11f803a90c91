"""Official results against tables and a naive reference: who is ranked, and what is compared with what."""

from decimal import Decimal
from fractions import Fraction
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.merit import Entrant, ExamPaperRule, MeritResult, Outcome, PaperScore, merit

GS1, GS2, CSAT = UUID(int=1), UUID(int=2), UUID(int=3)
MAX = Fraction(200)
MERIT_PAPER = ExamPaperRule(GS1, counts_for_merit=True, qualifying_percent=None, max_score=MAX)
SECOND_PAPER = ExamPaperRule(GS2, counts_for_merit=True, qualifying_percent=None, max_score=MAX)
QUALIFYING = ExamPaperRule(CSAT, counts_for_merit=False, qualifying_percent=Decimal(33), max_score=MAX)
PRELIMS = [MERIT_PAPER, QUALIFYING]


def score(marks: str, printed: str | None = None) -> PaperScore:
    return PaperScore(Fraction(marks), Decimal(printed or marks))


def entrant(category: str = "general", **scores: PaperScore) -> Entrant:
    papers = {"gs1": GS1, "gs2": GS2, "csat": CSAT}
    return Entrant(uuid4(), category, {papers[name]: given for name, given in scores.items()})


def only(rules: list[ExamPaperRule], one: Entrant, **cutoffs: str) -> MeritResult:
    return merit(rules, [one], {category: Decimal(marks) for category, marks in cutoffs.items()})[0]


class TestOutcome:
    @pytest.mark.parametrize(
        ("scores", "outcome", "qualified", "total"),
        [
            ({"gs1": score("100"), "csat": score("66.00")}, Outcome.RANKED, True, "100.00"),
            ({"gs1": score("100"), "csat": score("65.99")}, Outcome.NOT_QUALIFIED, False, "100.00"),
            ({"gs1": score("100")}, Outcome.NOT_QUALIFIED, False, "100.00"),
            ({"csat": score("200")}, Outcome.INCOMPLETE, True, None),
            ({}, Outcome.ABSENT, False, None),
        ],
    )
    def test_table(
        self, scores: dict[str, PaperScore], outcome: Outcome, qualified: bool, total: str | None
    ) -> None:
        result = only(PRELIMS, entrant("general", **scores))
        assert (result.outcome, result.qualified) == (outcome, qualified)
        assert result.printed_total == (Decimal(total) if total else None)
        assert (result.standing is not None) == (outcome is Outcome.RANKED)

    def test_the_qualifying_mark_is_compared_with_what_is_printed(self) -> None:
        """UPSC prints two thirds as .66: 65 and a third, printed 65.34, is not 66; 66 exactly is."""
        short = score("196/3", "65.34")
        assert only(PRELIMS, entrant(gs1=score("100"), csat=short)).outcome is Outcome.NOT_QUALIFIED
        printed_up = score("6599/100", "66.00")
        assert only(PRELIMS, entrant(gs1=score("100"), csat=printed_up)).outcome is Outcome.RANKED

    def test_who_missed_a_paper_still_has_the_others(self) -> None:
        result = only(PRELIMS, entrant(csat=score("80")))
        assert set(result.papers) == {CSAT}
        assert result.papers[CSAT].standing.rank == 1

    def test_negative_totals_are_ranked(self) -> None:
        below = only([MERIT_PAPER], entrant(gs1=score("-2/3", "-0.66")))
        assert below.standing is not None
        assert below.printed_total == Decimal("-0.66")


class TestRanks:
    def test_equal_totals_share_a_rank_and_the_next_is_skipped(self) -> None:
        marks = ["120", "100", "100", "90"]
        results = merit([MERIT_PAPER], [entrant(gs1=score(each)) for each in marks], {})
        assert [r.standing.rank for r in results if r.standing] == [1, 2, 2, 4]
        assert [r.standing.percentile for r in results if r.standing] == [100.0, 75.0, 75.0, 25.0]

    def test_they_compare_exact_totals_and_not_printed_ones(self) -> None:
        close = [score("100001/1000", "100.00"), score("100", "100.00")]
        results = merit([MERIT_PAPER], [entrant(gs1=each) for each in close], {})
        assert [r.standing.rank for r in results if r.standing] == [1, 2]

    def test_who_is_not_qualified_takes_nobodys_rank(self) -> None:
        best = entrant(gs1=score("200"), csat=score("0"))
        second = entrant(gs1=score("50"), csat=score("100"))
        results = merit(PRELIMS, [best, second], {})
        assert results[0].standing is None
        assert results[1].standing is not None
        assert (results[1].standing.rank, results[1].standing.participants) == (1, 1)
        assert results[0].papers[GS1].standing.rank == 1  # the paper's own rank is theirs all the same

    def test_a_category_has_ranks_of_its_own(self) -> None:
        people = [
            entrant("general", gs1=score("100")),
            entrant("obc", gs1=score("90")),
            entrant("obc", gs1=score("95")),
            entrant("general", gs1=score("80")),
        ]
        assert [r.category_rank for r in merit([MERIT_PAPER], people, {})] == [1, 2, 1, 2]

    def test_totals_add_up_over_merit_papers_alone(self) -> None:
        rules = [MERIT_PAPER, SECOND_PAPER, QUALIFYING]
        result = only(rules, entrant(gs1=score("1/3", "0.34"), gs2=score("1/3", "0.34"), csat=score("100")))
        assert (result.total, result.printed_total) == (Fraction(2, 3), Decimal("0.68"))


class TestCutoff:
    @pytest.mark.parametrize(("marks", "cleared"), [("98.00", True), ("97.99", False), ("98.01", True)])
    def test_it_is_reached_by_the_printed_total(self, marks: str, cleared: bool) -> None:
        result = only([MERIT_PAPER], entrant(gs1=score(marks)), general="98.00")
        assert result.cutoff is not None
        assert result.cutoff.cleared is cleared

    def test_nobody_clears_it_without_being_qualified(self) -> None:
        result = only(PRELIMS, entrant(gs1=score("150"), csat=score("10")), general="98.00")
        assert result.cutoff is not None
        assert not result.cutoff.cleared

    def test_a_category_without_one_has_none(self) -> None:
        assert only([MERIT_PAPER], entrant("sc", gs1=score("100")), general="98.00").cutoff is None


thirds = st.integers(-60, 600).map(lambda n: PaperScore(Fraction(n, 3), Decimal(n) / 3))
people = st.lists(
    st.builds(
        lambda category, gs1, csat: entrant(
            category, **{name: given for name, given in (("gs1", gs1), ("csat", csat)) if given is not None}
        ),
        st.sampled_from(["general", "obc"]),
        st.none() | thirds,
        st.none() | thirds,
    ),
    max_size=30,
)


class TestAgainstANaiveReference:
    @given(people)
    def test_a_rank_is_one_more_than_how_many_are_better(self, entrants: list[Entrant]) -> None:
        results = merit(PRELIMS, entrants, {})
        ranked = [
            each
            for each in entrants
            if GS1 in each.scores and CSAT in each.scores and each.scores[CSAT].printed >= 66
        ]
        for result in results:
            one = result.entrant
            if one not in ranked:
                assert result.standing is None
                assert result.category_rank is None
                continue
            mine = one.scores[GS1].exact
            better = [other for other in ranked if other.scores[GS1].exact > mine]
            assert result.standing is not None
            assert result.standing.rank == len(better) + 1
            assert result.standing.participants == len(ranked)
            assert result.category_rank == sum(o.category == one.category for o in better) + 1
