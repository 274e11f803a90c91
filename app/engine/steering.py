"""What staff may do to a sitting, and what the clock does: pure steps from one state to the next.

A step that changes nothing (pausing what is paused) returns the same state, so that a repeated click is
harmless. One that is not possible raises `Refused`, whose sentence says why and what to do instead.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from app.engine import timing
from app.engine.timing import Arrival


class Status(StrEnum):
    """Where a sitting stands. `submitted` here is also one that has been graded."""

    IN_PROGRESS = "in_progress"
    PAUSED = "paused"
    SUBMITTED = "submitted"
    VOID = "void"


class Kind(StrEnum):
    """Why time was given."""

    EXTENSION = "extension"
    PAUSE = "pause"
    REOPENING = "reopening"


@dataclass(frozen=True)
class Given:
    """Time that was given at a moment."""

    kind: Kind
    at: datetime
    length: timedelta


@dataclass(frozen=True)
class Sitting:
    """A sitting as the rules see it; `ended_by` is candidate, deadline or staff, None while it goes on."""

    status: Status
    deadline_at: datetime
    paused_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None
    given: tuple[Given, ...] = ()


class Refused(Exception):
    """The step is not possible from this state; the sentence is for whoever asked."""


def overtaken(sitting: Sitting, now: datetime, delay: timedelta) -> Sitting:
    """The sitting as the clock has left it: ended if its deadline passed more than `delay` ago.

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
    """Follow a change of what the exam grants this candidate, more or less than before.

    It moves the deadline of who is sitting, and lets who was ended by the clock go on if there is time again.
    """
    moved = replace(sitting, deadline_at=sitting.deadline_at + by)
    if sitting.status in (Status.IN_PROGRESS, Status.PAUSED):
        return moved
    if sitting.status is Status.SUBMITTED and sitting.ended_by == "deadline" and moved.deadline_at > now:
        return replace(moved, status=Status.IN_PROGRESS, ended_at=None, ended_by=None)
    return sitting


def pause(sitting: Sitting, now: datetime) -> Sitting:
    """Stop the clock."""
    if sitting.status is Status.PAUSED:
        return sitting
    _require_running(sitting)
    return replace(sitting, status=Status.PAUSED, paused_at=now)


def resume(sitting: Sitting, now: datetime) -> Sitting:
    """Let the clock go on: whoever resumes has exactly the time that was left at the pause."""
    if sitting.status is Status.IN_PROGRESS:
        return sitting
    if sitting.status is not Status.PAUSED or sitting.paused_at is None:
        raise Refused(f"The attempt is {sitting.status}, not paused.")
    # Of two requests at once, the one that arrived first may get the lock last: time never runs backwards.
    resumed_at = max(now, sitting.paused_at)
    return replace(
        sitting,
        status=Status.IN_PROGRESS,
        paused_at=None,
        deadline_at=timing.resumed_deadline(sitting.deadline_at, sitting.paused_at, resumed_at),
        given=(*sitting.given, Given(Kind.PAUSE, sitting.paused_at, resumed_at - sitting.paused_at)),
    )


def submit(sitting: Sitting, now: datetime) -> Sitting:
    """End it for its candidate. What is over already stays as it is."""
    if sitting.status is Status.VOID:
        raise Refused("The attempt is void.")
    if sitting.status is Status.SUBMITTED:
        return sitting
    return replace(sitting, status=Status.SUBMITTED, paused_at=None, ended_at=now, ended_by="staff")


def reopen(sitting: Sitting, now: datetime, more: timedelta = timing.NO_TIME) -> Sitting:
    """Let what is over go on with the time that was left when it ended, and `more`, counted from now.

    Of a void attempt that its candidate or the clock had ended before, only the voiding is taken back.
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
    """Let it count nowhere."""
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
