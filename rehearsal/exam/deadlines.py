"""The reference for deadlines, computed from what staff did and when."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

TOLERANCE = timedelta(seconds=1)
"""Deadlines are compared to the second."""

_STOP = ("pause", "submit", "void")
_GO_ON = ("resume", "reopen")


@dataclass(frozen=True, slots=True)
class StaffAction:
    """What staff did to an attempt, at some moment between the request and its response."""

    verb: str
    attempt_id: str
    seconds: int
    asked_at: datetime
    done_at: datetime


@dataclass(frozen=True, slots=True)
class Grant:
    """Extra time that an exam grants to one candidate, by number, or to a group."""

    number: int | None
    group: str | None
    seconds: int
    asked_at: datetime
    done_at: datetime


@dataclass(frozen=True, slots=True)
class AttemptTimes:
    """When an attempt began and ended.

    `ended_at` is the time of the submission, or the deadline. `closed_at` is when the server closed the
    attempt, some seconds after its deadline. Between the two, extra time may still apply.
    """

    attempt_id: str
    started_at: datetime
    ended_at: datetime | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeadlineRange:
    """A deadline lies between the two, because only the server knows when a request arrived."""

    earliest: datetime
    latest: datetime

    def contains(self, deadline_at: datetime) -> bool:
        return self.earliest - TOLERANCE <= deadline_at <= self.latest + TOLERANCE


def deadline(
    times: AttemptTimes,
    seconds: int,
    ends_at: datetime,
    grants: Iterable[Grant],
    actions: Iterable[StaffAction],
) -> DeadlineRange:
    """The earlier of the end of the duration and the end of the window, plus all additional time.

    `grants` are those for this candidate, `actions` those that changed this attempt.
    """
    end = min(times.started_at + timedelta(seconds=seconds), ends_at)
    least, most = _granted(times, grants)
    stopped: StaffAction | None = None
    for action in sorted(actions, key=lambda action: action.asked_at):
        if action.verb == "extend":
            least, most = least + action.seconds, most + action.seconds
        elif action.verb in _STOP:
            stopped = action
        elif action.verb in _GO_ON and stopped is not None:
            least += max(0.0, (action.asked_at - stopped.done_at).total_seconds())
            most += (action.done_at - stopped.asked_at).total_seconds()
            stopped = None
    return DeadlineRange(end + timedelta(seconds=least), end + timedelta(seconds=most))


def _granted(times: AttemptTimes, grants: Iterable[Grant]) -> tuple[float, float]:
    """The least and the most extra time. A grant does not change an attempt that was ended before it."""
    certain, possible = [], []
    for grant in grants:
        if times.closed_at is not None and times.closed_at < grant.asked_at:
            continue
        possible.append(grant)
        if times.ended_at is None or times.ended_at > grant.done_at:
            certain.append(grant)
    amounts = (_extra(certain), _extra(possible))
    return min(amounts), max(amounts)


def _extra(grants: Iterable[Grant]) -> float:
    """The candidate's last own grant; otherwise the longest grant of their groups."""
    known = list(grants)
    own = [grant.seconds for grant in known if grant.number is not None]
    groups = [grant.seconds for grant in known if grant.group is not None]
    return float(own[-1] if own else max(groups, default=0))
