"""What an action of staff does to attempts, in numbers: for dry runs, and for what it has left out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.engine import steering, timing
from app.engine.steering import RUNNING, AdditionKind, AttemptState, Exemption
from app.models import AttemptRow
from app.services.unit_of_work import Reading

LISTED = 20
"""The most attempts that a forecast lists. Its counts are of all."""


@dataclass(frozen=True, slots=True)
class Step:
    """One attempt before and after an action."""

    attempt: AttemptRow
    before: AttemptState
    after: AttemptState


@dataclass(frozen=True, slots=True)
class Listed:
    """An attempt as a forecast lists it. `seconds_left` is the time that its candidate has now."""

    attempt_id: UUID
    paper_id: UUID | None
    roll_number: str | None
    status: str
    seconds_left: int
    extra_seconds: int


@dataclass(frozen=True, slots=True)
class LeftOut:
    """The attempts that an action which ends all has left out, and why. An attempt may have both reasons."""

    attempts: int
    extra_time: int
    paused: int
    first: Sequence[Listed]


@dataclass(frozen=True, slots=True)
class Forecast:
    """What an action would do. `first` are the attempts that would change, by roll number."""

    attempts: int
    losing_time: int
    seconds_lost: int
    most_seconds_lost: int
    with_extra_time: int
    paused: int
    first: Sequence[Listed]


async def forecast(reads: Reading, exam_id: UUID, steps: Sequence[Step], now: datetime) -> Forecast:
    """The numbers of an action's steps. Time is lost where an attempt was running and ends."""
    lost = [
        steering.time_left(step.before, now)
        for step in steps
        if step.before.status in RUNNING and step.after.status not in RUNNING
    ]
    exempt = [steering.exemptions(step.before) for step in steps]
    return Forecast(
        attempts=len(steps),
        losing_time=sum(each > timing.NO_TIME for each in lost),
        seconds_lost=_seconds(sum(lost, timing.NO_TIME)),
        most_seconds_lost=_seconds(max(lost, default=timing.NO_TIME)),
        with_extra_time=sum(Exemption.EXTRA_TIME in each for each in exempt),
        paused=sum(Exemption.PAUSED in each for each in exempt),
        first=await _first(reads, exam_id, [(step.attempt, step.before) for step in steps], now),
    )


async def left_out_of(
    reads: Reading, exam_id: UUID, attempts: Iterable[tuple[AttemptRow, AttemptState]], now: datetime
) -> LeftOut:
    """The numbers of the attempts that were left out."""
    rows = list(attempts)
    exempt = [steering.exemptions(state) for _, state in rows]
    return LeftOut(
        attempts=len(rows),
        extra_time=sum(Exemption.EXTRA_TIME in each for each in exempt),
        paused=sum(Exemption.PAUSED in each for each in exempt),
        first=await _first(reads, exam_id, rows, now),
    )


async def _first(
    reads: Reading, exam_id: UUID, rows: Sequence[tuple[AttemptRow, AttemptState]], now: datetime
) -> Sequence[Listed]:
    if not rows:
        return []
    numbers = await reads.registrations.roll_numbers(exam_id)
    listed = [_listed(attempt, state, numbers, now) for attempt, state in rows]
    return sorted(listed, key=lambda each: (each.roll_number or "", each.attempt_id))[:LISTED]


def _listed(attempt: AttemptRow, state: AttemptState, numbers: Mapping[UUID, str], now: datetime) -> Listed:
    given = (each.length for each in state.given if each.kind is AdditionKind.EXTENSION)
    return Listed(
        attempt_id=attempt.id,
        paper_id=attempt.exam_paper_id,
        roll_number=numbers.get(attempt.registration_id) if attempt.registration_id else None,
        status=state.status,
        seconds_left=_seconds(steering.time_left(state, now)),
        extra_seconds=_seconds(sum(given, state.extra)),
    )


def _seconds(length: timedelta) -> int:
    return length // timedelta(seconds=1)
