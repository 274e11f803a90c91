"""What a question says, and the rules for it: the same for the API and for an imported sheet."""

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any
from uuid import UUID

from app.core.errors import FieldError
from app.engine.scoring import parse_numeric
from app.models import LocalizedText, QuestionVersion

Key = dict[str, Any]
Option = dict[str, Any]

NO_KEY: Key = {"accepted": []}
DROPPED: Key = {"dropped": True}

_CHOICES = ("single_choice", "multiple_choice")
_TRUE_FALSE = ("true", "false")


@dataclass(frozen=True, slots=True)
class Content:
    """Everything that a version of a question fixes."""

    type: str
    text: LocalizedText
    options: list[Option]
    key: Key
    explanation: LocalizedText | None = None
    difficulty: str | None = None
    tags: list[str] = field(default_factory=list)
    passage_id: UUID | None = None
    media: list[str] = field(default_factory=list)

    @property
    def has_key(self) -> bool:
        """Whether somebody said what is right, or that the question is dropped."""
        return self.key != NO_KEY

    @property
    def option_ids(self) -> list[str]:
        """What a key may name."""
        return list(_TRUE_FALSE) if self.type == "true_false" else [option["id"] for option in self.options]

    def values(self) -> dict[str, Any]:
        """The columns of a version."""
        return {name: getattr(self, name) for name in CONTENT_FIELDS}


CONTENT_FIELDS = tuple(entry.name for entry in fields(Content))


def content_of(version: QuestionVersion) -> Content:
    """What a stored version says."""
    return Content(**{name: getattr(version, name) for name in CONTENT_FIELDS})


def normalized_key(key: Key) -> Key:
    """The one way to write a key, so that equal keys compare equal."""
    if "accepted" in key:
        return {"accepted": [list(answer) for answer in sorted({tuple(sorted(a)) for a in key["accepted"]})]}
    if "value" in key:
        return {"value": key["value"], "tolerance": key.get("tolerance") or "0"}
    return key


def fingerprint(subject_id: UUID, text: LocalizedText) -> str:
    """The identity of last resort: the subject, and the text as far as a reader sees a difference."""
    first = text.get("en") or text[min(text)]
    words = unicodedata.normalize("NFKC", first).casefold().split()
    return hashlib.sha256(f"{subject_id}\n{' '.join(words)}".encode()).hexdigest()


def problems_of(content: Content, *, needs_key: bool) -> list[FieldError]:
    """All that is wrong, by the API's field names; a draft may wait for its key."""
    return [*_option_problems(content), *_key_problems(content, needs_key=needs_key)]


def _option_problems(content: Content) -> Iterator[FieldError]:
    if content.type not in _CHOICES:
        if content.options:
            yield FieldError("options", f"a {_words(content.type)} question has no options of its own")
        return
    if len(content.options) < 2:
        yield FieldError("options", "a choice needs at least two options")
    seen: Counter[str] = Counter()
    for place, option in enumerate(content.options):
        seen[option["id"]] += 1
        if seen[option["id"]] > 1:
            yield FieldError(f"options.{place}.id", f'another option has the id "{option["id"]}"')


def _key_problems(content: Content, *, needs_key: bool) -> Iterator[FieldError]:
    if content.key == DROPPED:
        return
    if content.type == "descriptive":
        if content.has_key:
            yield FieldError("key", "a descriptive question is marked by people and has no key")
    elif not content.has_key:
        if needs_key:
            yield FieldError("key", "the key is missing; only a draft may wait for it")
    elif content.type == "numeric":
        yield from _numeric_problems(content.key)
    else:
        yield from _accepted_problems(content)


def _numeric_problems(key: Key) -> Iterator[FieldError]:
    if "value" not in key:
        yield FieldError("key", 'the key of a numeric question is {"value": "3.14", "tolerance": "0.01"}')
        return
    for name in ("value", "tolerance"):
        try:
            number = parse_numeric(key.get(name, "0"))
        except ValueError as error:
            yield FieldError(f"key.{name}", str(error))
            continue
        if name == "tolerance" and number < 0:
            yield FieldError("key.tolerance", "a tolerance cannot be negative")


def _accepted_problems(content: Content) -> Iterator[FieldError]:
    if "accepted" not in content.key:
        yield FieldError("key", f'the key of a {_words(content.type)} question is {{"accepted": [["b"]]}}')
        return
    for place, answer in enumerate(content.key["accepted"]):
        path = f"key.accepted.{place}"
        if not answer:
            yield FieldError(path, "a right answer has at least one option")
        if len(answer) > 1 and content.type != "multiple_choice":
            yield FieldError(path, f"a right answer to a {_words(content.type)} question is one option")
        if len(set(answer)) < len(answer):
            yield FieldError(path, "a right answer names each option once")
        for name in sorted(set(answer) - set(content.option_ids)):
            known = ", ".join(content.option_ids) or "none"
            yield FieldError(path, f'"{name}" is no option of this question; its options are: {known}')


def _words(question_type: str) -> str:
    return "true/false" if question_type == "true_false" else question_type.replace("_", " ")
