"""The content of a question, and its rules, which are the same for the API and for imported sheets."""

import hashlib
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from typing import Any
from uuid import UUID

import structlog

from app.core.comparable_text import comparable, exact, visible
from app.core.errors import FieldError, QuestionUnreadable
from app.core.names import checked_lines
from app.engine.dropped_keys import is_dropped
from app.engine.question_types import (
    NO_KEY,
    ContentProblem,
    QuestionType,
    UnreadableQuestion,
    question_type,
)
from app.engine.scoring import key_of
from app.models import LocalizedText, QuestionVersion
from app.sentences import Sentence

Key = dict[str, Any]
Option = dict[str, Any]

MIN_EQUAL_KEYS = 12
"""Fewer equal keys of a sheet or a test may be chance: of 12 with four options it is 1 in 4 million."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Content:
    """The part of a question that has versions: a change of it creates a new version."""

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
    def kind(self) -> QuestionType:
        """The rules of the question's type. Raises UnreadableQuestion if the type is unknown."""
        return question_type(self.type)

    @property
    def is_dropped(self) -> bool:
        return is_dropped(self.key)

    @property
    def has_key(self) -> bool:
        """Whether the key is set: to accepted answers, or to `dropped`."""
        return self.key != NO_KEY

    @property
    def has_accepted_answers(self) -> bool:
        """Whether the key is set and the question is not dropped."""
        return self.has_key and not self.is_dropped

    def check_readable(self) -> None:
        """Raise UnreadableQuestion if the type is unknown, or if the key does not have the type's format."""
        if self.kind.is_marked and self.has_key:
            key_of(self.type, self.key)

    def normalized(self) -> "Content":
        """The content with its key in normal form, so that equal keys compare equal.

        The content must have no problems (`problems_of`).
        """
        if not self.has_accepted_answers:
            return self
        return replace(self, key=self.kind.normalized_key(self.key))

    def values(self) -> dict[str, Any]:
        """The values of a version's columns, by name."""
        return {name: getattr(self, name) for name in CONTENT_FIELDS}


CONTENT_FIELDS = tuple(entry.name for entry in fields(Content))


def content_of(version: QuestionVersion) -> Content:
    """The content of a stored version."""
    return Content(**{name: getattr(version, name) for name in CONTENT_FIELDS})


@contextmanager
def reading_question(question_id: UUID) -> Iterator[None]:
    """Convert an UnreadableQuestion from the block to the domain error, which has the id of the question."""
    try:
        yield
    except UnreadableQuestion as error:
        log.exception("question_unreadable", question_id=str(question_id), reason=str(error))
        raise QuestionUnreadable(question_id, str(error)) from error


def fingerprint(subject_id: UUID, content: Content) -> str:
    """A hash of subject, passage, text and options: the identity of a question without another one.

    Texts that differ only in case, spaces or characters that cannot be seen have the same hash, whatever the
    order of the options. Questions that were last changed by older versions have `older_fingerprint`.
    """
    texts = sorted(exact(_first_language(option["text"])) for option in content.options)
    parts = (str(subject_id), str(content.passage_id), comparable(_first_language(content.text)), *texts)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def older_fingerprint(subject_id: UUID, text: LocalizedText) -> str:
    """The hash that older versions of the application stored: of subject and text only."""
    words = unicodedata.normalize("NFKC", _first_language(text)).casefold().split()
    return hashlib.sha256(f"{subject_id}\n{' '.join(words)}".encode()).hexdigest()


def _first_language(text: LocalizedText) -> str:
    return text.get("en") or text[min(text)]


def problems_of(content: Content, *, needs_key: bool, reads_texts: bool = True) -> list[FieldError]:
    """The errors in a content, with the field names of the API. `needs_key` is false for drafts.

    Without `reads_texts`, the caller has checked each text by `checked_lines`.
    """
    problems = [
        *content.kind.option_problems(content.options),
        *_equal_options(content),
        *(_unreadable_texts(content) if reads_texts else ()),
        *_key_problems(content, needs_key=needs_key),
    ]
    return [FieldError(*problem) for problem in problems]


def _equal_options(content: Content) -> Iterator[ContentProblem]:
    """Options that read like one before them: a candidate cannot know which of the two is right."""
    list_of = {id_: number for number, ids in enumerate(content.kind.option_lists) for id_ in ids.values()}
    first: dict[tuple[int, str, str], str] = {}
    for place, option in enumerate(content.options):
        within = list_of.get(option["id"], 0)
        for language, text in option["text"].items():
            other = first.setdefault((within, language, visible(text)), option["id"])
            if other != option["id"]:
                sentence = "This option reads like option {other}. Write two different options."
                yield ContentProblem(f"options.{place}.text", Sentence(sentence, other=other))
                break


def _unreadable_texts(content: Content) -> Iterator[ContentProblem]:
    texts = [("text", content.text), ("explanation", content.explanation or {})]
    texts += [(f"options.{place}.text", option["text"]) for place, option in enumerate(content.options)]
    for path, localized in texts:
        for text in localized.values():
            try:
                checked_lines(text)
            except ValueError as problem:
                yield ContentProblem(path, str(problem))


def _key_problems(content: Content, *, needs_key: bool) -> Iterator[ContentProblem]:
    if content.has_accepted_answers:
        yield from content.kind.key_problems(content.key, content.options)
    elif needs_key and content.kind.is_marked and not content.is_dropped:
        yield ContentProblem("key", "The key is missing. Only a draft may have no key.")
