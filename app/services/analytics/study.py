"""What a person has done in the last year: study by day, best results, streaks, and what is to be revised."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from fractions import Fraction
from uuid import UUID
from zoneinfo import ZoneInfo

from app.engine.attempt_figures import SubjectSums
from app.engine.streaks import day_of, longest_streak, streak_days
from app.repositories.analytics.shown import ShownAttempt
from app.services import tests
from app.services.analytics import activity
from app.services.analytics.performance import minutes_of, percentiles, sums_of
from app.services.unit_of_work import Reading
from app.services.users import Principal

DAYS = 365
MAX_ATTEMPTS = 2_000
BEST = 5
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class StudyDay:
    """The attempts that ended on one day. `minutes` is None if they have no times."""

    day: date
    attempts: int
    answers: int
    minutes: float | None


@dataclass(frozen=True, slots=True)
class BestResult:
    """A result of an official attempt."""

    attempt: ShownAttempt
    score_percent: float
    percentile: float | None


@dataclass(frozen=True, slots=True)
class Study:
    """A person's last year, ending today."""

    timezone: str
    days: Sequence[StudyDay]
    best: Sequence[BestResult]
    streak_days: int
    longest_streak_days: int
    due_today: int
    """Questions that are to be revised by the end of today."""


async def study(reads: Reading, user: Principal, now: datetime) -> Study:
    """The person's last year, by days of their time zone."""
    zone = ZoneInfo(user.timezone)
    today = day_of(now, zone)
    first = today - (DAYS - 1) * _DAY
    viewer = tests.viewer(user)
    since = datetime.combine(first, time.min, zone)
    attempts = await reads.shown.attempts(viewer, since=since, limit=MAX_ATTEMPTS)
    moments = await activity.moments(reads, user, now, zone)
    return Study(
        timezone=zone.key,
        days=_days(attempts, first, zone),
        best=await _best(reads, user, attempts),
        streak_days=streak_days(moments, now, zone),
        longest_streak_days=longest_streak(moments, zone),
        due_today=await reads.cards.count_due(viewer, datetime.combine(today + _DAY, time.min, zone)),
    )


def _days(attempts: Sequence[ShownAttempt], first: date, zone: tzinfo) -> list[StudyDay]:
    by_day: dict[date, list[SubjectSums]] = {first + number * _DAY: [] for number in range(DAYS)}
    for attempt in attempts:
        day = day_of(attempt.submitted_at, zone)
        if day in by_day:  # A clock that was set back can put the end of an attempt on a day to come.
            by_day[day].append(sums_of(attempt))
    return [_day(day, sums) for day, sums in by_day.items()]


def _day(day: date, sums: Sequence[SubjectSums]) -> StudyDay:
    total = sum(sums, SubjectSums())
    return StudyDay(day, len(sums), total.answered, minutes_of(total))


async def _best(reads: Reading, user: Principal, attempts: Sequence[ShownAttempt]) -> list[BestResult]:
    """The official attempts with the highest share of marks, one for each test; of equal ones the latest."""
    best: dict[UUID, ShownAttempt] = {}
    for attempt in sorted(attempts, key=_share, reverse=True):
        if not attempt.practice:
            best.setdefault(attempt.test_id, attempt)
    chosen = list(best.values())[:BEST]
    ranks = await percentiles(reads, user, chosen)
    return [BestResult(each, float(100 * _share(each)), ranks.get(each.id)) for each in chosen]


def _share(attempt: ShownAttempt) -> Fraction:
    return attempt.score.exact / attempt.score.maximum
