"""Actions of staff: attempts are extended, paused, ended, reopened or voided, one or many at a time.

The rules are in `engine/steering` (docs/steering.md). Here the attempts are locked and changed, their
candidates are notified, and the audit log is written. Results that no longer count are removed.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from app.core.errors import NotFound, NotPossible
from app.engine import steering
from app.engine.steering import AlreadyDone, AttemptState, Exemption, Status, TransitionRefused
from app.models import AttemptRow, AttemptStatus, Exam
from app.models.message_data import (
    AttemptChangedData,
    AttemptData,
    ExtendedData,
    ForceSubmittedData,
    PausedData,
    ResumedData,
    attempt_fields,
)
from app.repositories.realtime.messages import exam_room
from app.services import attempts, audit
from app.services.attempts.states import apply_state, state_of
from app.services.components import Components
from app.services.exams.audit import record
from app.services.exams.extra_time import ExtraTimes
from app.services.exams.forecasts import Forecast, LeftOut, Step, forecast, left_out_of
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal


class Verb(StrEnum):
    """What staff may do to attempts."""

    EXTEND = "extend"
    PAUSE = "pause"
    RESUME = "resume"
    SUBMIT = "submit"
    REOPEN = "reopen"
    VOID = "void"
    ADMIT_LATE = "admit-late"


@dataclass(frozen=True, slots=True)
class StaffAction:
    """An action, its reason, and its attempts: a list, or all of the exam or of one paper.

    A `submit` of all leaves out attempts that are paused or have extra time, unless `include` names them.
    `again` repeats an extension that was given just before. `go_on` lets a void attempt that had ended go on.
    `audit_action` is the name in the audit log, if it is not the verb.
    """

    verb: Verb
    reason: str | None
    attempt_ids: Sequence[UUID] | Literal["all"]
    seconds: int = 0
    paper_id: UUID | None = None
    include: frozenset[Exemption] = frozenset()
    again: bool = False
    go_on: bool = False
    audit_action: str | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence about one attempt, such as why an action was refused."""

    attempt_id: UUID
    detail: str


@dataclass(frozen=True, slots=True)
class Steered:
    """The outcome of an action. An attempt that was already in the wanted state is unchanged.

    `notes` say of single attempts what the person who took the action must know.
    """

    steps: list[Step] = field(default_factory=list)
    unchanged: list[AttemptRow] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    refused: list[Note] = field(default_factory=list)
    left_out: LeftOut | None = None

    @property
    def changed(self) -> list[AttemptRow]:
        """The attempts that were changed."""
        return [step.attempt for step in self.steps]


@dataclass(frozen=True, slots=True)
class Previewed:
    """What an action would do."""

    forecast: Forecast
    unchanged: int
    refused: Sequence[Note]
    left_out: LeftOut | None


Rule = Callable[[AttemptRow, AttemptState, datetime], AttemptState]
"""A step of `engine/steering`, with all that it needs beside attempt, state and time."""

AT_ONCE = 250
"""So many attempts are stored at once: the process answers other requests, such as saves, in between."""

STEPS: dict[Verb, Callable[[AttemptState, datetime], AttemptState]] = {
    Verb.PAUSE: steering.pause,
    Verb.RESUME: steering.resume,
    Verb.SUBMIT: steering.submit,
    Verb.VOID: steering.void,
}

TOLD_BY: dict[Verb, type[AttemptData]] = {
    Verb.PAUSE: PausedData,
    Verb.RESUME: ResumedData,
    Verb.SUBMIT: ForceSubmittedData,
}

REOPENED_AS = {
    Status.PAUSED: "The attempt is paused, as it was before its voiding. Resume it in time.",
    Status.SUBMITTED: "The attempt is submitted, as it was before its voiding.",
}


async def steer_one(
    uow: UnitOfWork, parts: Components, staff: Principal, exam_id: UUID, action: StaffAction, now: datetime
) -> Steered:
    """Apply an action to one attempt. Raises NotFound, or NotPossible with the reason of the refusal."""
    steered = await steer(uow, parts, staff, exam_id, action, now)
    for refusal in steered.refused:
        raise NotPossible(refusal.detail)
    return steered


