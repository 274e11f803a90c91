"""The rules of marking, each as a table of cases."""

from collections.abc import Iterable
from fractions import Fraction
from uuid import UUID

import pytest

from app.engine.answers import Answer
from app.engine.dropped_keys import DroppedRule
from app.engine.marks import RoundingPolicy, printed
from app.engine.partial_rules import partial_rule
from app.engine.plain_grading import score_paper
from app.engine.question_types.choice import Accepted
from app.engine.question_types.numeric import NumericKey
from app.engine.scoring import (
    AllDropped,
    Dropped,
    Item,
    Key,
    Marks,
    Outcome,
    PaperKey,
    Scorecard,
    SectionRule,
)
from app.engine.typed_numbers import parse_number

SECTION, OTHER = UUID(int=1001), UUID(int=1002)
UPSC_MARKS = Marks(Fraction(2), Fraction(-2, 3), Fraction(0))
PRORATE, TO_ALL, TO_ATTEMPTED = DroppedRule

A, B = ("a",), ("b",)


def accepted(*answers: str) -> Accepted:
    """`accepted("b", "cd")`: either b, or exactly c and d."""
    return Accepted(frozenset(frozenset(answer) for answer in answers))


def paper(
    keys: Iterable[Key],
    marks: Marks = UPSC_MARKS,
    *,
    dropped: DroppedRule = PRORATE,
    choose: int | None = None,
) -> PaperKey:
    """A paper of one section; its questions have the ids 0, 1, 2, …"""
    items = tuple(Item(UUID(int=n), SECTION, key, marks) for n, key in enumerate(keys))
    return PaperKey(items, (SectionRule(SECTION, choose),), dropped, RoundingPolicy.UPSC)


def answered(*answers: Answer | None) -> dict[UUID, Answer | None]:
    return {UUID(int=n): answer for n, answer in enumerate(answers)}


def outcomes(card: Scorecard) -> str:
    """One letter a question: c, i, p, u or d."""
    return "".join(item.outcome[0] for item in card.items)


def printed_score(card: Scorecard) -> str:
    return printed(card.raw, card.factor, RoundingPolicy.UPSC)


class TestChoiceQuestions:
    @pytest.mark.parametrize(
        ("key", "answer", "outcome", "marks"),
        [
            pytest.param("b", B, Outcome.CORRECT, "2", id="right"),
            pytest.param("b", A, Outcome.INCORRECT, "-2/3", id="wrong"),
            pytest.param("b", None, Outcome.UNATTEMPTED, "0", id="cleared"),
            pytest.param("b", (), Outcome.UNATTEMPTED, "0", id="nothing marked"),
            pytest.param("b", ("a", "b"), Outcome.INCORRECT, "-2/3", id="two marked, one of them right"),
            pytest.param("b", ("b", "b"), Outcome.CORRECT, "2", id="the same option twice"),
            pytest.param("b c", ("c",), Outcome.CORRECT, "2", id="either of two"),
            pytest.param("b c", ("b", "c"), Outcome.INCORRECT, "-2/3", id="both of either"),
            pytest.param("bd", ("d", "b"), Outcome.CORRECT, "2", id="exactly both, in any order"),
            pytest.param("bd", B, Outcome.INCORRECT, "-2/3", id="half of both, without partial marks"),
            pytest.param("bd", ("b", "c", "d"), Outcome.INCORRECT, "-2/3", id="both and one too many"),
            pytest.param("b", "b", Outcome.INCORRECT, "-2/3", id="an answer of the other shape"),
        ],
    )
    def test_cases(self, key: str, answer: Answer | None, outcome: Outcome, marks: str) -> None:
        (item,) = score_paper(answered(answer), paper([accepted(*key.split())])).items
        assert (item.outcome, item.marks) == (outcome, Fraction(marks))

    @pytest.mark.parametrize(
        ("key", "answer", "outcome", "marks"),
        [
            pytest.param("abc", ("a", "b", "c"), Outcome.CORRECT, "4", id="all"),
            pytest.param("abc", ("a", "c"), Outcome.PARTIAL, "8/3", id="two of three"),
            pytest.param("abc", A, Outcome.PARTIAL, "4/3", id="one of three"),
            pytest.param("abc", ("a", "d"), Outcome.INCORRECT, "-2", id="one right, one wrong"),
            pytest.param("abc", ("a", "b", "c", "d"), Outcome.INCORRECT, "-2", id="all and one wrong"),
            pytest.param("abc", None, Outcome.UNATTEMPTED, "0", id="blank"),
            pytest.param("abc ad", A, Outcome.PARTIAL, "2", id="the best of two accepted sets"),
            pytest.param("abc ad", ("c", "d"), Outcome.INCORRECT, "-2", id="right in no single set"),
            pytest.param("b c", ("b", "c"), Outcome.INCORRECT, "-2", id="both of either"),
        ],
    )
    def test_proportional_marks(self, key: str, answer: Answer | None, outcome: Outcome, marks: str) -> None:
        scheme = Marks(Fraction(4), Fraction(-2), Fraction(0), partial_rule("proportional"))
        (item,) = score_paper(answered(answer), paper([accepted(*key.split())], scheme)).items
        assert (item.outcome, item.marks) == (outcome, Fraction(marks))

    def test_blanks_can_cost(self) -> None:
        card = score_paper({}, paper([accepted("b")], Marks(Fraction(1), Fraction(-1), Fraction(-1, 4))))
        assert (card.raw, card.marks_lost, card.unattempted) == (Fraction(-1, 4), Fraction(1, 4), 1)

    def test_answers_to_other_questions_are_ignored(self) -> None:
        assert score_paper({UUID(int=77): B}, paper([accepted("b")])).unattempted == 1


