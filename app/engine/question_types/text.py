"""Questions whose answer is a typed word."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from app.engine.answers import Answer
from app.engine.invisible_characters import without_invisible
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

_MAX_SPELLINGS = 20
_MAX_LENGTH = 200
# A backslash before a separator makes it a part of the spelling.
_SPELLING = re.compile(r"(?:\\.|[^|\\])+")
_ESCAPED = re.compile(r"\\(.)")
_CASE_SENSITIVE = re.compile(r"\A\s*case_sensitive\s*:\s*", re.IGNORECASE)
_UNSTORABLE = ("Cc", "Cs")


@dataclass(frozen=True)
class TextKey(AnswerKey):
    """Right is each of the spellings, all of them as `comparable` returns them."""

    spellings: frozenset[str]
    case_sensitive: bool = False

    def compare(self, answer: Answer) -> Comparison:
        if not isinstance(answer, str):
            return WRONG
        return Comparison(comparable(answer, case_sensitive=self.case_sensitive) in self.spellings)


def comparable(text: str, *, case_sensitive: bool = False) -> str:
    """A typed text as it is compared: Unicode NFC, each run of white space as one space, case-folded.

    Invisible characters are left out: keyboards add them, and joiners choose between two shapes of one word.
    """
    composed = unicodedata.normalize("NFC", without_invisible(text))
    if not case_sensitive:
        composed = unicodedata.normalize("NFC", composed.casefold())
    return " ".join(composed.split())


class Text(QuestionType):
    """A word or a few, typed. The key lists every spelling that is right."""

    name = "text"
    title = "text"
    interaction = Interaction.SHORT_TEXT
    key_example = '{"accepted": ["New Delhi", "Delhi"], "case_sensitive": false}'
    key_schema: ClassVar[JsonObject | None] = {
        "type": "object",
        "title": "Spellings",
        "description": (
            "Each of these is right. The number of spaces and characters without a width are ignored,"
            " and so is case unless `case_sensitive` is true."
        ),
        "properties": {
            "accepted": {
                "type": "array",
                "minItems": 1,
                "maxItems": _MAX_SPELLINGS,
                "items": {"type": "string", "minLength": 1, "maxLength": _MAX_LENGTH},
            },
            "case_sensitive": {"type": "boolean", "default": False},
        },
        "required": ["accepted"],
        "additionalProperties": False,
    }
    sheet_note = (
        "key of a text question",
        (
            r"Every spelling that is right, separated by |: New Delhi|Delhi. A | within a spelling: \|."
            " If the case of letters counts: case_sensitive: NaCl."
        ),
    )

    def option_problems(self, options: Sequence[Option]) -> Iterator[ContentProblem]:
        return no_options(self.title, options)

    def key_problems(self, key: JsonObject, options: Sequence[Option]) -> Iterator[ContentProblem]:
        name = _name_of_spellings(key)
        if name is None:
            yield ContentProblem("key", self.wrong_key())
            return
        for place, text in enumerate(key[name]):
            if message := _mistake(text):
                yield ContentProblem(f"key.{name}.{place}", message)

    def normalized_key(self, key: JsonObject) -> dict[str, Any]:
        case_sensitive = key.get("case_sensitive", False)
        spellings: dict[str, str] = {}
        for text in key.get("texts") or key["accepted"]:
            plain = " ".join(unicodedata.normalize("NFC", text).split())
            spellings.setdefault(comparable(text, case_sensitive=case_sensitive), plain)
        return {"texts": list(spellings.values())} | ({"case_sensitive": True} if case_sensitive else {})

    def answer_key(self, key: JsonObject) -> TextKey:
        name = _name_of_spellings(key)
        if name is None or any(_mistake(text) for text in key[name] if not _is_invisible(text)):
            raise UnreadableQuestion(self.not_the_key())
        case_sensitive = key.get("case_sensitive", False)
        spellings = {comparable(text, case_sensitive=case_sensitive) for text in key[name]}
        return TextKey(frozenset(spellings - {""}), case_sensitive)

    def answer_problem(self, answer: Any, option_ids: Sequence[str]) -> str | None:
        if not isinstance(answer, str):
            return Sentence('Send the text as a string, such as "New Delhi".')
        return _mistake(answer)

    def key_from_cell(self, cell: str) -> JsonObject:
        said = _CASE_SENSITIVE.sub("", cell)
        spellings = [_ESCAPED.sub(r"\1", part).strip() for part in _SPELLING.findall(said)]
        accepted = [spelling for spelling in spellings if spelling]
        return {"accepted": accepted, "case_sensitive": True} if said != cell else {"accepted": accepted}

    def key_to_cell(self, key: JsonObject) -> str:
        cell = "|".join(re.sub(r"([\\|])", r"\\\1", text) for text in key["texts"])
        # What such cells begin with means something else: `dropped: prorate`, `case_sensitive: Delhi`.
        first = cell.casefold().split(":")[0].strip()
        escaped = f"\\{cell}" if first == "dropped" or _CASE_SENSITIVE.match(cell) else cell
        return f"case_sensitive: {escaped}" if key.get("case_sensitive") else escaped

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


def shown_spellings(key: JsonObject) -> JsonObject:
    """Stored spellings in the form of the API; any other key as it is."""
    if "texts" not in key or _name_of_spellings(key) is None:
        return key
    return {"accepted": list(key["texts"]), "case_sensitive": key.get("case_sensitive", False)}


def _name_of_spellings(key: JsonObject) -> str | None:
    """The name that the list of spellings has: `accepted`, or `texts` in the bank. None in any other key."""
    name = "texts" if "texts" in key else "accepted"
    has_form = (
        {name} <= set(key) <= {name, "case_sensitive"}
        and is_list_of_texts(key[name], _MAX_SPELLINGS, _MAX_LENGTH)
        and bool(key[name])
        and isinstance(key.get("case_sensitive", False), bool)
    )
    return name if has_form else None


def _is_invisible(text: str) -> bool:
    """Whether a text is invisible, and no white space. A key that is stored may have such a spelling."""
    return bool(text.strip()) and not comparable(text)


def _mistake(text: str) -> str | None:
    if len(text) > _MAX_LENGTH:
        return Sentence("A text has at most {longest} characters.", longest=_MAX_LENGTH)
    if any(unicodedata.category(character) in _UNSTORABLE for character in text):
        return Sentence("A text has no control characters. Remove them.")
    if not comparable(text):
        return Sentence("An empty text is no answer.")
    return None
