"""How fast and how much one attempt may be saved: bounds that no honest client reaches.

The longest honest log is that of a device that saves every second: 10,800 events in three hours, half as
many again with extra time. One that comes back after hours offline sends all of it in 54 to 81 calls.
"""

from dataclasses import dataclass
from datetime import datetime

CALLS_PER_SECOND = 100
RESPONSES_PER_SECOND = 4_000
EVENTS_PER_QUESTION = 20_000
EVENTS_PER_ATTEMPT = 30_000


@dataclass(frozen=True, slots=True)
class Pace:
    """What an attempt may still send at a moment, without waiting: at most a second's worth of each."""

    at: datetime
    calls: float = CALLS_PER_SECOND
    responses: float = RESPONSES_PER_SECOND


def paced(pace: Pace, responses: int, now: datetime) -> Pace | None:
    """The pace after one more call with so many responses; None if that comes too soon.

    Requests overtake each other: one that arrived before the last one finds what that one left.
    """
    elapsed = max(0.0, (now - pace.at).total_seconds())
    calls = min(CALLS_PER_SECOND, pace.calls + elapsed * CALLS_PER_SECOND) - 1
    left = min(RESPONSES_PER_SECOND, pace.responses + elapsed * RESPONSES_PER_SECOND) - responses
    return Pace(max(pace.at, now), calls, left) if calls >= 0 and left >= 0 else None


def is_full(events: int, of_one_question: int) -> bool:
    """Whether a log of so many events, at most so many of them of one question, takes no more."""
    return events >= EVENTS_PER_ATTEMPT or of_one_question >= EVENTS_PER_QUESTION
