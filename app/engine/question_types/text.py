"""Questions whose answer is a typed word."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
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
    is_list_of_texts,
)
from app.engine.question_types.options import no_options
from app.sentences import Sentence

_MOST_SPELLINGS = 20
_LONGEST = 200
# A backslash before a separator makes it a part of the spelling.
_SPELLING = re.compile(r"(?:\\.|[^|\\])+")
_ESCAPED = re.compile(r"\\(.)")
_UNSTORABLE = ("Cc", "Cs")


@dataclass(frozen=True)
class TextKey(AnswerKey):
    """Right is each of the spellings, all of them as `comparable` returns them."""

    spellings: frozenset[str]

    def compare(self, answer: Answer) -> Comparison:
        return Comparison(comparable(answer) in self.spellings) if isinstance(answer, str) else WRONG


def comparable(text: str) -> str:
    """A typed text as it is compared: Unicode NFC, case-folded, each run of white space as one space."""
    folded = unicodedata.normalize("NFC", text).casefold()
    return " ".join(unicodedata.normalize("NFC", folded).split())


class Text(QuestionType):
    """A word or a few, typed. The key lists every spelling that is right."""

    name = "text"
    title = "text"
    interaction = Interaction.SHORT_TEXT
    key_example = '{"texts": ["New Delhi", "Delhi"]}'
    key_schema: ClassVar[JsonObject | None] = {
        "type": "object",
        "title": "Spellings",
        "description": "Right is each of these. Case, runs of spaces and Unicode form do not count.",
        "properties": {
            "texts": {
                "type": "array",
                "minItems": 1,
                "maxItems": _MOST_SPELLINGS,
                "items": {"type": "string", "minLength": 1, "maxLength": _LONGEST},
            }
        },
        "required": ["texts"],
        "additionalProperties": False,
    }
    sheet_note = (
        "key of a text question",
        r"Every spelling that is right, separated by |: New Delhi|Delhi. A | within a spelling: \|.",
    )

    def option_problems(self, options: Sequence[Option]) -> Iterator[ContentProblem]:
        return no_options(self.title, options)

    def key_problems(self, key: JsonObject, options: Sequence[Option]) -> Iterator[ContentProblem]:
        if not _is_spellings(key):
            yield ContentProblem("key", self.wrong_key())
            return
        for place, text in enumerate(key["texts"]):
            if message := _mistake(text):
                yield ContentProblem(f"key.texts.{place}", message)

    def normalized_key(self, key: JsonObject) -> dict[str, Any]:
        spellings: dict[str, str] = {}
        for text in key["texts"]:
            spellings.setdefault(comparable(text), " ".join(unicodedata.normalize("NFC", text).split()))
        return {"texts": list(spellings.values())}

    def answer_key(self, key: JsonObject) -> TextKey:
        if not _is_spellings(key) or any(map(_mistake, key["texts"])):
            raise UnreadableQuestion(self.not_the_key())
        return TextKey(frozenset(map(comparable, key["texts"])))

    def answer_problem(self, answer: Any, option_ids: Sequence[str]) -> str | None:
        if not isinstance(answer, str):
            return Sentence('Send the text as a string, such as "New Delhi".')
        return _mistake(answer)

    def key_from_cell(self, cell: str) -> JsonObject:
        spellings = [_ESCAPED.sub(r"\1", part).strip() for part in _SPELLING.findall(cell)]
        return {"texts": [spelling for spelling in spellings if spelling]}

    def key_to_cell(self, key: JsonObject) -> str:
        cell = "|".join(re.sub(r"([\\|])", r"\\\1", text) for text in key["texts"])
        # The cells `dropped` and `dropped: prorate` mean something else.
        return f"\\{cell}" if cell.casefold().split(":")[0].strip() == "dropped" else cell

    def answer_reader(self, option_ids: Sequence[str]) -> AnswerReader:
        def read(text: str) -> str:
            if message := _mistake(text):
                raise ValueError(message)
            return text

        return read

    def has_answer_line(self) -> bool:
        return True

    def printed_key(self, key: JsonObject, labels: Mapping[str, str]) -> list[list[str]]:
        return [[text] for text in key["texts"]]


def _is_spellings(key: JsonObject) -> bool:
    texts = key.get("texts")
    return set(key) == {"texts"} and is_list_of_texts(texts, _MOST_SPELLINGS, _LONGEST) and bool(texts)


def _mistake(text: str) -> str | None:
    if len(text) > _LONGEST:
        return Sentence("A text has at most {longest} characters.", longest=_LONGEST)
    if any(unicodedata.category(character) in _UNSTORABLE for character in text):
        return Sentence("A text has no control characters. Remove them.")
    if not comparable(text):
        return Sentence("An empty text is no answer.")
    return None
