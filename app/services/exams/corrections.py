"""Corrections of a registration by staff: name, category and disability, until the results are released.

A name that cannot be printed may be corrected later too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.core.changes import UNCHANGED, Unchanged, changed
from app.core.errors import NotFound, NotPossible
from app.core.ids import uuid7
from app.models import PSEUDONYM, Exam, Registration
from app.services.components import Components
from app.services.exams.audit import record
from app.services.exams.extra_time import ExtraTimes
from app.services.exams.regranting import Regranted, regrant
from app.services.printing import unprintable
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal

SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Correction:
    """What may be corrected in a registration, and why it is."""

    reason: str
    name: str | Unchanged = UNCHANGED
    category: str | Unchanged = UNCHANGED
    pwbd: int | Unchanged | None = UNCHANGED


@dataclass(frozen=True, slots=True)
class Corrected:
    """A registration after its correction, and what the correction did to the candidate's attempts."""

    registration: Registration
    attempts: Sequence[Regranted] = ()


async def correct(
    uow: UnitOfWork,
    parts: Components,
    staff: Principal,
    exam_id: UUID,
    roll_number: str,
    correction: Correction,
    now: datetime,
) -> Corrected:
    """Correct a registration and notify its candidate. A correction that changes nothing does nothing.

    The release reads category and disability, so they decide cut-offs and ranks. A disability also decides
    about the extra time of the group `pwbd`, at once: attempts move as by a grant (docs/decisions/0051).
    """
    exam = await uow.exams.lock(staff.institute_id, exam_id)
    registration = await _locked(uow, exam, roll_number)
    if exam.released_at is not None and not _mends_name(registration, correction):
        raise NotPossible("The results are released. The registration stands as it was then.")
    if exam.cancelled_at is not None:
        raise NotPossible("The exam was cancelled.")
    if correction.name is not UNCHANGED and registration.name == PSEUDONYM:
        raise NotPossible("The account of this candidate was deleted. The name cannot be changed.")
    before = {name: getattr(registration, name) for name in ("name", "category", "pwbd")}
    granted = ExtraTimes(await uow.exams.accommodations(exam.id))
    earlier = granted.of(registration)
    registration.name = changed(correction.name, registration.name)
    registration.category = changed(correction.category, registration.category)
    registration.pwbd = changed(correction.pwbd, registration.pwbd)
    fields = [name for name, value in before.items() if getattr(registration, name) != value]
    if not fields:
        return Corrected(registration)
    extra = granted.of(registration)
    moved: Sequence[Regranted] = ()
    if extra != earlier:
        sat = await uow.exam_attempts.lock_of_registration(exam.id, registration.id)
        moved = await regrant(uow, parts, exam, [(attempt, extra) for attempt in sat], now)
    _record(uow, staff, exam, registration, correction.reason, before, fields)
    _request_notification(uow, registration, fields, earlier)
    return Corrected(registration, moved)


def _mends_name(registration: Registration, correction: Correction) -> bool:
    """Whether only the name changes, and no certificate can be printed with it: that is never too late."""
    is_name_only = (correction.category, correction.pwbd) == (UNCHANGED, UNCHANGED)
    return is_name_only and bool(unprintable([registration.name]))


async def _locked(uow: UnitOfWork, exam: Exam, roll_number: str) -> Registration:
    """Lock a registration and its person, who neither starts nor withdraws meanwhile."""
    found = await uow.registrations.with_roll_number(exam.id, roll_number)
    if found is not None and found.user_id is not None:
        await uow.users.lock(found.user_id)
    registration = await uow.registrations.lock(found.id) if found is not None else None
    if registration is None:
        raise NotFound("registration")
    return registration


def _record(
    uow: UnitOfWork,
    staff: Principal,
    exam: Exam,
    registration: Registration,
    reason: str,
    before: dict[str, str | int | None],
    fields: Sequence[str],
) -> None:
    """Write the audit entry. It identifies the candidate by roll number, and has no names."""
    shown = {name: [before[name], getattr(registration, name)] for name in fields if name != "name"}
    details: dict[str, Any] = {"roll_number": registration.roll_number, "fields": fields, **shown}
    record(uow, staff, "correct_registration", exam, reason=reason, **details)


def _request_notification(
    uow: UnitOfWork, registration: Registration, fields: Sequence[str], earlier: timedelta
) -> None:
    if registration.user_id is not None:
        uow.jobs.add(
            "notify_registration_changed",
            registration_id=str(registration.id),
            change_id=str(uuid7()),
            fields=fields,
            previous_extra_seconds=earlier // SECOND,
        )
