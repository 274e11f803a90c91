"""The marking schemes of real exams, each as a table of cases. docs/decisions/0046 has their sources."""

from collections.abc import Sequence
from fractions import Fraction
from uuid import UUID

import pytest

from app.engine.answers import Answer
from app.engine.dropped_keys import DroppedRule
from app.engine.grading import Grader
from app.engine.marks import RoundingPolicy, printed
from app.engine.partial_rules import partial_rule
from app.engine.plain_grading import score_paper
from app.engine.qualifying import Qualification
from app.engine.question_types.choice import Accepted
from app.engine.question_types.numeric import NumericKey, RangesKey
from app.engine.scoring import Dropped, Item, Key, Marks, PaperKey, SectionRule, mark_answer

SECTION, OTHER = UUID(int=1001), UUID(int=1002)


def right(*options: str) -> Accepted:
    return Accepted(frozenset([frozenset(options)]))


def paper(
    keys: Sequence[Key],
    marks: Marks,
    *,
    rule: SectionRule | None = None,
    most_unmarked: str | None = None,
    dropped: DroppedRule = DroppedRule.PRORATE,
    rounding: RoundingPolicy = RoundingPolicy.HALF_UP,
) -> PaperKey:
    items = tuple(Item(UUID(int=number), SECTION, key, marks) for number, key in enumerate(keys))
    share = Fraction(most_unmarked) / 100 if most_unmarked else None
    return PaperKey(items, (rule or SectionRule(SECTION),), dropped, rounding, share)


def score(key: PaperKey, answers: Sequence[Answer | None]) -> Fraction:
    return score_paper({UUID(int=number): answer for number, answer in enumerate(answers)}, key).score


A, B, E = ("a",), ("b",), ("e",)


@pytest.mark.parametrize(
    ("scheme", "key", "answer", "earned"),
    [
        pytest.param(("4", "-1"), right("b"), B, "4", id="NEET, JEE Main: right"),
        pytest.param(("4", "-1"), right("b"), A, "-1", id="NEET, JEE Main: wrong"),
        pytest.param(("4", "-1"), NumericKey(Fraction(5), Fraction(0)), "5.0", "4", id="JEE Main: number"),
        pytest.param(("1", "-1/3"), right("b"), A, "-1/3", id="GATE: one mark, wrong"),
        pytest.param(("2", "-2/3"), right("b"), A, "-2/3", id="GATE: two marks, wrong"),
        pytest.param(("2", "0"), right("a", "c"), A, "0", id="GATE: several options, a part"),
        pytest.param(
            ("2", "0"),
            RangesKey(frozenset([(Fraction("3.1"), Fraction("3.2")), (Fraction(7), Fraction(7))])),
            "3.15",
            "2",
            id="GATE: number in one of two ranges",
        ),
        pytest.param(("3", "-1"), right("b"), A, "-1", id="CAT: choice, wrong"),
        pytest.param(("3", "0"), NumericKey(Fraction(5), Fraction(0)), "6", "0", id="CAT: typed, wrong"),
        pytest.param(("2.5", "-5/6"), right("b"), A, "-5/6", id="CSAT: wrong"),
        pytest.param(("1", "-1/4"), right("b"), ("a", "b"), "-1/4", id="State PSC: two marked"),
    ],
)
def test_one_answer(scheme: tuple[str, str], key: Key, answer: Answer, earned: str) -> None:
    marks = Marks(Fraction(scheme[0]), Fraction(scheme[1]), Fraction(0))
    assert mark_answer(key, answer, marks).earned == Fraction(earned)


class TestJeeAdvanced:
    """One or more correct options: +4, +3, +2, +1, 0 or -2."""

    MARKS = Marks(Fraction(4), Fraction(-2), Fraction(0), partial_rule("jee_advanced"))

    @pytest.mark.parametrize(
        ("correct", "chosen", "earned"),
        [
            ("abcd", "abcd", 4),
            ("abcd", "abc", 3),
            ("abcd", "bd", 2),
            ("abcd", "d", 1),
            ("abc", "abc", 4),
            ("abc", "ac", 2),
            ("abc", "b", 1),
            ("abc", "abd", -2),
            ("abc", "abcd", -2),
            ("ab", "ab", 4),
            ("ab", "a", 1),
            ("ab", "ac", -2),
            ("ab", "c", -2),
            ("a", "a", 4),
            ("a", "b", -2),
            ("a", "ab", -2),
            ("abc", "", 0),
        ],
    )
    def test_cases(self, correct: str, chosen: str, earned: int) -> None:
        assert mark_answer(right(*correct), tuple(chosen), self.MARKS).earned == earned


