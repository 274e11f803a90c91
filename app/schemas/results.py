"""Results of graded attempts, and response sheets."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field

from app.engine.qualifying import Qualification
from app.models import Attempt
from app.schemas.attempts import Answer, AttemptOut, Confidence
from app.schemas.common import LocalizedText, Out
from app.schemas.question_keys import Key
from app.services.attempts import ResultView


class FiguresOut(Out):
    """Marks and counts. `score` is rounded by the rounding policy; ranks compare `score_exact`."""

    score: str
    score_exact: str
    max_score: str
    correct: int
    incorrect: int
    partial: int
    unattempted: int
    dropped: int
    accuracy: float | None
    marks_gained: str
    marks_lost: str


class SectionResultOut(FiguresOut):
    """The result of a section."""

    id: UUID
    name: LocalizedText
    minimum_marks: Annotated[
        str | None, Field(description="As it was applied: prorated like the maximum of the section")
    ]
    minimum_reached: bool | None


class QuestionResultOut(Out):
    """The result of a question, with its key."""

    question_id: UUID
    number: int
    section_id: UUID
    answer: Answer
    marked_for_review: bool
    confidence: Confidence | None
    correct_percent: Annotated[
        float | None,
        Field(description="Of all participants. Null below 20, for a dropped question, and under embargo"),
    ]
    changes: Annotated[
        int, Field(description="How often the answer was replaced or cleared after it was first given")
    ]
    key: Key
    outcome: Literal["correct", "incorrect", "partial", "unattempted", "dropped"]
    marks: str
    time_spent_ms: int
    explanation: LocalizedText | None


class CohortOut(Out):
    """Whose attempts are ranked together.

    These are the attempts at one exam paper, or at the versions of a test's paper that are marked alike.
    """

    exam_paper_id: UUID | None
    paper_version: int
    """The version that this attempt took."""
    paper_versions: list[int]


class RevisionOut(Out):
    """What a revision of the key did to a result. Ranks are those at its publication."""

    number: int
    at: datetime
    reason: str
    score_before: str
    score_after: str
    rank_before: int | None
    rank_after: int | None


class ResultSummaryOut(FiguresOut):
    """The result of a graded attempt without its questions.

    Rank and percentile are current values, and null for practice. They are also null while a question of any
    version of the paper is in an unreleased exam.

    `percentile` is 100 times the share of participants whose score is not higher.
    """

    rank: int | None
    participants: int
    cohort: CohortOut
    percentile: float | None
    qualification: Annotated[
        Qualification,
        Field(description="`disqualified`: too many questions have no option marked; there is no rank"),
    ]
    sections: list[SectionResultOut]
    revisions: Annotated[
        list[RevisionOut],
        Field(
            description="Corrections of the key by which the attempt was graded again, the first one first"
        ),
    ]

    @classmethod
    def summary(cls, view: ResultView) -> "ResultSummaryOut":
        """The result as computed by the service, without its questions."""
        return ResultSummaryOut(**_summary(view))


class ResultOut(ResultSummaryOut):
    """A graded attempt with its result. `questions` is null where the review policy shows none."""

    attempt: AttemptOut
    questions: list[QuestionResultOut] | None

    @classmethod
    def of(cls, view: ResultView) -> Self:
        """The result as computed by the service."""
        return cls(
            **_summary(view),
            attempt=AttemptOut.of(view.attempt),
            questions=[QuestionResultOut.model_validate(q) for q in view.questions]
            if view.questions is not None
            else None,
        )


class SubmittedOut(AttemptOut):
    """A submitted attempt, with its result if it may be shown now."""

    result: Annotated[
        ResultSummaryOut | None,
        Field(
            description="What `GET …/results` shows, without `questions`. Null while the result is withheld "
            "or not graded yet, and for staff: ask that route then"
        ),
    ]

    @classmethod
    def of_submit(cls, attempt: Attempt, result: ResultView | None) -> Self:
        """A submitted attempt and the summary of its result."""
        shown = None if result is None else ResultSummaryOut.summary(result)
        return cls(**dict(AttemptOut.of(attempt)), result=shown)


def _summary(view: ResultView) -> dict[str, Any]:
    return {
        **view.figures,
        "rank": view.rank,
        "participants": view.participants,
        "cohort": CohortOut.model_validate(view.cohort),
        "percentile": view.percentile,
        "qualification": Qualification(view.qualification),
        "sections": [SectionResultOut(**section) for section in view.sections],
        "revisions": [RevisionOut.model_validate(revision) for revision in view.revisions],
    }
