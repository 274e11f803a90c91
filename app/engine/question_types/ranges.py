"""Questions whose answer is a number in any of several ranges."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

from app.engine.answers import Answer
from app.engine.question_types.base import (
    WRONG,
    AnswerKey,
    Comparison,
    ContentProblem,
    Interaction,
    JsonObject,
    Option,
    UnreadableQuestion,
)
from app.engine.question_types.numeric import NUMBER_SCHEMA, NumberType, number_of
from app.engine.typed_numbers import parse_number, plain_number

_MOST_RANGES = 20
_ENDS = {"from", "to"}


@dataclass(frozen=True)
class RangesKey(AnswerKey):
    """Right is what lies in any of the ranges, ends included."""

    ranges: frozenset[tuple[Fraction, Fraction]]

    def compare(self, answer: Answer) -> Comparison:
        number = number_of(answer)
        if number is None:
            return WRONG
        return Comparison(any(low <= number <= high for low, high in self.ranges))


class Ranges(NumberType):
    """A number in one of several ranges."""

    name = "ranges"
    title = "ranges"
    interaction = Interaction.NUMBER_IN_RANGES
    key_example = '{"ranges": [{"from": "3.1", "to": "3.2"}]}'
    key_schema: ClassVar[JsonObject | None] = {
        "type": "object",
        "title": "Ranges",
        "description": "Right is what lies in any of the ranges, ends included.",
        "properties": {
            "ranges": {
                "type": "array",
                "minItems": 1,
                "maxItems": _MOST_RANGES,
                "items": {
                    "type": "object",
                    "title": "Range",
                    "properties": {"from": NUMBER_SCHEMA, "to": NUMBER_SCHEMA},
                    "required": ["from", "to"],
                    "additionalProperties": False,
                },
            }
        },
        "required": ["ranges"],
        "additionalProperties": False,
    }
    key_hint = ' Ranges: "3.1..3.2|22/7".'
    sheet_note = (
        "key of a ranges question",
        "3.1..3.2 for a range, ends included; 3.1..3.2|4 for either; 4 alone is a range of one number.",
    )

    def key_problems(self, key: JsonObject, options: Sequence[Option]) -> Iterator[ContentProblem]:
        if not _is_ranges(key):
            yield ContentProblem("key", self.wrong_key())
            return
        for place, each in enumerate(key["ranges"]):
            yield from _range_problems(f"key.ranges.{place}", each)

    def normalized_key(self, key: JsonObject) -> dict[str, Any]:
        ends = {
            (_limits(each), plain_number(each["from"]), plain_number(each["to"])) for each in key["ranges"]
        }
        return {"ranges": [{"from": low, "to": high} for _, low, high in sorted(ends)]}

    def answer_key(self, key: JsonObject) -> RangesKey:
        if list(self.key_problems(key, ())):
            raise UnreadableQuestion(self.not_the_key())
        return RangesKey(frozenset(map(_limits, key["ranges"])))

    def key_from_cell(self, cell: str) -> JsonObject:
        ranges = []
        for part in cell.split("|"):
            low, dots, high = (end.strip() for end in part.partition(".."))
            ranges.append({"from": low, "to": high if dots else low})
        return {"ranges": ranges}

    def key_to_cell(self, key: JsonObject) -> str:
        return "|".join(
            each["from"] if each["from"] == each["to"] else f"{each['from']}..{each['to']}"
            for each in key["ranges"]
        )

    def printed_key(self, key: JsonObject, labels: Mapping[str, str]) -> list[list[str]]:
        return [
            [each["from"] if each["from"] == each["to"] else f"{each['from']} … {each['to']}"]
            for each in key["ranges"]
        ]


def _is_ranges(key: JsonObject) -> bool:
    ranges = key.get("ranges")
    return (
        set(key) == {"ranges"}
        and isinstance(ranges, list)
        and 1 <= len(ranges) <= _MOST_RANGES
        and all(isinstance(each, dict) and set(each) == _ENDS for each in ranges)
        and all(isinstance(end, str) for each in ranges for end in each.values())
    )


def _range_problems(path: str, each: Mapping[str, str]) -> Iterator[ContentProblem]:
    limits = []
    for name in ("from", "to"):
        try:
            limits.append(parse_number(each[name]))
        except ValueError as error:
            yield ContentProblem(f"{path}.{name}", str(error))
    if len(limits) == len(_ENDS) and limits[0] > limits[1]:
        yield ContentProblem(path, "A range begins with its lower end.")


def _limits(each: Mapping[str, str]) -> tuple[Fraction, Fraction]:
    return parse_number(each["from"]), parse_number(each["to"])
