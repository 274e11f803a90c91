"""What staff may do to an attempt, and what the clock does: pure functions from one state to the next.

A function that has nothing to do, such as pausing a paused attempt, returns the same state, so a repeated
request changes nothing. If a step is not possible, `Refused` says why and what to do instead.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from app.engine import timing
from app.engine.timing import Arrival


class Status(StrEnum):
    """The status of an attempt. A graded attempt is `submitted` here."""

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
    """Time that was added at a moment."""

    kind: Kind
    at: datetime
    length: timedelta


@dataclass(frozen=True)
class AttemptState:
    """What the rules need of an attempt. `ended_by` is candidate, deadline or staff; None before the end."""

    status: Status
    deadline_at: datetime
    paused_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None
    given: tuple[Given, ...] = ()


class Refused(Exception):
    """The step is not possible from this state. The message is for the person who asked for it."""


def ended_by_deadline(state: AttemptState, now: datetime, delay: timedelta) -> AttemptState:
    """The state as the clock has left it: ended if its deadline passed more than `delay` ago.

    The worker ends such attempts too. This does not wait for the worker.
    """
    is_late = timing.arrival(now, state.deadline_at, delay) is Arrival.LATE
    if state.status is not Status.IN_PROGRESS or not is_late:
        return state
    return replace(state, status=Status.SUBMITTED, ended_at=state.deadline_at, ended_by="deadline")


def extend(state: AttemptState, by: timedelta, now: datetime) -> AttemptState:
    """Give more time. An attempt that its deadline ended goes on if the new deadline is in the future."""
    if state.status is Status.VOID:
        raise Refused("The attempt is void. Reopen it first.")
    if state.status is Status.SUBMITTED and state.ended_by != "deadline":
        raise Refused(f"The attempt was ended by {_who(state)}. To let it go on, reopen it.")
    deadline_at = state.deadline_at + by
    given = (*state.given, Given(Kind.EXTENSION, min(now, state.deadline_at), by))
    if state.status is not Status.SUBMITTED:
        return replace(state, deadline_at=deadline_at, given=given)
    if deadline_at <= now:
        missing = (now - state.deadline_at) // timedelta(seconds=1)
        raise Refused(
            f"The attempt's time was over {missing} s ago: so short an extension is over, too. Give more than"
            " that, or reopen the attempt with `seconds`, which count from now."
        )
    return replace(
        state,
        status=Status.IN_PROGRESS,
        deadline_at=deadline_at,
        given=given,
        ended_at=None,
        ended_by=None,
    )


def regrant(state: AttemptState, by: timedelta, now: datetime) -> AttemptState:
    """Move the deadline by whole seconds after a change of the candidate's extra time, up or down.

    An attempt that its deadline ended goes on if there is time again. Time that has passed is not taken back:
    the deadline moves at most to the present, and that of a paused attempt to the pause.
    """
    moved = replace(state, deadline_at=state.deadline_at + max(by, -_time_left(state, now)))
    if state.status in (Status.IN_PROGRESS, Status.PAUSED):
        return moved
    if state.status is Status.SUBMITTED and state.ended_by == "deadline" and moved.deadline_at > now:
        return replace(moved, status=Status.IN_PROGRESS, ended_at=None, ended_by=None)
    return state


def _time_left(state: AttemptState, now: datetime) -> timedelta:
    """The whole seconds that are left of a running or paused attempt."""
    return timedelta(seconds=timing.remaining_seconds(state.paused_at or now, state.deadline_at))


def pause(state: AttemptState, now: datetime) -> AttemptState:
    """Pause the attempt. Its time stands still."""
    if state.status is Status.PAUSED:
        return state
    _require_running(state)
    return replace(state, status=Status.PAUSED, paused_at=now)


def resume(state: AttemptState, now: datetime) -> AttemptState:
    """Resume the attempt with exactly the time that was left at the pause."""
    if state.status is Status.IN_PROGRESS:
        return state
    if state.status is not Status.PAUSED or state.paused_at is None:
        raise Refused(f"The attempt is {state.status}, not paused.")
    # The request that arrived first may get the lock last. Time must not run backwards.
    resumed_at = max(now, state.paused_at)
    return replace(
        state,
        status=Status.IN_PROGRESS,
        paused_at=None,
        deadline_at=timing.resumed_deadline(state.deadline_at, state.paused_at, resumed_at),
        given=(*state.given, Given(Kind.PAUSE, state.paused_at, resumed_at - state.paused_at)),
    )


def submit(state: AttemptState, now: datetime) -> AttemptState:
    """End the attempt for its candidate. An attempt that has ended stays as it is."""
    if state.status is Status.VOID:
        raise Refused("The attempt is void.")
    if state.status is Status.SUBMITTED:
        return state
    return replace(state, status=Status.SUBMITTED, paused_at=None, ended_at=now, ended_by="staff")


def reopen(state: AttemptState, now: datetime, more: timedelta = timing.NO_TIME) -> AttemptState:
    """Let an ended attempt go on with the time that was left at its end, and `more`, counted from now.

    If the attempt was void, but had been ended by its candidate or its deadline, only the voiding is undone.
    """
    if state.status in (Status.IN_PROGRESS, Status.PAUSED):
        return state
    if state.status is Status.VOID and state.ended_by != "staff":
        return replace(state, status=Status.SUBMITTED)
    ended_at = state.ended_at or now
    if state.deadline_at + more <= ended_at:
        raise Refused("No time was left when the attempt ended. Say how many `seconds` it gets from now.")
    reopened_at = max(now, ended_at)  # A request that arrived before the end may get the lock after it.
    given = [*state.given, Given(Kind.REOPENING, ended_at, reopened_at - ended_at)]
    if more:
        given.append(Given(Kind.EXTENSION, reopened_at, more))
    return replace(
        state,
        status=Status.IN_PROGRESS,
        deadline_at=timing.resumed_deadline(state.deadline_at, ended_at, reopened_at) + more,
        given=tuple(given),
        paused_at=None,
        ended_at=None,
        ended_by=None,
    )


def void(state: AttemptState, now: datetime) -> AttemptState:
    """Exclude the attempt from results and rankings."""
    if state.status is Status.VOID:
        return state
    return replace(
        state,
        status=Status.VOID,
        paused_at=None,
        ended_at=state.ended_at or now,
        ended_by=state.ended_by or "staff",
    )


def _require_running(state: AttemptState) -> None:
    if state.status is Status.VOID:
        raise Refused("The attempt is void.")
    if state.status is Status.SUBMITTED:
        raise Refused(f"The attempt was ended by {_who(state)}.")


def _who(state: AttemptState) -> str:
    return {"candidate": "its candidate", "deadline": "its deadline"}.get(state.ended_by or "", "staff")
