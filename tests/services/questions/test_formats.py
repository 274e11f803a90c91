"""UPSC's ways to ask, as tables: what an author says is true, and the question that comes of it."""

from collections.abc import Sequence

import pytest

from app.core.errors import FieldError, Invalid
from app.services.questions.content import Content, problems_of
from app.services.questions.formats import (
    Ask,
    PairOf,
    Statement,
    assertion_reason,
    how_many,
    pairs,
    statements,
)


def parts(true: str, *languages: str) -> list[Statement]:
    """`TFT`: three statements, of which the second is incorrect."""
    return [
        Statement({tag: f"{tag} {number}" for tag in languages or ("en",)}, letter == "T")
        for number, letter in enumerate(true, start=1)
    ]


def couples(true: str) -> list[PairOf]:
    return [
        PairOf({"en": f"Left {number}"}, {"en": f"Right {number}"}, letter == "T")
        for number, letter in enumerate(true, start=1)
    ]


def options(content: Content, language: str = "en") -> list[str]:
    return [option["text"][language] for option in content.options]


def right(content: Content) -> str:
    """The right option's text, of a question that the bank accepts."""
    assert problems_of(content, needs_key=True) == []
    ((letter,),) = content.key["accepted"]
    return str(next(option["text"]["en"] for option in content.options if option["id"] == letter))


class TestStatements:
    @pytest.mark.parametrize(
        ("true", "answer"),
        [
            ("TF", "1 only"),
            ("FT", "2 only"),
            ("TT", "Both 1 and 2"),
            ("FF", "Neither 1 nor 2"),
            ("TTF", "1 and 2 only"),
            ("FTT", "2 and 3 only"),
            ("TFT", "1 and 3 only"),
            ("TTT", "1, 2 and 3"),
        ],
    )
    def test_the_key_follows_from_what_is_true(self, true: str, answer: str) -> None:
        assert right(statements(parts(true))) == answer

    @pytest.mark.parametrize(("true", "answer"), [("TF", "2 only"), ("TT", "Neither 1 nor 2")])
    def test_it_may_ask_what_is_not_correct(self, true: str, answer: str) -> None:
        question = statements(parts(true), correct=False)
        assert right(question) == answer
        assert question.text["en"].endswith("is/are not correct?")

    def test_it_reads_as_upsc_prints_it(self) -> None:
        question = statements(parts("TF", "hi", "en"))
        assert question.text == {
            "en": "Consider the following statements:\n\n1. en 1\n2. en 2\n\n"
            "Which of the statements given above is/are correct?",
            "hi": "निम्नलिखित कथनों पर विचार कीजिए:\n\n1. hi 1\n2. hi 2\n\nउपर्युक्त कथनों में से कौन-सा/से सही है/हैं?",
        }
        assert options(question, "hi") == ["केवल 1", "केवल 2", "1 और 2 दोनों", "न तो 1, न ही 2"]

    def test_an_introduction_of_ones_own(self) -> None:
        question = statements(parts("TF"), intro={"en": "With reference to the Lok Sabha, consider:"})
        assert question.text["en"].startswith("With reference to the Lok Sabha, consider:\n\n1. en 1")

    def test_combinations_of_ones_own(self) -> None:
        named = [(1,), (2, 3), (3, 1), (1, 2, 3)]
        question = statements(parts("TFF"), combinations=named)
        assert right(question) == "1 only"
        assert options(question) == ["1 only", "2 and 3 only", "1 and 3 only", "1, 2 and 3"]
        assert options(statements(parts("TTTF"), combinations=[(1, 2, 3), (4,), (), (1, 2, 3, 4)])) == [
            "1, 2 and 3 only",
            "4 only",
            "None of the above",
            "1, 2, 3 and 4",
        ]

    @pytest.mark.parametrize(
        ("true", "combinations", "word"),
        [
            ("TFF", [], "no “1 only”"),
            ("TTFF", [], "no “1 and 2 only”"),
            ("TFF", [(1, 2), (2,), (3,), (2, 3)], "None of the options would be right"),
            ("TFF", [(1,), (2,)], "four different"),
            ("TFF", [(1,), (2, 3), (3, 2), (1, 2)], "four different"),
            ("TFF", [(1,), (4,), (2,), (3,)], "numbered from 1 to 3"),
        ],
    )
    def test_a_question_without_one_right_option_is_refused(
        self, true: str, combinations: Sequence[tuple[int, ...]], word: str
    ) -> None:
        with pytest.raises(Invalid, match=word):
            statements(parts(true), combinations=combinations)


