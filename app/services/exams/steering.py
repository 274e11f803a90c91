"""Orders of staff: attempts are extended, paused, ended, reopened or voided, one or many at a time.

The rules are in `engine/steering`. Here the attempts are locked and changed, their candidates are notified,
and the audit log is written. Results that no longer count are removed.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from app.core.errors import NotFound, NotPossible
from app.engine import steering
from app.engine.steering import AttemptState, Given, Kind, Refused, Status
from app.models import Attempt, AttemptStatus, Exam
from app.repositories.realtime.messages import exam_room
from app.services import attempts
from app.services.components import Components
from app.services.exams.audit import record
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal


class Verb(StrEnum):
    """An action of staff on attempts."""

    EXTEND = "extend"
    PAUSE = "pause"
    RESUME = "resume"
    SUBMIT = "submit"
    REOPEN = "reopen"
    VOID = "void"
    ADMIT_LATE = "admit-late"


@dataclass(frozen=True, slots=True)
class Order:
    """An action, its reason, and its attempts: a list, or all of the exam or of one paper."""

    verb: Verb
    reason: str | None
    attempt_ids: Sequence[UUID] | Literal["all"]
    seconds: int = 0
    paper_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """An attempt that was refused, and the reason."""

    attempt_id: UUID
    detail: str


@dataclass(frozen=True, slots=True)
class Steered:
    """The outcome of an order. An attempt that was already in the wanted state is unchanged."""

    changed: list[Attempt] = field(default_factory=list)
    unchanged: list[Attempt] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)


STEPS: dict[Verb, Callable[[AttemptState, timedelta, datetime], AttemptState]] = {
    Verb.EXTEND: steering.extend,
    Verb.PAUSE: lambda state, _, now: steering.pause(state, now),
    Verb.RESUME: lambda state, _, now: steering.resume(state, now),
    Verb.SUBMIT: lambda state, _, now: steering.submit(state, now),
    Verb.REOPEN: lambda state, by, now: steering.reopen(state, now, by),
    Verb.VOID: lambda state, _, now: steering.void(state, now),
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
    """Apply an order to one attempt. Raises NotFound, or NotPossible with the reason of the refusal."""
    steered = await steer(uow, parts, staff, exam_id, order, now)
    for refusal in steered.refused:
        raise NotPossible(refusal.detail)
    return [*steered.changed, *steered.unchanged][0]


async def steer(
    uow: UnitOfWork, parts: Components, staff: Principal, exam_id: UUID, order: Order, now: datetime
) -> Steered:
    """Apply an order to each of its attempts. A refused attempt does not stop the others.

    Raises NotFound if an attempt is not of this exam, and NotPossible after the release or a cancellation.
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
        before = steering.ended_by_deadline(state_of(attempt), now, delay)
        try:
            after = STEPS[order.verb](before, timedelta(seconds=order.seconds), now)
        except Refused as refused:
            steered.refused.append(Refusal(attempt.id, str(refused)))
            continue
        if after == state_of(attempt):
            steered.unchanged.append(attempt)
            continue
        steered.changed.append(attempt)
        apply_state(attempt, after)
        _tell(uow, exam, attempt, order)
        _record(uow, staff, exam, attempt, order)
    await replace_results(uow, steered.changed)
    return steered


def state_of(attempt: Attempt) -> AttemptState:
    """The state of an attempt for the rules."""
    is_over = attempt.status in (AttemptStatus.SUBMITTED, AttemptStatus.GRADED)
    return AttemptState(
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


def apply_state(attempt: Attempt, state: AttemptState) -> None:
    """Store a state in a locked attempt."""
    attempt.status = AttemptStatus(state.status)
    attempt.deadline_at = state.deadline_at
    attempt.paused_at = state.paused_at
    attempt.submitted_at = state.ended_at
    attempt.closed_by = state.ended_by
    attempt.additions = [
        {"kind": each.kind, "at": each.at.isoformat(), "seconds": each.length.total_seconds()}
        for each in state.given
    ]


async def replace_results(uow: UnitOfWork, changed: Iterable[Attempt]) -> None:
    """Remove the results of locked attempts that were changed. Those that ended are graded and confirmed."""
    moved = list(changed)
    await uow.attempts.flush()
    await attempts.withdraw_results(uow, [attempt.id for attempt in moved])
    over = [attempt.id for attempt in moved if attempt.status == AttemptStatus.SUBMITTED]
    attempts.after_end(uow, over)


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
    await replace_results(uow, steered.changed)
    return steered


def _tell(uow: UnitOfWork, exam: Exam, attempt: Attempt, order: Order) -> None:
    more = {"seconds": order.seconds} if order.verb is Verb.EXTEND else {}
    tell_candidate(uow, exam, attempt, TOLD_AS.get(order.verb, "attempt_changed"), **more)


def tell_candidate(uow: UnitOfWork, exam: Exam, attempt: Attempt, kind: str, **more: Any) -> None:
    """Send the new status and deadline to the candidate's sockets. The reason is not sent."""
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
