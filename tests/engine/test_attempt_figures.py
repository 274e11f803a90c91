"""Figures of one attempt: a table by hand, and sums that equal the scorecard for any paper."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.engine.answers import Answer
from app.engine.attempt_figures import (
    AttemptLog,
    Figures,
    MarkedAttempt,
    SubjectSums,
    figures_of,
    sums_by_subject,
)
from app.engine.dropped_keys import DroppedRule
from app.engine.grading import Grader, scorecard_of
from app.engine.marks import RoundingPolicy
from app.engine.partial_rules import PARTIAL_RULES
from app.engine.question_types.choice import Accepted
from app.engine.scoring import Dropped, Item, Marks, PaperKey, SectionRule
from tests.engine.papers import Sheets, by_place, sat_papers

POLITY, HISTORY = UUID(int=1), UUID(int=2)
SECTION = UUID(int=3)
QUESTIONS = [UUID(int=10 + position) for position in range(5)]
AT = datetime(2026, 11, 28, 4, 0, tzinfo=UTC)
UPSC = Marks(Fraction(2), Fraction(-2, 3), Fraction(0))
PARTLY = Marks(Fraction(4), Fraction(-2), Fraction(0), PARTIAL_RULES["jee_advanced"])


def paper() -> PaperKey:
    """Four questions keyed a, one of them with partial marks for a and b, and a dropped one."""
    one, two = Accepted(frozenset([frozenset("a")])), Accepted(frozenset([frozenset("ab")]))
    items = (
        Item(QUESTIONS[0], SECTION, one, UPSC),
        Item(QUESTIONS[1], SECTION, one, UPSC),
        Item(QUESTIONS[2], SECTION, two, PARTLY),
        Item(QUESTIONS[3], SECTION, one, UPSC),
        Item(QUESTIONS[4], SECTION, Dropped(), UPSC),
    )
    return PaperKey(items, (SectionRule(SECTION),), DroppedRule.PRORATE, RoundingPolicy.UPSC)


def figures(answers: list[Answer | None], **log: Any) -> Figures:
    key = paper()
    grader = Grader(key)
    graded = grader.grade(answers)
    marked = MarkedAttempt(answers, graded.outcomes, graded.marks, graded.denominator)
    subjects = [POLITY, HISTORY, POLITY, POLITY, HISTORY]
    return figures_of(key, grader, subjects, marked, AttemptLog(**log))


class TestSums:
    def test_by_subject_in_thirds(self) -> None:
        found = figures(
            [("a",), ("b",), ("a",), None, ("c",)],
            spent_ms=dict(zip(QUESTIONS, [1000, 2000, 3000, 400, 50], strict=True)),
        )
        assert found.denominator == 3
        assert sums_by_subject(found.subject_ids, found.sums) == {
            POLITY: SubjectSums(3, 1, 0, 1, gained=6 + 3, lost=0, most=6 + 12 + 6, spent_ms=4400),
            HISTORY: SubjectSums(1, 0, 1, 0, gained=0, lost=2, most=6, spent_ms=2050),
        }
        assert found.spent_ms == [1000, 2000, 3000, 400, 50]

    @settings(max_examples=40)
    @given(sat_papers(most=2), st.integers(1, 3))
    def test_they_add_up_to_the_scorecard(self, sat: tuple[PaperKey, Sheets], subjects: int) -> None:
        key, sheets = sat
        grader = Grader(key)
        for answers in (by_place(key, sheet) for sheet in sheets):
            graded = grader.grade(answers)
            card = scorecard_of(key, graded.outcomes, graded.marks, graded.denominator)
            marked = MarkedAttempt(answers, graded.outcomes, graded.marks, graded.denominator)
            by_question = [UUID(int=position % subjects) for position in range(len(answers))]
            found = figures_of(key, grader, by_question, marked, AttemptLog())
            total = sum(sums_by_subject(found.subject_ids, found.sums).values(), SubjectSums())
            assert (total.correct, total.incorrect, total.partial) == (
                card.correct,
                card.incorrect,
                card.partial,
            )
            if not card.dropped:
                wanted = [section.choose or len(key.items_of[section.id]) for section in key.sections]
                assert total.questions == sum(wanted)
                assert Fraction(total.most, found.denominator) == key.max_score
            assert total.answered <= total.questions <= len(answers) - card.dropped
            assert Fraction(total.gained, found.denominator) == card.marks_gained
            assert Fraction(total.lost, found.denominator) == card.marks_lost


class TestTimes:
    def test_a_log_without_times_has_none(self) -> None:
        assert figures([("a",)] * 5, spent_ms=dict.fromkeys(QUESTIONS, 0)).spent_ms is None
        assert figures([("a",)] * 5).spent_ms is None

    @pytest.mark.parametrize(
        ("seconds", "order"),
        [
            ({}, [0, 0, 0, 0, 0]),
            ({2: 0}, [0, 0, 1, 0, 0]),
            ({2: 0, 0: 9, 4: 5}, [3, 0, 1, 0, 2]),
            ({0: 7, 1: 7, 3: 1}, [2, 3, 0, 1, 0]),
            ({0: 7, 1: 7, 3: 7}, None),
        ],
        ids=["none", "one", "three", "two by one request", "all at one moment"],
    )
    def test_order_of_first_answers(self, seconds: dict[int, int], order: list[int] | None) -> None:
        first_at = {QUESTIONS[place]: AT + timedelta(seconds=after) for place, after in seconds.items()}
        assert figures([None] * 5, first_at=first_at).answered_order == order


class TestChanges:
    @pytest.mark.parametrize(
        ("position", "first", "standing", "counts", "net"),
        [
            (0, ("a",), ("b",), (1, 0, 0), Fraction(-8, 3)),
            (0, ("b",), ("a",), (0, 1, 0), Fraction(8, 3)),
            (0, ("b",), ("c",), (0, 0, 1), Fraction(0)),
            (0, ("b",), None, (0, 0, 1), Fraction(2, 3)),
            (0, ("a",), None, (1, 0, 0), Fraction(-2)),
            (2, ("c",), ("a",), (0, 1, 0), Fraction(3)),
            (2, ("a",), ("a", "b"), (0, 0, 0), Fraction(3)),
            (2, ("b", "a"), ("a", "b"), (0, 0, 0), Fraction(0)),
            (4, ("a",), ("b",), (0, 0, 0), Fraction(0)),
        ],
        ids=["lost", "gained", "wrong", "left", "given up", "partly", "more", "reordered", "dropped"],
    )
    def test_the_first_answer_by_the_same_key(
        self,
        position: int,
        first: Answer,
        standing: Answer | None,
        counts: tuple[int, int, int],
        net: Fraction,
    ) -> None:
        answers: list[Answer | None] = [("a",)] * 5
        answers[position] = standing
        found = figures(answers, first_answers={QUESTIONS[position]: first})
        assert (found.right_to_wrong, found.wrong_to_right, found.wrong_to_wrong) == counts
        assert Fraction(found.net_marks, found.denominator) == net


def test_confidence_and_language() -> None:
    found = figures(
        [("a",), ("b",), ("a",), None, ("c",)],
        confidence=dict(zip(QUESTIONS, ["sure", "doubtful", "guess", "sure", None], strict=True)),
        languages=dict(zip(QUESTIONS, ["hi", "en", "hi", "en", "hi"], strict=True)),
    )
    assert found.confidence == "sdg--"
    assert found.language == "hi"
    assert figures([None] * 5).language is None
