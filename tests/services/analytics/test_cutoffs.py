"""The probability of clearing UPSC's cut-offs, from graded papers."""

from dataclasses import replace
from fractions import Fraction
from uuid import UUID, uuid4

import pytest

from app.engine.dropped_keys import DroppedRule
from app.engine.marks import RoundingPolicy
from app.engine.question_types import question_type
from app.engine.scoring import Dropped, Item, Marks, PaperKey, SectionRule
from app.services.analytics.cutoffs import MIN_ANSWERS, CutoffChance, ItemCurve, TakenPaper, cutoff_chances

SECTION = UUID(int=1)
KEY = question_type("single_choice").answer_key({"accepted": [["a"]]})
UPSC = Marks(Fraction(2), Fraction(-2, 3), Fraction(0))


def paper_of(questions: int = 100, marks: Marks = UPSC, dropped: int = 0) -> PaperKey:
    items = [
        Item(uuid4(), SECTION, Dropped() if number < dropped else KEY, marks) for number in range(questions)
    ]
    return PaperKey(tuple(items), (SectionRule(SECTION),), DroppedRule.PRORATE, RoundingPolicy.UPSC)


def taken(right: int, wrong: int, key: PaperKey | None = None) -> TakenPaper:
    key = key or paper_of()
    return TakenPaper(key, ("c" * right + "i" * wrong).ljust(len(key.items), "u"))


def interval(chance: CutoffChance) -> tuple[float, float, float]:
    """Low, probability and high of a chance that is known."""
    assert chance.low is not None
    assert chance.probability is not None
    assert chance.high is not None
    return chance.low, chance.probability, chance.high


async def test_a_strong_paper_clears_and_a_weak_one_does_not() -> None:
    """70 right and 20 wrong earn 126.67 marks, 40 right and 40 wrong 53.33."""
    strong, weak = [await cutoff_chances("general", [taken(*each)]) for each in ((70, 20), (40, 40))]
    assert [each.year for each in strong] == list(range(2025, 2017, -1))
    assert (strong[0].marks, strong[0].category, strong[0].n) == ("92.66", "general", 90)
    assert strong[0].source == "UPSC, cut-off marks of the Civil Services Examination 2025"
    for high, low in zip(strong, weak, strict=True):
        assert 0.7 < interval(high)[0] <= interval(high)[1] <= interval(high)[2] <= 1
        assert interval(low)[1] < 0.1
        assert high.reason is None


async def test_several_papers_narrow_the_interval_and_the_latest_is_asked_about() -> None:
    """Two of the three papers are the same; the last one has fewer answers, so that it can earn less."""
    one = await cutoff_chances("obc", [taken(54, 26)])
    three = await cutoff_chances("obc", [taken(54, 26), taken(54, 26), taken(54, 26)])
    few = await cutoff_chances("obc", [taken(54, 26), taken(27, 13)])
    assert (one[0].n, three[0].n, few[0].n) == (80, 240, 120)
    wide, narrow = interval(one[0]), interval(three[0])
    assert narrow[2] - narrow[0] < wide[2] - wide[0]
    assert few[0].probability == pytest.approx(0, abs=1e-3)


async def test_harder_questions_show_more_ability() -> None:
    """Of two papers with equal answers, the latest one has easier questions."""
    before, latest = taken(50, 30), taken(50, 30)
    curves = {question_id: ItemCurve(1, 1) for question_id, _ in before.answers}
    curves |= {question_id: ItemCurve(1, 0) for question_id, _ in latest.answers}
    known, unknown = [(await cutoff_chances("general", [before, latest], each))[0] for each in (curves, None)]
    assert interval(known)[1] > interval(unknown)[1] + 0.05


async def test_ews_has_no_cutoff_in_2018() -> None:
    found = (await cutoff_chances("ews", [taken(70, 20)]))[-1]
    assert (found.year, found.marks, found.probability) == (2018, None, None)
    assert found.reason == "There was no cut-off of this category in 2018."


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(paper_of(99), id="99 questions"),
        pytest.param(paper_of(80, Marks(Fraction("5/2"), Fraction("-5/6"), Fraction(0))), id="CSAT"),
        pytest.param(paper_of(marks=replace(UPSC, incorrect=Fraction(0))), id="no negative marks"),
        pytest.param(replace(paper_of(), dropped=DroppedRule.FULL_MARKS_TO_ALL), id="full marks to all"),
        pytest.param(replace(paper_of(), sections=(SectionRule(SECTION, choose=90),)), id="a choice"),
    ],
)
async def test_other_scales_have_no_probability(key: PaperKey) -> None:
    found = await cutoff_chances("general", [taken(50, 20, key)])
    assert {each.probability for each in found} == {None}
    assert (found[0].n, found[0].marks) == (0, "92.66")
    assert "marked as General Studies Paper I" in (found[0].reason or "")


async def test_too_few_answers() -> None:
    found = await cutoff_chances("sc", [taken(MIN_ANSWERS - 1, 0)])
    assert {each.probability for each in found} == {None}
    assert found[0].reason == "This needs 30 answers to such papers. You have given 29."


async def test_dropped_questions_stretch_the_score() -> None:
    """40 right and 20 wrong answers earn 66.67 marks, and 83.33 if 20 other questions are dropped."""
    answers = "c" * 40 + "i" * 20
    whole = TakenPaper(paper_of(), answers + "u" * 40)
    stretched = TakenPaper(paper_of(dropped=20), "d" * 20 + answers + "u" * 20)
    plain, more = [(await cutoff_chances("st", [each]))[0] for each in (whole, stretched)]
    assert interval(more)[1] > interval(plain)[1] + 0.1
