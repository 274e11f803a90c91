"""Grading many sheets equals the plain rule with fractions, sheet by graded."""

from collections.abc import Mapping
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given

from app.engine import grading
from app.engine.answers import Answer
from app.engine.dropped_keys import DroppedRule
from app.engine.grading import LETTERS, GradedAttempt, Grader, scorecard_of
from app.engine.marks import RoundingPolicy
from app.engine.plain_grading import score_paper
from app.engine.qualifying import qualification
from app.engine.question_types.choice import Accepted
from app.engine.scoring import Item, Marks, PaperKey, SectionRule
from tests.engine.papers import Sheets, by_place, sat_papers


def expected(key: PaperKey, answers: Mapping[UUID, Answer | None]) -> tuple[object, ...]:
    """What the plain rule says of a graded."""
    card = score_paper(answers, key)
    letters = "".join(LETTERS[item.outcome] for item in card.items)
    raw_of = {section.section_id: section.raw for section in card.sections}
    qualifies = qualification(key, answers, raw_of)
    return letters, [item.marks for item in card.items], card.raw, card.score, qualifies


def got(graded: GradedAttempt) -> tuple[object, ...]:
    marks = [Fraction(part, graded.denominator) for part in graded.marks]
    return graded.outcomes, marks, graded.raw, graded.score, graded.qualification


class TestGrade:
    @given(sat_papers())
    def test_equals_the_plain_rule(self, sat: tuple[PaperKey, Sheets]) -> None:
        key, sheets = sat
        grader = Grader(key)
        for answers in sheets * 2:
            assert got(grader.grade(by_place(key, answers))) == expected(key, answers)

    @given(sat_papers())
    def test_does_not_depend_on_what_was_marked_before(self, sat: tuple[PaperKey, Sheets]) -> None:
        key, sheets = sat
        grader = Grader(key)
        for answers in sheets:
            assert grader.grade(by_place(key, answers)) == Grader(key).grade(by_place(key, answers))

    def test_remembers_a_bounded_number_of_answers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(grading, "_MAX_REMEMBERED_ANSWERS", 3)
        key = paper_of([Accepted(frozenset([frozenset("a")]))] * 2)
        grader = Grader(key)
        for number in range(20):
            answers = (str(number), "a") if number % 2 else ("b",), ("a",)
            graded = grader.grade(answers)
            assert (graded.outcomes, list(graded.marks), graded.denominator) == ("ic", [-2, 6], 3)
        assert max(len(known) for known in grader._remembered) <= 3

    def test_a_sheet_of_another_length_is_refused(self) -> None:
        with pytest.raises(ValueError, match="shorter"):
            Grader(paper_of([Accepted(frozenset([frozenset("a")]))] * 2)).grade([None])


class TestScorecardOf:
    @given(sat_papers())
    def test_equals_the_plain_rule(self, sat: tuple[PaperKey, Sheets]) -> None:
        key, sheets = sat
        for answers in sheets:
            graded = Grader(key).grade(by_place(key, answers))
            card = scorecard_of(key, graded.outcomes, graded.marks, graded.denominator)
            assert card == score_paper(answers, key)


def paper_of(keys: list[Accepted]) -> PaperKey:
    """A paper of one section, marked as UPSC does."""
    section = UUID(int=1000)
    marks = Marks(Fraction(2), Fraction(-2, 3), Fraction(0))
    items = tuple(Item(UUID(int=number), section, key, marks) for number, key in enumerate(keys))
    return PaperKey(items, (SectionRule(section),), DroppedRule.PRORATE, RoundingPolicy.UPSC)
