"""Statistics of tests for their staff."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field

from app.repositories.analytics.holding_papers import HoldingPaper
from app.schemas.analytics.estimates import EstimateOut, localized
from app.schemas.analytics.progress import ExamOfAttemptOut, ExamPaperOfAttemptOut
from app.schemas.common import LocalizedText, Out
from app.sentences import Sentence
from app.services.analytics.flags import in_words
from app.services.analytics.refreshing import RequestedRefresh
from app.services.analytics.test_statistics import (
    AnalyzedPaper,
    missing_alpha,
    missing_calibration,
    missing_items,
)

Division = Literal["language", "section"]
Model = Literal["1pl", "2pl", "3pl"]
EtsClass = Literal["A", "B", "C"]
GroupKind = Literal["language", "category", "pwbd"]
JsonObject = Mapping[str, Any]


class RestsOnOut(Out):
    """What statistics rest on. They are `stale` if results were added, withdrawn or graded again since."""

    attempts: Annotated[int, Field(description="The attempts that were analyzed, at most 100,000")]
    participants: Annotated[int, Field(description="The results that count now")]
    computed_at: datetime
    key_version: int
    stale: bool

    @classmethod
    def of(cls, analyzed: AnalyzedPaper) -> Self:
        """Of stored statistics."""
        return cls(
            attempts=analyzed.row.attempts,
            participants=analyzed.counts.participants if analyzed.counts else 0,
            computed_at=analyzed.row.computed_at,
            key_version=analyzed.key.number,
            stale=analyzed.is_stale,
        )


class ScoreStatisticsOut(Out):
    """The distribution of scores, in marks. `alpha` is Cronbach's; `standard_error` is that of one score.

    Where candidates choose which questions they answer, `alpha` and both errors are null.
    """

    attempts: int
    mean: EstimateOut
    median: float | None
    standard_deviation: float | None
    skewness: float | None
    kurtosis: float | None
    alpha: EstimateOut
    error_ratio: float | None
    standard_error: float | None

    @classmethod
    def of(cls, found: JsonObject, *, has_choice: bool) -> Self:
        """As an analysis stores them. `has_choice`: candidates choose which questions they answer."""
        count, reason = found["attempts"], missing_alpha() if has_choice else None
        plain = ("median", "standard_deviation", "skewness", "kurtosis", "error_ratio", "standard_error")
        return cls(
            attempts=count,
            mean=estimate(found["mean"], found["mean_interval"], count),
            alpha=estimate(found["alpha"], found["alpha_interval"], count, reason),
            **{name: found[name] for name in plain},
        )


class PartStatisticsOut(Out):
    """The scores of a section, or of those who answered in a language."""

    language: str | None
    section_id: UUID | None
    section: LocalizedText | None
    scores: ScoreStatisticsOut


class InformationOut(Out):
    """How exactly the test measures candidates of this ability, in standard deviations."""

    ability: float
    information: float
    standard_error: float


class ComparisonOut(Out):
    """A comparison of two groups, and how many questions differ much (class C) or moderately (class B)."""

    by: GroupKind
    reference: str
    focal: str
    reference_attempts: int
    focal_attempts: int
    large: int
    moderate: int

    @classmethod
    def of(cls, found: JsonObject) -> Self:
        """As an analysis stores it."""
        classes = [item["ets_class"] for item in found["items"] if item is not None]
        names = ("by", "reference", "focal", "reference_attempts", "focal_attempts")
        return cls(
            **{name: found[name] for name in names}, large=classes.count("C"), moderate=classes.count("B")
        )


class PaperStatisticsOut(Out):
    """The statistics of those who took one version of a test, outside of exams or in one exam.

    With fewer than 10 attempts there are no scores, and `reason` says so.
    """

    paper_version: int
    exam: ExamOfAttemptOut | None
    exam_paper: ExamPaperOfAttemptOut | None
    rests_on: RestsOnOut
    reason: LocalizedText | None
    scores: ScoreStatisticsOut | None
    parts: list[PartStatisticsOut]
    flags: int
    model: Model | None
    model_reason: LocalizedText | None
    information: list[InformationOut]
    comparisons: list[ComparisonOut]

    @classmethod
    def of(cls, analyzed: AnalyzedPaper, by: Division | None) -> Self:
        """Of stored statistics."""
        analysis, attempts = analyzed.row.analysis, analyzed.row.attempts
        scores, calibration = analysis["scores"], analysis["irt"]
        return cls(
            paper_version=analyzed.paper.version,
            **place_of(analyzed),
            rests_on=RestsOnOut.of(analyzed),
            reason=localized(missing_items(attempts)) if scores is None else None,
            scores=ScoreStatisticsOut.of(scores, has_choice=bool(analyzed.paper.optional_ids))
            if scores
            else None,
            parts=_parts(analyzed, by),
            flags=len(analysis["flags"]),
            model=calibration["model"] if calibration else None,
            model_reason=localized(missing_calibration(attempts)) if calibration is None else None,
            information=calibration["information"] if calibration else [],
            comparisons=[ComparisonOut.of(found) for found in analysis["dif"]],
        )


class TestSummaryOut(Out):
    """The statistics of a test, the newest version first. The list is empty before the first refresh."""

    test_id: UUID
    papers: list[PaperStatisticsOut]


class HoldingPaperOut(Out):
    """A paper that holds a question."""

    paper_id: UUID
    paper_version: int
    test_id: UUID
    title: LocalizedText
    question_version: int
    exam: ExamOfAttemptOut | None

    @classmethod
    def of(cls, found: HoldingPaper) -> Self:
        """A paper as the repository finds it."""
        exam = None
        if found.exam_id is not None and found.exam_title is not None:
            exam = ExamOfAttemptOut(id=found.exam_id, title=found.exam_title)
        return cls(
            paper_id=found.paper_id,
            paper_version=found.paper_version,
            test_id=found.test_id,
            title=found.test_title,
            question_version=found.question_version,
            exam=exam,
        )


class ItemFlagOut(Out):
    """What is unusual about a question, in words, and the papers that a new key would concern.

    `option` is the option that it is about. `by` and `group` name the candidates for whom the question is
    harder or easier.
    """

    flag: str
    sentence: LocalizedText
    question_id: UUID
    question_version: int
    number: int
    option: str | None
    by: GroupKind | None
    group: str | None
    papers: list[HoldingPaperOut]

    @classmethod
    def of(
        cls, found: JsonObject, analyzed: AnalyzedPaper, holding: Mapping[UUID, Sequence[HoldingPaper]]
    ) -> Self:
        """A flag as an analysis stores it."""
        number = found["position"]
        question = list(analyzed.paper.questions.values())[number - 1]
        option = None if found["option"] is None else question.options[found["option"]]
        sentence = in_words(found["flag"], number=number, option=option, group=found["group"])
        words = localized(sentence)
        assert words is not None  # noqa: S101 -- there is a sentence
        return cls(
            flag=found["flag"],
            sentence=words,
            question_id=question.id,
            question_version=analyzed.row.analysis["questions"][number - 1]["version"],
            number=number,
            option=option,
            by=found["by"],
            group=found["group"],
            papers=[HoldingPaperOut.of(paper) for paper in holding.get(question.id, ())],
        )


class RefreshOut(Out):
    """A job that refreshes the statistics of a test: `computed_at` of the summary shows when it is done."""

    test_id: UUID
    job_id: UUID

    @classmethod
    def of(cls, requested: RequestedRefresh) -> Self:
        """A job of the outbox."""
        return cls(test_id=requested.test_id, job_id=requested.job_id)


def estimate(
    value: float | None, interval: JsonObject | None, count: int, reason: Sentence | None = None
) -> EstimateOut:
    """A figure of an analysis. It is null without a reason where it is not defined, as for a constant.

    `reason` is why it is null, if it is.
    """
    ends = interval or {"low": None, "high": None}
    why = localized(reason) if value is None else None
    return EstimateOut(value=value, low=ends["low"], high=ends["high"], n=count, reason=why)


def place_of(analyzed: AnalyzedPaper) -> dict[str, Any]:
    """The exam and the exam paper of statistics, both null for a test outside of exams."""
    paper, exam = analyzed.exam_paper, analyzed.exam
    return {
        "exam": ExamOfAttemptOut(id=exam.id, title=exam.title) if exam else None,
        "exam_paper": ExamPaperOfAttemptOut(id=paper.id, code=paper.code) if paper else None,
    }


def _parts(analyzed: AnalyzedPaper, by: Division | None) -> list[PartStatisticsOut]:
    analysis, sections = analyzed.row.analysis, analyzed.paper.sections
    optional = analyzed.paper.optional_ids
    if by == "language":
        return [
            PartStatisticsOut(
                language=found["language"],
                section_id=None,
                section=None,
                scores=ScoreStatisticsOut.of(found["scores"], has_choice=bool(optional)),
            )
            for found in analysis["languages"]
        ]
    if by == "section":
        return [
            PartStatisticsOut(
                language=None,
                section_id=sections[found["section"]].id,
                section=sections[found["section"]].name,
                scores=ScoreStatisticsOut.of(
                    found["scores"],
                    has_choice=not optional.isdisjoint(sections[found["section"]].question_ids),
                ),
            )
            for found in analysis["sections"]
        ]
    return []
