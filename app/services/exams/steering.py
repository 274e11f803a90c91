"""Steering attempts: extended, paused, ended, reopened by staff, one or a hall of them, at once and audited.

The rules stand in `engine/steering`. Here attempts are locked, moved by one step each, and whoever sits in
front of them is told. What has been graded and must not count is taken back with it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from app.core.errors import NotFound, NotPossible
from app.engine import steering
from app.engine.steering import Given, Kind, Refused, Sitting, Status
from app.models import Attempt, AttemptStatus, Exam
from app.repositories.realtime.messages import exam_room
from app.services import attempts
from app.services.components import Components
from app.services.exams.audit import record
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal


class Verb(StrEnum):
    """What staff may do to an attempt."""

    EXTEND = "extend"
    PAUSE = "pause"
    RESUME = "resume"
    SUBMIT = "submit"
    REOPEN = "reopen"
    VOID = "void"
    ADMIT_LATE = "admit-late"


@dataclass(frozen=True, slots=True)
class Order:
    """What staff ask for, why, and of which attempts: some, or all of the exam or of one paper."""

    verb: Verb
    reason: str | None
    attempt_ids: Sequence[UUID] | Literal["all"]
    seconds: int = 0
    paper_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """An attempt to which it could not be done, and why."""

    attempt_id: UUID
    detail: str


@dataclass(frozen=True, slots=True)
class Steered:
    """What became of an order. An attempt that was as wanted already is unchanged."""

    changed: list[Attempt] = field(default_factory=list)
    unchanged: list[Attempt] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)


STEPS: dict[Verb, Callable[[Sitting, timedelta, datetime], Sitting]] = {
    Verb.EXTEND: steering.extend,
    Verb.PAUSE: lambda sitting, _, now: steering.pause(sitting, now),
    Verb.RESUME: lambda sitting, _, now: steering.resume(sitting, now),
    Verb.SUBMIT: lambda sitting, _, now: steering.submit(sitting, now),
    Verb.REOPEN: lambda sitting, by, now: steering.reopen(sitting, now, by),
    Verb.VOID: lambda sitting, _, now: steering.void(sitting, now),
}

TOLD_AS = {
    Verb.EXTEND: "extended",
    Verb.PAUSE: "paused",
    Verb.RESUME: "resumed",
    Verb.SUBMIT: "force_submitted",
}


async def steer_one(
    uow: UnitOfWork, parts: Components, staff: Principal, exam_id: UUID, order: Order, now: datetime
) -> Attempt:
    """Do it to one attempt. Raises NotFound, or NotPossible with the reason why not."""
    steered = await steer(uow, parts, staff, exam_id, order, now)
    for refusal in steered.refused:
        raise NotPossible(refusal.detail)
    return [*steered.changed, *steered.unchanged][0]


async def steer(
    uow: UnitOfWork, parts: Components, staff: Principal, exam_id: UUID, order: Order, now: datetime
) -> Steered:
    """Do it to each attempt of the order; one that refuses stops no other.

    Raises NotFound where an attempt is not of this exam, NotPossible once the results are released.
    """
    exam = await uow.exams.lock(staff.institute_id, exam_id)
    if exam.released_at is not None:
        raise NotPossible("The results are released; attempts of this exam stand as they are.")
    if exam.cancelled_at is not None:
        raise NotPossible("The exam was cancelled.")
    found = await _locked(uow, exam, order)
    if order.verb is Verb.ADMIT_LATE:
        return await _admit_late(uow, staff, exam, order, found, now)
    delay = attempts.closing_delay(parts.settings)
    steered = Steered()
    for attempt in found:
        before = steering.overtaken(sitting_of(attempt), now, delay)
        try:
            after = STEPS[order.verb](before, timedelta(seconds=order.seconds), now)
        except Refused as refused:
            steered.refused.append(Refusal(attempt.id, str(refused)))
            continue
        if after == sitting_of(attempt):
            steered.unchanged.append(attempt)
            continue
        steered.changed.append(attempt)
        take(attempt, after)
        _tell(uow, exam, attempt, order)
        _record(uow, staff, exam, attempt, order)
    await settle(uow, steered.changed)
    return steered


def sitting_of(attempt: Attempt) -> Sitting:
    """An attempt as the rules see it."""
    is_over = attempt.status in (AttemptStatus.SUBMITTED, AttemptStatus.GRADED)
    return Sitting(
        status=Status.SUBMITTED if is_over else Status(attempt.status),
        deadline_at=attempt.deadline_at,
        paused_at=attempt.paused_at,
        ended_at=attempt.submitted_at,
        ended_by=attempt.closed_by,
        given=tuple(
            Given(Kind(each["kind"]), datetime.fromisoformat(each["at"]), timedelta(seconds=each["seconds"]))
            for each in attempt.additions
        ),
    )


def take(attempt: Attempt, sitting: Sitting) -> None:
    """Let a locked attempt stand as the rules say."""
    attempt.status = AttemptStatus(sitting.status)
    attempt.deadline_at = sitting.deadline_at
    attempt.paused_at = sitting.paused_at
    attempt.submitted_at = sitting.ended_at
    attempt.closed_by = sitting.ended_by
    attempt.additions = [
        {"kind": each.kind, "at": each.at.isoformat(), "seconds": each.length.total_seconds()}
        for each in sitting.given
    ]


async def settle(uow: UnitOfWork, changed: Iterable[Attempt]) -> None:
    """After locked attempts were moved: no old result stays, and what is over will be graded."""
    moved = list(changed)
    await uow.attempts.flush()
    await attempts.withdraw_results(uow, [attempt.id for attempt in moved])
    over = [attempt.id for attempt in moved if attempt.status == AttemptStatus.SUBMITTED]
    attempts.request_grading(uow, over)


async def _locked(uow: UnitOfWork, exam: Exam, order: Order) -> Sequence[Attempt]:
    if order.attempt_ids == "all":
        return await uow.exam_attempts.lock_all(exam.id, order.paper_id)
    found = await uow.exam_attempts.lock(exam.id, order.attempt_ids)
    if len(found) < len(set(order.attempt_ids)):
        raise NotFound("attempt")
    return found


async def _admit_late(
    uow: UnitOfWork, staff: Principal, exam: Exam, order: Order, found: Sequence[Attempt], now: datetime
) -> Steered:
    steered = Steered()
    for attempt in found:
        if attempt.status == AttemptStatus.VOID:
            steered.refused.append(Refusal(attempt.id, "The attempt is void."))
        elif admitted := await uow.exam_attempts.admit_late(attempt.id):
            attempt.updated_at = now
            steered.changed.append(attempt)
            _record(uow, staff, exam, attempt, order, answers=admitted)
        else:
            steered.unchanged.append(attempt)
    await settle(uow, steered.changed)
    return steered


def _tell(uow: UnitOfWork, exam: Exam, attempt: Attempt, order: Order) -> None:
    more = {"seconds": order.seconds} if order.verb is Verb.EXTEND else {}
    tell_candidate(uow, exam, attempt, TOLD_AS.get(order.verb, "attempt_changed"), **more)


def tell_candidate(uow: UnitOfWork, exam: Exam, attempt: Attempt, kind: str, **more: Any) -> None:
    """Tell whoever sits there. Why is between staff; what it means for the clock is the candidate's."""
    if attempt.user_id is None:
        return
    data = {
        "attempt_id": str(attempt.id),
        "paper_id": str(attempt.exam_paper_id),
        "status": attempt.status,
        "deadline_at": attempt.deadline_at.isoformat(),
    }
    uow.messages.to_user(exam_room(exam.id), attempt.user_id, kind, data | more)


def _record(
    uow: UnitOfWork, staff: Principal, exam: Exam, attempt: Attempt, order: Order, **details: Any
) -> None:
    if order.seconds:
        details["seconds"] = order.seconds
    record(uow, staff, order.verb, exam, reason=order.reason, attempt_id=attempt.id, **details)