class TestRpsc:
    """A fifth option "question not attempted": a third is lost for a wrong answer and for no mark at all."""

    MARKS = Marks(Fraction(1), Fraction(-1, 3), Fraction(-1, 3), not_attempted="e")

    @pytest.mark.parametrize(
        ("answer", "outcome", "earned"),
        [
            pytest.param(B, "correct", "1", id="right"),
            pytest.param(A, "incorrect", "-1/3", id="wrong"),
            pytest.param(E, "unattempted", "0", id="not attempted"),
            pytest.param(None, "unattempted", "-1/3", id="no mark"),
            pytest.param(("b", "e"), "incorrect", "-1/3", id="right and not attempted"),
        ],
    )
    def test_one_answer(self, answer: Answer | None, outcome: str, earned: str) -> None:
        mark = mark_answer(right("b"), answer, self.MARKS)
        assert (mark.outcome, mark.earned) == (outcome, Fraction(earned))

    @pytest.mark.parametrize(
        ("unmarked", "qualification"),
        [
            (0, Qualification.QUALIFIED),
            (15, Qualification.QUALIFIED),
            (16, Qualification.DISQUALIFIED),
            (150, Qualification.DISQUALIFIED),
        ],
    )
    def test_more_than_a_tenth_without_a_mark_disqualifies(
        self, unmarked: int, qualification: Qualification
    ) -> None:
        key = paper([right("b")] * 150, self.MARKS, most_unmarked="10")
        answers = [None] * unmarked + [E] * (150 - unmarked)
        assert Grader(key).grade(answers).qualification is qualification

    def test_a_dropped_question_is_one_that_was_asked(self) -> None:
        key = paper([right("b")] * 9 + [Dropped()], self.MARKS, most_unmarked="10")
        assert Grader(key).grade([B] * 9 + [None]).qualification is Qualification.QUALIFIED
        assert Grader(key).grade([B] * 8 + [None] * 2).qualification is Qualification.DISQUALIFIED

    def test_a_section_with_a_choice_asks_for_so_many(self) -> None:
        key = paper([right("b")] * 4, self.MARKS, rule=SectionRule(SECTION, choose=2), most_unmarked="10")
        assert Grader(key).grade([B, None, E, None]).qualification is Qualification.QUALIFIED
        assert Grader(key).grade([B, None, None, None]).qualification is Qualification.DISQUALIFIED

    def test_of_a_choice_the_questions_not_attempted_count_before_blanks(self) -> None:
        key = paper([right("b")] * 4, self.MARKS, rule=SectionRule(SECTION, choose=2))
        assert score(key, [None, B, None, E]) == 1
        assert score(key, [None, B, None, None]) == 1 - Fraction(1, 3)

    def test_not_attempted_is_no_attempt_at_a_dropped_question(self) -> None:
        key = paper([Dropped(), right("b")], self.MARKS, dropped=DroppedRule.MARKS_TO_ATTEMPTED)
        assert score(key, [E, B]) == 1
        assert score(key, [A, B]) == 2


