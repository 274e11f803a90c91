"""What an import of answer sheets has to write: sheets against the places and attempts that are there."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from app.engine.answers import Answer, answer_of
from app.models import Attempt, AttemptStatus, Exam, ExamPaper, Registration, Role
from app.repositories.exams import Account
from app.services.exams import sessions
from app.services.exams.answer_sheets.reading import AnswerSheet
from app.services.exams.answer_sheets.roll_numbers import UnknownRollNumbers
from app.services.exams.answer_sheets.unknown_numbers import read_alike_in_file, unknown_numbers
from app.services.unit_of_work import UnitOfWork
from app.sheets.reports import RowError, RowWarning

PAPER = "paper"
"""The device of an attempt that was imported."""


@dataclass(frozen=True, slots=True)
class Sat:
    """A sheet that is new, or `again` one instead of a void one; `user_id` is whose account it belongs to."""

    sheet: AnswerSheet
    registration: Registration | None
    user_id: UUID | None
    again: Attempt | None = None
    cleared: frozenset[UUID] = frozenset()
    """The questions of the void one that this sheet leaves blank."""


@dataclass(slots=True)
class AnswerSheetImportPlan:
    """What is to be done, or why nothing is."""

    sat: list[Sat] = field(default_factory=list)
    links: list[tuple[Registration, UUID]] = field(default_factory=list)
    """Places that an account gets, by the address in the file."""
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    errors: list[RowError] = field(default_factory=list)
    warnings: list[RowWarning] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Known:
    """What is there already."""

    accounts: Mapping[str, Sequence[Account]]
    by_roll_number: Mapping[str, Registration]
    by_user: Mapping[UUID, Registration]
    attempts: Mapping[UUID, Attempt]
    answers: Mapping[UUID, Mapping[UUID, Answer]]
    other_sessions: Mapping[UUID, str]
    """The code of the paper of the same session group that a candidate has sat, by registration."""


async def plan_for(
    uow: UnitOfWork,
    exam: Exam,
    paper: ExamPaper,
    sheets: Sequence[AnswerSheet],
    unknown_roll_numbers: UnknownRollNumbers,
) -> AnswerSheetImportPlan:
    """Compare the sheets with what is there. None of their candidates can start the paper from now on."""
    known = await _known(uow, exam, paper, sheets)
    plan = AnswerSheetImportPlan()
    for sheet in sheets:
        _Planner(plan, known, sheet).plan()
    unknown = [sheet for sheet in sheets if sheet.roll_number not in known.by_roll_number]
    registered = await uow.answer_sheets.roll_numbers(exam.id) if unknown else []
    if unknown and unknown_roll_numbers == "auto":
        expects = await uow.answer_sheets.expects_candidates(exam.id, PAPER)
        unknown_roll_numbers = "auto" if expects else "accept"
    in_file = {sheet.roll_number for sheet in sheets}
    withdrawn = await _withdrawn(uow, exam, unknown)
    plan.errors += withdrawn
    left = {error.row for error in withdrawn}
    unknown = [sheet for sheet in unknown if sheet.row not in left]
    findings = await asyncio.to_thread(unknown_numbers, unknown, registered, in_file, unknown_roll_numbers)
    plan.errors += findings.errors
    plan.warnings += [*findings.warnings, *read_alike_in_file(sheets)]
    plan.warnings.sort(key=lambda warning: warning.row)
    return plan


async def _withdrawn(uow: UnitOfWork, exam: Exam, unknown: Sequence[AnswerSheet]) -> list[RowError]:
    """An error for each sheet whose roll number belonged to a candidate who has withdrawn."""
    numbers = {sheet.roll_number for sheet in unknown}
    withdrawn = await uow.registrations.withdrawn(exam.id, numbers) if numbers else set()
    return [
        RowError(
            sheet.row,
            "roll_number",
            f"the candidate with roll number {sheet.roll_number} has withdrawn; correct the number, or let"
            " the candidate register again",
            file=sheet.file,
        )
        for sheet in unknown
        if sheet.roll_number in withdrawn
    ]


async def _known(uow: UnitOfWork, exam: Exam, paper: ExamPaper, sheets: Sequence[AnswerSheet]) -> _Known:
    roll_numbers = [sheet.roll_number for sheet in sheets]
    people = {account.user_id for account in await _accounts(uow, exam, sheets)}
    registered = await uow.answer_sheets.registrations(exam.id, roll_numbers, people)
    # A start holds its person and then looks for earlier attempts: it comes before this, or sees the sheet.
    await uow.answer_sheets.lock_users(people | {row.user_id for row in registered if row.user_id})
    registered = await uow.answer_sheets.registrations(exam.id, roll_numbers, people)
    accounts: dict[str, list[Account]] = {}
    for account in await _accounts(uow, exam, sheets):  # Some may have been deleted before the lock.
        if account.user_id in people:
            accounts.setdefault(account.email, []).append(account)
    official = await uow.answer_sheets.official(paper.id, [row.id for row in registered])
    standing = await uow.grading.answers([attempt.id for attempt in official])
    return _Known(
        accounts=accounts,
        by_roll_number={row.roll_number: row for row in registered},
        by_user={row.user_id: row for row in registered if row.user_id},
        attempts={attempt.registration_id: attempt for attempt in official if attempt.registration_id},
        answers={attempt_id: _answers(stored) for attempt_id, stored in standing.items()},
        other_sessions=await _other_sessions(uow, exam, paper, [row.id for row in registered]),
    )


async def _accounts(uow: UnitOfWork, exam: Exam, sheets: Sequence[AnswerSheet]) -> Sequence[Account]:
    emails = [sheet.email for sheet in sheets if sheet.email is not None]
    return await uow.answer_sheets.accounts(exam.institute_id, emails) if emails else ()


async def _other_sessions(
    uow: UnitOfWork, exam: Exam, paper: ExamPaper, registration_ids: Sequence[UUID]
) -> Mapping[UUID, str]:
    """Which other paper of the session group these candidates have sat."""
    return {
        attempt.registration_id: other.code
        for other in await sessions.other_papers(uow, exam, paper)
        for attempt in await uow.answer_sheets.official(other.id, registration_ids)
        if attempt.registration_id is not None
    }


def _answers(stored: Mapping[str, Any]) -> Mapping[UUID, Answer]:
    answers = {UUID(question_id): answer_of(answer) for question_id, answer in stored.items()}
    return {question_id: answer for question_id, answer in answers.items() if answer is not None}


@dataclass(frozen=True, slots=True)
class _Planner:
    """Decides about one sheet."""

    plan_: AnswerSheetImportPlan
    known: _Known
    sheet: AnswerSheet

    def plan(self) -> None:
        errors = len(self.plan_.errors)
        registration = self.known.by_roll_number.get(self.sheet.roll_number)
        user_id = self._account(registration)
        if len(self.plan_.errors) > errors:
            return
        linked = registration is not None and registration.user_id is None and user_id is not None
        if registration is not None:
            self._compare(registration)
            user_id = user_id or registration.user_id
            if linked and user_id is not None:
                self.plan_.links.append((registration, user_id))
        if registration is not None and (other := self.known.other_sessions.get(registration.id)):
            sentence = f"this candidate has sat paper {other}, another session; leave the sheet out"
            self._wrong("roll_number", sentence)
            return
        attempt = self.known.attempts.get(registration.id) if registration else None
        if attempt is None:
            self.plan_.created += 1
            self.plan_.sat.append(Sat(self.sheet, registration, user_id))
        elif _alike(self.known.answers[attempt.id], self.sheet.answers) and not _is_running(attempt):
            self._same(attempt, linked=linked)
        else:
            self._other(attempt, registration, user_id)

    def _same(self, attempt: Attempt, *, linked: bool) -> None:
        """The sheet is there. A void one stays void: whoever voided it meant these answers."""
        if attempt.status == AttemptStatus.VOID:
            self._warn("file", "these answers were voided, and stay so")
        if linked:
            self.plan_.updated += 1
        else:
            self.plan_.unchanged += 1

    def _other(self, attempt: Attempt, registration: Registration | None, user_id: UUID | None) -> None:
        if _is_running(attempt):
            self._wrong("roll_number", "this candidate is sitting the paper online; leave the sheet out")
        elif attempt.device != PAPER:
            sentence = "this candidate has sat the paper online, with other answers; leave the sheet out"
            self._wrong("roll_number", sentence)
        elif attempt.status != AttemptStatus.VOID:
            sentence = (
                "another sheet of this roll number was imported, with other answers; if this one is right,"
                f" void attempt {attempt.id} and import again"
            )
            self._wrong("roll_number", sentence)
        else:
            cleared = frozenset(self.known.answers[attempt.id]) - frozenset(self.sheet.answers)
            self.plan_.updated += 1
            self.plan_.sat.append(Sat(self.sheet, registration, user_id, attempt, cleared))

    def _account(self, registration: Registration | None) -> UUID | None:
        """Whose account the address says this is, if that can be."""
        if self.sheet.email is None:
            return None
        accounts = self.known.accounts.get(self.sheet.email, ())
        if len(accounts) > 1:
            self._wrong("email", "several accounts have this address; leave it out and claim the roll number")
        if not accounts:
            sentence = "no account has this address; the roll number can be claimed when there is one"
            self._warn("email", sentence)
        if len(accounts) != 1:
            return None
        account = accounts[0]
        place = self.known.by_user.get(account.user_id)
        if account.role != Role.STUDENT:
            self._wrong("email", "this is an account of staff, who do not take part")
        elif registration is not None and registration.user_id not in (None, account.user_id):
            self._wrong("email", "the roll number belongs to another account; correct one of them")
        elif place is not None and place.roll_number != self.sheet.roll_number:
            self._wrong("email", f"this account is registered as {place.roll_number}; use that roll number")
        return account.user_id

    def _compare(self, registration: Registration) -> None:
        """A registration tells how things were then: a sheet that says otherwise does not change it."""
        for what in ("category", "pwbd"):
            said, registered = getattr(self.sheet, what), getattr(registration, what)
            if said is not None and said != registered:
                self._warn(what, f'the registration says "{registered or "none"}", which stands')

    def _wrong(self, field_name: str, message: str) -> None:
        self.plan_.errors.append(RowError(self.sheet.row, field_name, message, file=self.sheet.file))

    def _warn(self, field_name: str, message: str) -> None:
        self.plan_.warnings.append(RowWarning(self.sheet.row, field_name, message, file=self.sheet.file))


def _is_running(attempt: Attempt) -> bool:
    return attempt.status in (AttemptStatus.IN_PROGRESS, AttemptStatus.PAUSED)


def _alike(before: Mapping[UUID, Answer], now: Mapping[UUID, Answer]) -> bool:
    """Whether the same was marked; options have no order."""
    return _comparable(before) == _comparable(now)


def _comparable(answers: Mapping[UUID, Answer]) -> dict[UUID, str | frozenset[object]]:
    return {
        question_id: answer if isinstance(answer, str) else frozenset(answer)
        for question_id, answer in answers.items()
    }
