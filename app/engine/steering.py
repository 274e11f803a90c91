"""What staff may do to an attempt, and what its deadline does: functions from one state to the next.

A step that changes nothing, such as pausing a paused attempt, returns the same state, so a request may be
repeated. A step that is not possible raises `Refused`; its message says why and what to do instead.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from app.engine import timing
from app.engine.timing import Arrival


class Status(StrEnum):
    """The status of an attempt. SUBMITTED includes graded attempts."""

    IN_PROGRESS = "in_progress"
    PAUSED = "paused"
    SUBMITTED = "submitted"
    VOID = "void"


class Kind(StrEnum):
    """Why time was added."""

    EXTENSION = "extension"
    PAUSE = "pause"
    REOPENING = "reopening"


@dataclass(frozen=True)
class Given:
    """Time that was added to an attempt, and when."""

    kind: Kind
    at: datetime
    length: timedelta


@dataclass(frozen=True)
class Sitting:
    """The state of an attempt. `ended_by` is candidate, deadline or staff; None while it is in progress."""

    status: Status
    deadline_at: datetime
    paused_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None
    given: tuple[Given, ...] = ()


class Refused(Exception):
    """The step is not possible in this state. The message is shown to the caller."""


def overtaken(sitting: Sitting, now: datetime, delay: timedelta) -> Sitting:
    """Return the attempt, ended by its deadline if that passed more than `delay` ago.

    The worker ends such attempts too. This does not wait for the worker.
    """
    is_late = timing.arrival(now, sitting.deadline_at, delay) is Arrival.LATE
    if sitting.status is not Status.IN_PROGRESS or not is_late:
        return sitting
    return replace(sitting, status=Status.SUBMITTED, ended_at=sitting.deadline_at, ended_by="deadline")


def extend(sitting: Sitting, by: timedelta, now: datetime) -> Sitting:
    """Extend the deadline (docs/decisions/0034). An expired attempt continues if it is in the future."""
    if sitting.status is Status.VOID:
        raise Refused("The attempt is void. Reopen it first.")
    if sitting.status is Status.SUBMITTED and sitting.ended_by != "deadline":
        raise Refused(f"The attempt was ended by {_who(sitting)}. To let it go on, reopen it.")
    deadline_at = sitting.deadline_at + by
    given = (*sitting.given, Given(Kind.EXTENSION, min(now, sitting.deadline_at), by))
    if sitting.status is not Status.SUBMITTED:
        return replace(sitting, deadline_at=deadline_at, given=given)
    if deadline_at <= now:
        missing = (now - sitting.deadline_at) // timedelta(seconds=1)
        raise Refused(
            f"The attempt's time was over {missing} s ago: so short an extension is over, too. Give more than"
            " that, or reopen the attempt with `seconds`, which count from now."
        )
    return replace(
        sitting,
        status=Status.IN_PROGRESS,
        deadline_at=deadline_at,
        given=given,
        ended_at=None,
        ended_by=None,
    )


def regrant(sitting: Sitting, by: timedelta, now: datetime) -> Sitting:
    """Apply a change of the extra time that the exam grants this candidate. It may be negative.

    This moves the deadline of a running attempt. An attempt that its deadline had ended continues if the new
    deadline is in the future.
    """
    moved = replace(sitting, deadline_at=sitting.deadline_at + by)
    if sitting.status in (Status.IN_PROGRESS, Status.PAUSED):
        return moved
    if sitting.status is Status.SUBMITTED and sitting.ended_by == "deadline" and moved.deadline_at > now:
        return replace(moved, status=Status.IN_PROGRESS, ended_at=None, ended_by=None)
    return sitting


def pause(sitting: Sitting, now: datetime) -> Sitting:
    """Pause the attempt; its remaining time stays the same."""
    if sitting.status is Status.PAUSED:
        return sitting
    _require_running(sitting)
    return replace(sitting, status=Status.PAUSED, paused_at=now)


def resume(sitting: Sitting, now: datetime) -> Sitting:
    """Resume a paused attempt with the time that was left at the pause."""
    if sitting.status is Status.IN_PROGRESS:
        return sitting
    if sitting.status is not Status.PAUSED or sitting.paused_at is None:
        raise Refused(f"The attempt is {sitting.status}, not paused.")
    # Of two simultaneous requests, the one that arrived first may get the lock last.
    resumed_at = max(now, sitting.paused_at)
    return replace(
        sitting,
        status=Status.IN_PROGRESS,
        paused_at=None,
        deadline_at=timing.resumed_deadline(sitting.deadline_at, sitting.paused_at, resumed_at),
        given=(*sitting.given, Given(Kind.PAUSE, sitting.paused_at, resumed_at - sitting.paused_at)),
    )


def submit(sitting: Sitting, now: datetime) -> Sitting:
    """Submit the attempt on behalf of staff. An attempt that has ended stays as it is."""
    if sitting.status is Status.VOID:
        raise Refused("The attempt is void.")
    if sitting.status is Status.SUBMITTED:
        return sitting
    return replace(sitting, status=Status.SUBMITTED, paused_at=None, ended_at=now, ended_by="staff")


def reopen(sitting: Sitting, now: datetime, more: timedelta = timing.NO_TIME) -> Sitting:
    """Reopen an ended attempt with the time that was left at its end, and `more`, counted from now.

    A void attempt that its candidate or its deadline had ended before becomes submitted again, no more.
    """
    if sitting.status in (Status.IN_PROGRESS, Status.PAUSED):
        return sitting
    if sitting.status is Status.VOID and sitting.ended_by != "staff":
        return replace(sitting, status=Status.SUBMITTED)
    ended_at = sitting.ended_at or now
    if sitting.deadline_at + more <= ended_at:
        raise Refused("No time was left when the attempt ended. Say how many `seconds` it gets from now.")
    reopened_at = max(now, ended_at)  # a request that arrived before the end may get the lock after it
    given = [*sitting.given, Given(Kind.REOPENING, ended_at, reopened_at - ended_at)]
    if more:
        given.append(Given(Kind.EXTENSION, reopened_at, more))
    return replace(
        sitting,
        status=Status.IN_PROGRESS,
        deadline_at=timing.resumed_deadline(sitting.deadline_at, ended_at, reopened_at) + more,
        given=tuple(given),
        paused_at=None,
        ended_at=None,
        ended_by=None,
    )


def void(sitting: Sitting, now: datetime) -> Sitting:
    """Exclude the attempt from results and rankings."""
    if sitting.status is Status.VOID:
        return sitting
    return replace(
        sitting,
        status=Status.VOID,
        paused_at=None,
        ended_at=sitting.ended_at or now,
        ended_by=sitting.ended_by or "staff",
    )


def _require_running(sitting: Sitting) -> None:
    if sitting.status is Status.VOID:
        raise Refused("The attempt is void.")
    if sitting.status is Status.SUBMITTED:
        raise Refused(f"The attempt was ended by {_who(sitting)}.")


def _who(sitting: Sitting) -> str:
    return {"candidate": "its candidate", "deadline": "its deadline"}.get(sitting.ended_by or "", "staff")
