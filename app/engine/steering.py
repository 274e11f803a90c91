"""What staff, the clock and the candidate may do to an attempt: pure functions from one state to the next.

docs/steering.md has the table of all states and steps. A step that has nothing to do, such as pausing a
paused attempt, returns the same state, so a repeated request changes nothing. `AlreadyDone` means the same,
and its message tells the caller how to repeat the step. If a step is not possible, `TransitionRefused` says
why and what to do instead.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from app.engine import timing
from app.engine.timing import Arrival
from app.sentences import Sentence

EndedBy = Literal["candidate", "deadline", "staff"]

REPEATED_WITHIN = timedelta(seconds=30)
"""The same extension, requested again within this time, is a repeated request and adds nothing."""


class Status(StrEnum):
    """The status of an attempt. A graded attempt is `submitted` here."""

    IN_PROGRESS = "in_progress"
    PAUSED = "paused"
    SUBMITTED = "submitted"
    VOID = "void"


RUNNING = frozenset({Status.IN_PROGRESS, Status.PAUSED})


class AdditionKind(StrEnum):
    """Why time was added."""

    EXTENSION = "extension"
    PAUSE = "pause"
    REOPENING = "reopening"


@dataclass(frozen=True)
class TimeAddition:
    """Time that was added at a moment.

    An extension also has the time of its request, and a key of who requested it for which reason.
    """

    kind: AdditionKind
    at: datetime
    length: timedelta
    requested_at: datetime | None = None
    request_key: str | None = None


@dataclass(frozen=True)
class AttemptState:
    """What the rules need of an attempt. `ended_by` and `ended_at` are None before the end.

    `paused_at` is set while the attempt is paused, and stays if it is ended or voided then: its time has
    stood still since. `extra` is the extra time that the exam grants, already part of the deadline.
    `voided_from` is the status before the voiding. It stays after the voiding of an ended attempt is taken
    back, so that the same request again does not let the attempt go on.
    """

    status: Status
    deadline_at: datetime
    paused_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: EndedBy | None = None
    given: tuple[TimeAddition, ...] = ()
    extra: timedelta = timing.NO_TIME
    voided_from: Status | None = None


class TransitionRefused(Exception):
    """The step is not possible from this state. The message is for the person who asked for it."""


class AlreadyDone(Exception):
    """The step was done before, and the state stays. The message says how to do it once more."""


class Exemption(StrEnum):
    """Why an action that ends all attempts leaves one out, unless the action includes these attempts."""

    EXTRA_TIME = "extra_time"
    PAUSED = "paused"


def exemptions(state: AttemptState) -> frozenset[Exemption]:
    """Why an action that ends all attempts leaves this one out. Empty for an attempt that has ended."""
    if state.status not in RUNNING:
        return frozenset()
    has_extension = any(each.kind is AdditionKind.EXTENSION for each in state.given)
    found = {Exemption.EXTRA_TIME} if state.extra > timing.NO_TIME or has_extension else set()
    return frozenset(found | ({Exemption.PAUSED} if state.status is Status.PAUSED else set()))


def time_left(state: AttemptState, now: datetime) -> timedelta:
    """The time that the candidate has left, or had when the attempt was paused or ended. At least zero."""
    return max(state.deadline_at - (state.paused_at or state.ended_at or now), timing.NO_TIME)


def end_if_overdue(state: AttemptState, now: datetime, delay: timedelta) -> AttemptState:
    """The state as the clock has left it: ended if its deadline passed more than `delay` ago.

    The worker ends such attempts too. This does not wait for the worker.
    """
    is_late = timing.arrival(now, state.deadline_at, delay) is Arrival.LATE
    if state.status is not Status.IN_PROGRESS or not is_late:
        return state
    return end(state, "deadline", state.deadline_at)


def submit_by_candidate(state: AttemptState, now: datetime, grace: timedelta) -> AttemptState:
    """End the attempt for its candidate. After deadline and grace it was the deadline that ended it."""
    state = end_if_overdue(state, now, grace)
    return end(state, "candidate", now) if state.status in RUNNING else state


def end(state: AttemptState, by: EndedBy, at: datetime) -> AttemptState:
    """End an attempt that is in progress or paused. The time of a pause stays known."""
    return replace(state, status=Status.SUBMITTED, ended_at=at, ended_by=by)


def extend(
    state: AttemptState, by: timedelta, now: datetime, request_key: str | None = None, *, again: bool = False
) -> AttemptState:
    """Give more time. An attempt that its deadline ended goes on if the new deadline is in the future.

    `request_key` stands for who extends for which reason. The same extension again, soon after, is
    AlreadyDone unless `again` is true.
    """
    if state.status is Status.VOID:
        raise TransitionRefused("The attempt is void. Reopen it first.")
    if not again and _is_repeated(state, by, now, request_key):
        raise AlreadyDone(
            Sentence(
                "The same extension was given less than {seconds} s ago. It was not added twice. To add it"
                " once more, send `again: true`.",
                seconds=REPEATED_WITHIN // timedelta(seconds=1),
            )
        )
    if state.status is Status.SUBMITTED and state.ended_by != "deadline":
        raise TransitionRefused(
            Sentence.joined(_how_it_ended(state), Sentence("To let it go on, reopen it."))
        )
    moved = _with_extension(state, by, min(now, state.deadline_at), now if request_key else None, request_key)
    if state.status is not Status.SUBMITTED:
        return moved
    if moved.deadline_at <= now:
        missing = (now - state.deadline_at) // timedelta(seconds=1)
        raise TransitionRefused(
            Sentence(
                "The deadline passed {missing} s ago, so the extended deadline would also be in the past."
                " Extend by more than {missing} s, or reopen the attempt with `seconds`, which count from"
                " now.",
                missing=missing,
            )
        )
    return _in_progress(moved)


def change_extra_time(state: AttemptState, by: timedelta, now: datetime) -> AttemptState:
    """Move the deadline by whole seconds after a change of the candidate's extra time, up or down.

    An attempt that its deadline ended goes on if there is time again. Others that have ended get the change
    when they are reopened. Time that has passed is not taken back: the deadline moves at most to the present,
    and that of a paused attempt to the pause.
    """
    moved = _with_extra(state, by, now)
    if state.status in RUNNING:
        return moved
    if state.status is Status.SUBMITTED and state.ended_by == "deadline" and moved.deadline_at > now:
        return _in_progress(moved)
    return state


def _with_extra(state: AttemptState, by: timedelta, now: datetime) -> AttemptState:
    """Change the extra time and the deadline. At most the whole seconds that are left are taken back."""
    left = timedelta(seconds=time_left(state, now) // timedelta(seconds=1))
    moved = max(by, -left)
    return replace(state, deadline_at=state.deadline_at + moved, extra=state.extra + moved)


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
        raise TransitionRefused("The attempt is not paused.")
    # A request that arrived earlier may get the lock later. Time must not run backwards.
    resumed_at = max(now, state.paused_at)
    return _in_progress(_add_stopped_time(state, AdditionKind.PAUSE, state.paused_at, resumed_at))


def submit(state: AttemptState, now: datetime) -> AttemptState:
    """End the attempt by an action of staff. An attempt that has ended stays as it is."""
    if state.status is Status.VOID:
        raise TransitionRefused("The attempt is void.")
    return end(state, "staff", now) if state.status in RUNNING else state


def void(state: AttemptState, now: datetime) -> AttemptState:
    """Exclude the attempt from results and rankings."""
    if state.status is Status.VOID:
        return state
    return replace(
        state,
        status=Status.VOID,
        ended_at=state.ended_at or now,
        ended_by=state.ended_by or "staff",
        voided_from=state.status,
    )


def admit_late(state: AttemptState) -> AttemptState:
    """Count the answers that came too late. The attempt stays in its state."""
    if state.status is Status.VOID:
        raise TransitionRefused("The attempt is void. Reopen it first.")
    return state


def reopen(
    state: AttemptState,
    now: datetime,
    more: timedelta = timing.NO_TIME,
    *,
    go_on: bool = False,
    extra: timedelta | None = None,
) -> AttemptState:
    """Let an ended attempt go on with the time that was left, and `more`, counted from now.

    Of a void attempt the voiding is taken back: it is again what it was before, in progress or paused with
    the time that was left, or ended. `go_on` lets one that had ended before its voiding go on, too.
    `extra` is the candidate's extra time now, if it may have changed since the end.
    """
    if state.status in RUNNING:
        return state
    if state.voided_from is Status.SUBMITTED and not go_on:
        return _reinstated(state, more)
    if extra is not None:
        state = _with_extra(state, extra - state.extra, now)
    if state.voided_from is Status.PAUSED:
        back = replace(state, status=Status.PAUSED, ended_at=None, ended_by=None, voided_from=None)
        return _with_extension(back, more, now) if more else back
    return _continued(state, now, more)


def _reinstated(state: AttemptState, more: timedelta) -> AttemptState:
    """Take back the voiding of an attempt that had ended before, and leave it ended."""
    if more:
        raise TransitionRefused(
            "The attempt had ended before it was voided. Leave out `seconds` to take the voiding back, or add"
            " `go_on: true` to let the attempt go on."
        )
    if state.status is Status.SUBMITTED:
        raise AlreadyDone(
            "The voiding is taken back: the attempt is submitted, as it was before. To let it go on, reopen"
            " it with `go_on: true`."
        )
    return replace(state, status=Status.SUBMITTED)


def _continued(state: AttemptState, now: datetime, more: timedelta) -> AttemptState:
    # A request that arrived earlier may get the lock later. Time must not run backwards.
    ended_at = state.ended_at or now
    if state.paused_at is not None:
        ended_at = max(ended_at, state.paused_at)
    reopened_at = max(now, ended_at)
    # An attempt that was voided while it was in progress gets back what it had, even if that is nothing.
    has_none = state.deadline_at + more <= (state.paused_at or ended_at)
    if has_none and state.voided_from is not Status.IN_PROGRESS:
        raise TransitionRefused(
            "No time was left when the attempt ended. Say how many `seconds` it gets from now."
        )
    if state.paused_at is not None:
        state = _add_stopped_time(state, AdditionKind.PAUSE, state.paused_at, ended_at)
    state = _in_progress(_add_stopped_time(state, AdditionKind.REOPENING, ended_at, reopened_at))
    return _with_extension(state, more, reopened_at) if more else state


def _in_progress(state: AttemptState) -> AttemptState:
    return replace(
        state,
        status=Status.IN_PROGRESS,
        paused_at=None,
        ended_at=None,
        ended_by=None,
        voided_from=None,
    )


def _add_stopped_time(
    state: AttemptState, kind: AdditionKind, since: datetime, until: datetime
) -> AttemptState:
    """Add the time in which the candidate could not work."""
    return replace(
        state,
        deadline_at=timing.resumed_deadline(state.deadline_at, since, until),
        given=(*state.given, TimeAddition(kind, since, until - since)),
    )


def _with_extension(
    state: AttemptState,
    by: timedelta,
    at: datetime,
    requested_at: datetime | None = None,
    request_key: str | None = None,
) -> AttemptState:
    added = TimeAddition(AdditionKind.EXTENSION, at, by, requested_at, request_key)
    return replace(state, deadline_at=state.deadline_at + by, given=(*state.given, added))


def _is_repeated(state: AttemptState, by: timedelta, now: datetime, request_key: str | None) -> bool:
    return request_key is not None and any(
        each.request_key == request_key
        and each.length == by
        and abs(now - each.requested_at) <= REPEATED_WITHIN
        for each in state.given
        if each.requested_at is not None
    )


def _require_running(state: AttemptState) -> None:
    if state.status is Status.VOID:
        raise TransitionRefused("The attempt is void.")
    if state.status is Status.SUBMITTED:
        raise TransitionRefused(_how_it_ended(state))


def _how_it_ended(state: AttemptState) -> str:
    match state.ended_by:
        case "candidate":
            return Sentence("The attempt was ended by its candidate.")
        case "deadline":
            return Sentence("The attempt was ended by its deadline.")
        case _:
            return Sentence("The attempt was ended by staff.")