class TestHowMany:
    @pytest.mark.parametrize(
        ("true", "answer"),
        [
            ("TFF", "Only one"),
            ("TFT", "Only two"),
            ("TTT", "All three"),
            ("FFF", "None"),
            ("TFFF", "Only one"),
            ("TTTF", "Only three"),
            ("TTTT", "All four"),
            ("TTFFF", "Only two"),
            ("TTTTT", "All five"),
        ],
    )
    def test_the_key_is_how_many_are_true(self, true: str, answer: str) -> None:
        assert right(how_many(parts(true))) == answer

    def test_it_reads_as_upsc_prints_it(self) -> None:
        question = how_many(parts("TFT", "en", "hi"))
        assert question.text["en"].endswith("\n\nHow many of the above statements are correct?")
        assert question.text["hi"].endswith("\n\nउपर्युक्त में से कितने कथन सही हैं?")
        assert options(question, "hi") == ["केवल एक", "केवल दो", "सभी तीन", "कोई भी नहीं"]

    @pytest.mark.parametrize("true", ["FFFF", "TFFFF", "TF", "TTTTTT"])
    def test_a_number_that_is_no_option_is_refused(self, true: str) -> None:
        with pytest.raises(Invalid):
            how_many(parts(true))


class TestPairs:
    @pytest.mark.parametrize(
        ("true", "answer"),
        [
            ("TFF", "Only one pair"),
            ("TTF", "Only two pairs"),
            ("TTT", "All three pairs"),
            ("FFF", "None of the pairs"),
            ("TTTT", "All four pairs"),
        ],
    )
    def test_how_many_match(self, true: str, answer: str) -> None:
        assert right(pairs(couples(true))) == answer

    def test_which_match(self) -> None:
        question = pairs(couples("TFT"), ask=Ask.WHICH)
        assert right(question) == "1 and 3 only"
        assert question.text["en"].endswith("Which of the pairs given above is/are correctly matched?")

    def test_the_pairs_are_a_table(self) -> None:
        question = pairs(couples("TFT"), heads=({"en": "River"}, {"en": "A | B"}))
        assert question.text["en"].split("\n\n")[1].split("\n") == [
            "| River | A \\| B |",
            "| --- | --- |",
            "| 1. Left 1 | Right 1 |",
            "| 2. Left 2 | Right 2 |",
            "| 3. Left 3 | Right 3 |",
        ]


class TestAssertionReason:
    @pytest.mark.parametrize(
        ("true", "explains", "letter"),
        [("TT", True, "a"), ("TT", False, "b"), ("TF", False, "c"), ("FT", False, "d")],
    )
    def test_the_key_follows_from_both(self, true: str, explains: bool, letter: str) -> None:
        question = assertion_reason(*parts(true, "en", "hi"), explains=explains)
        assert question.key == {"accepted": [[letter]]}
        assert question.text["en"].startswith("Statement-I: en 1\n\nStatement-II: en 2\n\n")
        assert question.text["hi"].startswith("कथन-I: hi 1\n\nकथन-II: hi 2\n\n")

    @pytest.mark.parametrize(("true", "explains"), [("FF", False), ("TF", True), ("FT", True), ("FF", True)])
    def test_what_no_option_says_is_refused(self, true: str, explains: bool) -> None:
        with pytest.raises(Invalid):
            assertion_reason(*parts(true), explains=explains)


class TestLanguages:
    def test_every_part_has_the_same(self) -> None:
        mixed = [*parts("T", "en", "hi"), *parts("F", "en")]
        with pytest.raises(Invalid, match="same languages"):
            statements(mixed)

    def test_one_without_phrases_is_refused(self) -> None:
        with pytest.raises(Invalid) as refused:
            statements(parts("TF", "ta"))
        assert refused.value.errors == (FieldError("body", "There are no phrases in ta. Write in: en, hi."),)

    def test_hindi_alone_will_do(self) -> None:
        assert options(statements(parts("TF", "hi")), "hi")[2] == "1 और 2 दोनों"
