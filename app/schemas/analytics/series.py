"""Series of results, and a year of study."""

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field

from app.engine.marks import RoundingPolicy
from app.engine.periods import Period
from app.schemas.analytics.progress import TestOfAttemptOut
from app.schemas.common import Out
from app.services.analytics.performance import Series, SeriesFigures, SeriesPart
from app.services.analytics.study import BestResult, Study, StudyDay


def rounded(value: float | None, places: int = 2) -> float | None:
    """A figure with so many decimal places."""
    return None if value is None else round(value, places)


class SeriesFiguresOut(Out):
    """Results of one period. Without attempts all other figures are null.

    `accuracy` is correct / (correct + incorrect) over all answers. `score_percent` is the mean over the
    attempts: their marks in percent of the maximum, or of what the questions of the subject can earn.
    `percentile` is the mean over the attempts that are ranked; it is null for practice and for a subject.
    `minutes` is null if the attempts have no times.
    """

    attempts: int
    answered: int | None
    accuracy: float | None
    score_percent: float | None
    percentile: float | None
    minutes: float | None

    @classmethod
    def of(cls, figures: SeriesFigures) -> Self:
        """The figures of a period."""
        return cls(
            attempts=figures.attempts,
            answered=figures.answered,
            accuracy=rounded(figures.accuracy, 4),
            score_percent=rounded(figures.score_percent),
            percentile=rounded(figures.percentile),
            minutes=rounded(figures.minutes, 1),
        )


class SeriesPartOut(SeriesFiguresOut):
    """A day, week or month: all attempts together, and official and practice attempts apart.

    `from` and `to` are its first and last day. The first and the last part of a series are cut to the series.
    """

    from_: Annotated[date, Field(alias="from")]
    to: date
    official: SeriesFiguresOut
    practice: SeriesFiguresOut

    @classmethod
    def part_of(cls, part: SeriesPart) -> Self:
        """A period of a series."""
        values = SeriesFiguresOut.of(part.whole).model_dump() | {
            "from": part.span.first,
            "to": part.span.last,
            "official": SeriesFiguresOut.of(part.official),
            "practice": SeriesFiguresOut.of(part.practice),
        }
        return cls.model_validate(values)


class PerformanceOut(Out):
    """A series of results, oldest first. Days are those of `timezone`, which is that of your profile."""

    from_: Annotated[date, Field(alias="from")]
    to: date
    bucket: Period
    timezone: str
    subject_id: UUID | None
    items: list[SeriesPartOut]

    @classmethod
    def of(cls, series: Series) -> Self:
        """A series."""
        values = {
            "from": series.span.first,
            "to": series.span.last,
            "bucket": series.period,
            "timezone": series.timezone,
            "subject_id": series.subject_id,
            "items": [SeriesPartOut.part_of(part) for part in series.parts],
        }
        return cls.model_validate(values)


class StudyDayOut(Out):
    """The attempts that ended on one day. `minutes` is null if they have no times."""

    date: date
    attempts: int
    answers: int
    minutes: float | None

    @classmethod
    def of(cls, day: StudyDay) -> Self:
        """A day."""
        return cls(date=day.day, attempts=day.attempts, answers=day.answers, minutes=rounded(day.minutes, 1))


class BestResultOut(Out):
    """One of your best results: an official attempt, the best one at its test."""

    attempt_id: UUID
    test: TestOfAttemptOut
    at: datetime
    score: str
    max_score: str
    score_percent: float
    percentile: float | None

    @classmethod
    def of(cls, best: BestResult) -> Self:
        """A result."""
        attempt = best.attempt
        policy = RoundingPolicy(attempt.marking["rounding"])
        return cls(
            attempt_id=attempt.id,
            test=TestOfAttemptOut(id=attempt.test_id, title=attempt.title, kind=attempt.kind),
            at=attempt.submitted_at,
            score=attempt.score.printed(policy),
            max_score=attempt.score.printed_maximum(policy),
            score_percent=round(best.score_percent, 2),
            percentile=rounded(best.percentile),
        )


class StudyOut(Out):
    """Your last 365 days, the last of them today, by days of `timezone`.

    `best` has up to five official results with the highest share of marks. `due_today` counts the questions
    that are to be revised by the end of today.
    """

    timezone: str
    days: list[StudyDayOut]
    best: list[BestResultOut]
    streak_days: int
    longest_streak_days: int
    due_today: int

    @classmethod
    def of(cls, study: Study) -> Self:
        """A year of study."""
        return cls(
            timezone=study.timezone,
            days=[StudyDayOut.of(day) for day in study.days],
            best=[BestResultOut.of(best) for best in study.best],
            streak_days=study.streak_days,
            longest_streak_days=study.longest_streak_days,
            due_today=study.due_today,
        )
