"""When notifications are sent: reminders, quiet hours, and the delay before a failed delivery is retried."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

FIRST_REST = timedelta(seconds=30)
LONGEST_REST = timedelta(hours=4)
LONGEST_REST_ASKED_FOR = timedelta(days=1)
MOST_TRIES = 12
"""With the delays between them, the tries take about half a day."""


@dataclass(frozen=True, slots=True)
class Reminder:
    """When a reminder of a start is created and sent."""

    lead: timedelta
    """How long before the start it is due."""
    patience: timedelta
    """How much later it may still be created, after an outage or a change of the start."""
    worth: timedelta
    """How long before the start it expires."""

    def starts_due(self, now: datetime) -> tuple[datetime, datetime]:
        """Return the interval (after, until] of starts whose reminder is due now."""
        latest = now + self.lead
        return latest - self.patience, latest

    def due_at(self, starts_at: datetime) -> datetime:
        """Return when the reminder is due. Candidates who register later do not get it."""
        return starts_at - self.lead

    def expires_at(self, starts_at: datetime) -> datetime:
        """Return when the reminder expires."""
        return starts_at - self.worth


@dataclass(frozen=True, slots=True)
class QuietHours:
    """The hours in which a person wants no notifications, in their time zone. They may include midnight."""

    begin: time
    end: time
    zone: ZoneInfo

    def end_after(self, now: datetime) -> datetime | None:
        """Return when the quiet hours around `now` end; None outside of quiet hours."""
        local = now.astimezone(self.zone)
        clock, today = local.time(), local.date()
        if self.begin < self.end:
            quiet, last_day = self.begin <= clock < self.end, today
        else:
            quiet = clock >= self.begin or clock < self.end
            last_day = today + timedelta(days=1) if clock >= self.begin else today
        if not quiet:
            return None
        # At a change of the clock the end may occur twice or not at all. The later time is used.
        ends = (datetime.combine(last_day, self.end.replace(fold=fold), self.zone) for fold in (0, 1))
        return max(end.astimezone(UTC) for end in ends)


def rest_after(tries: int, asked: timedelta | None = None) -> timedelta | None:
    """Return the delay before the next try of a delivery that has failed `tries` times; None: give up.

    The delay is 30 seconds at first and doubles up to four hours. A server may ask for a longer one.
    """
    if tries >= MOST_TRIES:
        return None
    own = min(FIRST_REST * (1 << (tries - 1)), LONGEST_REST)
    return max(own, min(asked or own, LONGEST_REST_ASKED_FOR))