async def steer(
    uow: UnitOfWork, parts: Components, staff: Principal, exam_id: UUID, action: StaffAction, now: datetime
) -> Steered:
    """Apply an action to each of its attempts. A refused attempt does not stop the others.

    Raises NotFound if an attempt is not of this exam, and NotPossible after the release or a cancellation.
    """
    exam = await uow.exams.lock(staff.institute_id, exam_id)
    if exam.released_at is not None:
        raise NotPossible("The results are released; attempts of this exam stand as they are.")
    if exam.cancelled_at is not None:
        raise NotPossible("The exam was cancelled.")
    found = await _locked(uow, exam, action, now)
    delay = attempts.closing_delay(parts.settings)
    return await carry_out(uow, staff, exam, action, found, now, delay)


async def preview(
    uow: UnitOfWork, parts: Components, staff: Principal, exam_id: UUID, action: StaffAction, now: datetime
) -> Previewed:
    """What `steer` would do with this action. Nothing is changed. Raises what `steer` raises."""
    async with uow.dry_run():
        steered = await steer(uow, parts, staff, exam_id, action, now)
        return Previewed(
            forecast=await forecast(uow, exam_id, steered.steps, now),
            unchanged=len(steered.unchanged),
            refused=steered.refused,
            left_out=steered.left_out,
        )


async def carry_out(
    uow: UnitOfWork,
    staff: Principal,
    exam: Exam,
    action: StaffAction,
    found: Sequence[AttemptRow],
    now: datetime,
    delay: timedelta,
) -> Steered:
    """Apply an action to locked attempts of a locked exam.

    An attempt whose deadline passed more than `delay` ago counts as ended by its deadline.
    """
    if action.verb is Verb.ADMIT_LATE:
        return await _admit_late(uow, staff, exam, action, found, now)
    steered, left_out = Steered(), []
    rule = await _rule(uow, staff, exam, action, found)
    for first in range(0, len(found), AT_ONCE):
        number = len(steered.steps)
        left_out += _take_steps(found[first : first + AT_ONCE], action, rule, steered, now, delay)
        changed = [step.attempt for step in steered.steps[number:]]
        await uow.exam_attempts.store(changed)
        await _tell_and_record(uow, staff, exam, changed, action)
    await _replace_results(uow, steered.changed)
    if action.verb is not Verb.SUBMIT or action.attempt_ids != "all":
        return steered
    return replace(steered, left_out=await left_out_of(uow, exam.id, left_out, now))


def _take_steps(
    found: Sequence[AttemptRow],
    action: StaffAction,
    rule: Rule,
    steered: Steered,
    now: datetime,
    delay: timedelta,
) -> list[tuple[AttemptRow, AttemptState]]:
    """Apply an action to these attempts and add the outcomes to `steered`. Returns what it leaves out."""
    left_out = []
    for attempt in found:
        stored = state_of(attempt)
        before = steering.end_if_overdue(stored, now, delay)
        if _is_left_out(action, before):
            left_out.append((attempt, before))
            continue
        try:
            after = rule(attempt, before, now)
        except TransitionRefused as refused:
            steered.refused.append(Note(attempt.id, str(refused)))
        except AlreadyDone as done:
            steered.unchanged.append(attempt)
            steered.notes.append(Note(attempt.id, str(done)))
        else:
            if after == stored:
                steered.unchanged.append(attempt)
                continue
            steered.steps.append(Step(attempt, before, after))
            if action.verb is Verb.REOPEN and after.status in REOPENED_AS:
                steered.notes.append(Note(attempt.id, REOPENED_AS[after.status]))
            apply_state(attempt, after)
    return left_out


async def _tell_and_record(
    uow: UnitOfWork, staff: Principal, exam: Exam, changed: Sequence[AttemptRow], action: StaffAction
) -> None:
    told = [(each.user_id, _message_of(action, each)) for each in changed if each.user_id is not None]
    await uow.messages.to_users(exam_room(exam.id), told)
    await audit.record_for_attempts(
        uow,
        staff,
        action.audit_action or action.verb,
        [attempt.id for attempt in changed],
        reason=action.reason,
        exam_id=exam.id,
        **({"seconds": action.seconds} if action.seconds else {}),
    )


async def store_moved(uow: UnitOfWork, moved: Sequence[AttemptRow]) -> None:
    """Store locked attempts that were changed, and replace their results."""
    for first in range(0, len(moved), AT_ONCE):
        await uow.exam_attempts.store(moved[first : first + AT_ONCE])
    await _replace_results(uow, moved)


