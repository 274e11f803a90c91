"""Files of authors: a test for `ias test compose`, an exam for `ias exam create` (docs/decisions/0064)."""

from decimal import Decimal
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from app.schemas.common import In, Localized, LocalizedName, Marks, Percent
from app.schemas.exams.exams import Certificates, Cutoffs, GroupPercents, NormalizationIn
from app.schemas.exams.ranking import (
    Code,
    PercentileDefinitionName,
    SectionPercents,
    TieBreaksIn,
    stored_tie_breaks,
)
from app.schemas.exams.steering import GrantIn
from app.schemas.marking import MarkingIn, MarkingPart
from app.schemas.strict import Moment
from app.schemas.tests import AttemptsAllowed, Kind, Languages, Seconds, ShuffleIn
from app.services.exams import ExamDraft, ExamPaperDraft
from app.services.tests import SectionDraft, TestDraft

Reference = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100),
    Field(
        description="The name by which the command finds the same test or exam again: letters, digits, . _ -",
        examples=["gs-mock-1"],
    ),
]
FilePath = Annotated[
    str,
    StringConstraints(min_length=1, max_length=1000),
    Field(description="A path, relative to the folder of this file"),
]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
MAX_QUESTIONS = 500


def _numbers_as_text(value: Any) -> Any:
    """In YAML, `correct: 2` is a number. Marks are exact texts, as in the API."""
    if not isinstance(value, dict):
        return value
    return {
        name: str(mark) if isinstance(mark, int | float) and not isinstance(mark, bool) else mark
        for name, mark in value.items()
    }


NumbersAsText = BeforeValidator(_numbers_as_text)


class ImportFile(In):
    """Questions of a sheet, in its order. They are imported; a second import changes nothing."""

    file: Annotated[FilePath, Field(description="XLSX, or CSV in UTF-8; relative to the folder of this file")]
    images: Annotated[FilePath | None, Field(description="A ZIP of the images that the sheet names")] = None
    subject: Annotated[
        Name | None, Field(description="Subject of all questions; the subject of a row is then its chapter")
    ] = None
    empty_key: Annotated[
        Literal["error", "dropped", "draft"], Field(description="What a row without a key means")
    ] = "error"


class FilterFile(In):
    """Active questions of the bank, oldest first. Give a `count`, or all are used."""

    subject: Annotated[Name | None, Field(description="Name or slug of a subject")] = None
    tags: Annotated[list[Name], Field(default_factory=list, max_length=20, description="Any of these tags")]
    difficulty: Annotated[
        Literal["easy", "medium", "hard"] | None, Field(description="Only this difficulty")
    ] = None
    count: Annotated[
        int | None,
        Field(ge=1, le=MAX_QUESTIONS, description="How many; it is an error if there are fewer"),
    ] = None


class QuestionsFile(In):
    """Where the questions of a section come from: exactly one of the three."""

    import_: Annotated[ImportFile | None, Field(alias="import", description="A sheet of questions")] = None
    external_ids: Annotated[
        list[Name] | None,
        Field(min_length=1, max_length=MAX_QUESTIONS, description="The `external_id` of each question"),
    ] = None
    filter: Annotated[FilterFile | None, Field(description="A selection of the bank")] = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(each is not None for each in (self.import_, self.external_ids, self.filter)) != 1:
            raise ValueError("Give exactly one of: import, external_ids, filter.")
        return self


class SectionFile(In):
    """A section of a test."""

    name: Annotated[LocalizedName, Field(description="By language; a plain text means English")]
    questions: Annotated[QuestionsFile, Field(description="Where its questions come from")]
    duration_seconds: Seconds | None = Field(None, description="A time of its own")
    locked: Annotated[bool, Field(description="With a time: whether it cannot be entered again")] = True
    choose: Annotated[int | None, Field(ge=1, description="How many answered questions count")] = None
    minimum_marks: Marks | None = Field(None, description="A lower score of the section does not qualify")
    marking: Annotated[
        MarkingPart | None, NumbersAsText, Field(description="Marks that differ from the test's")
    ] = None

    def draft(self, question_ids: list[UUID]) -> SectionDraft:
        """The command for the service, with the questions that were found."""
        part = self.marking.model_dump(mode="json", exclude_none=True) if self.marking else None
        return SectionDraft(
            name=self.name,
            question_ids=question_ids,
            duration_seconds=self.duration_seconds,
            locked=self.locked,
            choose=self.choose,
            minimum_marks=self.minimum_marks,
            marking=part or None,
        )


