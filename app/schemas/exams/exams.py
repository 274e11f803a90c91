"""Exams, their papers, registrations and official results."""

import base64
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from app.core.clock import Clock
from app.core.names import checked_lines
from app.engine.merit import ExamOutcome, NotCleared
from app.engine.schedule import ExamStage
from app.models import Registration
from app.schemas.attempts import StartedOut
from app.schemas.changes import Changes
from app.schemas.common import In, Localized, LocalizedName, LocalizedText, Out, Percent
from app.schemas.exams.ranking import (
    Code,
    Group,
    PercentileDefinitionName,
    SectionPercents,
    TieBreaks,
    TieBreaksIn,
    stored_tie_breaks,
)
from app.schemas.objection_rules import ExamObjectionsIn
from app.schemas.strict import Moment
from app.schemas.users import Category
from app.services.exams import (
    ExamDraft,
    ExamPaperDraft,
    ExamPaperUpdate,
    ExamResultView,
    ExamUpdate,
    StartedPaper,
)


def _two_places(value: str) -> str:
    if abs(Decimal(value)) > 10_000:
        raise ValueError("Marks must be between -10000 and 10000.")
    return f"{Decimal(value):.2f}"


Marks = Annotated[
    str, StringConstraints(pattern=r"^-?[0-9]{1,5}(\.[0-9]{1,2})?$"), AfterValidator(_two_places)
]
"""Marks as they are printed, such as "98.00"."""


def _decimal(percent: str | None) -> Decimal | None:
    return Decimal(percent) if percent is not None else None


Cutoffs = Annotated[
    dict[Group, Marks], Field(examples=[{"general": "98.00", "obc": "95.34", "pwbd_1": "53.34"}])
]
Certificates = Literal["none", "ranked", "qualified", "all"]
"""Who gets a certificate: nobody, who is ranked, who passed the qualifying papers, or all who took part."""

NormalizationMethodName = Literal["none", "nta_percentile", "ssc_2019", "equipercentile"]
"""How scores of session groups are compared. With `none`, as they are."""

GroupPercents = Annotated[dict[Group, Percent], Field(examples=[{"sc": "25", "pwbd": "20"}])]


class NormalizationIn(In):
    """How the scores of papers with the same `session_group` are compared."""

    method: NormalizationMethodName = "none"


class NormalizationOut(Out):
    """How the scores of papers with the same `session_group` are compared: with `none`, as they are."""

    method: NormalizationMethodName


class ExamIn(In):
    """A new exam. With registration `open`, starting a paper registers the candidate.

    `tie_breaks` orders candidates with equal totals: by default they share a rank. `percentile_definition` is
    that of its results.
    """

    title: LocalizedName
    description: Localized | None = None
    opens_at: Moment
    closes_at: Moment
    registration: Literal["required", "open"] = "required"
    cutoffs: Cutoffs = Field(default_factory=dict)
    tie_breaks: TieBreaksIn = "none"
    percentile_definition: PercentileDefinitionName = "at_or_below"
    normalization: NormalizationIn = Field(default_factory=NormalizationIn)
    objections: ExamObjectionsIn | None = None
    certificates: Certificates = "none"

    def draft(self) -> ExamDraft:
        """What the service takes."""
        values = {name: getattr(self, name) for name in type(self).model_fields}
        values |= {"cutoffs": dict(self.cutoffs), "normalization": self.normalization.method}
        values["tie_breaks"] = stored_tie_breaks(self.tie_breaks)
        values["objections"] = self.objections.stored() if self.objections is not None else None
        return ExamDraft(**values)


