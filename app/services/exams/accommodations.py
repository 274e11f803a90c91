"""Accommodations: extra time that an exam grants, before it begins and while attempts run."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.core.errors import NotPossible
from app.core.ids import uuid7
from app.models import Accommodation, Exam, Registration
from app.repositories.base import Page, PageRequest
from app.services.components import Components
from app.services.exams.accommodation_holders import GrantHolder, Target, find_holders
from app.services.exams.audit import record
from app.services.exams.catalog import exam_viewer
from app.services.exams.extra_time import ExtraTimes, groups_of
from app.services.exams.regranting import Regranted, regrant
from app.services.unit_of_work import Reading, UnitOfWork
from app.services.users import Principal


@dataclass(frozen=True, slots=True)
class Grant:
    """Extra time for a person or a group. Zero seconds take the earlier grant back."""

    target: Target
    extra_seconds: int
    reason: str


@dataclass(frozen=True, slots=True)
class Accommodated:
    """The grants of an exam after a change, and what it did. A dry run has changed nothing."""

    grants: Sequence[Accommodation]
    unchanged: Sequence[GrantHolder]
    attempts: Sequence[Regranted]
    dry_run: bool


async def accommodations(
    reads: Reading, staff: Principal, exam_id: UUID, request: PageRequest
) -> Page[Accommodation]:
    """The extra time that an exam grants."""
    exam = await reads.exams.find(exam_viewer(staff), exam_id)
    return await reads.exams.accommodations_page(exam.id, request)


async def accommodate(
    uow: UnitOfWork,
    parts: Components,
    staff: Principal,
    exam_id: UUID,
    grants: Sequence[Grant],
    now: datetime,
    *,
    dry_run: bool = False,
) -> Accommodated:
    """Grant extra time or take it back. It applies to later starts, and at once to running attempts.

    Persons and groups that are not named keep their grants, and their attempts are not touched.
    """
    exam = await uow.exams.lock(staff.institute_id, exam_id)
    if exam.released_at is not None or exam.cancelled_at is not None:
        raise NotPossible("The exam is over.")
    # A start that runs now is either found by `_regrant`, or waits and reads the new grants.
    await uow.exams.lock_papers_exclusively(exam.id)
    named = dict(zip(await find_holders(uow, exam, [each.target for each in grants]), grants, strict=True))
    before = {_holder(row): row for row in await uow.exams.accommodations(exam.id)}
    changes = {holder: grant for holder, grant in named.items() if _differs(before.get(holder), grant)}
    granted = _after(before, changes)
    if not dry_run:
        for holder, grant in changes.items():
            await _store(uow, staff, exam, holder, grant)
        _request_notification(uow, exam, before, changes)
    moved = await _regrant(uow, parts, exam, named, granted, now, dry_run=dry_run)
    return Accommodated(granted, [holder for holder in named if holder not in changes], moved, dry_run)


def _holder(row: Accommodation) -> GrantHolder:
    return GrantHolder(row.user_id, row.candidate_group)


def _differs(row: Accommodation | None, grant: Grant) -> bool:
    if row is None:
        return grant.extra_seconds > 0
    return (row.extra_seconds, row.reason) != (grant.extra_seconds, grant.reason)


def _after(
    before: Mapping[GrantHolder, Accommodation], changes: Mapping[GrantHolder, Grant]
) -> list[Accommodation]:
    """The grants after the changes. Changed ones are new objects that no session stores."""
    changed = {
        holder: Accommodation(
            user_id=holder.user_id,
            candidate_group=holder.group,
            extra_seconds=grant.extra_seconds,
            reason=grant.reason,
        )
        for holder, grant in changes.items()
    }
    return [row for row in ({**before, **changed}).values() if row.extra_seconds]


async def _store(uow: UnitOfWork, staff: Principal, exam: Exam, holder: GrantHolder, grant: Grant) -> None:
    if grant.extra_seconds:
        await uow.exams.grant(exam.id, holder.column, grant.extra_seconds, grant.reason, staff.author_id)
    else:
        await uow.exams.withdraw_grant(exam.id, holder.column)
    who = {"user_id": str(holder.user_id)} if holder.user_id else {"group": holder.group}
    record(uow, staff, "accommodate", exam, reason=grant.reason, seconds=grant.extra_seconds, **who)


def _request_notification(
    uow: UnitOfWork, exam: Exam, before: Mapping[GrantHolder, Accommodation], changes: Collection[GrantHolder]
) -> None:
    """Add the job that notifies the candidates whose extra time has changed, with the earlier grants."""
    if exam.published_at is None or not changes:
        return
    earlier = [
        {
            "user_id": str(holder.user_id) if holder.user_id else None,
            "group": holder.group,
            "extra_seconds": before[holder].extra_seconds if holder in before else 0,
        }
        for holder in changes
    ]
    uow.jobs.add("notify_extra_time", exam_id=str(exam.id), change_id=str(uuid7()), before=earlier)


async def _regrant(
    uow: UnitOfWork,
    parts: Components,
    exam: Exam,
    named: Collection[GrantHolder],
    granted: Sequence[Accommodation],
    now: datetime,
    *,
    dry_run: bool,
) -> Sequence[Regranted]:
    """Move the deadlines of the attempts of those who are named to what the grants give them."""
    times = ExtraTimes(granted)
    only = None if any(holder.group for holder in named) else [each.user_id for each in named if each.user_id]
    due = [
        (attempt, times.of(registration))
        for attempt, registration in await uow.exam_attempts.lock_with_registrations(exam.id, only, now)
        if _is_named(registration, named, times.people)
    ]
    return await regrant(uow, parts, exam, due, now, dry_run=dry_run)


def _is_named(registration: Registration, named: Collection[GrantHolder], personal: Collection[UUID]) -> bool:
    """Whether a named grant decides this candidate's time. A personal grant replaces those of groups."""
    if GrantHolder(registration.user_id, None) in named:
        return True
    if registration.user_id in personal:
        return False
    return any(GrantHolder(None, group) in named for group in groups_of(registration))