class TestNumericQuestions:
    @pytest.mark.parametrize(
        ("answer", "outcome"),
        [
            ("3.14", Outcome.CORRECT),
            ("3.15", Outcome.CORRECT),
            ("3.13", Outcome.CORRECT),
            ("3.1500001", Outcome.INCORRECT),
            ("3.1299999", Outcome.INCORRECT),
            ("22/7", Outcome.CORRECT),
            ("-3.14", Outcome.INCORRECT),
            ("", Outcome.UNATTEMPTED),
            ("about 3", Outcome.INCORRECT),
            (("3.14",), Outcome.INCORRECT),
        ],
    )
    def test_cases(self, answer: Answer, outcome: Outcome) -> None:
        key = NumericKey(parse_number("3.14"), parse_number("0.01"))
        assert score_paper(answered(answer), paper([key])).items[0].outcome is outcome

    def test_zero_tolerance_means_equal(self) -> None:
        key = NumericKey(Fraction(1, 3), Fraction(0))
        card = score_paper(answered("1/3", "0.3333"), paper([key, key]))
        assert outcomes(card) == "ci"


class TestDroppedQuestions:
    KEYS = (accepted("a"), accepted("a"), Dropped(), accepted("a"))

    @pytest.mark.parametrize(
        ("rule", "answers", "raw", "factor", "score"),
        [
            pytest.param(PRORATE, (A, A, A, A), "6", "4/3", "8", id="all right is the maximum"),
            pytest.param(PRORATE, (A, A, None, B), "10/3", "4/3", "40/9", id="blank or not is the same"),
            pytest.param(PRORATE, (A, A, B, B), "10/3", "4/3", "40/9", id="for a dropped question"),
            pytest.param(PRORATE, (B, B, B, B), "-2", "4/3", "-8/3", id="lost marks are stretched too"),
            pytest.param(TO_ALL, (A, A, A, A), "8", "1", "8", id="to all: answered"),
            pytest.param(TO_ALL, (A, A, None, A), "8", "1", "8", id="to all: blank"),
            pytest.param(TO_ALL, (None, None, None, None), "2", "1", "2", id="to all: an empty sheet"),
            pytest.param(TO_ATTEMPTED, (A, A, B, A), "8", "1", "8", id="to attempted: answered"),
            pytest.param(TO_ATTEMPTED, (A, A, None, A), "6", "1", "6", id="to attempted: blank"),
        ],
    )
    def test_cases(
        self, rule: DroppedRule, answers: tuple[Answer | None, ...], raw: str, factor: str, score: str
    ) -> None:
        card = score_paper(answered(*answers), paper(self.KEYS, dropped=rule))
        assert (card.raw, card.factor, card.score) == (Fraction(raw), Fraction(factor), Fraction(score))
        assert card.max_score == 8
        assert card.dropped == 1
        assert card.items[2].outcome is Outcome.DROPPED

    def test_the_factor_follows_the_marks_and_not_the_number_of_questions(self) -> None:
        heavy, light = (Item(UUID(int=n), SECTION, accepted("a"), self.worth(n)) for n in (9, 1))
        dropped = Item(UUID(int=2), SECTION, Dropped(), self.worth(2))
        key = PaperKey((heavy, light, dropped), (SectionRule(SECTION),), PRORATE, RoundingPolicy.UPSC)
        assert key.factor == Fraction(12, 10)

    @pytest.mark.parametrize(
        ("answers", "raw", "factor", "score"),
        [
            pytest.param((A, A, A, A, A), "8", "5/4", "10", id="all right is the maximum"),
            pytest.param((A, None, None, None, A), "6", "5/4", "15/2", id="blank earns by one rule only"),
            pytest.param((A, B, B, B, B), "16/3", "5/4", "20/3", id="a wrong answer earns by both NTA rules"),
            pytest.param((None,) * 5, "2", "5/4", "5/2", id="an empty sheet has the marks given to all"),
        ],
    )
    @pytest.mark.parametrize("scheme", DroppedRule)
    def test_each_question_may_have_a_rule_of_its_own(
        self,
        scheme: DroppedRule,
        answers: tuple[Answer | None, ...],
        raw: str,
        factor: str,
        score: str,
    ) -> None:
        # Only what is prorated is left out of the factor: 10 / (10 - 2), whatever the scheme says.
        keys = (accepted("a"), Dropped(PRORATE), Dropped(TO_ALL), Dropped(TO_ATTEMPTED), accepted("a"))
        card = score_paper(answered(*answers), paper(keys, dropped=scheme))
        assert (card.raw, card.factor, card.score) == (Fraction(raw), Fraction(factor), Fraction(score))
        assert (card.max_score, card.dropped) == (Fraction(10), 3)

    @pytest.mark.parametrize("scheme", DroppedRule)
    def test_a_key_without_a_rule_follows_the_scheme(self, scheme: DroppedRule) -> None:
        answers = answered(A, B, None, B)
        unnamed = score_paper(answers, paper(self.KEYS, dropped=scheme))
        named = (accepted("a"), accepted("a"), Dropped(scheme), accepted("a"))
        for other in DroppedRule:
            assert score_paper(answers, paper(named, dropped=other)) == unnamed

    @pytest.mark.parametrize("rule", DroppedRule)
    def test_all_dropped_by_rules_of_their_own_is_refused(self, rule: DroppedRule) -> None:
        with pytest.raises(AllDropped, match="drops them all"):
            paper([Dropped(), Dropped(rule)])

    @pytest.mark.parametrize("rule", DroppedRule)
    def test_all_dropped_is_refused(self, rule: DroppedRule) -> None:
        with pytest.raises(AllDropped, match="drops them all"):
            paper([Dropped(), Dropped()], dropped=rule)

    @staticmethod
    def worth(marks: int) -> Marks:
        return Marks(Fraction(marks), Fraction(0), Fraction(0))


