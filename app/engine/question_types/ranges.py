"""The type `ranges`: numeric questions with ranges, by an earlier name."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from app.engine.question_types.base import ContentProblem, JsonObject, Option, UnreadableQuestion
from app.engine.question_types.numeric import (
    RANGES_SCHEMA,
    Numeric,
    NumericKey,
    RangesKey,
    ranges_from_cell,
)


class Ranges(Numeric):
    """A number in one of several ranges. A numeric question may have such a key too."""

    name = "ranges"
    title = "ranges"
    key_example = '{"ranges": [["3.1", "3.2"]]}'
    key_schema: ClassVar[JsonObject | None] = RANGES_SCHEMA
    key_hint = ' Ranges: "3.1..3.2|22/7".'
    sheet_note = (
        "key of a ranges question",
        "3.1..3.2 for a range, ends included; 3.1..3.2|4 for either; 4 alone is a range of one number.",
    )

    def key_problems(self, key: JsonObject, options: Sequence[Option]) -> Iterator[ContentProblem]:
        if "ranges" in key:
            yield from super().key_problems(key, options)
        else:
            yield ContentProblem("key", self.wrong_key())

    def answer_key(self, key: JsonObject) -> NumericKey | RangesKey:
        if "ranges" not in key:
            raise UnreadableQuestion(self.not_the_key())
        return super().answer_key(key)

    def key_from_cell(self, cell: str) -> JsonObject:
        return ranges_from_cell(cell)
