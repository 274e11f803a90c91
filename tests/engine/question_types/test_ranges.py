"""Numbers in any of several ranges: keys of numeric questions, and of the type with the earlier name."""

from typing import Any

import pytest

from app.engine.question_types import QuestionType, UnreadableQuestion, question_type, shown_key

KEY = {"ranges": [["3.1", "3.2"], ["-1", "-1/2"], ["7", "7"]]}
STORED = {"ranges": [{"from": "-1", "to": "-1/2"}, {"from": "3.1", "to": "3.2"}, {"from": "7", "to": "7"}]}


@pytest.fixture(params=["numeric", "ranges"])
def kind(request: pytest.FixtureRequest) -> QuestionType:
    return question_type(request.param)


@pytest.mark.parametrize(
    ("answer", "is_right"),
    [
        ("3.1", True),
        ("3.2", True),
        ("22/7", True),
        ("3.0999999", False),
        ("3.2000001", False),
        ("-1", True),
        ("-.5", True),
        ("-0.4", False),
        ("7", True),
        ("7.0", True),
        ("5", False),
        ("about 7", False),
        (("7",), False),
    ],
)
def test_right_is_what_lies_in_any_range(
    kind: QuestionType, answer: str | tuple[str, ...], is_right: bool
) -> None:
    for key in (KEY, STORED):
        assert kind.answer_key(key).compare(answer).is_right is is_right


def test_they_are_stored_in_order_and_shown_as_they_are_sent(kind: QuestionType) -> None:
    assert kind.normalized_key(KEY) == kind.normalized_key(STORED) == STORED
    assert shown_key(STORED) == {"ranges": [["-1", "-1/2"], ["3.1", "3.2"], ["7", "7"]]}


@pytest.mark.parametrize(
    ("key", "field"),
    [
        ({"ranges": []}, "key"),
        ({"ranges": [{"from": "1"}]}, "key"),
        ({"ranges": [{"from": 1, "to": 2}]}, "key"),
        ({"ranges": [["1"]]}, "key"),
        ({"ranges": [["1", "2", "3"]]}, "key"),
        ({"ranges": [[1, 2]]}, "key"),
        ({"ranges": ["12"]}, "key"),
        ({"ranges": [{"from": "1", "to": "2", "step": "1"}]}, "key"),
        ({"ranges": [{"from": "1", "to": "2"}] * 21}, "key"),
        ({"value": "1", "ranges": [["1", "2"]]}, "key"),
        ({"ranges": [{"from": "1", "to": "2"}, {"from": "x", "to": "2"}]}, "key.ranges.1.from"),
        ({"ranges": [{"from": "1", "to": "1/0"}]}, "key.ranges.0.to"),
        ({"ranges": [{"from": "2", "to": "1"}]}, "key.ranges.0"),
        ({"ranges": [["1", "2"], ["1", "x"]]}, "key.ranges.1.1"),
        ({"ranges": [["2", "1"]]}, "key.ranges.0"),
    ],
)
def test_a_key_that_is_none_names_its_field(kind: QuestionType, key: dict[str, Any], field: str) -> None:
    assert [problem.field for problem in kind.key_problems(key, [])] == [field]
    with pytest.raises(UnreadableQuestion):
        kind.answer_key(key)


def test_a_number_with_a_tolerance_is_no_key_of_ranges() -> None:
    assert [each.field for each in question_type("ranges").key_problems({"value": "1"}, [])] == ["key"]


@pytest.mark.parametrize(
    ("cell", "ranges"),
    [
        ("3.1..3.2", [("3.1", "3.2")]),
        ("3.1 .. 3.2 | 4", [("3.1", "3.2"), ("4", "4")]),
        ("-2..-1", [("-2", "-1")]),
    ],
)
def test_cells(kind: QuestionType, cell: str, ranges: list[tuple[str, str]]) -> None:
    assert kind.key_from_cell(cell) == {"ranges": [list(each) for each in ranges]}


def test_a_number_alone_is_a_range_in_the_type_of_ranges_only(kind: QuestionType) -> None:
    one = {"ranges": [["4", "4"]]}
    assert kind.key_to_cell(kind.normalized_key(one)) == "4..4"
    assert question_type("ranges").key_from_cell("4") == one
    assert question_type("numeric").key_from_cell("4") == {"value": "4", "tolerance": "0"}
