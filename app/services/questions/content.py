"""The content of a question, and its rules, which are the same for the API and for imported sheets."""

import hashlib
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from typing import Any
from uuid import UUID

import structlog

from app.core.errors import FieldError, QuestionUnreadable
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

Key = dict[str, Any]
Option = dict[str, Any]

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


def fingerprint(subject_id: UUID, text: LocalizedText) -> str:
    """A hash of subject and text. Imports find questions by it that have no external id and no source.

    Texts that differ only in case, spaces or Unicode form have the same hash.
    """
    first = text.get("en") or text[min(text)]
    words = unicodedata.normalize("NFKC", first).casefold().split()
    return hashlib.sha256(f"{subject_id}\n{' '.join(words)}".encode()).hexdigest()


def problems_of(content: Content, *, needs_key: bool) -> list[FieldError]:
    """The errors in a content, with the field names of the API. `needs_key` is false for drafts."""
    problems = [*content.kind.option_problems(content.options), *_key_problems(content, needs_key=needs_key)]
    return [FieldError(*problem) for problem in problems]


def _key_problems(content: Content, *, needs_key: bool) -> Iterator[ContentProblem]:
    if content.has_accepted_answers:
        yield from content.kind.key_problems(content.key, content.options)
    elif needs_key and content.kind.is_marked and not content.is_dropped:
        yield ContentProblem("key", "The key is missing. Only a draft may have no key.")
