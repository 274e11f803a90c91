"""Deadlines computed apart from the server: from what staff did, and when, by the clock on our wall."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

TOLERANCE = timedelta(seconds=1)
"""Deadlines are compared to the second."""


@dataclass(frozen=True, slots=True)
class Order:
    """Something that staff did to an attempt: between asking for it and hearing that it is done."""

    verb: str
    attempt_id: str
    seconds: int
    asked_at: datetime
    done_at: datetime


@dataclass(frozen=True, slots=True)
class Grant:
    """Extra time that an exam grants one candidate by number, or a group of them."""

    number: int | None
    group: str | None
    seconds: int
    asked_at: datetime
    done_at: datetime


@dataclass(frozen=True, slots=True)
class Sat:
    """When an attempt began, and when its candidate or staff ended it, if they did."""

    attempt_id: str
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Span:
    """A deadline lies between the two: nobody but the server knows when exactly a request arrived."""

    earliest: datetime
    latest: datetime

    def holds(self, deadline_at: datetime) -> bool:
        return self.earliest - TOLERANCE <= deadline_at <= self.latest + TOLERANCE


def deadline(
    sat: Sat,
    seconds: int,
    ends_at: datetime,
    grants: Iterable[Grant],
    orders: Iterable[Order],
) -> Span:
    """The end of the test's time or of the window, whichever comes first, and all that was given on top.

    `grants` are those that apply to this candidate, `orders` those that changed this attempt.
    """
    end = min(sat.started_at + timedelta(seconds=seconds), ends_at)
    least, most = _granted(sat, grants)
    paused: Order | None = None
    for order in sorted(orders, key=lambda order: order.asked_at):
        if order.verb == "extend":
            least, most = least + order.seconds, most + order.seconds
        elif order.verb == "pause":
            paused = order
        elif order.verb == "resume" and paused is not None:
            least += max(0.0, (order.asked_at - paused.done_at).total_seconds())
            most += (order.done_at - paused.asked_at).total_seconds()
            paused = None
    return Span(end + timedelta(seconds=least), end + timedelta(seconds=most))


def _granted(sat: Sat, grants: Iterable[Grant]) -> tuple[float, float]:
    """The least and the most extra time: a grant does not move what its candidate had ended before it."""
    certain, possible = [], []
    for grant in grants:
        if sat.ended_at is not None and sat.ended_at < grant.asked_at:
            continue
        possible.append(grant)
        if sat.ended_at is None or sat.ended_at > grant.done_at:
            certain.append(grant)
    amounts = (_extra(certain), _extra(possible))
    return min(amounts), max(amounts)


def _extra(grants: Iterable[Grant]) -> float:
    """One's own grant, the last one if there are several; else the longest of one's groups'."""
    known = list(grants)
    own = [grant.seconds for grant in known if grant.number is not None]
    groups = [grant.seconds for grant in known if grant.group is not None]
    return float(own[-1] if own else max(groups, default=0))
