"""The analysis of one attempt at a test."""

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field

from app.schemas.analytics.estimates import localized
from app.schemas.analytics.overview import ConfidenceOut, CutoffChanceOut, GuessingOut, ScoreBandOut
from app.schemas.attempts import AttemptOut, Confidence
from app.schemas.common import LocalizedText, Out
from app.schemas.results import FiguresOut
from app.services.analytics.test_analysis import QuestionAnalysis, TestAnalysis


class RankBandOut(Out):
    """The ranks that the scores of the band would have among these participants."""

    best: int
    worst: int


class BandsOut(Out):
    """The luck in score and rank. `score` is in marks."""

    score: ScoreBandOut | None
    rank: RankBandOut | None


class ScoreCountOut(Out):
    """How many participants have a score."""

    score: str
    count: int


class TopOut(Out):
    """The mean score of the best tenth of the participants."""

    mean: str
    participants: int


class ChangesOut(Out):
    """What changing answers gained or cost: the first answer of each question against the one that stands.

    A partly right answer counts as right. `net_marks` is the score minus the score with the first answers.
    """

    right_to_wrong: int
    wrong_to_right: int
    wrong_to_wrong: int
    net_marks: str


class SectionAnalysisOut(FiguresOut):
    """A section. Times are sums over its questions, null if one of them is not known."""

    id: UUID
    name: LocalizedText
    own_ms: int | None
    median_ms: int | None


class QuestionAnalysisOut(Out):
    """A question of the attempt.

    `answered_order` is its place in the order in which you first answered, null if you did not, or if all
    answers were sent at once. `outcome`, `correct_percent` and `option_percent` are null unless the review of
    the attempt is open.
    """

    question_id: UUID
    number: int
    section_id: UUID
    own_ms: Annotated[int | None, Field(description="Null if no times were sent")]
    median_ms: Annotated[int | None, Field(description="Of the participants")]
    answered_order: int | None
    confidence: Confidence | None
    outcome: Literal["correct", "incorrect", "partial", "unattempted", "dropped"] | None
    correct_percent: Annotated[float | None, Field(description="Of the participants. Null below 20")]
    option_percent: Annotated[
        dict[str, float | None] | None,
        Field(description="Of the participants, by option. An option that 1 to 4 people chose is null"),
    ]

    @classmethod
    def of(cls, question: QuestionAnalysis) -> Self:
        """A question of a service."""
        return cls.model_validate(question)


class TestAnalysisOut(FiguresOut):
    """The analysis of one of your attempts at a test.

    `rank` and `percentile` are null for practice. `distribution` and `top` are of all participants, from 20
    on; otherwise `distribution_reason` says why they are missing. `changes` is null unless the review is
    open, and while `pending`: then the attempt was graded a moment ago, and times, order and confidence are
    missing, too. `confidence`, `guessing` and `cutoffs` rest on this attempt alone.
    """

    __test__ = False

    attempt: AttemptOut
    pending: bool
    rank: int | None
    participants: int
    percentile: float | None
    band: BandsOut
    distribution: list[ScoreCountOut]
    distribution_reason: LocalizedText | None
    top: TopOut | None
    sections: list[SectionAnalysisOut]
    questions: list[QuestionAnalysisOut]
    changes: ChangesOut | None
    confidence: list[ConfidenceOut]
    guessing: GuessingOut
    cutoffs: list[CutoffChanceOut]

    @classmethod
    def of(cls, found: TestAnalysis) -> Self:
        """The analysis of a service."""
        people, ranks = found.participants, found.rank_band
        return cls(
            **found.figures,
            attempt=AttemptOut.of(found.attempt),
            pending=found.pending,
            rank=found.standing.rank if found.standing else None,
            participants=people.count,
            percentile=found.standing.percentile if found.standing else None,
            band=BandsOut(
                score=ScoreBandOut.of(found.score_band),
                rank=RankBandOut(best=ranks[0], worst=ranks[1]) if ranks else None,
            ),
            distribution=[ScoreCountOut(score=score, count=count) for score, count in people.distribution],
            distribution_reason=localized(people.reason),
            top=TopOut(mean=people.top_mean, participants=people.top_count) if people.top_mean else None,
            sections=[
                SectionAnalysisOut(
                    **each.figures, id=each.id, name=each.name, own_ms=each.own_ms, median_ms=each.median_ms
                )
                for each in found.sections
            ],
            questions=[QuestionAnalysisOut.of(question) for question in found.questions],
            changes=ChangesOut.model_validate(found.changes) if found.changes else None,
            confidence=[ConfidenceOut.of(check) for check in found.confidence],
            guessing=GuessingOut.of(found.guessing),
            cutoffs=[CutoffChanceOut.of(chance) for chance in found.cutoffs],
        )