class TestPrelimsPaper:
    """GS Paper I: 100 questions of 2 marks, a third of them lost for a wrong answer."""

    @pytest.mark.parametrize(
        ("right", "wrong", "dropped", "score"),
        [
            (100, 0, 0, "200.00"),
            (0, 100, 0, "-66.66"),
            (0, 0, 0, "0.00"),
            (99, 0, 1, "200.00"),
            (0, 99, 1, "-66.67"),
            (55, 5, 0, "106.66"),
            (50, 23, 0, "84.66"),
            (45, 4, 2, "89.12"),
            (0, 1, 0, "-0.66"),
        ],
    )
    def test_prints(self, right: int, wrong: int, dropped: int, score: str) -> None:
        keys: list[Key] = [accepted("a")] * (100 - dropped)
        blank = 100 - dropped - right - wrong
        card = score_paper(
            answered(*[A] * right, *[B] * wrong, *[None] * blank, *[A] * dropped),
            paper([*keys, *[Dropped()] * dropped]),
        )
        assert printed_score(card) == score
        assert (card.correct, card.incorrect, card.unattempted, card.dropped) == (
            right,
            wrong,
            blank,
            dropped,
        )
        assert card.marks_gained == 2 * right
        assert card.marks_lost == Fraction(2, 3) * wrong
        assert card.max_score == 200


