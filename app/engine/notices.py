"""When people are told: reminders, quiet hours, and how long a delivery that failed rests."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

FIRST_REST = timedelta(seconds=30)
LONGEST_REST = timedelta(hours=4)
LONGEST_REST_ASKED_FOR = timedelta(days=1)
MOST_TRIES = 12
"""With the rests between them, they take about half a day."""


@dataclass(frozen=True, slots=True)
class Reminder:
    """A reminder of something that starts."""

    lead: timedelta
    """How long before the start it is due."""
    patience: timedelta
    """How much later it may still be made: after an outage, or where the start was set meanwhile."""
    worth: timedelta
    """How long before the start it is of no use any more and is not sent."""

    def starts_due(self, now: datetime) -> tuple[datetime, datetime]:
        """What starts after the first moment, and not after the second, is to be reminded of now."""
        latest = now + self.lead
        return latest - self.patience, latest

    def due_at(self, starts_at: datetime) -> datetime:
        """When it is due. Who registers later has just been told the time."""
        return starts_at - self.lead

    def expires_at(self, starts_at: datetime) -> datetime:
        """When it stops being of use."""
        return starts_at - self.worth


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From when until when somebody wishes to be left alone, by their own clock; over midnight too."""

    begin: time
    end: time
    zone: ZoneInfo

    def end_after(self, now: datetime) -> datetime | None:
        """When the quiet hours end in which `now` lies; None outside of them."""
        local = now.astimezone(self.zone)
        clock, today = local.time(), local.date()
        if self.begin < self.end:
            quiet, last_day = self.begin <= clock < self.end, today
        else:
            quiet = clock >= self.begin or clock < self.end
            last_day = today + timedelta(days=1) if clock >= self.begin else today
        if not quiet:
            return None
        # An end that the clock shows twice is the later one; one that it skips is as long after midnight.
        ends = (datetime.combine(last_day, self.end.replace(fold=fold), self.zone) for fold in (0, 1))
        return max(end.astimezone(UTC) for end in ends)


def rest_after(tries: int, asked: timedelta | None = None) -> timedelta | None:
    """How long a delivery rests that has failed `tries` times; None: it has had its chances.

    30 seconds at first, doubled up to four hours; longer where the server asked for it.
    """
    if tries >= MOST_TRIES:
        return None
    own = min(FIRST_REST * (1 << (tries - 1)), LONGEST_REST)
    return max(own, min(asked or own, LONGEST_REST_ASKED_FOR))
