"""Limits on saves of one attempt: calls a second, and events in its log.

A normal client does not reach them. A device that saves every second makes 10,800 events in three hours, and
half as many again with extra time. After hours offline it sends all of them in 54 to 81 calls.
"""

from dataclasses import dataclass
from datetime import datetime

CALLS_PER_SECOND = 100
EVENTS_PER_QUESTION = 20_000
EVENTS_PER_ATTEMPT = 30_000


@dataclass(frozen=True, slots=True)
class Pace:
    """A token bucket: how many calls an attempt may send now, at most those of one second."""

    at: datetime
    calls: float = CALLS_PER_SECOND


def paced(pace: Pace, now: datetime) -> Pace | None:
    """Return the pace after one more call; None if the call exceeds the limit.

    Requests may be handled in another order than they arrived. An earlier `now` adds nothing to the bucket.
    """
    elapsed = max(0.0, (now - pace.at).total_seconds())
    calls = min(CALLS_PER_SECOND, pace.calls + elapsed * CALLS_PER_SECOND) - 1
    return Pace(max(pace.at, now), calls) if calls >= 0 else None


def is_full(events: int, of_one_question: int) -> bool:
    """Return whether the log is full, by its events and by the most events of one question."""
    return events >= EVENTS_PER_ATTEMPT or of_one_question >= EVENTS_PER_QUESTION
