"""Exams and their papers as lists and screens show them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from app.engine.schedule import ExamStage, PaperStatus
from app.schemas.common import LocalizedText, Out
from app.schemas.exams.exams import Certificates, NormalizationOut, RegistrationOut
from app.schemas.exams.ranking import PercentileDefinitionName, TieBreaks
from app.schemas.marking import MarkingOut, printed_maximum
from app.schemas.objection_rules import ObjectionRulesOut
from app.services.exams import DetailedPaper, ExamView, PublishedExam


class ExamOut(Out):
    """An exam. `status` is its stage: `live` while a paper is open, `scheduled` before and between papers.

    `next_start_at` is the start of the next paper, or null if none is to come. `registered`,
    `my_roll_number` and `my_registration` are about you.
    """

    id: UUID
    title: LocalizedText
    description: LocalizedText | None
    status: ExamStage
    opens_at: datetime
    closes_at: datetime
    next_start_at: datetime | None
    registration: Literal["required", "open"]
    registered: bool
    my_roll_number: str | None
    cutoffs: Mapping[str, str]
    tie_breaks: TieBreaks
    percentile_definition: PercentileDefinitionName
    normalization: NormalizationOut
    objections: ObjectionRulesOut | None
    certificates: Certificates
    released_at: datetime | None
    my_registration: RegistrationOut | None

    @classmethod
    def of(cls, view: ExamView) -> Self:
        """An exam with the viewer's registration."""
        exam, mine = view.exam, view.registration
        return cls(
            id=exam.id,
            title=exam.title,
            description=exam.description,
            status=view.stage,
            opens_at=exam.opens_at,
            closes_at=exam.closes_at,
            next_start_at=view.next_start_at,
            registration=exam.registration,
            registered=mine is not None,
            my_roll_number=mine.roll_number if mine else None,
            cutoffs=exam.cutoffs,
            tie_breaks=exam.tie_breaks,
            percentile_definition=exam.percentile_definition,
            normalization=NormalizationOut(method=exam.normalization),
            objections=ObjectionRulesOut.of(exam.objections),
            certificates=exam.certificates,
            released_at=exam.released_at,
            my_registration=RegistrationOut.of(mine) if mine else None,
        )


class StandingVersionsOut(Out):
    """Why a publication has changed nothing. `outdated`: codes of papers whose test has a newer version."""

    detail: str
    outdated: list[str]


class PublishedExamOut(ExamOut):
    """A published exam. `unchanged` is null if the current versions of its tests are used from now on."""

    unchanged: StandingVersionsOut | None

    @classmethod
    def of_publication(cls, published: PublishedExam, view: ExamView) -> Self:
        """The result of a publication."""
        unchanged = published.unchanged and StandingVersionsOut.model_validate(published.unchanged)
        return cls(**dict(ExamOut.of(view)), unchanged=unchanged)


class ExamPaperOut(Out):
    """A paper of an exam. `status` says what its window allows now.

    `duration_seconds` and what follows describe the version of the test that candidates get. Until the exam
    is published they describe the test's published version; a test that was never published has no questions
    and no marks. Of the papers with the same `session_group` you sit one.
    """

    id: UUID
    exam_id: UUID
    code: str
    title: LocalizedText
    test_id: UUID
    starts_at: datetime
    entry_closes_at: datetime
    ends_at: datetime
    status: PaperStatus
    qualifying_percent: float | None
    group_percents: dict[str, str]
    section_percents: dict[str, dict[str, str]]
    counts_for_merit: bool
    session_group: str | None
    duration_seconds: int
    question_count: int
    max_marks: str
    languages: list[str]
    marking: MarkingOut

    @classmethod
    def of(cls, detailed: DetailedPaper) -> Self:
        """A paper with its status and content."""
        paper, content = detailed.view.paper, detailed.content
        return cls(
            id=paper.id,
            exam_id=paper.exam_id,
            code=paper.code,
            title=paper.title,
            test_id=paper.test_id,
            starts_at=paper.starts_at,
            entry_closes_at=paper.entry_closes_at,
            ends_at=paper.ends_at,
            status=detailed.view.status,
            qualifying_percent=paper.qualifying_percent,
            group_percents=paper.group_percents,
            section_percents=paper.section_percents,
            counts_for_merit=paper.counts_for_merit,
            session_group=paper.session_group,
            duration_seconds=content.duration_seconds,
            question_count=content.question_count,
            max_marks=printed_maximum(content.max_marks, content.marking),
            languages=list(content.languages),
            marking=MarkingOut.model_validate(content.marking),
        )
