"""The scores of a candidate over time: each with its luck, and whether the candidate has improved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from math import sqrt
from uuid import UUID

from app.engine.grading import LETTERS
from app.engine.marks import parse_marks
from app.engine.ranking import CohortPlace
from app.engine.scoring import Outcome
from app.engine.statistics.bands import Band, change, score_band
from app.models import LocalizedText
from app.repositories.analytics.shown import ShownAttempt, TestScale
from app.sentences import Sentence

MIN_PARTICIPANTS = 30
"""With fewer participants, neither the reliability of a test nor its difficulty is known well enough."""

Places = Mapping[UUID, CohortPlace]


class Basis(StrEnum):
    """On what the width of a band rests."""

    RELIABILITY = "reliability"
    """The standard error of measurement of the test among its participants."""
    ANSWERS = "answers"
    """The candidate's own answers, as if each was right by chance with the accuracy of the attempt."""


@dataclass(frozen=True, slots=True)
class ScoreBand:
    """The interval that holds the true score, the mean of many repetitions, in 90 of 100 cases."""

    low: float
    high: float
    basis: Basis
    n: int
    """Participants or answers."""


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """One attempt of the trend. Percentages are of the maximum of the paper."""

    attempt_id: UUID
    test_id: UUID
    title: LocalizedText
    at: datetime
    practice: bool
    score_percent: float
    percentile: float | None
    band: ScoreBand | None
    verdict: str | None
    """Against the official attempt before it; None with a reason if that cannot be said."""
    reason: Sentence | None


def trend(attempts: Sequence[ShownAttempt], places: Places) -> Sequence[TrendPoint]:
    """The points of these attempts, the oldest first. `places` has those whose rank may be shown."""
    points = []
    before: tuple[float, float] | None = None
    is_first = True
    for attempt in attempts:
        measured = usable(attempt.scale)
        now = _standardized(attempt, measured)
        verdict, reason = _verdict(attempt, before, now, is_first=is_first)
        points.append(
            TrendPoint(
                attempt_id=attempt.id,
                test_id=attempt.test_id,
                title=attempt.title,
                at=attempt.submitted_at,
                practice=attempt.practice,
                score_percent=percent(attempt.score.exact, attempt.score.maximum),
                percentile=percentile(places.get(attempt.id)),
                band=_percent_band(attempt, measured),
                verdict=verdict,
                reason=reason,
            )
        )
        if not attempt.practice:
            before, is_first = now, False
    return points


def usable(scale: TestScale | None) -> TestScale | None:
    """The scale of a test, if enough participants are behind it."""
    if scale is None or scale.attempts < MIN_PARTICIPANTS:
        return None
    return scale if scale.standard_error and scale.standard_deviation else None


def marks_band(attempt: ShownAttempt, scale: TestScale | None) -> ScoreBand | None:
    """The luck in the score of an attempt, in marks. None if nothing was answered."""
    if scale is not None and scale.standard_error is not None:
        error = scale.standard_error * float(attempt.score.factor)
        basis, n = Basis.RELIABILITY, scale.attempts
    else:
        n = sum(attempt.outcomes.count(LETTERS[each]) for each in (Outcome.CORRECT, Outcome.INCORRECT))
        error, basis = _binomial_error(attempt, n), Basis.ANSWERS
    if not n:
        return None
    band = score_band(float(attempt.score.exact), error)
    return ScoreBand(band.low, min(band.high, float(attempt.score.maximum)), basis, n)


def percent(marks: Fraction, maximum: Fraction) -> float:
    """A score in percent of the maximum."""
    return round(float(100 * marks / maximum), 2)


def percentile(place: CohortPlace | None) -> float | None:
    """NTA's percentile, as in a result."""
    if place is None or not place.participants:
        return None
    return round(100 * (place.participants - place.above) / place.participants, 7)


def as_band(band: ScoreBand) -> Band:
    """The interval alone."""
    return Band(band.low, band.high)


def _percent_band(attempt: ShownAttempt, scale: TestScale | None) -> ScoreBand | None:
    band = marks_band(attempt, scale)
    if band is None:
        return None
    hundredth = float(attempt.score.maximum) / 100
    return ScoreBand(round(band.low / hundredth, 2), round(band.high / hundredth, 2), band.basis, band.n)


def _binomial_error(attempt: ShownAttempt, answers: int) -> float:
    """Lord's standard error: each answer is right with the same probability, independently of the others."""
    right = (attempt.outcomes.count(LETTERS[Outcome.CORRECT]) + 1) / (answers + 2)
    gain, loss = (parse_marks(attempt.marking[name]) for name in ("correct", "incorrect"))
    return sqrt(answers * right * (1 - right)) * float((gain - loss) * attempt.score.factor)


def _standardized(attempt: ShownAttempt, scale: TestScale | None) -> tuple[float, float] | None:
    """The score in standard deviations from the mean of the participants, with its error.

    So tests of different difficulty are on one scale, as far as their participants are alike. The statistics
    are of marks before proration.
    """
    if scale is None or not scale.standard_deviation or attempt.practice:
        return None
    deviation = scale.standard_deviation
    distance = float(attempt.score.raw) - (scale.mean or 0.0)
    return distance / deviation, (scale.standard_error or 0.0) / deviation


def _verdict(
    attempt: ShownAttempt,
    before: tuple[float, float] | None,
    now: tuple[float, float] | None,
    *,
    is_first: bool,
) -> tuple[str | None, Sentence | None]:
    if attempt.practice:
        return None, Sentence("Practice attempts are not compared.")
    if is_first:
        return None, Sentence("This is the first official attempt that is shown here.")
    if before is None or now is None:
        return None, Sentence(
            "A comparison needs {needed} participants of both tests, and the same questions for all of them.",
            needed=MIN_PARTICIPANTS,
        )
    return change(*before, *now).value, None
