"""Questions as authors write and read them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    Field,
    SerializerFunctionWrapHandler,
    StringConstraints,
    model_serializer,
)

from app.engine.question_types import NO_KEY
from app.models import Question, QuestionVersion
from app.schemas.changes import Changes
from app.schemas.common import ONE_LINE, In, Localized, LocalizedText, Named, OptionId, Out
from app.schemas.kept_versions import KeptVersionOut
from app.schemas.media import MediaIds as Media
from app.schemas.question_keys import KeyIn, QuestionTypeName, StoredKey
from app.services.questions import Content, Duplicate, Place, QuestionUpdate, Revised, Shown
from app.sheets.reports import ImportReport, RowWarning

MAX_GLANCE_LENGTH = 200


Difficulty = Literal["easy", "medium", "hard"]
QuestionStatus = Literal["draft", "active", "retired"]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=50), ONE_LINE]


def _distinct(tags: list[str]) -> list[str]:
    return list(dict.fromkeys(tags))


Tags = Annotated[list[Tag], Field(max_length=20), AfterValidator(_distinct)]
Source = Annotated[str, StringConstraints(min_length=1, max_length=300), ONE_LINE]
ExternalId = Annotated[str, StringConstraints(min_length=1, max_length=200), ONE_LINE]


class OptionIn(In):
    """One thing to choose. A `fixed` option keeps its place where options are shuffled."""

    id: OptionId
    text: Localized
    fixed: bool = False

    @model_serializer(mode="wrap")
    def _stored(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """The option as the bank stores it: most are not fixed, and have no field for it."""
        return {name: value for name, value in serialize(self).items() if name != "fixed" or value}


MAX_OPTIONS = 20

Options = Annotated[list[OptionIn], Field(max_length=MAX_OPTIONS)]


class QuestionIn(In):
    """A new question. `"key": ["b"]` is short for `{"accepted": [["b"]]}`; only a draft may do without."""

    subject_id: UUID
    chapter_id: UUID | None = None
    type: QuestionTypeName
    text: Localized
    options: Options = Field(default_factory=list)
    key: KeyIn = Field(default_factory=lambda: dict(NO_KEY))
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
            key=self.key,
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
    type: QuestionTypeName | None = None
    text: Localized | None = None
    options: Options | None = None
    key: KeyIn | None = None
    explanation: Localized | None = None
    difficulty: Difficulty | None = None
    tags: Tags | None = None
    source: Source | None = None
    external_id: ExternalId | None = None
    passage_id: UUID | None = None
    media: Media | None = None
    status: Literal["draft", "active"] | None = None

    def changes(self) -> QuestionUpdate:
        """The command for the service."""
        return QuestionUpdate(**self.sent_fields())


class OptionOut(Out):
    """One thing to choose. A `fixed` option keeps its place where options are shuffled."""

    id: str
    text: LocalizedText
    fixed: bool = False


class VersionOut(Out):
    """What a question said from one change to the next."""

    number: int
    type: str
    text: LocalizedText
    options: list[OptionOut]
    key: StoredKey
    explanation: LocalizedText | None
    difficulty: str | None
    tags: list[str]
    passage_id: UUID | None
    media: list[str]
    created_by: UUID | None
    created_at: datetime

    @classmethod
    def of(cls, version: QuestionVersion, *, withheld: bool) -> Self:
        """The version, without what is right and why where that is withheld."""
        said = cls.model_validate(version)
        return said.model_copy(update={"key": None, "explanation": None}) if withheld else said


class QuestionOut(Out):
    """A question in its current version."""

    id: UUID
    subject: Named
    subject_id: UUID
    chapter: Named | None
    chapter_id: UUID | None
    type: str
    text: LocalizedText
    options: list[OptionOut]
    key: StoredKey
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
    withheld: Annotated[
        bool,
        Field(
            description="In an exam that is not released: only its test's author and admins see key and "
            "explanation, or may change the question"
        ),
    ]
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, shown: Shown) -> Self:
        """The question and its current version as one."""
        question = shown.question
        said = VersionOut.of(question.version, withheld=shown.withheld).model_dump(
            exclude={"number", "created_by", "created_at"}
        )
        return cls(
            **said,
            withheld=shown.withheld,
            id=question.id,
            subject=Named.model_validate(question.subject),
            subject_id=question.subject_id,
            chapter=Named.model_validate(question.chapter) if question.chapter else None,
            chapter_id=question.chapter_id,
            source=question.source,
            number=question.source_number,
            external_id=question.external_id,
            status=question.status,
            version=question.current_version,
            created_at=question.created_at,
            updated_at=question.updated_at,
        )


class ChangedQuestionOut(QuestionOut):
    """A question after a change, and who keeps an older version of it."""

    kept_by: Annotated[
        list[KeptVersionOut],
        Field(
            default_factory=list,
            description="Older versions that exams and running attempts keep, the newest first; without those"
            " of tests that you may not see now",
        ),
    ]

    @classmethod
    def after(cls, revised: Revised) -> Self:
        """Return the changed question with who keeps older versions."""
        changed = cls.of(revised)
        changed.kept_by = [KeptVersionOut.of(kept) for kept in revised.kept_by]
        return changed


class QuestionWithVersionsOut(QuestionOut):
    """A question and all that it said, the newest first."""

    versions: list[VersionOut] = Field(default_factory=list)

    @classmethod
    def with_versions(cls, shown: Shown, versions: Sequence[QuestionVersion]) -> Self:
        """The question together with its history."""
        history = [VersionOut.of(version, withheld=shown.withheld) for version in versions]
        return cls.of(shown).model_copy(update={"versions": history})


class ChangeOut(Out):
    """A field that differs, such as `text.hi`, `options.b.text.en` or `key`; null where it is not there."""

    field: str
    before: Any
    after: Any


class DiffOut(Out):
    """What is otherwise in version `number` than in version `against`."""

    question_id: UUID
    number: int
    against: int
    changes: list[ChangeOut]


class QuestionGlance(Out):
    """A question in short."""

    id: UUID
    subject_id: UUID
    external_id: str | None
    status: str
    text: LocalizedText


class DuplicateOut(Out):
    """Two questions that say nearly the same, the older one first; 1 is the same to the letter."""

    similarity: float
    question: QuestionGlance
    other: QuestionGlance

    @classmethod
    def of(cls, duplicate: Duplicate) -> Self:
        """The pair."""
        return cls(
            similarity=round(duplicate.similarity, 3),
            question=_glance(duplicate.question),
            other=_glance(duplicate.other),
        )


def _glance(question: Question) -> QuestionGlance:
    shortened = {
        language: text if len(text) <= MAX_GLANCE_LENGTH else f"{text[:MAX_GLANCE_LENGTH]}…"
        for language, text in question.version.text.items()
    }
    return QuestionGlance(
        id=question.id,
        subject_id=question.subject_id,
        external_id=question.external_id,
        status=question.status,
        text=shortened,
    )


class RowErrorOut(Out):
    """What is wrong in one row (the header is row 1); `field` is a column, or `file` for the whole row."""

    row: int
    field: str
    message: str
    cell: str | None
    """The cell as the spreadsheet names it: `Sheet1!F7`, in CSV `F7`; else the question and its line."""


class RowWarningOut(RowErrorOut):
    """Something to look at: the row was imported. `question_id` is the question of the bank that is meant."""

    question_id: UUID | None

    @classmethod
    def of(cls, warning: RowWarning) -> Self:
        """Return the warning of a report."""
        return cls(
            row=warning.row,
            field=warning.field,
            message=warning.message,
            cell=warning.cell,
            question_id=warning.related_id,
        )


class ImportedQuestionOut(Out):
    """The question of a row, and its sheet, if several of a workbook are read."""

    row: int
    sheet: str | None
    id: UUID


MappingIn = Annotated[
    dict[
        Annotated[str, StringConstraints(min_length=1, max_length=300)],
        Annotated[str, StringConstraints(min_length=1, max_length=60)],
    ],
    Field(max_length=100),
]
"""The column of each header of a sheet that has another name."""


class ImportOut(Out):
    """What an import did, or with `dry_run` would do; where there are errors, nothing."""

    format: str
    """The format that was read: `sheet`, or one of another program, such as `gift`."""
    created: int
    updated: int
    unchanged: int
    updated_columns: dict[str, int]
    """For each column, in how many questions its value changes; `options` stands for all option columns."""
    passages_created: int
    """Passages that rows share and the bank did not have."""
    passages_updated: int
    """Passages of the bank whose text is another one now, for all of their questions."""
    errors: list[RowErrorOut]
    warnings: list[RowWarningOut]
    questions: list[ImportedQuestionOut]

    @classmethod
    def of(cls, report: ImportReport) -> Self:
        """Return the report of an import."""
        return cls(
            format=report.format,
            created=report.created,
            updated=report.updated,
            unchanged=report.unchanged,
            updated_columns=dict(report.updated_columns),
            passages_created=report.passages_created,
            passages_updated=report.passages_updated,
            errors=[RowErrorOut.model_validate(error) for error in report.errors],
            warnings=[RowWarningOut.of(warning) for warning in report.warnings],
            questions=[
                ImportedQuestionOut(row=place.row, sheet=place.title or None, id=item_id)
                for place, item_id in zip(report.item_rows, report.item_ids, strict=True)
            ],
        )
