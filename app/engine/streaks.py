"""Streaks: consecutive days of study in a person's time zone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Presence:
    """The known times of a candidate's work on one attempt. `last_saved_at` is None if it is not known."""

    started_at: datetime
    submitted_at: datetime | None = None
    """When the candidate submitted it. None if the deadline or staff ended it, or if it is running."""
    last_saved_at: datetime | None = None

    @property
    def moments(self) -> list[datetime]:
        """The times at which the candidate did something."""
        moments = self.started_at, self.last_saved_at, self.submitted_at
        return [moment for moment in moments if moment is not None]


def streak_days(moments: Iterable[datetime], now: datetime, zone: tzinfo) -> int:
    """Return the number of consecutive days with activity up to today.

    If there is no activity today yet, the streak ends yesterday. A day is a calendar day of the time zone,
    so that it has 23 or 25 hours when the clocks change. Activity after today does not count.
    """
    days = {day_of(moment, zone) for moment in moments}
    today = day_of(now, zone)
    last = today if today in days else today - DAY
    length = 0
    while last - length * DAY in days:
        length += 1
    return length


def day_of(moment: datetime, zone: tzinfo) -> date:
    """Return the calendar day of a moment in a time zone."""
    return moment.astimezone(zone).date()


def longest_streak(moments: Iterable[datetime], zone: tzinfo) -> int:
    """Return the largest number of consecutive days with activity."""
    days = {day_of(moment, zone) for moment in moments}
    longest = 0
    for first in (day for day in days if day - DAY not in days):
        length = 1
        while first + length * DAY in days:
            length += 1
        longest = max(longest, length)
    return longest
