"""Registrations: a roll number, and the candidate's category and disability as they are now.

docs/decisions/0061 has the rules.
"""

import secrets
from datetime import datetime
from uuid import UUID

from app.core.errors import Conflict, EntryClosed, Forbidden, Invalid, NotAvailable, NotFound, NotPossible
from app.engine import schedule
from app.models import Exam, Registration
from app.repositories.base import Page, PageRequest
from app.services import attempts
from app.services.exams.audit import record
from app.services.exams.catalog import exam_viewer, window_of
from app.services.unit_of_work import Reading, UnitOfWork
from app.services.users import Principal

ROLL_NUMBER_DIGITS = 8


async def register(
    uow: UnitOfWork, candidate: Principal, exam_id: UUID, now: datetime
) -> tuple[Registration, bool]:
    """Register a candidate; registering again returns the same registration. The flag says if it is new.

    Raises EntryClosed after the last paper's entry has closed, NotAvailable for a cancelled exam.
    """
    if candidate.is_staff:
        raise Forbidden("Staff take part without registering; what they do is practice.")
    exam = await uow.exams.lock_exam_for_entry(exam_viewer(candidate), exam_id)
    # A deletion of the account locks the person too: it comes first, or finds this registration.
    await attempts.lock_candidate(uow, candidate.id)
    if (registration := await uow.registrations.of(exam.id, candidate.id)) is not None:
        return registration, False
    if exam.cancelled_at is not None:
        raise NotAvailable("The exam was cancelled.")
    windows = [window_of(paper) for paper in await uow.exams.papers(exam.id)]
    if exam.released_at is not None or not schedule.registration_is_open(windows, now):
        raise EntryClosed(max(window.closed_at or window.entry_closes_at for window in windows))
    return await register_person(uow, exam, candidate.id)


async def withdraw(uow: UnitOfWork, candidate: Principal, exam_id: UUID, now: datetime) -> None:
    """Withdraw a candidate's registration. Without one nothing happens, so that the call can be repeated.

    The roll number is kept for the candidate, and so are personal grants of extra time. Raises NotPossible
    once the first paper has opened, NotAvailable for a cancelled exam.
    """
    exam = await uow.exams.lock_exam_for_entry(exam_viewer(candidate), exam_id)
    # A start or a claim locks the person too: it comes first and is seen below, or finds no registration.
    await uow.users.lock(candidate.id)
    registration = await uow.registrations.lock_of(exam.id, candidate.id)
    if registration is None:
        return
    if exam.cancelled_at is not None:
        raise NotAvailable("The exam was cancelled.")
    windows = [window_of(paper) for paper in await uow.exams.papers(exam.id)]
    if exam.released_at is not None or schedule.has_begun(windows, now):
        raise NotPossible(
            "The first paper has opened. A registration can be withdrawn only before that."
            " You need not take part."
        )
    if await uow.registrations.has_attempt(registration.id):
        raise NotPossible("You have an attempt in this exam. The registration cannot be withdrawn.")
    await uow.registrations.withdraw(registration, now)


async def register_person(uow: UnitOfWork, exam: Exam, user_id: UUID) -> tuple[Registration, bool]:
    """Register a person under a random roll number that nobody in the exam has or had.

    Whoever has withdrawn gets the earlier roll number again. The flag is False if another transaction has
    registered them meanwhile.
    """
    member = await uow.users.member(user_id)
    if member is None:
        raise NotFound("profile")
    roll_number = await uow.registrations.take_back_roll_number(exam.id, user_id)
    while True:
        added = await uow.registrations.add(exam.id, member.user, roll_number or _roll_number())
        # Asked after the insert, which has waited for whoever was just withdrawing this number.
        if added is not None and await uow.registrations.withdrawn(exam.id, [added.roll_number]):
            await uow.registrations.remove(added)
            continue
        registration = added or await uow.registrations.of(exam.id, user_id)
        if registration is not None:
            break
        roll_number = None  # It is in use.
    if added is not None:
        uow.jobs.add("notify_registered", registration_id=str(added.id))
    return registration, added is not None


def _roll_number() -> str:
    """Random and not sequential, so that simultaneous registrations do not wait for each other."""
    first = 10 ** (ROLL_NUMBER_DIGITS - 1)
    return str(first + secrets.randbelow(9 * first))


async def registrations(
    reads: Reading, staff: Principal, exam_id: UUID, query: str | None, request: PageRequest
) -> Page[Registration]:
    """The registrations of an exam, for staff: those that match the query, or all."""
    exam = await reads.exams.find(exam_viewer(staff), exam_id)
    return await reads.registrations.page(exam.id, query, request)


async def claim(
    uow: UnitOfWork, staff: Principal, exam_id: UUID, roll_number: str, user_id: UUID
) -> Registration:
    """Assign an unclaimed roll number, with its attempts, to an account.

    Staff must have checked a proof: the roll number alone is none. Raises Conflict if the account has another
    roll number of the exam.
    """
    exam = await uow.exams.lock(staff.institute_id, exam_id)
    await uow.users.lock(user_id)  # A practice attempt starts before this or after it.
    registration = await uow.registrations.lock_unclaimed(exam.id, roll_number)
    member = await uow.users.member(user_id)
    if member is None or member.user.deleted_at is not None:
        raise Invalid.field("user_id", "There is no such account.")
    if await uow.registrations.of(exam.id, user_id) is not None:
        raise Conflict("The account is registered for this exam under another roll number.")
    await uow.registrations.claim(registration, user_id)
    record(uow, staff, "claim", exam, roll_number=roll_number, user_id=str(user_id))
    return registration
