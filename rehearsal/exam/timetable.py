"""The timetable of a rehearsed exam: windows, and the moments at which things happen in them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

LONGEST_EXTRA = 0.55
"""Grants, extensions and pauses together never give more than this share of a paper's time."""

_ENTRY = 0.5
_HERD_SECONDS = 5.0
_HERD_SHARE = 0.1
_SLACK = 2.0
_CLOSING = 5.0
"""How long after the grace the worker closes what is overdue."""


@dataclass(frozen=True, slots=True)
class Window:
    """A paper's place in time; `seconds` is how long its test takes."""

    code: str
    starts_at: datetime
    entry_closes_at: datetime
    ends_at: datetime
    seconds: int

    def at(self, share: float) -> datetime:
        """A moment, as a share of the time of those who began at once."""
        return self.starts_at + timedelta(seconds=share * self.seconds)

    def in_entry(self, share: float) -> datetime:
        """A moment while the door is open."""
        return self.starts_at + share * (self.entry_closes_at - self.starts_at)

    @property
    def herd_seconds(self) -> float:
        """Within how many seconds nearly everybody begins."""
        return min(_HERD_SECONDS, _HERD_SHARE * self.seconds)

    def later(self, by: timedelta) -> "Window":
        """The same window after a postponement."""
        return replace(
            self,
            starts_at=self.starts_at + by,
            entry_closes_at=self.entry_closes_at + by,
            ends_at=self.ends_at + by,
        )


def windows(first: datetime, seconds: int, papers: int, grace: float) -> Sequence[Window]:
    """One paper after the other. Whoever has longer for one still finds the door of the next one open.

    `ends_at` comes a little after the first ones' time, so that it cuts short who enters last.
    """
    found: list[Window] = []
    starts_at = first
    for number in range(1, papers + 1):
        entry = max(_SLACK, _ENTRY * seconds)
        if found:
            entry = max(entry, LONGEST_EXTRA * seconds + grace + _CLOSING + _SLACK)
        ends_at = starts_at + timedelta(seconds=max(entry, seconds + 0.4 * entry))
        entry_closes_at = starts_at + timedelta(seconds=entry)
        found.append(Window(f"P{number}", starts_at, entry_closes_at, ends_at, seconds))
        starts_at += timedelta(seconds=1.05 * seconds + grace)
    return found
