"""The timetable of a rehearsed exam: the windows of its papers, and moments in them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

MAX_EXTRA_SHARE = 0.55
"""Grants, extensions and pauses together give at most this share of a paper's time."""

_ENTRY = 0.5
_START_SPREAD_SECONDS = 5.0
_START_SPREAD_SHARE = 0.1
_SLACK = 2.0
_CLOSING = 5.0
"""Seconds after the grace in which the worker closes overdue attempts."""


@dataclass(frozen=True, slots=True)
class Window:
    """When a paper is open; `seconds` is the duration of its test."""

    code: str
    starts_at: datetime
    entry_closes_at: datetime
    ends_at: datetime
    seconds: int

    def at(self, share: float) -> datetime:
        """The moment when a share of the duration has passed since the opening."""
        return self.starts_at + timedelta(seconds=share * self.seconds)

    def entry_moment(self, share: float) -> datetime:
        """The moment when a share of the entry time has passed."""
        return self.starts_at + share * (self.entry_closes_at - self.starts_at)

    @property
    def start_spread_seconds(self) -> float:
        """The seconds in which nearly all candidates start."""
        return min(_START_SPREAD_SECONDS, _START_SPREAD_SHARE * self.seconds)

    def postponed(self, by: timedelta) -> "Window":
        """The same window after a postponement."""
        return replace(
            self,
            starts_at=self.starts_at + by,
            entry_closes_at=self.entry_closes_at + by,
            ends_at=self.ends_at + by,
        )


def windows(first: datetime, seconds: int, papers: int, grace: float) -> Sequence[Window]:
    """One paper after the other. A candidate with extra time can still enter the next paper.

    `ends_at` is shortly after the first candidates' deadlines, so that it shortens the last ones' time.
    """
    found: list[Window] = []
    starts_at = first
    for number in range(1, papers + 1):
        entry = max(_SLACK, _ENTRY * seconds)
        if found:
            entry = max(entry, MAX_EXTRA_SHARE * seconds + grace + _CLOSING + _SLACK)
        ends_at = starts_at + timedelta(seconds=max(entry, seconds + 0.4 * entry))
        entry_closes_at = starts_at + timedelta(seconds=entry)
        found.append(Window(f"P{number}", starts_at, entry_closes_at, ends_at, seconds))
        starts_at += timedelta(seconds=1.05 * seconds + grace)
    return found
