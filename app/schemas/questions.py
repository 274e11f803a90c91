"""Questions as authors write and read them."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from app.models import LocalizedText, Question, QuestionVersion
from app.schemas.changes import Changes
from app.schemas.common import In, Localized, OptionId, Out
from app.services.questions import Content, Place

QuestionType = Literal["single_choice", "multiple_choice", "true_false", "numeric", "descriptive"]
Difficulty = Literal["easy", "medium", "hard"]
QuestionStatus = Literal["draft", "active", "retired"]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=50)]


def _distinct(tags: list[str]) -> list[str]:
    return list(dict.fromkeys(tags))


Tags = Annotated[list[Tag], Field(max_length=20), AfterValidator(_distinct)]
Source = Annotated[str, StringConstraints(min_length=1, max_length=300)]
ExternalId = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Number = Annotated[str, Field(max_length=32, examples=["3.14"])]
Media = Annotated[list[str], Field(max_length=0, description="Images cannot be attached yet")]


class OptionIn(In):
    """One thing to choose."""

    id: OptionId
    text: Localized


Options = Annotated[list[OptionIn], Field(max_length=20)]


class KeyIn(In):
    """What is right: whole right answers by option id, or a number with its tolerance."""

    accepted: Annotated[list[list[OptionId]], Field(max_length=64)] | None = None
    value: Number | None = None
    tolerance: Number | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_answer(cls, value: Any) -> Any:
        return {"accepted": [value]} if isinstance(value, list) else value

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.accepted is None) == (self.value is None):
            raise ValueError('send either "accepted" or "value"')
        if self.value is None and self.tolerance is not None:
            raise ValueError('"tolerance" belongs to "value"')
        return self

    def stored(self) -> dict[str, Any]:
        """What the service takes."""
        return self.model_dump(exclude_none=True)


Key = Annotated[KeyIn, Field(examples=[{"accepted": [["b"]]}, ["b"], {"value": "3.14", "tolerance": "0.01"}])]


class QuestionIn(In):
    """A new question. `"key": ["b"]` is short for `{"accepted": [["b"]]}`; only a draft may do without."""

    subject_id: UUID
    chapter_id: UUID | None = None
    type: QuestionType
    text: Localized
    options: Options = Field(default_factory=list)
    key: Key = KeyIn(accepted=[])
    explanation: Localized | None = None
    difficulty: Difficulty | None = None
    tags: Tags = Field(default_factory=list)
    source: Source | None = None
    external_id: ExternalId | None = None
    passage_id: UUID | None = None
    media: Media = Field(default_factory=list)
    status: Literal["draft", "active"] = "active"

    def place(self) -> Place:
        """Where it stands."""
        return Place(self.subject_id, self.chapter_id, self.source, self.external_id, self.status)

    def content(self) -> Content:
        """What it says."""
        return Content(
            type=self.type,
            text=self.text,
            options=[option.model_dump() for option in self.options],
            key=self.key.stored(),
            explanation=self.explanation,
            difficulty=self.difficulty,
            tags=self.tags,
            passage_id=self.passage_id,
            media=self.media,
        )


class QuestionChanges(Changes):
    """What is to change in a question."""

    may_be_null = frozenset(
        {"chapter_id", "explanation", "difficulty", "source", "external_id", "passage_id"}
    )

    subject_id: UUID | None = None
    chapter_id: UUID | None = None
    type: QuestionType | None = None
    text: Localized | None = None
    options: Options | None = None
    key: Key | None = None
    explanation: Localized | None = None
    difficulty: Difficulty | None = None
    tags: Tags | None = None
    source: Source | None = None
    external_id: ExternalId | None = None
    passage_id: UUID | None = None
    media: Media | None = None
    status: Literal["draft", "active"] | None = None

    def changes(self) -> dict[str, Any]:
        """The fields that were sent, as the service takes them."""
        changes = super().changes()
        if self.key is not None:
            changes["key"] = self.key.stored()
        return changes


class OptionOut(Out):
    """One thing to choose."""

    id: str
    text: LocalizedText


class VersionOut(Out):
    """What a question said from one change to the next."""

    number: int
    type: str
    text: LocalizedText
    options: list[OptionOut]
    key: Annotated[
        dict[str, Any],
        Field(description='`{"accepted": …}`, `{"value", "tolerance"}` or `{"dropped": true}`'),
    ]
    explanation: LocalizedText | None
    difficulty: str | None
    tags: list[str]
    passage_id: UUID | None
    media: list[str]
    created_by: UUID | None
    created_at: datetime


class QuestionOut(Out):
    """A question in its current version."""

    id: UUID
    subject_id: UUID
    chapter_id: UUID | None
    type: str
    text: LocalizedText
    options: list[OptionOut]
    key: dict[str, Any]
    explanation: LocalizedText | None
    difficulty: str | None
    tags: list[str]
    source: str | None
    number: int | None
    external_id: str | None
    passage_id: UUID | None
    media: list[str]
    status: str
    version: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, question: Question) -> Self:
        """The question and its current version as one."""
        said = VersionOut.model_validate(question.version).model_dump(
            exclude={"number", "created_by", "created_at"}
        )
        return cls(
            **said,
            id=question.id,
            subject_id=question.subject_id,
            chapter_id=question.chapter_id,
            source=question.source,
            number=question.source_number,
            external_id=question.external_id,
            status=question.status,
            version=question.current_version,
            created_at=question.created_at,
            updated_at=question.updated_at,
        )


class QuestionWithVersionsOut(QuestionOut):
    """A question and all that it said, the newest first."""

    versions: list[VersionOut] = Field(default_factory=list)

    @classmethod
    def with_versions(cls, question: Question, versions: list[QuestionVersion]) -> Self:
        """The question together with its history."""
        history = [VersionOut.model_validate(version) for version in versions]
        return cls.of(question).model_copy(update={"versions": history})


class RowErrorOut(Out):
    """What is wrong in one row (the header is row 1); `field` is a column, or `file` for the whole row."""

    row: int
    field: str
    message: str


class ImportOut(Out):
    """What an import did, or with `dry_run` would do; where there are errors, nothing."""

    created: int
    updated: int
    unchanged: int
    errors: list[RowErrorOut]
