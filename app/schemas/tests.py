"""Tests: drafts for authors, published tests for candidates."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator

from app.core.errors import FieldError
from app.engine.question_types import Reason
from app.models import Test, TestConsent
from app.schemas.changes import Changes
from app.schemas.common import (
    In,
    LanguageTag,
    Localized,
    LocalizedName,
    LocalizedText,
    Marks,
    Out,
)
from app.schemas.marking import MarkingIn, MarkingOut, MarkingPart, printed_maximum
from app.schemas.objection_rules import ObjectionRulesOut, TestObjectionsIn
from app.schemas.papers import Paper
from app.schemas.strict import Moment
from app.sentences import Sentence
from app.services.tests import Preview, PublishedPaper, SectionDraft, TestDraft, TestUpdate

Kind = Literal["full", "sectional", "chapter", "pyq", "practice"]
Seconds = Annotated[int, Field(ge=1, le=86_400)]


def _distinct(languages: list[str]) -> list[str]:
    if len(set(languages)) < len(languages):
        raise ValueError("Name each language only once.")
    return languages


Languages = Annotated[list[LanguageTag], Field(min_length=1, max_length=30), AfterValidator(_distinct)]


class SectionIn(In):
    """A section. With `choose: n`, the first n answered questions in the order of the paper count."""

    name: LocalizedName
    question_ids: Annotated[list[UUID], Field(min_length=1, max_length=500)]
    duration_seconds: Seconds | None = None
    locked: bool = True
    choose: Annotated[int, Field(ge=1)] | None = None
    minimum_marks: Annotated[
        Marks | None, Field(description="A lower score of the section does not qualify")
    ] = None
    marking: MarkingPart | None = None
    question_marking: Annotated[dict[UUID, MarkingPart], Field(max_length=500, default_factory=dict)]

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.choose is not None and self.choose > len(self.question_ids):
            raise ValueError("choose cannot exceed the number of questions.")
        if strangers := set(self.question_marking) - set(self.question_ids):
            template = "question_marking names a question outside the section: {question_id}."
            raise ValueError(Sentence(template, question_id=min(strangers)))
        return self

    def draft(self) -> SectionDraft:
        """The section as a command for the service."""
        return SectionDraft(
            name=self.name,
            question_ids=self.question_ids,
            duration_seconds=self.duration_seconds,
            locked=self.locked,
            choose=self.choose,
            minimum_marks=self.minimum_marks,
            marking=_part(self.marking),
            question_marking={
                question_id: part
                for question_id, marking in self.question_marking.items()
                if (part := _part(marking))
            },
        )


def _part(marking: MarkingPart | None) -> dict[str, Any] | None:
    return (marking.model_dump(mode="json", exclude_none=True) or None) if marking else None


class ShuffleIn(In):
    """What is shuffled for each attempt. Questions of one passage stay together."""

    questions: bool = False
    options: bool = False


Sections = Annotated[list[SectionIn], Field(max_length=50)]
AttemptsAllowed = Annotated[int, Field(ge=1, le=1000)]


class TestIn(In):
    """A new test."""

    title: LocalizedName
    description: Localized | None = None
    kind: Kind
    subject_id: UUID | None = None
    duration_seconds: Seconds
    languages: Languages = Field(default_factory=lambda: ["en"])
    marking: MarkingIn
    sections: Sections = Field(default_factory=list)
    shuffle: ShuffleIn = ShuffleIn()
    attempts_allowed: AttemptsAllowed | None = None
    review: Literal["after_submit", "after_release", "never"] = "after_submit"
    access: Literal["free", "enrolled"] = "free"
    available_from: Moment | None = None
    available_until: Moment | None = None
    objections: TestObjectionsIn | None = None

    def draft(self) -> TestDraft:
        """The test as a command for the service."""
        return TestDraft(
            title=self.title,
            description=self.description,
            kind=self.kind,
            subject_id=self.subject_id,
            duration_seconds=self.duration_seconds,
            languages=self.languages,
            marking=self.marking.stored(),
            sections=[section.draft() for section in self.sections],
            shuffle=self.shuffle.model_dump(),
            attempts_allowed=self.attempts_allowed,
            review=self.review,
            access=self.access,
            available_from=self.available_from,
            available_until=self.available_until,
            objections=self.objections.stored() if self.objections is not None else None,
        )


class TestChangesIn(Changes):
    """What to change in a test. `sections` replaces all sections."""

    may_be_null: ClassVar = frozenset(
        {"description", "subject_id", "attempts_allowed", "available_from", "available_until", "objections"}
    )

    title: LocalizedName | None = None
    description: Localized | None = None
    kind: Kind | None = None
    subject_id: UUID | None = None
    duration_seconds: Seconds | None = None
    languages: Languages | None = None
    marking: MarkingIn | None = None
    sections: Sections | None = None
    shuffle: ShuffleIn | None = None
    attempts_allowed: AttemptsAllowed | None = None
    review: Literal["after_submit", "after_release", "never"] | None = None
    access: Literal["free", "enrolled"] | None = None
    available_from: Moment | None = None
    available_until: Moment | None = None
    objections: TestObjectionsIn | None = None

    def changes(self) -> TestUpdate:
        """The command for the service."""
        changes: dict[str, Any] = {name: getattr(self, name) for name in self.model_fields_set}
        if self.marking is not None:
            changes["marking"] = self.marking.stored()
        if self.shuffle is not None:
            changes["shuffle"] = self.shuffle.model_dump()
        if self.objections is not None:
            changes["objections"] = self.objections.stored()
        if self.sections is not None:
            changes["sections"] = [section.draft() for section in self.sections]
        return TestUpdate(**changes)


class SectionDraftOut(Out):
    """A section of a draft."""

    id: UUID
    name: LocalizedText
    question_ids: list[UUID]
    duration_seconds: int | None
    locked: bool
    choose: int | None
    minimum_marks: str | None
    marking: dict[str, Any] | None
    question_marking: dict[UUID, dict[str, Any]]


class TestDraftOut(Out):
    """The draft of a test. Candidates see changes once they are published."""

    id: UUID
    title: LocalizedText
    description: LocalizedText | None
    kind: Kind
    subject_id: UUID | None
    duration_seconds: int
    languages: list[str]
    marking: MarkingOut
    sections: list[SectionDraftOut]
    shuffle: dict[str, bool]
    attempts_allowed: int | None
    review: str
    access: str
    available_from: datetime | None
    available_until: datetime | None
    objections: ObjectionRulesOut | None
    status: Literal["draft", "published", "archived"]
    paper_version: int | None
    question_count: int

    @classmethod
    def of(cls, test: Test) -> Self:
        """The draft with its sections."""
        sections = [
            SectionDraftOut(
                id=section.id,
                name=section.name,
                question_ids=[place.question_id for place in section.questions],
                duration_seconds=section.duration_seconds,
                locked=section.locked,
                choose=section.choose,
                minimum_marks=section.minimum_marks,
                marking=section.marking,
                question_marking={
                    place.question_id: place.marking for place in section.questions if place.marking
                },
            )
            for section in test.sections
        ]
        count = sum(len(section.question_ids) for section in sections)
        names = set(cls.model_fields) - {"sections", "question_count", "objections"}
        values = {name: getattr(test, name) for name in names}
        values["objections"] = ObjectionRulesOut.of(test.objections)
        return cls.model_validate(values | {"sections": sections, "question_count": count})


class ConsentOut(Out):
    """A user who may place the test in their exams, and who gave the consent."""

    user_id: UUID
    granted_by: UUID | None
    created_at: datetime


class ConsentsOut(Out):
    """All consents of a test. Its author and admins need none."""

    items: list[ConsentOut]

    @classmethod
    def of(cls, consents: Sequence[TestConsent]) -> Self:
        """The consents of a test."""
        return cls(items=[ConsentOut.model_validate(each) for each in consents])


class GapOut(Out):
    """A text that is missing in a language of the test."""

    field: str
    message: str

    @classmethod
    def of(cls, gap: FieldError) -> Self:
        """A gap of a publication."""
        return cls(field=gap.field, message=gap.message)


class KeptOptionsOut(Out):
    """A question whose options are not all shuffled.

    `stays_last`: from an option such as "None of the above" on, all keep their places. `refers_to_options`:
    an option names others, such as "Both (a) and (b)", and all keep their places. `marked`: the author has
    fixed them.
    """

    question_id: UUID
    number: int
    option_ids: list[str]
    reasons: list[Reason]


class PublishIn(In):
    """The body of a publication; it may be left out."""

    ranked_with: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    """A version whose attempts are ranked together with those of the new one although the marking differs."""


class PublishedOut(TestDraftOut):
    """The published test, and texts that are missing in its other languages."""

    max_marks: str
    gaps: list[GapOut]
    ranked_with: list[int]
    """The older versions whose attempts are ranked together with those of this one."""
    kept_options: list[KeptOptionsOut]
    """Empty if the test does not shuffle options."""
    warnings: list[GapOut]
    """Keys to look at: equal questions with different keys, or one letter for all keys."""

    @classmethod
    def of_published(cls, published: PublishedPaper) -> Self:
        """A publication."""
        draft = TestDraftOut.of(published.test)
        return cls(
            **draft.model_dump(),
            max_marks=printed_maximum(published.paper.max_marks, published.paper.marking),
            gaps=[GapOut.of(gap) for gap in published.gaps],
            ranked_with=list(published.ranked_with),
            kept_options=[KeptOptionsOut.model_validate(each) for each in published.kept],
            warnings=[GapOut.of(each) for each in published.warnings],
        )


class PreviewOut(Out):
    """The paper that publishing would create, and the errors that prevent publication."""

    document: Paper
    """In the format of `GET /tests/{id}/questions`, without keys and explanations."""
    obstacles: list[GapOut]
    """Empty if the draft can be published."""
    gaps: list[GapOut]
    ranked_with: list[int] | None
    """The versions whose attempts would be ranked together with those of this one. Null with obstacles."""
    kept_options: list[KeptOptionsOut]
    """Empty if the test does not shuffle options."""
    print_obstacles: list[GapOut]
    """Characters without a font, and formulas that cannot be typeset. They prevent only the print."""
    warnings: list[GapOut]
    """Keys to look at: equal questions with different keys, or one letter for all keys. Empty with
    obstacles."""

    @classmethod
    def of(cls, preview: Preview) -> Self:
        """A preview."""
        return cls(
            document=Paper.model_validate(preview.document),
            obstacles=[GapOut.of(obstacle) for obstacle in preview.obstacles],
            gaps=[GapOut.of(gap) for gap in preview.gaps],
            ranked_with=list(preview.ranked_with) if preview.ranked_with is not None else None,
            kept_options=[KeptOptionsOut.model_validate(each) for each in preview.kept],
            print_obstacles=[GapOut.of(each) for each in preview.print_obstacles],
            warnings=[GapOut.of(each) for each in preview.warnings],
        )
