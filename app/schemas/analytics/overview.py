"""The overview of a candidate's analytics."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field

from app.schemas.analytics.estimates import EstimateOut, localized
from app.schemas.analytics.recommendations import RecommendationOut
from app.schemas.attempts import Confidence
from app.schemas.common import LocalizedText, Named, Out
from app.services.analytics.cutoffs import CutoffChance
from app.services.analytics.estimates import ConfidenceCheck, Guessing
from app.services.analytics.overview import Overview, SubjectOverview, Totals
from app.services.analytics.trend import ScoreBand, TrendPoint

Verdict = Literal["strength", "weakness", "not_proven"]


class TotalsOut(Out):
    """Sums over attempts. `accuracy` is correct / (correct + incorrect); marks are after proration."""

    attempts: int
    answered: Annotated[int, Field(description="Questions with an answer that was judged")]
    accuracy: float | None
    marks_gained: str
    marks_lost: Annotated[str, Field(description="Lost to wrong answers. Not negative")]
    study_ms: Annotated[int, Field(description="Time spent on questions")]

    @classmethod
    def of(cls, totals: Totals) -> Self:
        """Sums of a service."""
        return cls(**_totals(totals))


class ScoreBandOut(Out):
    """The luck in a score: 90 of 100 repetitions of the test would lie between `low` and `high`.

    `basis` is `reliability` if the band rests on the reliability of the test among its participants, and
    `answers` if it rests on the candidate's own answers because the test has too few participants. `n` is
    their number.
    """

    low: float
    high: float
    basis: Literal["reliability", "answers"]
    n: int

    @classmethod
    def of(cls, band: ScoreBand | None) -> Self | None:
        """The band of a service."""
        return cls.model_validate(band) if band is not None else None


class TestOfTrendOut(Out):
    """The test of a point of the trend."""

    __test__ = False

    id: UUID
    title: LocalizedText


class TrendPointOut(Out):
    """One attempt of the trend. `band` has the unit of `score_percent`.

    `verdict` compares the attempt with the official attempt before it, in standard deviations from the mean
    of the participants, so that a harder test is no setback. `within_noise` is no improvement and no setback.
    Where it is null, `reason` says why.
    """

    attempt_id: UUID
    test: TestOfTrendOut
    at: datetime
    practice: bool
    score_percent: float
    percentile: float | None
    band: ScoreBandOut | None
    verdict: Literal["up", "down", "within_noise"] | None
    reason: LocalizedText | None

    @classmethod
    def of(cls, point: TrendPoint) -> Self:
        """A point of a service."""
        return cls(
            attempt_id=point.attempt_id,
            test=TestOfTrendOut(id=point.test_id, title=point.title),
            at=point.at,
            practice=point.practice,
            score_percent=point.score_percent,
            percentile=point.percentile,
            band=ScoreBandOut.of(point.band),
            verdict=point.verdict,
            reason=localized(point.reason),
        )


class SubjectOverviewOut(Out):
    """A subject of the overview.

    `ability` is in standard deviations of the candidates: 0 is their mean. `strength` compares the subject
    with your other subjects, by questions of known difficulty; 10 of 100 findings are chance. Where it is
    `not_proven`, `strength_reason` may say what is missing. `expected_gain_marks` is what one session of 20
    new questions with their explanations gains in the next full paper.
    """

    subject: Named
    answered: int
    accuracy: float | None
    accuracy_interval: EstimateOut
    ability: EstimateOut
    strength: Verdict
    strength_n: Annotated[int, Field(description="The questions of known difficulty behind `strength`")]
    strength_reason: LocalizedText | None
    expected_gain_marks: EstimateOut

    @classmethod
    def of(cls, overview: SubjectOverview) -> Self:
        """A subject of a service."""
        return cls(
            subject=Named.model_validate(overview.subject),
            answered=overview.sums.answered,
            accuracy=overview.sums.accuracy,
            accuracy_interval=EstimateOut.of(overview.accuracy),
            ability=EstimateOut.of(overview.ability),
            strength=overview.strength.verdict,
            strength_n=overview.strength.n,
            strength_reason=localized(overview.strength.reason),
            expected_gain_marks=EstimateOut.of(overview.expected_gain),
        )


class ConfidenceOut(Out):
    """How often answers were right that you called sure, doubtful or a guess.

    An answer pays if it is right more often than `break_even`, which the marks decide. `verdict` is
    `strength` if these answers are proven to pay, `weakness` if they are proven to cost marks. `advantage` is
    how much more often they were right than blind guesses among all options: above 0, options were ruled out.
    """

    confidence: Confidence
    answered: int
    right: int
    interval: EstimateOut
    break_even: float | None
    verdict: Verdict
    advantage: EstimateOut

    @classmethod
    def of(cls, check: ConfidenceCheck) -> Self:
        """A check of a service."""
        return cls(
            confidence=check.confidence,
            answered=check.answered,
            right=check.right,
            interval=EstimateOut.of(check.accuracy),
            break_even=check.break_even,
            verdict=check.verdict,
            advantage=EstimateOut.of(check.advantage),
        )


class GuessingOut(Out):
    """Marks that were lost by decisions to answer or not, on average.

    `left_on_table_marks` by leaving questions blank whose answer would have paid. The probability of a right
    answer to a blank is taken from your answers that you called a guess (or doubtful, if there are few
    guesses), moved by the difficulty of the question where it is known. `over_reached_marks` by answering
    with a confidence at which your answers do not pay.
    """

    left_on_table_marks: EstimateOut
    over_reached_marks: EstimateOut

    @classmethod
    def of(cls, guessing: Guessing) -> Self:
        """The ledger of a service."""
        return cls(
            left_on_table_marks=EstimateOut.of(guessing.left_on_table),
            over_reached_marks=EstimateOut.of(guessing.over_reached),
        )


class CutoffChanceOut(Out):
    """The probability of clearing UPSC's cut-off of a year with papers like the latest one taken.

    `low` and `high` are its 90 % interval, `n` the answers behind it. Where it is null, `reason` says why.
    """

    year: int
    category: str
    marks: str | None
    source: str | None
    probability: float | None
    low: float | None
    high: float | None
    n: int
    reason: LocalizedText | None

    @classmethod
    def of(cls, chance: CutoffChance) -> Self:
        """A chance of a service."""
        return cls(
            year=chance.year,
            category=chance.category,
            marks=chance.marks,
            source=chance.source,
            probability=_rounded(chance.probability),
            low=_rounded(chance.low),
            high=_rounded(chance.high),
            n=chance.n,
            reason=localized(chance.reason),
        )


class OverviewOut(TotalsOut):
    """What your results say altogether.

    The sums are of the newest 500 attempts; `official` and `practice` have them apart. `confidence`,
    `guessing` and `cutoffs` rest on your latest 10 official attempts, `confidence` and `guessing` only on
    those whose review is open. `trend` has at most 20 attempts, the oldest first. `pending` attempts were
    graded a moment ago: they are in no subject, time, or marks gained and lost yet.
    """

    tests_taken: int
    pending: int
    official: TotalsOut
    practice: TotalsOut
    streak_days: int
    trend: list[TrendPointOut]
    subjects: list[SubjectOverviewOut]
    confidence: list[ConfidenceOut]
    guessing: GuessingOut
    cutoffs: list[CutoffChanceOut]
    next: Annotated[
        list[RecommendationOut], Field(description="The first three of `GET /analytics/recommendations`")
    ]

    @classmethod
    def of_overview(cls, found: Overview) -> Self:
        """The overview of a service."""
        return cls(
            **_totals(found.all),
            tests_taken=found.tests_taken,
            pending=found.pending,
            official=TotalsOut.of(found.official),
            practice=TotalsOut.of(found.practice),
            streak_days=found.streak_days,
            trend=[TrendPointOut.of(point) for point in found.trend],
            subjects=[SubjectOverviewOut.of(each) for each in found.subjects],
            confidence=[ConfidenceOut.of(check) for check in found.confidence],
            guessing=GuessingOut.of(found.guessing),
            cutoffs=[CutoffChanceOut.of(chance) for chance in found.cutoffs],
            next=[RecommendationOut.of(each) for each in found.next],
        )


def _totals(totals: Totals) -> dict[str, int | float | str | None]:
    return {
        "attempts": totals.attempts,
        "answered": totals.answered,
        "accuracy": totals.accuracy,
        "marks_gained": totals.print_marks(totals.marks_gained),
        "marks_lost": totals.print_marks(totals.marks_lost),
        "study_ms": totals.study_ms,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