class ComposedTestFile(In):
    """A test, for `ias test compose`. The fields are those of `POST /v1/tests`."""

    reference: Reference
    title: Annotated[LocalizedName, Field(description="By language; a plain text means English")]
    description: Localized | None = Field(None, description="By language; a plain text means English")
    kind: Annotated[Kind, Field(description="The kind of the test")] = "full"
    subject: Annotated[Name | None, Field(description="Name or slug of a subject of the bank")] = None
    duration_seconds: Annotated[Seconds, Field(description="The time of an attempt")]
    languages: Annotated[
        Languages, Field(description="Language tags; the first one is the prevailing language")
    ] = Field(default_factory=lambda: ["en"])
    marking: Annotated[MarkingIn, NumbersAsText, Field(description="The marking scheme")]
    sections: Annotated[
        list[SectionFile], Field(min_length=1, max_length=50, description="In the order of the paper")
    ]
    shuffle: ShuffleIn = Field(ShuffleIn(), description="What is shuffled for each attempt")
    attempts_allowed: AttemptsAllowed | None = Field(None, description="Unlimited if left out")
    review: Literal["after_submit", "after_release", "never"] = Field(
        "after_submit", description="When a candidate sees keys and explanations"
    )
    access: Literal["free", "enrolled"] = Field("free", description="Who may take it")
    available_from: Moment | None = Field(None, description="With an offset: 2026-12-01T10:00:00+05:30")
    available_until: Moment | None = Field(None, description="With an offset: 2026-12-31T22:00:00+05:30")

    def draft(self, subject_id: UUID | None, sections: list[SectionDraft]) -> TestDraft:
        """The command for the service."""
        return TestDraft(
            reference=self.reference,
            title=self.title,
            description=self.description,
            kind=self.kind,
            subject_id=subject_id,
            duration_seconds=self.duration_seconds,
            languages=self.languages,
            marking=self.marking.stored(),
            sections=sections,
            shuffle=self.shuffle.model_dump(),
            attempts_allowed=self.attempts_allowed,
            review=self.review,
            access=self.access,
            available_from=self.available_from,
            available_until=self.available_until,
        )


class PaperTestFile(In):
    """The test of a paper: exactly one of the two."""

    reference: Reference | None = Field(None, description="The reference of a test that exists")
    file: FilePath | None = Field(None, description="A file of `ias test compose`, which is applied first")

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.reference is None) == (self.file is None):
            raise ValueError("Give exactly one of: reference, file.")
        return self


class PaperFile(In):
    """A paper of an exam."""

    code: Annotated[Code, Field(description="Unique in the exam", examples=["GS1"])]
    title: Annotated[LocalizedName, Field(description="By language; a plain text means English")]
    test: Annotated[PaperTestFile, Field(description="The test that is the paper")]
    starts_at: Annotated[Moment, Field(description="With an offset: 2026-12-01T10:00:00+05:30")]
    entry_closes_at: Annotated[Moment, Field(description="Until then the paper can be started")]
    ends_at: Annotated[Moment, Field(description="No deadline is later, except by extra time")]
    qualifying_percent: Percent | None = Field(None, description="The share of the marks that qualifies")
    group_percents: GroupPercents = Field(
        default_factory=dict, description="Other shares, by category or disability"
    )
    section_percents: SectionPercents = Field(
        default_factory=dict, description="Shares of sections, by name and group; `all` is everybody else"
    )
    counts_for_merit: Annotated[bool, Field(description="Whether its marks count for the rank")] = True
    session_group: Code | None = Field(
        None, description="Of the papers with the same group each candidate sits one", examples=["GS1"]
    )

    def draft(self, test_id: UUID) -> ExamPaperDraft:
        """The command for the service."""
        percent = self.qualifying_percent
        return ExamPaperDraft(
            code=self.code,
            title=self.title,
            test_id=test_id,
            starts_at=self.starts_at,
            entry_closes_at=self.entry_closes_at,
            ends_at=self.ends_at,
            qualifying_percent=Decimal(percent) if percent is not None else None,
            group_percents={str(group): share for group, share in self.group_percents.items()},
            section_percents={
                section: {str(group): share for group, share in percents.items()}
                for section, percents in self.section_percents.items()
            },
            counts_for_merit=self.counts_for_merit,
            session_group=self.session_group,
        )


class ExamFile(In):
    """An exam, for `ias exam create`. The fields are those of `POST /v1/exams` and of its papers."""

    reference: Reference
    title: Annotated[LocalizedName, Field(description="By language; a plain text means English")]
    description: Localized | None = Field(None, description="By language; a plain text means English")
    opens_at: Annotated[Moment, Field(description="With an offset: 2026-12-01T10:00:00+05:30")]
    closes_at: Annotated[Moment, Field(description="With an offset: 2026-12-01T18:00:00+05:30")]
    registration: Literal["required", "open"] = Field(
        "required", description="With `open`, starting a paper registers the candidate"
    )
    cutoffs: Cutoffs = Field(default_factory=dict, description="Marks by category or disability")
    tie_breaks: Annotated[
        TieBreaksIn, Field(description="What orders candidates with equal totals: none, nta, ssc, or a list")
    ] = "none"
    percentile_definition: PercentileDefinitionName = Field(
        "at_or_below", description="The percentiles of the results"
    )
    normalization: NormalizationIn = Field(
        default_factory=NormalizationIn, description="How scores of different sessions are compared"
    )
    certificates: Certificates = Field("none", description="Who gets a certificate after the release")
    papers: Annotated[list[PaperFile], Field(min_length=1, max_length=20, description="The papers")]
    accommodations: Annotated[
        list[GrantIn],
        Field(default_factory=list, max_length=1000, description="Extra time. 0 seconds take it back"),
    ]

    def draft(self) -> ExamDraft:
        """The command for the service, without the papers."""
        return ExamDraft(
            reference=self.reference,
            title=self.title,
            description=self.description,
            opens_at=self.opens_at,
            closes_at=self.closes_at,
            registration=self.registration,
            cutoffs={str(group): marks for group, marks in self.cutoffs.items()},
            tie_breaks=stored_tie_breaks(self.tie_breaks),
            percentile_definition=self.percentile_definition,
            normalization=self.normalization.method,
            certificates=self.certificates,
        )
