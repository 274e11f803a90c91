"""Importing a roster: all of it or nothing, and a second import changes nothing and sends nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.core.errors import Conflict, Invalid, NotPossible
from app.models import Exam
from app.repositories.users import Enrolment
from app.sentences import Sentence
from app.services import audit, enrolments
from app.services.audit import MAX_IDS, AuditSubject
from app.services.components import Components
from app.services.exams.catalog import exam_viewer
from app.services.exams.registrations import register_person
from app.services.imports import read_in_child
from app.services.rosters.accounts import NewAccount, create_accounts
from app.services.rosters.plans import RosterPlan, Update, find_known, plan_for
from app.services.rosters.reading import RosterFile, RosterRow, read_roster
from app.services.unit_of_work import UnitOfWork, reading, unit_of_work
from app.services.users import Principal
from app.sheets.grouping import completed
from app.sheets.progress import ReportProgress, no_progress
from app.sheets.reports import MAX_REPORTED, ImportReport

STAGE = "Candidates"
CHANGED_MEANWHILE = Sentence("The accounts of the file changed at this moment. Import it again.")


@dataclass(frozen=True, slots=True)
class RosterOptions:
    """How a roster is imported."""

    exam_id: UUID | None = None
    """Register the candidates for this exam."""
    enrol: bool = True
    valid_until: datetime | None = None
    """The end of the enrolments. None leaves the end of those who are enrolled already."""
    dry_run: bool = False


async def import_roster(
    parts: Components,
    admin: Principal,
    file: bytes,
    options: RosterOptions,
    progress: ReportProgress = no_progress,
) -> ImportReport:
    """Give the candidates of a file accounts, enrolments and places in an exam.

    Accounts are created at the auth server first, then one transaction writes everything else, with a request
    for each invitation. Raises NotFound, NotPossible, Invalid, TooLarge or Unavailable; what is wrong with
    rows is in the report, and then nothing was written.
    """
    now = parts.clock.now()
    if options.valid_until is not None and options.valid_until <= now:
        raise Invalid.field("valid_until", "Send a time in the future.")
    read = await read_in_child(parts.files, admin.id, read_roster, file)
    if read.errors:
        return completed(ImportReport(errors=read.errors), read)
    return completed(await _imported(parts, admin, read, options, now, progress), read)


async def _imported(
    parts: Components,
    admin: Principal,
    read: RosterFile,
    options: RosterOptions,
    now: datetime,
    progress: ReportProgress,
) -> ImportReport:
    async with reading(parts.engine) as reads:
        exam = None
        if options.exam_id is not None:
            exam = await reads.exams.find(exam_viewer(admin), options.exam_id)
            _check(exam)
        known = await find_known(reads, read.rows, exam, {})
        plan = plan_for(read, known, with_exam=exam is not None)
        if plan.errors:
            return ImportReport(errors=plan.errors)
        if options.dry_run:
            return _report(plan, [_is_changed(each, options, now) for each in plan.known])
    accounts = await create_accounts(parts, plan.new, progress)
    async with unit_of_work(parts.engine) as uow:
        return await _write(uow, admin, read, accounts, options, now, progress)


def _check(exam: Exam) -> None:
    if exam.published_at is None:
        raise NotPossible("The exam is not published. Publish it before you register candidates.")
    if exam.cancelled_at is not None:
        raise NotPossible("The exam was cancelled. Nobody can be registered any more.")
    if exam.released_at is not None:
        raise NotPossible("The results are released. Nobody can be registered any more.")


async def _write(
    uow: UnitOfWork,
    admin: Principal,
    read: RosterFile,
    accounts: Mapping[str, NewAccount],
    options: RosterOptions,
    now: datetime,
    progress: ReportProgress,
) -> ImportReport:
    """Plan again under the locks and write. Two imports at once come one after the other."""
    await uow.rosters.lock_institute(admin.institute_id)
    exam = await uow.exams.lock(admin.institute_id, options.exam_id) if options.exam_id else None
    if exam is not None:
        _check(exam)
    ids = {email: account.id for email, account in accounts.items()}
    known = await find_known(uow, read.rows, exam, ids)
    await uow.rosters.lock_users([each.user.id for found in known.members.values() for each in found])
    plan = plan_for(read, await find_known(uow, read.rows, exam, ids), with_exam=exam is not None)
    if plan.errors:
        return ImportReport(errors=plan.errors)
    if any(row.email not in accounts for row in plan.new):
        raise Conflict(CHANGED_MEANWHILE)
    await _add(uow, plan.new, accounts, options, now)
    changed = []
    for done, each in enumerate(plan.known, start=1):
        changed.append(await _update(uow, admin, each, options, now))
        progress(STAGE, done, len(read.rows))
    if exam is not None:
        await _register(uow, exam, plan, accounts)
    report = _report(plan, changed)
    if report.created or report.updated:
        _record(uow, admin, plan, accounts, report, options)
    return report


async def _add(
    uow: UnitOfWork,
    rows: Sequence[RosterRow],
    accounts: Mapping[str, NewAccount],
    options: RosterOptions,
    now: datetime,
) -> None:
    """Create the profiles, and ask for a mail to those whose account a roster has created."""
    people = [
        {
            "id": accounts[row.email].id,
            "email": row.email,
            "name": row.name,
            "category": row.category or "general",
            "pwbd": row.pwbd,
        }
        for row in rows
    ]
    if await uow.rosters.add_users(people) < len(people):
        raise Conflict(CHANGED_MEANWHILE)
    for row in rows:
        enrolment = _wanted(Enrolment(), row, options, now)
        await uow.users.set_enrolment(accounts[row.email].id, enrolment)
    invited = [accounts[row.email].id for row in rows if accounts[row.email].is_invited]
    await uow.invitations.add(invited, now)


async def _update(
    uow: UnitOfWork, admin: Principal, each: Update, options: RosterOptions, now: datetime
) -> bool:
    """Write what changes for one candidate. Returns whether anything does."""
    user, before = each.member.user, each.member.enrolment
    if each.profile:
        await uow.users.change(user.id, dict(each.profile))
    after = _wanted(before, each.row, options, now)
    enrolled = await enrolments.change(uow, admin, user.id, before, after, now)
    return bool(each.profile) or enrolled or each.registers or each.claims is not None


def _is_changed(each: Update, options: RosterOptions, now: datetime) -> bool:
    before = each.member.enrolment
    after = _wanted(before, each.row, options, now)
    return bool(each.profile) or enrolments.differ(before, after) or each.registers or each.claims is not None


def _wanted(before: Enrolment, row: RosterRow, options: RosterOptions, now: datetime) -> Enrolment:
    """The enrolment that a roster asks for. It adds batches and takes none away."""
    batches = sorted({*before.batches, *([row.batch] if row.batch else [])})
    if not options.enrol:
        return Enrolment(before.since, before.until, batches)
    until = options.valid_until or (before.until if before.is_active(now) else None)
    return Enrolment(before.since if before.is_active(now) else now, until, batches)


async def _register(
    uow: UnitOfWork, exam: Exam, plan: RosterPlan, accounts: Mapping[str, NewAccount]
) -> None:
    """Register whoever is not registered, under the roll number of the file if it has one."""
    for row in plan.new:
        user_id = accounts[row.email].id
        place = plan.claims.get(row.roll_number) if row.roll_number else None
        if place is not None:
            await uow.registrations.claim(place, user_id)
        else:
            await _register_one(uow, exam, user_id, row.roll_number)
    for each in plan.known:
        if each.claims is not None:
            await uow.registrations.claim(each.claims, each.member.user.id)
        elif each.registers:
            await _register_one(uow, exam, each.member.user.id, each.row.roll_number)


async def _register_one(uow: UnitOfWork, exam: Exam, user_id: UUID, roll_number: str | None) -> None:
    if roll_number is None:
        await register_person(uow, exam, user_id)
        return
    member = await uow.users.member(user_id)
    assert member is not None  # noqa: S101 -- this transaction has created or locked it
    added = await uow.registrations.add(exam.id, member.user, roll_number)
    if added is None:
        raise Conflict(CHANGED_MEANWHILE)
    uow.jobs.add("notify_registered", registration_id=str(added.id))


def _record(
    uow: UnitOfWork,
    admin: Principal,
    plan: RosterPlan,
    accounts: Mapping[str, NewAccount],
    report: ImportReport,
    options: RosterOptions,
) -> None:
    audit.record(
        uow,
        admin,
        "import",
        AuditSubject("roster"),
        exam_id=options.exam_id,
        created=report.created,
        updated=report.updated,
        user_ids=[str(accounts[row.email].id) for row in plan.new][:MAX_IDS],
    )


def _report(plan: RosterPlan, changed: Sequence[bool]) -> ImportReport:
    return ImportReport(
        created=len(plan.new),
        updated=sum(changed),
        unchanged=len(changed) - sum(changed),
        warnings=plan.warnings[:MAX_REPORTED],
    )
