"""The rules for what a question says."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from app.engine.question_types import DROPPED_KEY, NO_KEY
from app.services.questions.content import Content, fingerprint, problems_of

SUBJECT = UUID(int=1)


def content(
    type: str = "single_choice",  # noqa: A002 -- the domain's word
    key: dict[str, Any] | None = None,
    options: str = "abcd",
) -> Content:
    return Content(
        type=type,
        text={"en": "Which of these is a river?"},
        options=[{"id": letter, "text": {"en": f"Option {letter}"}} for letter in options],
        key={"accepted": [["b"]]} if key is None else key,
    )


def fields(problem: Content, *, needs_key: bool = True) -> list[str]:
    return [error.field for error in problems_of(problem, needs_key=needs_key)]


class TestProblemsOf:
    @pytest.mark.parametrize(
        "right",
        [
            content(),
            content(key={"accepted": [["b"], ["c"]]}),
            content("multiple_choice", {"accepted": [["b", "d"], ["a"]]}),
            content("true_false", {"accepted": [["true"]]}, options=""),
            content("numeric", {"value": "3.14", "tolerance": "0.01"}, options=""),
            content("numeric", {"value": "22/7"}, options=""),
            content("descriptive", dict(NO_KEY), options=""),
            content(key=dict(DROPPED_KEY)),
        ],
    )
    def test_finds_nothing_wrong(self, right: Content) -> None:
        assert problems_of(right, needs_key=True) == []

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            (content(options=""), "options"),
            (content(options="b"), "options"),
            (content(options="abb"), "options.2.id"),
            (content("true_false", {"accepted": [["true"]]}), "options"),
            (content("numeric", {"value": "1"}), "options"),
            (content("descriptive", dict(NO_KEY)), "options"),
            (content(key=dict(NO_KEY)), "key"),
            (content(key={"accepted": [[]]}), "key.accepted.0"),
            (content(key={"accepted": [["b", "c"]]}), "key.accepted.0"),
            (content(key={"accepted": [["b"], ["e"]]}), "key.accepted.1"),
            (content("multiple_choice", {"accepted": [["b", "b"]]}), "key.accepted.0"),
            (content(key={"value": "2"}), "key"),
            (content("true_false", {"accepted": [["a"]]}, options=""), "key.accepted.0"),
            (content("true_false", {"accepted": [["true", "false"]]}, options=""), "key.accepted.0"),
            (content("numeric", {"accepted": [["b"]]}, options=""), "key"),
            (content("numeric", {"value": "1e3"}, options=""), "key.value"),
            (content("numeric", {"value": "1", "tolerance": "1/0"}, options=""), "key.tolerance"),
            (content("numeric", {"value": "1", "tolerance": "-1"}, options=""), "key.tolerance"),
            (content("descriptive", options=""), "key"),
        ],
    )
    def test_names_the_field(self, wrong: Content, field: str) -> None:
        assert field in fields(wrong)

    def test_an_option_that_is_not_there_is_named_with_those_that_are(self) -> None:
        problem = problems_of(content(key={"accepted": [["e"]]}), needs_key=True)[0]
        assert problem.message == '"e" is no option of this question. Its options: a, b, c, d.'

    def test_a_draft_may_wait_for_its_key(self) -> None:
        assert fields(content(key=dict(NO_KEY)), needs_key=False) == []

    def test_a_draft_may_not_have_a_wrong_key(self) -> None:
        assert fields(content(key={"accepted": [["e"]]}), needs_key=False) == ["key.accepted.0"]


class TestNormalizedKey:
    def test_equal_keys_are_written_alike(self) -> None:
        one = content("multiple_choice", {"accepted": [["d", "b"], ["a"], ["a"]]}).normalized()
        other = content("multiple_choice", {"accepted": [["a"], ["b", "d"]]}).normalized()
        assert one.key == other.key == {"accepted": [["a"], ["b", "d"]]}

    def test_a_number_has_a_tolerance(self) -> None:
        number = content("numeric", {"value": "3.14"}, options="").normalized()
        assert number.key == {"value": "3.14", "tolerance": "0"}

    def test_a_dropped_question_stays_dropped(self) -> None:
        assert content(key=dict(DROPPED_KEY)).normalized().key == DROPPED_KEY


class TestFingerprint:
    @pytest.mark.parametrize(
        "same",
        ["Which  of these\nis a RIVER?", "which of these is a river?", " Which of these is a ｒiver? "],
    )
    def test_case_spaces_and_widths_do_not_count(self, same: str) -> None:
        assert fingerprint(SUBJECT, replace(content(), text={"en": same})) == fingerprint(SUBJECT, content())

    def test_words_options_passage_and_subject_count(self) -> None:
        one = content()
        prints = {
            fingerprint(SUBJECT, one),
            fingerprint(UUID(int=2), one),
            fingerprint(SUBJECT, replace(one, text={"en": "Which of these is a lake?"})),
            fingerprint(SUBJECT, replace(one, passage_id=UUID(int=3))),
            fingerprint(SUBJECT, replace(one, options=one.options[:1])),
        }
        assert len(prints) == 5

    def test_the_order_of_options_does_not_count(self) -> None:
        turned = replace(content(), options=content().options[::-1])
        assert fingerprint(SUBJECT, turned) == fingerprint(SUBJECT, content())

    @pytest.mark.parametrize(
        ("typed", "otherwise"),
        [
            ("\u0938\u094d\u200d\u0925\u093e\u0928", "\u0938\u094d\u0925\u093e\u0928"),  # a joiner
            ("\u092a\u095d", "\u092a\u0922\u093c"),  # a nukta
            ("\u0915\u094c\u0928\u2011\u0938\u093e", "\u0915\u094c\u0928-\u0938\u093e"),  # a hyphen
        ],
    )
    def test_two_spellings_in_hindi_are_one(self, typed: str, otherwise: str) -> None:
        one, other = (replace(content(), text={"hi": text}) for text in (typed, otherwise))
        assert fingerprint(SUBJECT, one) == fingerprint(SUBJECT, other)

    def test_a_translation_does_not_count(self) -> None:
        translated = replace(content(), text=content().text | {"hi": "इनमें से नदी कौन सी है?"})
        assert fingerprint(SUBJECT, translated) == fingerprint(SUBJECT, content())