async def _replace_results(uow: UnitOfWork, changed: Sequence[AttemptRow]) -> None:
    """Remove the results of attempts that were changed. Those that ended are graded and confirmed."""
    await attempts.withdraw_results(uow, [attempt.id for attempt in changed])
    over = [attempt.id for attempt in changed if attempt.status == AttemptStatus.SUBMITTED]
    attempts.after_end(uow, over)


def tell_candidate(uow: UnitOfWork, exam: Exam, attempt: AttemptRow, data: AttemptData) -> None:
    """Send the new status and deadline to the candidate's sockets. The reason is not sent."""
    if attempt.user_id is not None:
        uow.messages.to_user(exam_room(exam.id), attempt.user_id, data)


async def _locked(uow: UnitOfWork, exam: Exam, action: StaffAction, now: datetime) -> Sequence[AttemptRow]:
    named = None if action.attempt_ids == "all" else action.attempt_ids
    if action.verb is Verb.EXTEND:
        found = await uow.exam_attempts.lock_to_extend(exam.id, named, action.paper_id, now)
    elif named is None:
        found = await uow.exam_attempts.lock_all(exam.id, action.paper_id)
    else:
        found = await uow.exam_attempts.lock(exam.id, named)
    if named is not None and len(found) < len(set(named)):
        raise NotFound("attempt")
    return found


async def _rule(
    uow: UnitOfWork, staff: Principal, exam: Exam, action: StaffAction, found: Sequence[AttemptRow]
) -> Rule:
    """The step of an action, with all that it needs beside the state."""
    by = timedelta(seconds=action.seconds)
    if action.verb is Verb.EXTEND:
        key = _request_key(staff, action)
        return lambda _, state, now: steering.extend(state, by, now, key, again=action.again)
    if action.verb is Verb.REOPEN:
        extra = await _extra_now(uow, exam, found)
        return lambda attempt, state, now: steering.reopen(
            state, now, by, go_on=action.go_on, extra=extra.get(attempt.id)
        )
    step = STEPS[action.verb]
    return lambda _, state, now: step(state, now)


def _request_key(staff: Principal, action: StaffAction) -> str:
    """A key of who acts for which reason, by which a repeated request is recognized."""
    return hashlib.blake2b(f"{staff.id} {action.reason}".encode(), digest_size=8).hexdigest()


async def _extra_now(uow: UnitOfWork, exam: Exam, found: Sequence[AttemptRow]) -> Mapping[UUID, timedelta]:
    """The extra time of candidates by the exam's grants of today, by attempt."""
    times = ExtraTimes(await uow.exams.accommodations(exam.id))
    places = {each.id: each.registration_id for each in found if each.registration_id is not None}
    registered = await uow.registrations.with_ids(places.values())
    return {attempt_id: times.of(registered[place]) for attempt_id, place in places.items()}


def _is_left_out(action: StaffAction, state: AttemptState) -> bool:
    if action.verb is not Verb.SUBMIT or action.attempt_ids != "all":
        return False
    return bool(steering.exemptions(state) - action.include)


async def _admit_late(
    uow: UnitOfWork,
    staff: Principal,
    exam: Exam,
    action: StaffAction,
    found: Sequence[AttemptRow],
    now: datetime,
) -> Steered:
    steered = Steered()
    for attempt in found:
        state = state_of(attempt)
        try:
            steering.admit_late(state)
        except TransitionRefused as refused:
            steered.refused.append(Note(attempt.id, str(refused)))
            continue
        if admitted := await uow.exam_attempts.admit_late(attempt.id):
            steered.steps.append(Step(attempt, state, state))
            _record(uow, staff, exam, attempt, action, answers=admitted)
        else:
            steered.unchanged.append(attempt)
    await store_moved(uow, steered.changed)
    return steered


def _message_of(action: StaffAction, attempt: AttemptRow) -> AttemptData:
    fields = attempt_fields(attempt)
    if action.verb is Verb.EXTEND:
        return ExtendedData(**fields, seconds=action.seconds)
    return TOLD_BY.get(action.verb, AttemptChangedData)(**fields)


def _record(
    uow: UnitOfWork, staff: Principal, exam: Exam, attempt: AttemptRow, action: StaffAction, **details: Any
) -> None:
    if action.seconds:
        details["seconds"] = action.seconds
    name = action.audit_action or action.verb
    record(uow, staff, name, exam, reason=action.reason, attempt_id=attempt.id, **details)
