"""Keys of dropped questions, as they are stored and as cells of a sheet."""

from typing import Any

import pytest

from app.engine.dropped_keys import DroppedRule, dropped_from_cell, dropped_key, dropped_to_cell, is_dropped
from app.engine.question_types import UnreadableQuestion
from app.engine.question_types.text import Text
from app.engine.scoring import Dropped, key_of


class TestKeyOf:
    @pytest.mark.parametrize("rule", [None, *DroppedRule])
    def test_reads_the_rule(self, rule: DroppedRule | None) -> None:
        stored = dropped_key(rule)
        assert is_dropped(stored)
        assert key_of("single_choice", stored) == Dropped(rule)

    @pytest.mark.parametrize(
        "stored", [{"dropped": True, "rule": "none"}, {"dropped": False}, {"dropped": 1, "x": 2}]
    )
    def test_refuses_what_is_no_key(self, stored: dict[str, Any]) -> None:
        with pytest.raises(UnreadableQuestion):
            key_of("single_choice", stored)


class TestCells:
    @pytest.mark.parametrize("rule", [None, *DroppedRule])
    def test_are_read_as_they_are_written(self, rule: DroppedRule | None) -> None:
        assert dropped_from_cell(dropped_to_cell(dropped_key(rule))) == dropped_key(rule)

    @pytest.mark.parametrize(
        ("cell", "key"),
        [
            ("dropped", {"dropped": True}),
            (" Dropped ", {"dropped": True}),
            ("dropped:marks_to_attempted", {"dropped": True, "rule": "marks_to_attempted"}),
            ("DROPPED : Prorate", {"dropped": True, "rule": "prorate"}),
            ("dropped: none", None),
            ("b", None),
            ("", None),
        ],
    )
    def test_cases(self, cell: str, key: dict[str, Any] | None) -> None:
        assert dropped_from_cell(cell) == key

    @pytest.mark.parametrize("text", ["dropped", "Dropped: prorate", "dropped :x"])
    def test_a_typed_text_is_not_taken_for_one(self, text: str) -> None:
        cell = Text().key_to_cell({"texts": [text]})
        assert dropped_from_cell(cell) is None
        assert Text().key_from_cell(cell) == {"accepted": [text]}
