"""Official results against tables and a naive reference: who is ranked, and what is compared with what."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.marks import RoundingPolicy, printed
from app.engine.merit import (
    Cutoff,
    Entrant,
    ExamOutcome,
    ExamPaperRule,
    JudgedSection,
    MeritResult,
    NotCleared,
    PaperScore,
    merit,
)
from app.engine.qualifying import Qualification
from app.engine.qualifying_shares import QualifyingShares

GS1, GS2, CSAT = UUID(int=1), UUID(int=2), UUID(int=3)
MAX = Fraction(200)
MERIT_PAPER = ExamPaperRule(GS1, counts_for_merit=True, max_score=MAX)
SECOND_PAPER = ExamPaperRule(GS2, counts_for_merit=True, max_score=MAX)
QUALIFYING = ExamPaperRule(CSAT, counts_for_merit=False, max_score=MAX, shares=QualifyingShares(Decimal(33)))
PRELIMS = [MERIT_PAPER, QUALIFYING]


def score(marks: str, printed: str | None = None) -> PaperScore:
    return PaperScore(Fraction(marks), Decimal(printed or marks))


def judged(printed: str, maximum: int = 100) -> JudgedSection:
    return JudgedSection(Fraction(printed), Decimal(printed), Fraction(maximum))


def entrant(category: str = "general", **scores: PaperScore) -> Entrant:
    papers = {"gs1": GS1, "gs2": GS2, "csat": CSAT}
    return Entrant(uuid4(), category, {papers[name]: given for name, given in scores.items()})


def rank_in(result: MeritResult, paper: UUID) -> int | None:
    standing = result.papers[paper].standing
    return standing.rank if standing else None


def only(rules: list[ExamPaperRule], one: Entrant, **cutoffs: str) -> MeritResult:
    return merit(rules, [one], {category: Decimal(marks) for category, marks in cutoffs.items()})[0]


class TestOutcome:
    @pytest.mark.parametrize(
        ("scores", "outcome", "qualified", "total"),
        [
            ({"gs1": score("100"), "csat": score("66.00")}, ExamOutcome.RANKED, True, "100.00"),
            ({"gs1": score("100"), "csat": score("65.99")}, ExamOutcome.NOT_QUALIFIED, False, "100.00"),
            ({"gs1": score("100")}, ExamOutcome.NOT_QUALIFIED, False, "100.00"),
            ({"csat": score("200")}, ExamOutcome.INCOMPLETE, True, None),
            ({}, ExamOutcome.ABSENT, False, None),
        ],
    )
    def test_table(
        self, scores: dict[str, PaperScore], outcome: ExamOutcome, qualified: bool, total: str | None
    ) -> None:
        result = only(PRELIMS, entrant("general", **scores))
        assert (result.outcome, result.qualified) == (outcome, qualified)
        assert result.printed_total == (Decimal(total) if total else None)
        assert (result.standing is not None) == (outcome is ExamOutcome.RANKED)

    def test_the_qualifying_mark_is_compared_with_what_is_printed(self) -> None:
        """UPSC prints two thirds as .66: 65 and a third, printed 65.34, is not 66; 66 exactly is."""
        short = score("196/3", "65.34")
        assert only(PRELIMS, entrant(gs1=score("100"), csat=short)).outcome is ExamOutcome.NOT_QUALIFIED
        printed_up = score("6599/100", "66.00")
        assert only(PRELIMS, entrant(gs1=score("100"), csat=printed_up)).outcome is ExamOutcome.RANKED

    def test_whoever_has_exactly_the_share_reaches_it_however_it_is_printed(self) -> None:
        """200/3 is written as 66.66, and half as much again is printed as 99.99."""
        rules = [MERIT_PAPER, replace(QUALIFYING, shares=QualifyingShares(Decimal(50)))]
        exactly, short = score("100", "99.99"), score("9999/100", "99.99")
        assert only(rules, entrant(gs1=score("100"), csat=exactly)).outcome is ExamOutcome.RANKED
        assert only(rules, entrant(gs1=score("100"), csat=short)).outcome is ExamOutcome.NOT_QUALIFIED

    @pytest.mark.parametrize(
        ("rules", "outcome"),
        [
            pytest.param({}, ExamOutcome.RANKED, id="nothing to reach"),
            pytest.param({"has_minimum": True}, ExamOutcome.NOT_QUALIFIED, id="the minimum of a section"),
            pytest.param(
                {"sections": {UUID(int=11): QualifyingShares(Decimal(30))}},
                ExamOutcome.NOT_QUALIFIED,
                id="the share of a section",
            ),
            pytest.param(
                {"sections": {UUID(int=11): QualifyingShares(None, {"sc": Decimal(30)})}},
                ExamOutcome.RANKED,
                id="the share of a section for another group",
            ),
        ],
    )
    def test_who_misses_a_paper_in_which_something_is_to_be_reached_fails_it(
        self, rules: dict[str, Any], outcome: ExamOutcome
    ) -> None:
        beside = ExamPaperRule(CSAT, counts_for_merit=False, max_score=MAX, **rules)
        result = only([MERIT_PAPER, beside], entrant(gs1=score("100")), general="98.00")
        is_ranked = outcome is ExamOutcome.RANKED
        assert (result.outcome, result.qualified) == (outcome, is_ranked)
        assert result.cutoff is not None
        assert result.cutoff.papers == (() if is_ranked else (CSAT,))

    def test_who_missed_a_paper_still_has_the_others(self) -> None:
        result = only(PRELIMS, entrant(csat=score("80")))
        assert set(result.papers) == {CSAT}
        assert rank_in(result, CSAT) == 1

    def test_who_has_nothing_but_void_attempts_is_not_absent(self) -> None:
        assert only(PRELIMS, replace(entrant(), has_void=True)).outcome is ExamOutcome.VOID
        half = replace(entrant(csat=score("80")), has_void=True)
        assert only(PRELIMS, half).outcome is ExamOutcome.INCOMPLETE

    def test_who_became_staff_has_scores_and_takes_nobodys_rank(self) -> None:
        scores = {"gs1": replace(score("200"), practice=True), "csat": score("100")}
        staff = replace(entrant("general", **scores), was_staff=True)
        other = entrant(gs1=score("100"), csat=score("70"))
        first, second = merit(PRELIMS, [staff, other], {"general": Decimal(98)})
        assert (first.outcome, first.qualified, first.standing) == (ExamOutcome.STAFF, False, None)
        assert first.cutoff == Cutoff("general", Decimal(98), NotCleared.STAFF)
        assert (rank_in(first, GS1), rank_in(first, CSAT)) == (None, 1)
        assert (rank_in(second, GS1), rank_in(second, CSAT)) == (1, 2)
        assert second.standing is not None
        assert (second.standing.rank, second.standing.participants) == (1, 1)

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
        assert rank_in(results[0], GS1) == 1  # the paper's own rank is theirs all the same

    def test_a_category_has_ranks_of_its_own(self) -> None:
        people = [
            entrant("general", gs1=score("100")),
            entrant("obc", gs1=score("90")),
            entrant("obc", gs1=score("95")),
            entrant("general", gs1=score("80")),
        ]
        assert [r.standings.in_category.rank for r in merit([MERIT_PAPER], people, {}) if r.standings] == [
            1,
            2,
            1,
            2,
        ]

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

    def test_it_is_reached_by_the_exact_total(self) -> None:
        """Three times 2/3 are 2, and are printed as 0.66 each."""
        rules = [MERIT_PAPER, SECOND_PAPER, replace(MERIT_PAPER, id=CSAT)]
        sat = dict.fromkeys(("gs1", "gs2", "csat"), score("2/3", "0.66"))
        result = only(rules, entrant("general", **sat), general="2.00")
        assert (result.total, result.printed_total) == (Fraction(2), Decimal("1.98"))
        assert result.cutoff is not None
        assert result.cutoff.cleared

    @pytest.mark.parametrize("cutoff", ["2.66", "2.67", "2.68", "2.69"])
    def test_equal_totals_of_several_papers_are_not_parted(self, cutoff: str) -> None:
        """4/3 + 4/3 is printed as 1.34 + 1.34, and 2/3 + 2 as 0.66 + 2.00."""
        equal = [
            entrant(gs1=score("4/3", "1.34"), gs2=score("4/3", "1.34")),
            entrant(gs1=score("2/3", "0.66"), gs2=score("2", "2.00")),
        ]
        first, second = merit([MERIT_PAPER, SECOND_PAPER], equal, {"general": Decimal(cutoff)})
        assert [first.printed_total, second.printed_total] == [Decimal("2.68"), Decimal("2.66")]
        assert first.cutoff is not None
        assert first.cutoff == second.cutoff
        assert first.cutoff.cleared is (Decimal(cutoff) <= Decimal("2.68"))

    def test_who_has_no_rank_clears_it_for_nobody(self) -> None:
        failed = entrant(gs1=score("4/3", "1.34"), gs2=score("4/3", "1.34"), csat=score("10"))
        other = entrant(gs1=score("2/3", "0.66"), gs2=score("2", "2.00"), csat=score("100"))
        rules = [MERIT_PAPER, SECOND_PAPER, QUALIFYING]
        result = merit(rules, [failed, other], {"general": Decimal("2.67")})[1]
        assert result.cutoff == Cutoff("general", Decimal("2.67"), NotCleared.BELOW_MARKS)

    def test_nobody_clears_it_without_being_qualified(self) -> None:
        result = only(PRELIMS, entrant(gs1=score("150"), csat=score("10")), general="98.00")
        assert result.cutoff is not None
        assert not result.cutoff.cleared

    @pytest.mark.parametrize(
        ("scores", "reason", "behind"),
        [
            pytest.param({"gs1": "97", "gs2": "0", "csat": "66"}, "below_marks", [], id="too few marks"),
            pytest.param(
                {"gs1": "150", "gs2": "0", "csat": "65"}, "not_qualified", [CSAT], id="a paper failed"
            ),
            pytest.param({"gs1": "1", "gs2": "0", "csat": "65"}, "not_qualified", [CSAT], id="both"),
            pytest.param({"gs1": "150", "gs2": "0"}, "not_qualified", [CSAT], id="a qualifying paper missed"),
            pytest.param({"gs1": "150", "csat": "66"}, "incomplete", [GS2], id="a merit paper missed"),
            pytest.param({"csat": "66"}, "incomplete", [GS1, GS2], id="two merit papers missed"),
            pytest.param({}, "absent", [], id="no paper taken"),
            pytest.param({"gs1": "97", "gs2": "1", "csat": "66"}, None, [], id="cleared"),
        ],
    )
    def test_who_has_not_cleared_it_is_told_why_and_by_which_papers(
        self, scores: dict[str, str], reason: str | None, behind: list[UUID]
    ) -> None:
        sat = {name: score(marks) for name, marks in scores.items()}
        cutoff = only(
            [MERIT_PAPER, SECOND_PAPER, QUALIFYING], entrant("general", **sat), general="98.00"
        ).cutoff
        assert cutoff == Cutoff(
            "general", Decimal("98.00"), NotCleared(reason) if reason else None, tuple(behind)
        )
        assert cutoff.cleared is (reason is None)

    def test_a_category_without_one_has_none(self) -> None:
        assert only([MERIT_PAPER], entrant("sc", gs1=score("100")), general="98.00").cutoff is None


class TestGroups:
    """Cut-offs and qualifying shares of categories, and of candidates with a benchmark disability."""

    CUTOFFS: ClassVar = {
        "general": "98.00",
        "sc": "84.00",
        "pwbd_1": "73.34",
        "pwbd_2": "53.34",
        "pwbd": "90",
    }

    @pytest.mark.parametrize(
        ("category", "pwbd", "group", "marks"),
        [
            pytest.param("general", None, "general", "98.00", id="a category"),
            pytest.param("general", 1, "pwbd_1", "73.34", id="a kind of disability"),
            pytest.param("sc", 2, "pwbd_2", "53.34", id="lower than that of the category"),
            pytest.param("sc", 3, "sc", "84.00", id="a category below the general one for disability"),
            pytest.param("general", 5, "pwbd", "90", id="a kind without a cut-off of its own"),
            pytest.param("obc", 4, "pwbd", "90", id="a category without one"),
        ],
    )
    def test_the_lowest_cutoff_of_a_candidates_groups_holds(
        self, category: str, pwbd: int | None, group: str, marks: str
    ) -> None:
        one = replace(entrant(category, gs1=score("60")), pwbd=pwbd)
        cutoff = only([MERIT_PAPER], one, **self.CUTOFFS).cutoff
        reached = Decimal(60) >= Decimal(marks)
        assert cutoff == Cutoff(group, Decimal(marks), None if reached else NotCleared.BELOW_MARKS)

    def test_a_cutoff_for_disability_is_nobody_elses(self) -> None:
        assert only([MERIT_PAPER], entrant("obc", gs1=score("60")), **self.CUTOFFS).cutoff is None

    @pytest.mark.parametrize(
        ("category", "pwbd", "printed", "outcome"),
        [
            pytest.param("general", None, "65.99", ExamOutcome.NOT_QUALIFIED, id="the share for everybody"),
            pytest.param("sc", None, "50.00", ExamOutcome.RANKED, id="the share of a category"),
            pytest.param("sc", None, "49.99", ExamOutcome.NOT_QUALIFIED, id="below it"),
            pytest.param("general", 2, "40.00", ExamOutcome.RANKED, id="the share for disability"),
            pytest.param("ews", None, "79.99", ExamOutcome.NOT_QUALIFIED, id="a higher share of a category"),
            pytest.param("ews", 2, "40.00", ExamOutcome.RANKED, id="and the lower one for disability"),
        ],
    )
    def test_the_lowest_qualifying_share_of_a_candidates_groups_holds(
        self, category: str, pwbd: int | None, printed: str, outcome: ExamOutcome
    ) -> None:
        percents = {"sc": Decimal(25), "pwbd": Decimal(20), "ews": Decimal(40)}
        rules = [MERIT_PAPER, replace(QUALIFYING, shares=QualifyingShares(Decimal(33), percents))]
        one = replace(entrant(category, gs1=score("100"), csat=score(printed)), pwbd=pwbd)
        assert only(rules, one).outcome is outcome

    def test_a_share_may_be_for_one_group_alone(self) -> None:
        rules = [replace(MERIT_PAPER, shares=QualifyingShares(None, {"general": Decimal(50)}))]
        assert only(rules, entrant("general", gs1=score("99"))).outcome is ExamOutcome.NOT_QUALIFIED
        assert only(rules, entrant("obc", gs1=score("1"))).outcome is ExamOutcome.RANKED


class TestSections:
    """Qualifying shares of sections, beside those of the paper."""

    PHYSICS: ClassVar = UUID(int=11)
    CHEMISTRY: ClassVar = UUID(int=12)

    @pytest.mark.parametrize(
        ("category", "pwbd", "physics", "chemistry", "below"),
        [
            pytest.param("general", None, "30.00", "0.00", [], id="reached, and a section without a rule"),
            pytest.param("general", None, "29.99", "100.00", [PHYSICS], id="below the share of everybody"),
            pytest.param("sc", None, "25.00", "5.00", [], id="the lower share of a category"),
            pytest.param("general", 3, "20.00", "0.00", [], id="the lower share for disability"),
            pytest.param("sc", None, "24.99", "4.99", [PHYSICS, CHEMISTRY], id="two sections"),
        ],
    )
    def test_table(
        self, category: str, pwbd: int | None, physics: str, chemistry: str, below: list[UUID]
    ) -> None:
        percents = {"sc": Decimal(25), "pwbd": Decimal(20)}
        rule = replace(
            MERIT_PAPER,
            sections={
                self.PHYSICS: QualifyingShares(Decimal(30), percents),
                self.CHEMISTRY: QualifyingShares(None, {"sc": Decimal(5)}),
            },
        )
        sections = {self.PHYSICS: judged(physics), self.CHEMISTRY: judged(chemistry)}
        one = replace(entrant(category, gs1=replace(score("100"), sections=sections)), pwbd=pwbd)
        result = only([rule], one, general="98.00")
        assert result.papers[GS1].sections_below == tuple(below)
        assert result.papers[GS1].qualified is not bool(below)
        assert result.outcome is (ExamOutcome.NOT_QUALIFIED if below else ExamOutcome.RANKED)

    def test_a_third_of_a_section_is_reached_by_exactly_that(self) -> None:
        """The section has 200 marks, of which 25 percent are asked: 50, printed as 49.99."""
        rule = replace(MERIT_PAPER, sections={self.PHYSICS: QualifyingShares(Decimal(25))})
        section = JudgedSection(Fraction(50), Decimal("49.99"), Fraction(200))
        one = entrant(gs1=replace(score("100"), sections={self.PHYSICS: section}))
        assert only([rule], one).outcome is ExamOutcome.RANKED

    def test_the_maximum_is_that_of_the_key_that_marked_the_sheet(self) -> None:
        """A score that was kept is compared with the maximum of the key before."""
        rule = replace(MERIT_PAPER, sections={self.PHYSICS: QualifyingShares(Decimal(30))})
        people = [
            entrant(gs1=replace(score("100"), sections={self.PHYSICS: judged("30.00", maximum)}))
            for maximum in (100, 110)
        ]
        outcomes = [each.outcome for each in merit([rule], people, {})]
        assert outcomes == [ExamOutcome.RANKED, ExamOutcome.NOT_QUALIFIED]


class TestTieBreaks:
    def test_they_part_equal_totals_in_every_ranking_and_change_no_percentile(self) -> None:
        tied = [
            replace(entrant(category, gs1=score("100")), tie_break=(key,), pwbd=pwbd)
            for category, key, pwbd in (("obc", 2, 1), ("obc", 1, 1), ("general", 0, None), ("obc", 2, 4))
        ]
        best = replace(entrant("obc", gs1=score("101")), tie_break=(9,))
        found = [each.standings for each in merit([MERIT_PAPER], [*tied, best], {}) if each.standings]
        assert [each.overall.rank for each in found] == [4, 3, 2, 4, 1]
        assert [each.overall.percentile for each in found] == [80.0, 80.0, 80.0, 80.0, 100.0]
        assert [each.in_category.rank for each in found] == [3, 2, 1, 3, 1]
        assert [each.in_pwbd.rank if each.in_pwbd else None for each in found] == [2, 1, None, 2, None]


class TestRulesOfPapers:
    """A paper's own rules: the minimum of a section, and too many questions without a mark."""

    @pytest.mark.parametrize(
        ("qualification", "outcome", "rank"),
        [
            (Qualification.QUALIFIED, ExamOutcome.RANKED, 1),
            (Qualification.BELOW_SECTION_MINIMUM, ExamOutcome.NOT_QUALIFIED, 1),
            (Qualification.DISQUALIFIED, ExamOutcome.DISQUALIFIED, None),
        ],
    )
    def test_table(self, qualification: Qualification, outcome: ExamOutcome, rank: int | None) -> None:
        best = entrant(gs1=replace(score("150"), qualification=qualification), csat=score("100"))
        other = entrant(gs1=score("100"), csat=score("100"))
        first, second = merit(PRELIMS, [best, other], {"general": Decimal(98)})
        assert (first.outcome, rank_in(first, GS1)) == (outcome, rank)
        is_ranked = outcome is ExamOutcome.RANKED
        assert (first.qualified, first.standing is not None) == (is_ranked, is_ranked)
        behind = None if is_ranked else NotCleared(outcome)
        assert first.cutoff == Cutoff("general", Decimal(98), behind, () if is_ranked else (GS1,))
        assert rank_in(second, GS1) == (1 if rank is None else 2)

    def test_who_is_disqualified_in_one_paper_is_out_whatever_else_was_missed(self) -> None:
        out = replace(score("100"), qualification=Qualification.DISQUALIFIED)
        assert only([MERIT_PAPER, SECOND_PAPER], entrant(gs1=out)).outcome is ExamOutcome.DISQUALIFIED


