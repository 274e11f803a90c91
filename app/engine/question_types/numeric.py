"""Questions whose answer is a number: one with a tolerance, or any in several ranges."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

from app.engine.answers import Answer
from app.engine.question_types.base import (
    WRONG,
    AnswerKey,
    AnswerReader,
    Comparison,
    ContentProblem,
    Interaction,
    JsonObject,
    Option,
    QuestionType,
    UnreadableQuestion,
)
from app.engine.question_types.options import no_options
from app.engine.typed_numbers import MAX_NUMBER_LENGTH, parse_number, plain_number
from app.sentences import Sentence

_NUMBER_SCHEMA = {"type": "string", "maxLength": MAX_NUMBER_LENGTH, "examples": ["3.14"]}
_MAX_RANGES = 20
_REVERSED = "A range begins with its lower end."
RANGES_SCHEMA: JsonObject = {
    "type": "object",
    "title": "Ranges",
    "description": "A number is right if it lies in any of the ranges, ends included.",
    "properties": {
        "ranges": {
            "type": "array",
            "minItems": 1,
            "maxItems": _MAX_RANGES,
            "items": {"type": "array", "items": _NUMBER_SCHEMA, "minItems": 2, "maxItems": 2},
            "examples": [[["3.1", "3.2"], ["4", "4"]]],
        }
    },
    "required": ["ranges"],
    "additionalProperties": False,
}

# Not every keyboard has the sign ±.
_PLUS_MINUS = re.compile(r"\+\s*/?\s*[-\u2212\u2013]")


@dataclass(frozen=True)
class NumericKey(AnswerKey):
    """Right is what lies within `value` ± `tolerance`, ends included."""

    value: Fraction
    tolerance: Fraction

    def __post_init__(self) -> None:
        if self.tolerance < 0:
            raise ValueError("A tolerance cannot be negative.")

    def compare(self, answer: Answer) -> Comparison:
        number = _number_of(answer)
        return WRONG if number is None else Comparison(abs(number - self.value) <= self.tolerance)


@dataclass(frozen=True)
class RangesKey(AnswerKey):
    """Right is what lies in any of the ranges, ends included."""

    ranges: frozenset[tuple[Fraction, Fraction]]

    def compare(self, answer: Answer) -> Comparison:
        number = _number_of(answer)
        if number is None:
            return WRONG
        return Comparison(any(low <= number <= high for low, high in self.ranges))


def _number_of(answer: Answer) -> Fraction | None:
    """The number that was typed; None for what cannot be read as one."""
    try:
        return parse_number(answer) if isinstance(answer, str) else None
    except ValueError:
        return None


class Numeric(QuestionType):
    """A number. The key is a number with a tolerance, or has several ranges."""

    name = "numeric"
    title = "numeric"
    interaction = Interaction.NUMBER
    key_example = '{"value": "3.14", "tolerance": "0.01"}'
    key_schema: ClassVar[JsonObject | None] = {
        "type": "object",
        "title": "NumberWithTolerance",
        "description": "Right is what lies within `value` ± `tolerance`, ends included.",
        "properties": {"value": _NUMBER_SCHEMA, "tolerance": _NUMBER_SCHEMA},
        "required": ["value"],
        "additionalProperties": False,
    }
    key_hint = ' With a tolerance: "3.14±0.01". Ranges: "3.1..3.2|4".'
    sheet_note = (
        "key of a numeric question",
        (
            "3.14, or 3.14±0.01 with a tolerance; +- means ±."
            " 3.1..3.2 for a range, ends included; 3.1..3.2|4 for either."
        ),
    )

    def option_problems(self, options: Sequence[Option]) -> Iterator[ContentProblem]:
        return no_options(self.title, options)

    def option_ids(self, options: Sequence[Option]) -> list[str]:
        return []

    def answer_problem(self, answer: Any, option_ids: Sequence[str]) -> str | None:
        if not isinstance(answer, str):
            return Sentence('Send the number as a string, such as "3.14".')
        try:
            parse_number(answer)
        except ValueError as error:
            return str(error)
        return None

    def answer_reader(self, option_ids: Sequence[str]) -> AnswerReader:
        def read(text: str) -> str:
            parse_number(text)
            return text

        return read

    def has_answer_line(self) -> bool:
        return True

    def key_problems(self, key: JsonObject, options: Sequence[Option]) -> Iterator[ContentProblem]:
        if _is_ranges(key):
            for place, each in enumerate(key["ranges"]):
                yield from _range_problems(f"key.ranges.{place}", each)
            return
        if not _is_number_with_tolerance(key):
            yield ContentProblem("key", self.wrong_key())
            return
        for name in ("value", "tolerance"):
            try:
                number = parse_number(key.get(name, "0"))
            except ValueError as error:
                yield ContentProblem(f"key.{name}", str(error))
                continue
            if name == "tolerance" and number < 0:
                yield ContentProblem("key.tolerance", "A tolerance cannot be negative.")

    def normalized_key(self, key: JsonObject) -> dict[str, Any]:
        if "ranges" in key:
            ends = {(_limits(each), *map(plain_number, _ends(each))) for each in key["ranges"]}
            return {"ranges": [{"from": low, "to": high} for _, low, high in sorted(ends)]}
        return {
            "value": plain_number(key["value"]),
            "tolerance": plain_number(key.get("tolerance") or "0"),
        }

    def answer_key(self, key: JsonObject) -> NumericKey | RangesKey:
        if not _is_ranges(key) and not _is_number_with_tolerance(key):
            raise UnreadableQuestion(self.not_the_key())
        try:
            if "ranges" in key:
                return RangesKey(frozenset(map(_limits, key["ranges"])))
            return NumericKey(parse_number(key["value"]), parse_number(key.get("tolerance", "0")))
        except ValueError as error:
            raise UnreadableQuestion(str(error)) from error

    def key_from_cell(self, cell: str) -> JsonObject:
        if ".." in cell or "|" in cell:
            return ranges_from_cell(cell)
        value, _, tolerance = _PLUS_MINUS.sub("±", cell).partition("±")
        return {"value": value.strip(), "tolerance": tolerance.strip() or "0"}

    def key_to_cell(self, key: JsonObject) -> str:
        if "ranges" in key:
            ranges = [_ends(each) for each in key["ranges"]]
            # One number alone would be read as a number with a tolerance.
            return "|".join(_in_short(*each, "..") for each in ranges) if ranges[1:] else "..".join(ranges[0])
        return key["value"] if key["tolerance"] == "0" else f"{key['value']}±{key['tolerance']}"

    def printed_key(self, key: JsonObject, labels: Mapping[str, str]) -> list[list[str]]:
        if "ranges" in key:
            return [[_in_short(*_ends(each), " … ")] for each in key["ranges"]]
        tolerance = key.get("tolerance", "0")
        return [[f"{key['value']} ± {tolerance}" if parse_number(tolerance) else str(key["value"])]]


def _is_number_with_tolerance(key: JsonObject) -> bool:
    return {"value"} <= set(key) <= {"value", "tolerance"} and all(isinstance(v, str) for v in key.values())


def shown_ranges(key: JsonObject) -> JsonObject:
    """Stored ranges in the form of the API; any other key as it is."""
    return {"ranges": [list(_ends(each)) for each in key["ranges"]]} if _is_ranges(key) else key


def ranges_from_cell(cell: str) -> JsonObject:
    """The ranges of a cell, such as `3.1..3.2|4`; a number alone is a range of one number."""
    ranges = []
    for part in cell.split("|"):
        low, dots, high = (end.strip() for end in part.partition(".."))
        ranges.append([low, high if dots else low])
    return {"ranges": ranges}


def _in_short(low: str, high: str, between: str) -> str:
    return low if low == high else f"{low}{between}{high}"


def _is_ranges(key: JsonObject) -> bool:
    ranges = key.get("ranges")
    return (
        set(key) == {"ranges"}
        and isinstance(ranges, list)
        and 1 <= len(ranges) <= _MAX_RANGES
        and all(map(_is_range, ranges))
    )


def _is_range(each: Any) -> bool:
    """Whether JSON is a range: its two ends, or an object with both, as ranges are stored."""
    if isinstance(each, dict):
        return set(each) == {"from", "to"} and all(isinstance(end, str) for end in each.values())
    return isinstance(each, list) and len(each) == 2 and all(isinstance(end, str) for end in each)


def _ends(each: Any) -> tuple[str, str]:
    """The ends of a range in either form, the lower one first."""
    low, high = (each["from"], each["to"]) if isinstance(each, Mapping) else each
    return low, high


def _limits(each: Any) -> tuple[Fraction, Fraction]:
    low, high = map(parse_number, _ends(each))
    if low > high:
        raise ValueError(_REVERSED)
    return low, high


def _range_problems(path: str, each: Any) -> Iterator[ContentProblem]:
    limits = []
    for name, end in zip(("from", "to") if isinstance(each, Mapping) else (0, 1), _ends(each), strict=True):
        try:
            limits.append(parse_number(end))
        except ValueError as error:
            yield ContentProblem(f"{path}.{name}", str(error))
    if len(limits) == len(each) and limits[0] > limits[1]:
        yield ContentProblem(path, _REVERSED)