class ExamChangesIn(Changes):
    """What to change. The times of a published exam cannot be changed: postpone it instead.

    After the release only `certificates` can change.
    """

    may_be_null = frozenset({"description", "objections"})

    title: LocalizedName | None = None
    description: Localized | None = None
    opens_at: Moment | None = None
    closes_at: Moment | None = None
    registration: Literal["required", "open"] | None = None
    cutoffs: Cutoffs | None = None
    tie_breaks: TieBreaksIn | None = None
    percentile_definition: PercentileDefinitionName | None = None
    normalization: NormalizationIn | None = None
    objections: ExamObjectionsIn | None = None
    certificates: Certificates | None = None

    def changes(self) -> ExamUpdate:
        """The command for the service."""
        sent = self.sent_fields()
        if self.normalization is not None:
            sent["normalization"] = self.normalization.method
        if self.objections is not None:
            sent["objections"] = self.objections.stored()
        if self.tie_breaks is not None:
            sent["tie_breaks"] = stored_tie_breaks(self.tie_breaks)
        return ExamUpdate(**sent)


class ExamPaperIn(In):
    """A test as a paper of an exam. Entry is open from `starts_at` until `entry_closes_at`.

    No deadline is later than `ends_at`, except by extra time. `group_percents` has
    other qualifying percentages by category or disability. The lowest one of a candidate applies.
    `section_percents` has qualifying percentages of sections, by their names; `all` is for everybody without
    one of the category.
    Of the papers with the same `session_group` each candidate sits one.
    """

    code: Code
    title: LocalizedName
    test_id: UUID
    starts_at: Moment
    entry_closes_at: Moment
    ends_at: Moment
    qualifying_percent: Percent | None = None
    group_percents: GroupPercents = Field(default_factory=dict)
    section_percents: SectionPercents = Field(default_factory=dict)
    counts_for_merit: bool = True
    session_group: Code | None = None

    def draft(self) -> ExamPaperDraft:
        """What the service takes."""
        values = {name: getattr(self, name) for name in type(self).model_fields}
        return ExamPaperDraft(**values | {"qualifying_percent": _decimal(self.qualifying_percent)})


class ExamPaperChangesIn(Changes):
    """What to change in a paper of an exam that is not published."""

    may_be_null = frozenset({"qualifying_percent", "session_group"})

    code: Code | None = None
    title: LocalizedName | None = None
    starts_at: Moment | None = None
    entry_closes_at: Moment | None = None
    ends_at: Moment | None = None
    qualifying_percent: Percent | None = None
    group_percents: GroupPercents | None = None
    section_percents: SectionPercents | None = None
    counts_for_merit: bool | None = None
    session_group: Code | None = None

    def changes(self) -> ExamPaperUpdate:
        """The command for the service."""
        sent = self.sent_fields()
        if "qualifying_percent" in sent:
            sent["qualifying_percent"] = _decimal(self.qualifying_percent)
        return ExamPaperUpdate(**sent)


class RegistrationOut(Out):
    """A registration, with the category and disability at the time of registration."""

    id: UUID
    exam_id: UUID
    user_id: UUID | None
    roll_number: str
    name: str
    category: Category
    pwbd: int | None
    created_at: datetime

    @classmethod
    def of(cls, registration: Registration) -> Self:
        """A registration's row."""
        return cls.model_validate(registration)


class ClaimIn(In):
    """The account that gets the registration."""

    user_id: UUID


class StartedPaperOut(StartedOut):
    """The started attempt. `package_key` decrypts the package that was downloaded before."""

    package_key: Annotated[str, Field(description="32 bytes, base64url")]

    @classmethod
    def of_paper(cls, started: StartedPaper, clock: Clock) -> Self:
        """What starting an exam's paper returns."""
        key = base64.urlsafe_b64encode(started.package_key).decode().rstrip("=")
        shown = StartedOut.of_start(started.started, clock)
        return cls(**dict(shown), package_key=key)


class PaperResultOut(Out):
    """The result of one exam paper. A paper that you missed has no score.

    Of a session group only the paper that you sat is listed. `normalized` is its score on the scale of all
    sessions, which counts for total and rank; `rank`, `participants` and `percentile` are in your session.
    `sections_below` names the sections whose qualifying percentage was not reached.
    """

    paper_id: UUID
    code: str
    score: str | None
    score_exact: str | None
    max_score: str
    qualified: bool
    rank: int | None
    participants: int | None
    percentile: float | None
    sections_below: list[LocalizedText] = Field(default_factory=list)
    session_group: str | None = None
    normalized: str | None = None


