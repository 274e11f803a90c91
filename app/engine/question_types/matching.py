"""Questions that match the items of one list with those of another."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from app.engine.answers import Answer
from app.engine.partial_rules import Parts
from app.engine.question_types.base import (
    LETTER_COLUMNS,
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
    is_list_of_texts,
)
from app.engine.question_types.options import MAX_ID_LENGTH, MAX_OPTIONS, repeated_ids
from app.sentences import Sentence

_LEFT_COLUMNS = {f"left_{number}": str(number) for number in range(1, 7)}
_DASH = re.compile(r"\s*[-–:=]\s*")
_PAIR = re.compile(r"([0-9]+)-?(.+)")
_SEPARATORS = re.compile(r"[\s,;|]+")


@dataclass(frozen=True)
class MatchingKey(AnswerKey):
    """The right items that each left item may be matched with; a whole right answer matches all of them."""

    accepted: frozenset[tuple[str, frozenset[str]]]

    def compare(self, answer: Answer) -> Comparison:
        if isinstance(answer, str):
            return WRONG
        accepted = dict(self.accepted)
        pairs = [pair for pair in answer if isinstance(pair, tuple)]
        right = sum(item in accepted.get(left, ()) for left, item in pairs)
        total = len(accepted)
        parts = Parts(right, len(pairs) - right, total, are_independent=True)
        return Comparison(right == total == len(answer), (parts,))


class Matching(QuestionType):
    """Two lists of options: the left ones have numbers as ids, the right ones do not.

    A candidate matches each left item with a right one. A right item may fit several left ones, or none.
    """

    name = "matching"
    title = "matching"
    interaction = Interaction.PAIRS
    key_example = '{"pairs": {"1": ["b"], "2": ["a"]}}'
    key_schema: ClassVar[JsonObject | None] = {
        "type": "object",
        "title": "Pairs",
        "description": "By left item, the right items that it may be matched with.",
        "properties": {
            "pairs": {
                "type": "object",
                "minProperties": 1,
                "maxProperties": MAX_OPTIONS,
                "additionalProperties": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": MAX_OPTIONS,
                    "items": {"type": "string", "maxLength": MAX_ID_LENGTH},
                },
            }
        },
        "required": ["pairs"],
        "additionalProperties": False,
    }
    option_lists: ClassVar[Sequence[Mapping[str, str]]] = (_LEFT_COLUMNS, LETTER_COLUMNS)
    key_hint = ' Pairs: "1-b 2-a", with either of two: "1-b|c 2-a".'
    sheet_note = (
        "key of a matching question",
        "1-b 2-a: left_1 goes with option_b, left_2 with option_a; 1-b|c accepts either for left_1.",
    )
    hint: ClassVar[Mapping[str, str]] = {
        "en": "match each numbered item with a lettered one",
        "hi": "प्रत्येक क्रमांकित मद का अक्षरांकित मद से मिलान कीजिए",
    }

    def option_problems(self, options: Sequence[Option]) -> Iterator[ContentProblem]:
        ids = [option["id"] for option in options]
        if len(_left(ids)) < 2 or len(_right(ids)) < 2:
            yield ContentProblem(
                "options", "A matching needs at least two items with a number as id, and two without."
            )
        yield from repeated_ids(options)

    def shuffled(self, option_ids: Sequence[str]) -> Sequence[str]:
        return _right(option_ids)

    def key_problems(self, key: JsonObject, options: Sequence[Option]) -> Iterator[ContentProblem]:
        if not _is_pairs(key):
            yield ContentProblem("key", self.wrong_key())
            return
        ids = self.option_ids(options)
        for left in _left(ids):
            if left not in key["pairs"]:
                yield ContentProblem(
                    "key.pairs", Sentence("The key does not say what belongs to {item}.", item=left)
                )
        for left, right in key["pairs"].items():
            if left not in _left(ids):
                yield ContentProblem(
                    f"key.pairs.{left}", Sentence('"{item}" is no item of the first list.', item=left)
                )
            for name in right:
                if name not in _right(ids):
                    yield ContentProblem(
                        f"key.pairs.{left}", Sentence('"{item}" is no item of the second list.', item=name)
                    )

    def normalized_key(self, key: JsonObject) -> dict[str, Any]:
        lefts = sorted(key["pairs"], key=_place)
        return {"pairs": {left: sorted(set(key["pairs"][left])) for left in lefts}}

    def answer_key(self, key: JsonObject) -> MatchingKey:
        if not _is_pairs(key):
            raise UnreadableQuestion(self.not_the_key())
        return MatchingKey(frozenset((left, frozenset(right)) for left, right in key["pairs"].items()))

    def answer_problem(self, answer: Any, option_ids: Sequence[str]) -> str | None:
        if not isinstance(answer, dict) or len(answer) > MAX_OPTIONS:
            return Sentence('Send the pairs as an object, such as {"1": "b", "2": "a"}.')
        if not answer:
            return Sentence("An empty object is no answer. Send null to clear the answer.")
        for left, right in answer.items():
            if left not in _left(option_ids):
                return Sentence("There is no item {item} in the first list.", item=left[:MAX_ID_LENGTH])
            if right not in _right(option_ids):
                return Sentence(
                    "There is no item {item} in the second list, which {left} is matched with.",
                    item=str(right)[:MAX_ID_LENGTH],
                    left=left,
                )
        return None

    def guess_share(self, option_ids: Sequence[str], not_attempted: str | None = None) -> float:
        """Each left item is matched with any right one: four items with four are all right once in 256."""
        left, right = len(_left(option_ids)), len(_right(option_ids))
        return 1 / right**left if left and right else 0.0

    def key_from_cell(self, cell: str) -> JsonObject:
        pairs = {}
        for part in cell.split():
            left, dash, right = part.partition("-")
            if not dash or not left or left in pairs:
                raise ValueError(
                    Sentence('"{cell}" is not a key. Write "1-b 2-a", or "1-b|c" for either.', cell=cell)
                )
            pairs[left] = right.lower().split("|")
        return {"pairs": pairs}

    def key_to_cell(self, key: JsonObject) -> str:
        return " ".join(f"{left}-{'|'.join(right)}" for left, right in key["pairs"].items())

    def answer_reader(self, option_ids: Sequence[str]) -> AnswerReader:
        names = {option_id.casefold(): option_id for option_id in option_ids}

        def read(text: str) -> Answer:
            parts = _SEPARATORS.split(_DASH.sub("-", text.casefold()).strip())
            pairs = [_PAIR.fullmatch(part) for part in parts if part]
            found = {pair[1]: names.get(pair[2], pair[2]) for pair in pairs if pair}
            if len(found) < len(pairs):
                raise ValueError('Write the pairs like "1-b 2-a", each item of the first list once.')
            if problem := self.answer_problem(found, option_ids):
                raise ValueError(problem)
            return tuple(sorted(found.items()))

        return read

    def has_answer_line(self) -> bool:
        return True

    def printed_key(self, key: JsonObject, labels: Mapping[str, str]) -> list[list[str]]:
        return [
            [
                f"{labels[left]}–{'/'.join(labels[name] for name in right)}"
                for left, right in key["pairs"].items()
            ]
        ]


def _left(option_ids: Sequence[str]) -> list[str]:
    return [option_id for option_id in option_ids if option_id.isdigit()]


def _right(option_ids: Sequence[str]) -> list[str]:
    return [option_id for option_id in option_ids if not option_id.isdigit()]


def _place(left: str) -> tuple[int, str]:
    return len(left), left


def _is_pairs(key: JsonObject) -> bool:
    pairs = key.get("pairs")
    return (
        set(key) == {"pairs"}
        and isinstance(pairs, dict)
        and 1 <= len(pairs) <= MAX_OPTIONS
        and all(is_list_of_texts(right, MAX_OPTIONS, MAX_ID_LENGTH) and right for right in pairs.values())
    )
