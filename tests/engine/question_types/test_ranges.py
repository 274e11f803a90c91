"""Numbers in any of several ranges."""

import pytest

from app.engine.question_types import question_type

RANGES = question_type("ranges")
KEY = {"ranges": [{"from": "3.1", "to": "3.2"}, {"from": "-1", "to": "-1/2"}, {"from": "7", "to": "7"}]}


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
def test_right_is_what_lies_in_any_range(answer: str | tuple[str, ...], is_right: bool) -> None:
    assert RANGES.answer_key(KEY).compare(answer).is_right is is_right


@pytest.mark.parametrize(
    ("key", "field"),
    [
        ({"ranges": []}, "key"),
        ({"ranges": [{"from": "1"}]}, "key"),
        ({"ranges": [{"from": 1, "to": 2}]}, "key"),
        ({"ranges": [{"from": "1", "to": "2", "step": "1"}]}, "key"),
        ({"ranges": [{"from": "1", "to": "2"}] * 21}, "key"),
        ({"value": "1"}, "key"),
        ({"ranges": [{"from": "1", "to": "2"}, {"from": "x", "to": "2"}]}, "key.ranges.1.from"),
        ({"ranges": [{"from": "1", "to": "1/0"}]}, "key.ranges.0.to"),
        ({"ranges": [{"from": "2", "to": "1"}]}, "key.ranges.0"),
    ],
)
def test_a_key_that_is_none_names_its_field(key: dict[str, object], field: str) -> None:
    assert [problem.field for problem in RANGES.key_problems(key, [])] == [field]


@pytest.mark.parametrize(
    ("cell", "ranges"),
    [
        ("3.1..3.2", [("3.1", "3.2")]),
        ("3.1 .. 3.2 | 4", [("3.1", "3.2"), ("4", "4")]),
        ("-2..-1", [("-2", "-1")]),
    ],
)
def test_cells(cell: str, ranges: list[tuple[str, str]]) -> None:
    assert RANGES.key_from_cell(cell) == {"ranges": [{"from": low, "to": high} for low, high in ranges]}