thirds = st.integers(-60, 600).map(lambda n: PaperScore(Fraction(n, 3), Decimal(n) / 3))
people = st.lists(
    st.builds(
        lambda category, gs1, csat, has_void, was_staff, pwbd: replace(
            entrant(
                category,
                **{name: given for name, given in (("gs1", gs1), ("csat", csat)) if given is not None},
            ),
            has_void=has_void,
            was_staff=was_staff,
            pwbd=pwbd,
        ),
        st.sampled_from(["general", "obc"]),
        st.none() | thirds,
        st.none() | thirds,
        st.booleans(),
        st.sampled_from([False, False, False, True]),
        st.sampled_from([None, None, 1, 3]),
    ),
    max_size=30,
)


def outcome_by_hand(one: Entrant) -> str:
    """The outcome of an entrant in PRELIMS, as a chain of questions."""
    if one.was_staff:
        return "staff"
    if not one.scores:
        return "void" if one.has_void else "absent"
    if GS1 not in one.scores:
        return "incomplete"
    return "ranked" if CSAT in one.scores and one.scores[CSAT].printed >= 66 else "not_qualified"


def by_upsc(thirds: int) -> PaperScore:
    exact = Fraction(thirds, 3)
    return PaperScore(exact, Decimal(printed(exact, Fraction(1), RoundingPolicy.UPSC)))