class TestSections:
    def test_each_has_its_part_and_the_parts_add_up(self) -> None:
        items = (
            Item(UUID(int=0), OTHER, accepted("a"), UPSC_MARKS),
            Item(UUID(int=1), SECTION, accepted("a"), UPSC_MARKS),
            Item(UUID(int=2), OTHER, Dropped(), UPSC_MARKS),
            Item(UUID(int=3), SECTION, accepted("a"), UPSC_MARKS),
        )
        key = PaperKey(items, (SectionRule(SECTION), SectionRule(OTHER)), PRORATE, RoundingPolicy.UPSC)
        card = score_paper(answered(A, B, A, A), key)
        first, second = card.sections
        assert [section.section_id for section in card.sections] == [SECTION, OTHER]
        assert [(section.correct, section.incorrect, section.dropped) for section in card.sections] == [
            (1, 1, 0),
            (1, 0, 1),
        ]
        assert [section.raw for section in card.sections] == [Fraction(4, 3), Fraction(2)]
        # Prorating is by the whole paper, 8/6 in both, so what each can reach is 4 and 2 times that.
        assert [section.max_score for section in card.sections] == [Fraction(16, 3), Fraction(8, 3)]
        assert card.max_score == 8
        assert first.score + second.score == card.score
        assert [item.question_id.int for item in card.items] == [0, 1, 2, 3]


class TestChoose:
    """Answer any two of four; the questions are worth 2 each."""

    KEYS = (accepted("a"),) * 4

    @pytest.mark.parametrize(
        ("answers", "expected", "raw"),
        [
            pytest.param((A, A, None, None), "ccuu", "4", id="just as many"),
            pytest.param((None, A, None, A), "ucuc", "4", id="any of them"),
            pytest.param((B, A, A, A), "icuu", "4/3", id="the first two in the paper's order count"),
            pytest.param((None, None, None, B), "uuui", "-2/3", id="fewer than asked for"),
            pytest.param((None,) * 4, "uuuu", "0", id="none"),
        ],
    )
    def test_cases(self, answers: tuple[Answer | None, ...], expected: str, raw: str) -> None:
        card = score_paper(answered(*answers), paper(self.KEYS, choose=2))
        assert (outcomes(card), card.raw) == (expected, Fraction(raw))
        assert card.max_score == 4

    def test_only_a_missing_choice_costs_as_a_blank(self) -> None:
        scheme = Marks(Fraction(2), Fraction(0), Fraction(-1))
        card = score_paper(answered(None, None, None, A), paper(self.KEYS, scheme, choose=2))
        assert card.raw == 2 - 1

    @pytest.mark.parametrize(
        ("rule", "answers", "expected", "raw"),
        [
            pytest.param(PRORATE, (A, A, A, None), "dccu", "4", id="prorated: it takes no place"),
            pytest.param(TO_ALL, (A, None, None, None), "duuu", "2", id="to all: it is a given choice"),
            pytest.param(TO_ALL, (None, A, A, A), "dcuu", "4", id="to all: and never more than the maximum"),
            pytest.param(TO_ALL, (B, B, A, A), "diuu", "4/3", id="to all: the first of the answers"),
            pytest.param(TO_ATTEMPTED, (B, A, A, A), "dcuu", "4", id="to attempted: a choice like any other"),
            pytest.param(TO_ATTEMPTED, (None, A, A, None), "dccu", "4", id="to attempted: not chosen"),
        ],
    )
    def test_dropped_questions(
        self, rule: DroppedRule, answers: tuple[Answer | None, ...], expected: str, raw: str
    ) -> None:
        key = paper((Dropped(), *self.KEYS[1:]), dropped=rule, choose=2)
        card = score_paper(answered(*answers), key)
        assert (outcomes(card), card.raw) == (expected, Fraction(raw))
        assert card.max_score == 4
        assert card.factor == 1

    @pytest.mark.parametrize(
        ("answers", "expected", "raw"),
        [
            pytest.param((A, A, None, None), "cuud", "4", id="two others were right"),
            pytest.param((B, B, None, None), "iuud", "4/3", id="two others were wrong"),
            pytest.param((A, A, A, None), "cuud", "4", id="three others were right"),
            pytest.param((A, B, None, A), "cuud", "4", id="it was answered too"),
            pytest.param((None, None, None, None), "uuud", "2", id="blank"),
        ],
    )
    def test_full_marks_to_all_reach_whoever_chose_others(
        self, answers: tuple[Answer | None, ...], expected: str, raw: str
    ) -> None:
        """The dropped question is the last of the paper, and takes the first place all the same."""
        key = paper((*self.KEYS[:3], Dropped(TO_ALL)), choose=2)
        card = score_paper(answered(*answers), key)
        assert (outcomes(card), card.raw) == (expected, Fraction(raw))

    def test_no_more_than_the_places_are_filled_with_full_marks(self) -> None:
        key = paper((accepted("a"), *[Dropped(TO_ALL)] * 3), choose=2)
        card = score_paper(answered(A, None, None, None), key)
        assert (outcomes(card), card.raw, card.max_score) == ("uddd", Fraction(4), Fraction(4))

    def test_rules_of_single_questions(self) -> None:
        key = paper((Dropped(PRORATE), Dropped(TO_ALL), *self.KEYS[2:]), choose=2)
        card = score_paper(answered(A, None, A, A), key)
        assert (outcomes(card), card.raw, card.factor) == ("ddcu", Fraction(4), Fraction(1))

    def test_prorates_only_when_too_few_are_left_to_choose_from(self) -> None:
        key = paper((Dropped(), Dropped(), Dropped(), accepted("a")), choose=2)
        card = score_paper(answered(None, None, None, A), key)
        assert card.raw == 2
        assert card.factor == 2
        assert card.max_score == 4


