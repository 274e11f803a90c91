"""The rules of exam time. Every time and duration is an argument; results are in UTC.

Times must have a time zone; a naive datetime is a ValueError. All arithmetic is done in UTC: Python subtracts
times of one zone by their local clock, which is wrong across a change to or from daylight saving time.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

NO_TIME = timedelta()
_MICROSECOND = timedelta(microseconds=1)


class Arrival(StrEnum):
    """When a request arrived, compared with a deadline."""

    IN_TIME = "in_time"
    IN_GRACE = "in_grace"
    LATE = "late"


@dataclass(frozen=True)
class SectionTime:
    """The time limit of a section; None is no limit. A `locked` section closes at its end."""

    id: UUID
    duration: timedelta | None
    locked: bool = True


@dataclass(frozen=True, slots=True)
class SectionWindow:
    """When a timed section of one attempt opens and ends."""

    section_id: UUID
    opens_at: datetime
    deadline_at: datetime
    locked: bool


@dataclass(frozen=True)
class Addition:
    """Time that was added to a running attempt: `length`, added at the time `at`."""

    at: datetime
    length: timedelta


def deadline(
    started_at: datetime,
    duration: timedelta,
    ends_at: datetime | None,
    extra: timedelta = NO_TIME,
    paused: timedelta = NO_TIME,
) -> datetime:
    """Return min(started_at + duration, ends_at) + extra + paused (docs/decisions/0029, docs/decisions/0034).

    `ends_at` limits late starts; extra time and pauses may exceed it. None means no limit.
    Raises ValueError for a duration that is not positive, and for negative extra time or pauses.
    """
    _refuse_negative(extra, paused)
    end = _utc(started_at) + _positive(duration)
    if ends_at is not None:
        end = min(end, _utc(ends_at))
    return end + extra + paused


def resumed_deadline(deadline_at: datetime, paused_at: datetime, resumed_at: datetime) -> datetime:
    """Return the deadline after a pause. The time left is the same as at the pause."""
    pause = _utc(resumed_at) - _utc(paused_at)
    _refuse_negative(pause)
    return _utc(deadline_at) + pause


def remaining_seconds(now: datetime, deadline_at: datetime) -> int:
    """Return the whole seconds that are left, at least 0.

    Rounded down, so that a countdown never shows more time than there is.
    """
    return max((_utc(deadline_at) - _utc(now)) // timedelta(seconds=1), 0)


def arrival(now: datetime, deadline_at: datetime, grace: timedelta) -> Arrival:
    """Compare an arrival with a deadline. The ends of the deadline and of the grace are included."""
    _refuse_negative(grace)
    over = _utc(now) - _utc(deadline_at)
    if over <= NO_TIME:
        return Arrival.IN_TIME
    return Arrival.IN_GRACE if over <= grace else Arrival.LATE


def is_open(now: datetime, available_from: datetime | None, available_until: datetime | None) -> bool:
    """Return whether `now` is in [available_from, available_until). None means no bound."""
    return (available_from is None or _utc(available_from) <= _utc(now)) and (
        available_until is None or _utc(now) < _utc(available_until)
    )


def section_windows(
    started_at: datetime,
    sections: Iterable[SectionTime],
    extra: timedelta = NO_TIME,
    additions: Iterable[Addition] = (),
) -> list[SectionWindow]:
    """Return the windows of the timed sections, one after the other from the start. Untimed ones have none.

    `extra` is known at the start: each section gets a share in proportion to its duration. An addition
    extends the section that runs at its time (the last one, if all have ended) and moves the sections after
    it; sections that have ended stay as they are. The deadline of the attempt still applies: after a late
    start it may be earlier than the end of a section.
    Raises ValueError for a duration that is not positive, and for negative extra time or additions.
    """
    _refuse_negative(extra)
    timed = [(section, _positive(section.duration)) for section in sections if section.duration is not None]
    total = sum((duration for _, duration in timed), NO_TIME)
    windows = []
    opens_at, elapsed = _utc(started_at), NO_TIME
    for section, duration in timed:
        elapsed += duration
        # Computed from the start each time, so that rounding errors do not add up.
        deadline_at = _utc(started_at) + elapsed + _share(extra, elapsed, total)
        windows.append(SectionWindow(section.id, opens_at, deadline_at, section.locked))
        opens_at = deadline_at
    for addition in sorted(additions, key=lambda addition: _utc(addition.at)):
        windows = _lengthened(windows, addition)
    return windows


def _lengthened(windows: list[SectionWindow], addition: Addition) -> list[SectionWindow]:
    _refuse_negative(addition.length)
    over = sum(window.deadline_at < _utc(addition.at) for window in windows[:-1])
    return [
        window
        if place < over
        else replace(
            window,
            opens_at=window.opens_at + (addition.length if place > over else NO_TIME),
            deadline_at=window.deadline_at + addition.length,
        )
        for place, window in enumerate(windows)
    ]


def _share(extra: timedelta, elapsed: timedelta, total: timedelta) -> timedelta:
    """Return extra * elapsed / total in whole microseconds. A timedelta cannot hold the product."""
    return (extra // _MICROSECOND) * (elapsed // _MICROSECOND) // (total // _MICROSECOND) * _MICROSECOND


def _utc(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise ValueError("A moment must know its time zone.")
    return moment.astimezone(UTC)


def _positive(duration: timedelta) -> timedelta:
    if duration <= NO_TIME:
        raise ValueError("A duration must be positive.")
    return duration


def _refuse_negative(*lengths: timedelta) -> None:
    if any(length < NO_TIME for length in lengths):
        raise ValueError("A length of time cannot be negative.")
