"""What holds for every question type: keys and cells are read back equal, and no JSON breaks a type."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.answers import answer_of, json_of
from app.engine.question_types import (
    NO_KEY,
    QUESTION_TYPES,
    Option,
    QuestionType,
    UnreadableQuestion,
    question_type,
    shown_key,
)


@dataclass(frozen=True)
class Example:
    """A question of a type: its options, keys, and answers that are right and wrong by the first key."""

    options: Sequence[Option]
    keys: Sequence[dict[str, Any]]
    right: Any
    wrong: Any
    cell: str
    """The right answer in a cell of an answer sheet."""


def options(*ids: str) -> list[Option]:
    return [{"id": id_, "text": {"en": f"Option {id_}"}} for id_ in ids]


EXAMPLES = {
    "single_choice": Example(
        options("a", "b", "c", "d"), [{"accepted": [["b"]]}, {"accepted": [["a"], ["c"]]}], ["b"], ["a"], "B"
    ),
    "multiple_choice": Example(
        options("a", "b", "c"),
        [{"accepted": [["a", "c"]]}, {"accepted": [["a"], ["b", "c"]]}],
        ["c", "a"],
        ["a"],
        "a,c",
    ),
    "true_false": Example([], [{"accepted": [["true"]]}], ["true"], ["false"], "T"),
    "numeric": Example(
        [],
        [
            {"value": "3.14", "tolerance": "0.01"},
            {"value": "-22/7", "tolerance": "0"},
            {"ranges": [["3.1", "3.2"], ["-4", "-4"]]},
            {"ranges": [["4", "4"]]},
        ],
        "3.15",
        "3.16",
        "3.14",
    ),
    "ranges": Example(
        [],
        [
            {"ranges": [["3.1", "3.2"], ["-4", "-4"]]},
            {"ranges": [{"from": "-22/7", "to": ".5"}, {"from": "1", "to": "2"}, {"from": "1", "to": "2"}]},
        ],
        "22/7",
        "3.3",
        "-4",
    ),
    "matching": Example(
        options("1", "2", "3", "a", "b", "c", "d"),
        [
            {"pairs": {"1": ["b"], "2": ["a", "d"], "3": ["c"]}},
            {"pairs": {"3": ["a"], "2": ["a"], "1": ["a", "a"]}},
        ],
        {"2": "d", "1": "b", "3": "c"},
        {"1": "b", "2": "a"},
        "1-B, 2-d; 3c",
    ),
    "text": Example(
        [],
        [
            {"accepted": ["New Delhi", "Delhi", "नई दिल्ली"]},
            {"texts": ["a | b", "back\\slash"]},
            {"accepted": ["Dropped"], "case_sensitive": True},
            {"accepted": ["case_sensitive: a", "b"]},
            {"accepted": ["case_sensitive: a"], "case_sensitive": True},
        ],
        " new   DELHI ",
        "Delhi-6",
        "delhi",
    ),
}
KINDS = [kind for kind in QUESTION_TYPES.values() if kind.is_marked]

json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["a", "1", "1/0"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(
    ["accepted", "case_sensitive", "value", "tolerance", "texts", "ranges", "pairs", "dropped", "other"]
)
keys = st.dictionaries(names, json, max_size=2)


@pytest.mark.parametrize(
    ("name", "share"),
    [
        ("single_choice", 1 / 4),
        ("multiple_choice", 1 / 3),
        ("true_false", 1 / 2),
        ("numeric", 0),
        ("ranges", 0),
        ("text", 0),
        ("matching", 1 / 64),
    ],
)
def test_how_often_a_blind_guess_is_right(name: str, share: float) -> None:
    """Three items are matched with four others: each is right once in four."""
    kind = question_type(name)
    assert kind.guess_share(kind.option_ids(EXAMPLES[name].options)) == share


def test_nobody_guesses_that_a_question_was_not_attempted() -> None:
    assert question_type("single_choice").guess_share(list("abcde"), not_attempted="e") == 1 / 4


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> QuestionType:
    found: QuestionType = request.param
    return found


class TestEveryType:
    def test_has_an_example(self) -> None:
        assert set(EXAMPLES) == {kind.name for kind in KINDS}

    def test_accepts_its_examples(self, kind: QuestionType) -> None:
        example = EXAMPLES[kind.name]
        assert list(kind.option_problems(example.options)) == []
        for key in example.keys:
            assert list(kind.key_problems(key, example.options)) == []

    def test_writes_equal_keys_alike(self, kind: QuestionType) -> None:
        for key in EXAMPLES[kind.name].keys:
            normalized = kind.normalized_key(key)
            assert kind.normalized_key(normalized) == normalized
            assert kind.normalized_key(shown_key(normalized)) == normalized
            assert list(kind.key_problems(normalized, EXAMPLES[kind.name].options)) == []

    def test_reads_a_key_back_from_a_cell(self, kind: QuestionType) -> None:
        for key in EXAMPLES[kind.name].keys:
            normalized = kind.normalized_key(key)
            assert kind.normalized_key(kind.key_from_cell(kind.key_to_cell(normalized))) == normalized

    def test_knows_right_from_wrong(self, kind: QuestionType) -> None:
        example = EXAMPLES[kind.name]
        ids = kind.option_ids(example.options)
        key = kind.answer_key(example.keys[0])
        for given_, is_right in ((example.right, True), (example.wrong, False)):
            assert kind.answer_problem(given_, ids) is None
            answer = answer_of(given_)
            assert answer is not None
            assert key.compare(answer).is_right is is_right

    def test_reads_an_answer_from_a_cell(self, kind: QuestionType) -> None:
        example = EXAMPLES[kind.name]
        answer = kind.answer_reader(kind.option_ids(example.options))(example.cell)
        assert kind.answer_key(example.keys[0]).compare(answer).is_right
        assert kind.answer_problem(json_of(answer), kind.option_ids(example.options)) is None

    def test_prints_its_keys(self, kind: QuestionType) -> None:
        example = EXAMPLES[kind.name]
        labels = {option_id: f"({option_id})" for option_id in kind.option_ids(example.options)}
        for key in example.keys:
            printed = kind.printed_key(kind.normalized_key(key), labels)
            assert printed
            assert all(parts and all(parts) for parts in printed)

    def test_shuffles_no_more_than_its_options(self, kind: QuestionType) -> None:
        ids = kind.option_ids(EXAMPLES[kind.name].options)
        assert set(kind.shuffled(ids)) <= set(ids)

    def test_the_missing_key_marks_nothing(self, kind: QuestionType) -> None:
        with pytest.raises(UnreadableQuestion):
            kind.answer_key(NO_KEY)

    @given(keys)
    def test_no_key_breaks_it(self, key: dict[str, Any]) -> None:
        for kind in KINDS:
            example = EXAMPLES[kind.name]
            if list(kind.key_problems(key, example.options)):
                continue
            normalized = kind.normalized_key(key)
            assert kind.answer_key(normalized) == kind.answer_key(key)
            assert kind.normalized_key(kind.key_from_cell(kind.key_to_cell(normalized))) == normalized

    @given(keys)
    def test_a_stored_key_is_read_or_refused(self, key: dict[str, Any]) -> None:
        shown_key(key)
        for kind in QUESTION_TYPES.values():
            with suppress(UnreadableQuestion):
                kind.answer_key(key)

    @given(json.filter(lambda value: value is not None))
    def test_no_answer_breaks_it(self, answer: Any) -> None:
        for kind in QUESTION_TYPES.values():
            ids = kind.option_ids(EXAMPLES[kind.name].options) if kind.is_marked else []
            if kind.answer_problem(answer, ids) is None:
                given_ = answer_of(answer)
                assert given_ is not None
                kind.answer_key(EXAMPLES[kind.name].keys[0]).compare(given_)


class TestQuestionType:
    def test_an_unknown_name_is_refused(self) -> None:
        with pytest.raises(UnreadableQuestion, match='no question type "essay"'):
            question_type("essay")
