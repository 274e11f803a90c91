"""Questions whose answer is a number."""

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
from app.engine.typed_numbers import LONGEST_NUMBER, parse_number, plain_number
from app.sentences import Sentence

NUMBER_SCHEMA = {"type": "string", "maxLength": LONGEST_NUMBER, "examples": ["3.14"]}

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
        number = number_of(answer)
        return WRONG if number is None else Comparison(abs(number - self.value) <= self.tolerance)


def number_of(answer: Answer) -> Fraction | None:
    """The number that was typed; None for what cannot be read as one."""
    try:
        return parse_number(answer) if isinstance(answer, str) else None
    except ValueError:
        return None


class NumberType(QuestionType):
    """What the types have in common whose answer is a typed number."""

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


class Numeric(NumberType):
    """A number with a tolerance."""

    name = "numeric"
    title = "numeric"
    interaction = Interaction.NUMBER
    key_example = '{"value": "3.14", "tolerance": "0.01"}'
    key_schema: ClassVar[JsonObject | None] = {
        "type": "object",
        "title": "NumberWithTolerance",
        "description": "Right is what lies within `value` ± `tolerance`, ends included.",
        "properties": {"value": NUMBER_SCHEMA, "tolerance": NUMBER_SCHEMA},
        "required": ["value"],
        "additionalProperties": False,
    }
    key_hint = ' With a tolerance: "3.14±0.01".'
    sheet_note = ("key of a numeric question", "3.14, or 3.14±0.01 with a tolerance; +- means ±.")

    def key_problems(self, key: JsonObject, options: Sequence[Option]) -> Iterator[ContentProblem]:
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
        return {
            "value": plain_number(key["value"]),
            "tolerance": plain_number(key.get("tolerance") or "0"),
        }

    def answer_key(self, key: JsonObject) -> NumericKey:
        if not _is_number_with_tolerance(key):
            raise UnreadableQuestion(self.not_the_key())
        try:
            return NumericKey(parse_number(key["value"]), parse_number(key.get("tolerance", "0")))
        except ValueError as error:
            raise UnreadableQuestion(str(error)) from error

    def key_from_cell(self, cell: str) -> JsonObject:
        value, _, tolerance = _PLUS_MINUS.sub("±", cell).partition("±")
        return {"value": value.strip(), "tolerance": tolerance.strip() or "0"}

    def key_to_cell(self, key: JsonObject) -> str:
        return key["value"] if key["tolerance"] == "0" else f"{key['value']}±{key['tolerance']}"

    def printed_key(self, key: JsonObject, labels: Mapping[str, str]) -> list[list[str]]:
        tolerance = key.get("tolerance", "0")
        return [[f"{key['value']} ± {tolerance}" if parse_number(tolerance) else str(key["value"])]]


def _is_number_with_tolerance(key: JsonObject) -> bool:
    return {"value"} <= set(key) <= {"value", "tolerance"} and all(isinstance(v, str) for v in key.values())
