"""When notifications are sent: reminders, quiet hours, and the delay before a failed delivery is retried."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

FIRST_REST = timedelta(seconds=30)
MAX_REST = timedelta(hours=4)
MAX_REQUESTED_REST = timedelta(days=1)
MAX_TRIES = 12
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
        """Return when the quiet hours around `now` end; None outside of quiet hours.

        At a change of the clock a time of day occurs twice or not at all. They begin at the first of two and
        end at the second. A begin that is skipped is the moment of the change; an end that is skipped is as
        long after it as it would have been.
        """
        local = now.astimezone(self.zone)
        for first_day in (local.date() - timedelta(days=1), local.date()):
            end = self._end(first_day)
            if self._has_begun(first_day, now) and now < end:
                return end
        return None

    def _has_begun(self, day: date, now: datetime) -> bool:
        if datetime.combine(day, self.begin, self.zone).astimezone(UTC) <= now:
            return True
        local = now.astimezone(self.zone)  # If the begin is skipped, the clock shows a later time at once.
        return local.date() == day and local.time() >= self.begin

    def _end(self, first_day: date) -> datetime:
        last_day = first_day if self.begin < self.end else first_day + timedelta(days=1)
        ends = (datetime.combine(last_day, self.end.replace(fold=fold), self.zone) for fold in (0, 1))
        return max(end.astimezone(UTC) for end in ends)


def rest_after(tries: int, asked: timedelta | None = None) -> timedelta | None:
    """Return the delay before the next try of a delivery that has failed `tries` times; None: give up.

    The delay is 30 seconds at first and doubles up to four hours. A server may ask for a longer one.
    """
    if tries >= MAX_TRIES:
        return None
    own = min(FIRST_REST * (1 << (tries - 1)), MAX_REST)
    return max(own, min(asked or own, MAX_REQUESTED_REST))
