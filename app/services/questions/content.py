"""What a question says, and the rules for it: the same for the API and for an imported sheet."""

import hashlib
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from typing import Any
from uuid import UUID

import structlog

from app.core.errors import FieldError, QuestionUnreadable
from app.engine.question_types import (
    DROPPED_KEY,
    NO_KEY,
    Problem,
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
    def kind(self) -> QuestionType:
        """The rules of its type. Raises UnreadableQuestion for a type that is not known."""
        return question_type(self.type)

    @property
    def is_dropped(self) -> bool:
        return self.key == DROPPED_KEY

    @property
    def has_key(self) -> bool:
        """Whether somebody said what is right, or that the question is dropped."""
        return self.key != NO_KEY

    @property
    def has_key_of_its_own(self) -> bool:
        """Whether the key says what is right."""
        return self.has_key and not self.is_dropped

    def check_readable(self) -> None:
        """Raise UnreadableQuestion if the type is not known, or the key not the type's."""
        if self.kind.is_marked and self.has_key:
            key_of(self.type, self.key)

    def normalized(self) -> "Content":
        """The content with its key in the one way to write it; for content without problems."""
        if not self.has_key_of_its_own:
            return self
        return replace(self, key=self.kind.normalized_key(self.key))

    def values(self) -> dict[str, Any]:
        """The columns of a version."""
        return {name: getattr(self, name) for name in CONTENT_FIELDS}


CONTENT_FIELDS = tuple(entry.name for entry in fields(Content))


def content_of(version: QuestionVersion) -> Content:
    """What a stored version says."""
    return Content(**{name: getattr(version, name) for name in CONTENT_FIELDS})


@contextmanager
def reading(question_id: UUID) -> Iterator[None]:
    """Raise an UnreadableQuestion as QuestionUnreadable, which names the question."""
    try:
        yield
    except UnreadableQuestion as error:
        log.exception("question_unreadable", question_id=str(question_id), reason=str(error))
        raise QuestionUnreadable(question_id, str(error)) from error


def fingerprint(subject_id: UUID, text: LocalizedText) -> str:
    """The identity of last resort: the subject, and the text as far as a reader sees a difference."""
    first = text.get("en") or text[min(text)]
    words = unicodedata.normalize("NFKC", first).casefold().split()
    return hashlib.sha256(f"{subject_id}\n{' '.join(words)}".encode()).hexdigest()


def problems_of(content: Content, *, needs_key: bool) -> list[FieldError]:
    """All that is wrong, by the API's field names; a draft may wait for its key."""
    problems = [*content.kind.option_problems(content.options), *_key_problems(content, needs_key=needs_key)]
    return [FieldError(*problem) for problem in problems]


def _key_problems(content: Content, *, needs_key: bool) -> Iterator[Problem]:
    if content.has_key_of_its_own:
        yield from content.kind.key_problems(content.key, content.options)
    elif needs_key and content.kind.is_marked and not content.is_dropped:
        yield Problem("key", "the key is missing; only a draft may wait for it")
