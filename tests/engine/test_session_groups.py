"""Session groups in the results of an exam: one paper of each group, on one scale."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID, uuid4

import pytest

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
from app.engine.normalization import NORMALIZATION_METHODS, NormalizationUndefined
from app.engine.qualifying import Qualification
from app.engine.qualifying_shares import QualifyingShares
from app.engine.session_groups import ScaledGroup, SessionGroup, in_decimals, merit_of_sessions, scaled

MORNING, EVENING, CSAT = UUID(int=1), UUID(int=2), UUID(int=3)
SHIFTS = [
    ExamPaperRule(paper, counts_for_merit=True, max_score=Fraction(200)) for paper in (MORNING, EVENING)
]
WITH_SHARE = [
    ExamPaperRule(paper, counts_for_merit=True, max_score=Fraction(200), shares=QualifyingShares(Decimal(33)))
    for paper in (MORNING, EVENING)
]
LANGUAGE = ExamPaperRule(CSAT, counts_for_merit=True, max_score=Fraction(200))


def score(marks: str, **more: object) -> PaperScore:
    return PaperScore(Fraction(marks), Decimal(marks), **more)  # type: ignore[arg-type]


def entrant(**scores: PaperScore | str) -> Entrant:
    papers = {"morning": MORNING, "evening": EVENING, "csat": CSAT}
    given = {name: score(each) if isinstance(each, str) else each for name, each in scores.items()}
    return Entrant(uuid4(), "general", {papers[name]: each for name, each in given.items()})


def results(
    entrants: Sequence[Entrant],
    method: str | None = "nta_percentile",
    rules: Sequence[ExamPaperRule] = SHIFTS,
    **cutoffs: str,
) -> list[MeritResult]:
    chosen = NORMALIZATION_METHODS[method] if method else None
    group = scaled(SessionGroup((MORNING, EVENING), chosen), entrants)
    needed = {category: Decimal(marks) for category, marks in cutoffs.items()}
    return merit_of_sessions([group], rules, entrants, lambda papers, all_: merit(papers, all_, needed))


def ranks(found: Sequence[MeritResult]) -> list[int | None]:
    return [each.standing.rank if each.standing else None for each in found]


EASY_AND_HARD = [
    entrant(morning="150"),
    entrant(morning="120"),
    entrant(evening="90"),
    entrant(evening="60"),
]
"""The evening's paper is more difficult: its best has fewer marks than the worst of the morning."""