class TestCutoffOfSeveralPapers:
    @given(
        st.lists(st.tuples(st.integers(-6, 12), st.integers(7, 9)), min_size=2, max_size=12),
        st.integers(-2, 2),
    )
    def test_whoever_has_as_much_as_somebody_who_clears_it_clears_it(
        self, totals: list[tuple[int, int]], more_cents: int
    ) -> None:
        """Totals of 7/3 to 9/3, in different parts, and a cut-off near the printed total of the first."""
        entrants = [entrant(gs1=by_upsc(part), gs2=by_upsc(total - part)) for part, total in totals]
        printed_total = sum(score.printed for score in entrants[0].scores.values())
        cutoff = printed_total + Decimal(more_cents) / 100
        results = merit([MERIT_PAPER, SECOND_PAPER], entrants, {"general": cutoff})
        cleared = [each.total or 0 for each in results if each.cutoff and each.cutoff.cleared]
        below = [each.total or 0 for each in results if each.cutoff and not each.cutoff.cleared]
        assert len(cleared) + len(below) == len(results)
        assert max(below, default=-1_000) < min(cleared, default=1_000)
        for each in results:
            if each.printed_total is not None and each.printed_total >= cutoff:
                assert each.total in cleared


class TestAgainstANaiveReference:
    @given(people)
    def test_a_rank_is_one_more_than_how_many_are_better(self, entrants: list[Entrant]) -> None:
        results = merit(PRELIMS, entrants, {"general": Decimal(98)})
        ranked = [each for each in entrants if outcome_by_hand(each) == "ranked"]
        for result in results:
            one = result.entrant
            assert result.outcome == outcome_by_hand(one)
            if one.category == "general":
                assert result.cutoff is not None
                assert result.cutoff.cleared == (one in ranked and one.scores[GS1].printed >= 98)
            if one not in ranked:
                assert result.standings is None
                continue
            mine = one.scores[GS1].exact
            better = [other for other in ranked if other.scores[GS1].exact > mine]
            assert result.standings is not None
            assert result.standings.overall.rank == len(better) + 1
            assert result.standings.overall.participants == len(ranked)
            assert result.standings.in_category.rank == sum(o.category == one.category for o in better) + 1
            if one.pwbd is None:
                assert result.standings.in_pwbd is None
            else:
                assert result.standings.in_pwbd is not None
                assert result.standings.in_pwbd.rank == sum(o.pwbd is not None for o in better) + 1