class TestPaperKey:
    def test_refuses_a_question_twice(self) -> None:
        item = Item(UUID(int=1), SECTION, accepted("a"), UPSC_MARKS)
        with pytest.raises(ValueError, match="once"):
            PaperKey((item, item), (SectionRule(SECTION),), PRORATE, RoundingPolicy.UPSC)

    def test_refuses_a_question_of_no_section(self) -> None:
        item = Item(UUID(int=1), SECTION, accepted("a"), UPSC_MARKS)
        with pytest.raises(ValueError, match="belongs to a section"):
            PaperKey((item,), (SectionRule(OTHER),), PRORATE, RoundingPolicy.UPSC)

    @pytest.mark.parametrize("choose", [0, -1, 3])
    def test_refuses_an_impossible_choice(self, choose: int) -> None:
        with pytest.raises(ValueError, match="more questions than it has"):
            paper([accepted("a")] * 2, choose=choose)

    def test_refuses_a_choice_between_unequal_marks(self) -> None:
        items = tuple(
            Item(UUID(int=n), SECTION, accepted("a"), Marks(Fraction(n), Fraction(0), Fraction(0)))
            for n in (1, 2)
        )
        with pytest.raises(ValueError, match="equal marks"):
            PaperKey(items, (SectionRule(SECTION, choose=1),), PRORATE, RoundingPolicy.UPSC)

    def test_equal_keys_are_one_in_a_set(self) -> None:
        assert len({paper([accepted("a", "bc"), Dropped()]) for _ in range(2)}) == 1


class TestKeysAndMarks:
    @pytest.mark.parametrize("answers", [frozenset(), frozenset([frozenset[str]()])])
    def test_an_empty_key_is_refused(self, answers: frozenset[frozenset[str]]) -> None:
        with pytest.raises(ValueError, match="at least one"):
            Accepted(answers)

    def test_a_negative_tolerance_is_refused(self) -> None:
        with pytest.raises(ValueError, match="negative"):
            NumericKey(Fraction(1), Fraction(-1))

    @pytest.mark.parametrize(
        ("correct", "incorrect", "unattempted", "sentence"),
        [
            (0, 0, 0, "above zero"),
            (-2, -2, -3, "above zero"),
            (2, 1, 0, "zero or negative"),
            (2, 0, 3, "cannot earn more"),
        ],
    )
    def test_marks_that_contradict_themselves_are_refused(
        self, correct: int, incorrect: int, unattempted: int, sentence: str
    ) -> None:
        with pytest.raises(ValueError, match=sentence):
            Marks(Fraction(correct), Fraction(incorrect), Fraction(unattempted))