class TestMeritOfSessions:
    def test_ranks_by_the_common_scale(self) -> None:
        found = results(EASY_AND_HARD)
        assert ranks(found) == [1, 3, 1, 3]
        assert [str(each.printed_total) for each in found] == [
            "100.0000000",
            "50.0000000",
            "100.0000000",
            "50.0000000",
        ]
        assert [each.total for each in found] == [100, 50, 100, 50]

    def test_shows_the_marks_and_the_normalized_score_of_the_paper_that_was_sat(self) -> None:
        found = results(EASY_AND_HARD)[2]
        assert list(found.papers) == [EVENING]
        paper = found.papers[EVENING]
        assert (paper.score.printed, str(paper.score.normalized)) == (Decimal(90), "100.0000000")
        assert paper.standing is not None
        assert (paper.standing.rank, paper.standing.participants) == (1, 2)
        assert found.entrant == EASY_AND_HARD[2]

    def test_without_a_method_compares_marks(self) -> None:
        found = results(EASY_AND_HARD, None)
        assert ranks(found) == [1, 2, 3, 4]
        assert found[0].papers[MORNING].score.normalized is None

    def test_adds_other_papers(self) -> None:
        found = results(
            [entrant(morning="100", csat="20"), entrant(evening="10", csat="30")],
            "equipercentile",
            [*SHIFTS, LANGUAGE],
        )
        assert [each.total for each in found] == [75, 85]
        assert str(found[0].printed_total) == "75.00000"

    def test_qualifying_marks_are_those_of_the_paper(self) -> None:
        """33 % of 200 are 66, by the marks of the paper; the percentile of the second would be 100."""
        found = results([entrant(morning="66"), entrant(evening="65")], rules=WITH_SHARE, general="10")
        assert [each.outcome for each in found] == [ExamOutcome.RANKED, ExamOutcome.NOT_QUALIFIED]
        assert [found[0].papers[MORNING].qualified, found[1].papers[EVENING].qualified] == [True, False]
        assert found[1].cutoff == Cutoff("general", Decimal(10), NotCleared.NOT_QUALIFIED, (EVENING,))

    def test_who_sat_none_has_missed_the_group(self) -> None:
        absent, incomplete = entrant(), entrant(csat="20")
        found = results([*EASY_AND_HARD, absent, incomplete], rules=[*SHIFTS, LANGUAGE], general="10")
        assert [each.outcome for each in found[-2:]] == [ExamOutcome.ABSENT, ExamOutcome.INCOMPLETE]
        assert found[-1].cutoff == Cutoff("general", Decimal(10), NotCleared.INCOMPLETE, (MORNING, EVENING))

    def test_of_two_papers_the_first_counts(self) -> None:
        """A start of the second one is refused; if there are two all the same, the outcome is defined."""
        found = results([entrant(morning="10", evening="90"), entrant(evening="50")])
        assert list(found[0].papers) == [MORNING]
        assert [each.total for each in found] == [100, 100]

    @pytest.mark.parametrize(
        "left_out", [{"practice": True}, {"qualification": Qualification.DISQUALIFIED}], ids=str
    )
    def test_whoever_is_not_ranked_has_no_influence(self, left_out: dict[str, object]) -> None:
        best = entrant(evening=score("200", **left_out))
        found = results([*EASY_AND_HARD, best])
        assert ranks(found)[:4] == ranks(results(EASY_AND_HARD))
        assert found[-1].papers[EVENING].score.normalized is None

    def test_a_group_that_does_not_count_for_merit_only_qualifies(self) -> None:
        rules = [replace(rule, counts_for_merit=False) for rule in WITH_SHARE]
        found = results(
            [entrant(morning="66", csat="5"), entrant(evening="65", csat="9"), entrant(csat="9")],
            rules=[*rules, LANGUAGE],
        )
        assert ranks(found) == [1, None, None]
        assert found[0].total == 5

    @pytest.mark.parametrize(
        "asked",
        [
            [{"has_minimum": True}] * 2,
            [{}, {"has_minimum": True}],
            [{"sections": {UUID(int=place): QualifyingShares(Decimal(30))}} for place in (11, 12)],
        ],
        ids=["minimum", "minimum of one session", "sections"],
    )
    def test_whoever_sat_one_session_has_not_missed_the_others(self, asked: list[dict[str, Any]]) -> None:
        rules = [
            ExamPaperRule(paper, counts_for_merit=False, max_score=Fraction(200), **more)
            for paper, more in zip((MORNING, EVENING), asked, strict=True)
        ]
        sections = [
            dict.fromkeys(more.get("sections", ()), JudgedSection(Fraction(30), Decimal(30), Fraction(100)))
            for more in asked
        ]
        found = results(
            [
                entrant(morning=score("66", sections=sections[0]), csat="5"),
                entrant(evening=score("66", sections=sections[1]), csat="9"),
                entrant(csat="9"),
            ],
            rules=[*rules, LANGUAGE],
            general="1",
        )
        assert ranks(found) == [2, 1, None]
        assert [each.qualified for each in found] == [True, True, False]
        assert found[2].cutoff == Cutoff("general", Decimal(1), NotCleared.NOT_QUALIFIED, (MORNING, EVENING))


class TestScaled:
    def test_says_of_which_paper_the_marks_have_no_scale(self) -> None:
        with pytest.raises(NormalizationUndefined) as error:
            results([*(entrant(morning=str(mark)) for mark in (1, 2, 9)), entrant(evening="5")], "ssc_2019")
        assert error.value.session == 1

    def test_without_a_method_there_are_no_scales(self) -> None:
        group = SessionGroup((MORNING, EVENING))
        assert scaled(group, EASY_AND_HARD) == ScaledGroup(group, {})


class TestInDecimals:
    @pytest.mark.parametrize(
        ("value", "places", "expected"),
        [("1/2", 5, "0.50000"), ("-7/4", 2, "-1.75"), ("100", 7, "100.0000000"), ("0", 2, "0.00")],
    )
    def test_has_all_places(self, value: str, places: int, expected: str) -> None:
        assert str(in_decimals(Fraction(value), places)) == expected
