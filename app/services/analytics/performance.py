"""A series of a candidate's results by day, week or month."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from statistics import fmean
from uuid import UUID
from zoneinfo import ZoneInfo

from app.core.errors import Invalid
from app.engine.attempt_figures import SubjectSums
from app.engine.periods import Period, Span, count, first_day, spans
from app.engine.ranking import CohortPlace
from app.engine.streaks import day_of
from app.repositories.analytics.shown import ShownAttempt
from app.sentences import Sentence
from app.services import embargo, subjects, tests
from app.services.unit_of_work import Reading
from app.services.users import Principal

MAX_PERIODS = 400
MAX_ATTEMPTS = 2_000
"""The newest ones of the span."""
USUAL_LENGTH = {Period.DAY: 30, Period.WEEK: 7 * 12, Period.MONTH: 365}
"""In days: the span of a series whose beginning is not given."""
_DAY = timedelta(days=1)
_MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class SeriesOrder:
    """Which series is wanted. Days are those of the person's time zone, the first and the last included."""

    first: date | None
    last: date | None
    period: Period
    subject_id: UUID | None


@dataclass(frozen=True, slots=True)
class SeriesFigures:
    """What a person did in one period. Without attempts everything else is None."""

    attempts: int
    answered: int | None = None
    accuracy: float | None = None
    score_percent: float | None = None
    """The mean over the attempts."""
    percentile: float | None = None
    """The mean over the attempts that are ranked. None for a subject, which has no ranks."""
    minutes: float | None = None
    """None if no attempt has times."""


@dataclass(frozen=True, slots=True)
class SeriesPart:
    """One period: all attempts, and official and practice ones apart."""

    span: Span
    whole: SeriesFigures
    official: SeriesFigures
    practice: SeriesFigures


@dataclass(frozen=True, slots=True)
class Series:
    """The periods of a span, in order."""

    span: Span
    period: Period
    timezone: str
    subject_id: UUID | None
    parts: Sequence[SeriesPart]


@dataclass(frozen=True, slots=True)
class _Measured:
    """An attempt with the sums that are asked for: of all questions, or of one subject."""

    attempt: ShownAttempt
    sums: SubjectSums
    score_percent: float | None
    percentile: float | None


async def performance(reads: Reading, user: Principal, wanted: SeriesOrder, now: datetime) -> Series:
    """The person's shown results by period. A result belongs to the day on which its attempt ended.

    Raises NotFound for an unknown subject, and Invalid for a span that is too long or ends before it begins.
    """
    if wanted.subject_id is not None:
        await subjects.find(reads, user, wanted.subject_id)
    zone = ZoneInfo(user.timezone)
    span = _span(wanted, day_of(now, zone))
    attempts = await reads.shown.attempts(
        tests.viewer(user),
        since=_midnight(span.first, zone),
        until=_midnight(span.last + _DAY, zone),
        limit=MAX_ATTEMPTS,
    )
    ranks = {} if wanted.subject_id else await percentiles(reads, user, attempts)
    measured = [_measured(attempt, wanted.subject_id, ranks.get(attempt.id)) for attempt in attempts]
    by_span: dict[Span, list[_Measured]] = {part: [] for part in spans(span, wanted.period)}
    begins = {part.first: part for part in by_span}
    for each in measured:
        if each is not None:
            day = day_of(each.attempt.submitted_at, zone)
            by_span[begins[max(first_day(day, wanted.period), span.first)]].append(each)
    parts = [_part(part, inside) for part, inside in by_span.items()]
    return Series(span, wanted.period, zone.key, wanted.subject_id, parts)


async def percentiles(
    reads: Reading, user: Principal, attempts: Sequence[ShownAttempt]
) -> Mapping[UUID, float]:
    """The percentiles of those of the attempts that are ranked and whose rank no embargo withholds."""
    counted = [attempt for attempt in attempts if attempt.counted]
    withheld = await reads.embargo.withheld_ranks(embargo.reader(user), {each.test_id for each in counted})
    asked = [each.id for each in counted if each.test_id not in withheld]
    return {id_: _percentile(place) for id_, place in (await reads.shown.standings(asked)).items()}


def _percentile(place: CohortPlace) -> float:
    return 100 * (place.participants - place.above) / place.participants


def _span(wanted: SeriesOrder, today: date) -> Span:
    last = wanted.last or today
    first = wanted.first or last - (USUAL_LENGTH[wanted.period] - 1) * _DAY
    span = Span(first, last)
    if first > last:
        raise Invalid.field("from", "The span ends before it begins.")
    if count(span, wanted.period) > MAX_PERIODS:
        raise Invalid.field(
            "from", Sentence("The span has more than {most} parts. Ask for less at once.", most=MAX_PERIODS)
        )
    return span


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time.min, zone)


def _measured(attempt: ShownAttempt, subject_id: UUID | None, percentile: float | None) -> _Measured | None:
    """None if the attempt has no question of the subject, or its figures are not computed yet."""
    if subject_id is None:
        percent = float(100 * attempt.score.exact / attempt.score.maximum)
        return _Measured(attempt, sums_of(attempt), percent, percentile)
    sums = attempt.figures.subjects.get(subject_id) if attempt.figures else None
    return _Measured(attempt, sums, percent_of(sums), None) if sums is not None else None


def sums_of(attempt: ShownAttempt) -> SubjectSums:
    """The sums of an attempt. Without figures there are only counts, from the result."""
    if attempt.figures is not None:
        return attempt.figures.total
    count = attempt.outcomes.count
    return SubjectSums(correct=count("c"), incorrect=count("i"), partial=count("p"))


def percent_of(sums: SubjectSums) -> float | None:
    """The marks of some questions, in percent of what they can earn."""
    return 100 * (sums.gained - sums.lost) / sums.most if sums.most else None


def _part(span: Span, inside: Sequence[_Measured]) -> SeriesPart:
    official = [each for each in inside if not each.attempt.practice]
    practice = [each for each in inside if each.attempt.practice]
    return SeriesPart(span, _figures(inside), _figures(official), _figures(practice))


def _figures(inside: Sequence[_Measured]) -> SeriesFigures:
    if not inside:
        return SeriesFigures(0)
    total = sum((each.sums for each in inside), SubjectSums())
    return SeriesFigures(
        attempts=len(inside),
        answered=total.answered,
        accuracy=total.accuracy,
        score_percent=_mean([each.score_percent for each in inside]),
        percentile=_mean([each.percentile for each in inside]),
        minutes=minutes_of(total),
    )


def minutes_of(sums: SubjectSums) -> float | None:
    """The time in minutes; None if the log has no times."""
    return sums.spent_ms / _MINUTE_MS if sums.spent_ms else None


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