class CutoffOut(Out):
    """The cut-off of your category or disability, and whether you cleared it.

    `reason` says why not, and `papers` has the codes of the papers that it is about. A release of an older
    version has neither.
    """

    category: Group
    marks: str
    cleared: bool
    reason: NotCleared | None = None
    papers: list[str] = Field(default_factory=list)


class OfficialRevisionOut(Out):
    """What a revision of a key did to an official result: total and rank of the versions before and after."""

    test_id: UUID
    number: int
    at: datetime
    reason: str
    score_before: str | None
    score_after: str | None
    rank_before: int | None
    rank_after: int | None


class OwnReleaseOut(Out):
    """Your figures in one release of the results. `reason` says why it followed the one before."""

    version: int
    released_at: datetime
    reason: str | None
    percentile_definition: PercentileDefinitionName
    outcome: ExamOutcome
    total: str | None
    rank: int | None
    category_rank: int | None
    pwbd_rank: int | None
    percentile: float | None
    qualified: bool


class ExamResultOut(Out):
    """Your official result over all papers, by the current release. `releases` has all releases until it.

    The ranks are null unless `outcome` is `ranked`, and `pwbd_rank` is null without a benchmark disability.
    `normalization` says how scores of different sessions were compared.
    """

    exam_id: UUID
    status: ExamStage
    roll_number: str
    outcome: ExamOutcome
    normalization: NormalizationOut
    papers: list[PaperResultOut]
    total: str | None
    total_exact: str | None
    qualified: bool
    rank: int | None
    participants: int
    percentile: float | None
    percentile_definition: PercentileDefinitionName
    tie_breaks: TieBreaks
    category_rank: int | None
    category_percentile: float | None
    pwbd_rank: int | None
    pwbd_percentile: float | None
    cutoff: CutoffOut | None
    version: int
    revisions: list[OfficialRevisionOut]
    releases: list[OwnReleaseOut]

    @classmethod
    def of(cls, view: ExamResultView) -> Self:
        """The result of a release."""
        result = view.result
        exact = None
        if result.total_numerator is not None:
            exact = _fraction(result.total_numerator, result.total_denominator or 1)
        return cls(
            exam_id=view.exam.id,
            status=view.stage,
            roll_number=result.roll_number,
            outcome=ExamOutcome(result.outcome),
            normalization=NormalizationOut(method=view.exam.normalization),
            papers=[PaperResultOut(**paper) for paper in result.papers],
            total=result.total,
            total_exact=exact,
            qualified=result.qualified,
            rank=result.rank,
            participants=view.release.participants,
            percentile=result.percentile,
            percentile_definition=view.release.percentile_definition,
            tie_breaks=view.release.tie_breaks,
            category_rank=result.category_rank,
            category_percentile=result.category_percentile,
            pwbd_rank=result.pwbd_rank,
            pwbd_percentile=result.pwbd_percentile,
            cutoff=CutoffOut(**result.cutoff) if result.cutoff else None,
            version=result.version,
            revisions=[OfficialRevisionOut.model_validate(revision) for revision in view.revisions],
            releases=[OwnReleaseOut.model_validate(release) for release in view.releases],
        )


def _plain(text: LocalizedText) -> LocalizedText:
    return {language: checked_lines(words) for language, words in text.items()}


class AnnouncementIn(In):
    """The text of an announcement. A plain string means English."""

    text: Annotated[Localized, Field(max_length=30), AfterValidator(_plain)]


class AnnouncementOut(Out):
    """An announcement."""

    id: UUID
    text: LocalizedText
    created_at: datetime


def _fraction(numerator: int, denominator: int) -> str:
    return str(numerator) if denominator == 1 else f"{numerator}/{denominator}"