class TestSectionMinimum:
    """A section whose printed score is below its minimum does not qualify."""

    @pytest.mark.parametrize(
        ("minimum", "answers", "qualification"),
        [
            pytest.param("2", [B, None, None], Qualification.QUALIFIED, id="just reached"),
            pytest.param("2", [None, None, None], Qualification.BELOW_SECTION_MINIMUM, id="blank"),
            pytest.param("1.34", [B, A, None], Qualification.QUALIFIED, id="as it is printed"),
            pytest.param("1.35", [B, A, None], Qualification.BELOW_SECTION_MINIMUM, id="a hundredth more"),
        ],
    )
    def test_cases(self, minimum: str, answers: list[Answer | None], qualification: Qualification) -> None:
        marks = Marks(Fraction(2), Fraction(-2, 3), Fraction(0))
        rule = SectionRule(SECTION, minimum=Fraction(minimum))
        key = paper([right("b")] * 3, marks, rule=rule, rounding=RoundingPolicy.UPSC)
        assert Grader(key).grade(answers).qualification is qualification

    def test_whoever_has_exactly_the_minimum_reaches_it_however_it_is_printed(self) -> None:
        """34 right and 2 wrong answers make 200/3, which `upsc` prints as 66.66."""
        marks = Marks(Fraction(2), Fraction(-2, 3), Fraction(0))
        rule = SectionRule(SECTION, minimum=Fraction(200, 3))
        key = paper([right("b")] * 100, marks, rule=rule, rounding=RoundingPolicy.UPSC)
        reached = Grader(key).grade([B] * 34 + [A] * 2 + [None] * 64)
        assert (reached.score, reached.qualification) == (Fraction(200, 3), Qualification.QUALIFIED)
        below = Grader(key).grade([B] * 34 + [A] * 3 + [None] * 63)
        assert below.qualification is Qualification.BELOW_SECTION_MINIMUM

    def test_each_section_has_its_own(self) -> None:
        marks = Marks(Fraction(1), Fraction(0), Fraction(0))
        items = [
            Item(UUID(int=number), section, right("b"), marks)
            for number, section in enumerate((SECTION, SECTION, OTHER, OTHER))
        ]
        rules = (SectionRule(SECTION, minimum=Fraction(1)), SectionRule(OTHER, minimum=Fraction(2)))
        key = PaperKey(tuple(items), rules, DroppedRule.PRORATE, RoundingPolicy.HALF_UP)
        assert Grader(key).grade([B, None, B, B]).qualification is Qualification.QUALIFIED
        assert Grader(key).grade([B, B, B, None]).qualification is Qualification.BELOW_SECTION_MINIMUM

    @pytest.mark.parametrize(
        ("dropped", "minimum", "answers", "qualification"),
        [
            pytest.param({2, 3}, "0", "bb  ", Qualification.QUALIFIED, id="all of the section dropped"),
            pytest.param({3}, "2/3", "  b ", Qualification.QUALIFIED, id="half of it dropped"),
            pytest.param({3}, "2/3", "bb  ", Qualification.BELOW_SECTION_MINIMUM, id="and none right"),
            pytest.param({0, 1}, "2", "bbb ", Qualification.QUALIFIED, id="the other section dropped"),
            pytest.param({0, 1}, "2", "bb  ", Qualification.BELOW_SECTION_MINIMUM, id="and none right"),
        ],
    )
    def test_proration_changes_it_like_the_maximum(
        self, dropped: set[int], minimum: str, answers: str, qualification: Qualification
    ) -> None:
        """Two sections of two questions of one mark. The second one has a minimum of one mark."""
        marks = Marks(Fraction(1), Fraction(0), Fraction(0))
        items = tuple(
            Item(UUID(int=number), section, Dropped() if number in dropped else right("b"), marks)
            for number, section in enumerate((SECTION, SECTION, OTHER, OTHER))
        )
        rules = (SectionRule(SECTION), SectionRule(OTHER, minimum=Fraction(1)))
        key = PaperKey(items, rules, DroppedRule.PRORATE, RoundingPolicy.HALF_UP)
        assert key.minimum_of == {OTHER: Fraction(minimum)}
        given = [(answer,) if answer != " " else None for answer in answers]
        assert Grader(key).grade(given).qualification is qualification

    @pytest.mark.parametrize("rule", [DroppedRule.FULL_MARKS_TO_ALL, DroppedRule.MARKS_TO_ATTEMPTED])
    def test_other_rules_for_dropped_questions_leave_it(self, rule: DroppedRule) -> None:
        marks = Marks(Fraction(1), Fraction(0), Fraction(0))
        key = paper([Dropped(rule), right("b")], marks, rule=SectionRule(SECTION, minimum=Fraction(1)))
        assert key.minimum_of == {SECTION: 1}


class TestCsat:
    """Qualifying at a third: the printed score of a whole paper."""

    def test_twenty_seven_right_and_one_wrong_are_two_hundred_thirds(self) -> None:
        marks = Marks(Fraction(5, 2), Fraction(-5, 6), Fraction(0))
        key = paper([right("b")] * 80, marks, rounding=RoundingPolicy.UPSC)
        card = score_paper({UUID(int=n): B if n < 27 else A for n in range(28)}, key)
        assert (card.raw, printed(card.raw, card.factor, RoundingPolicy.UPSC)) == (Fraction(200, 3), "66.66")
