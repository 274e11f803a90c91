"""Creates notifications: one function for each kind. Each is idempotent."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

from app.engine.timing import NO_TIME
from app.models import Exam, ExamPaper, Kind, Registration
from app.repositories.notifications import Notice
from app.repositories.notifications.exam_events import SubmittedAttempt
from app.services.components import Components
from app.services.exams.extra_time import ExtraTimes
from app.services.notifications.kinds import RULES
from app.services.notifications.wording import texts_of
from app.services.unit_of_work import UnitOfWork, unit_of_work

BATCH = 2000
"""Recipients per transaction."""


async def welcome(uow: UnitOfWork, parts: Components, user_id: UUID, now: datetime) -> None:
    """Welcome a new user."""
    await _create(uow, parts, [(user_id, build_notice(Kind.WELCOME, "", {}))], now)


async def registered(uow: UnitOfWork, parts: Components, registration_id: UUID, now: datetime) -> None:
    """Confirm a registration with its roll number, the times of the papers and the reminders to come.

    Does nothing without an account.
    """
    found = await _registered(uow, registration_id)
    if found is None:
        return
    shown = [
        _paper_data(paper, found.extra)
        | {"reminders": _reminders_to_come(paper, found.registration.created_at)}
        for paper in found.papers
    ]
    data = _exam_data(found.exam) | {"roll_number": found.registration.roll_number, "papers": shown}
    notice = build_notice(Kind.REGISTERED, str(registration_id), data)
    await _create(uow, parts, [(found.user_id, notice)], now)


async def registration_changed(
    uow: UnitOfWork,
    parts: Components,
    registration_id: UUID,
    change_id: str,
    fields: Sequence[str],
    previous_extra_seconds: int,
    now: datetime,
) -> None:
    """Notify a candidate of a correction by staff, with the corrected fields and the extra time.

    Their values are not repeated: the candidate reads them in the exam. Does nothing if the registration has
    no account, was withdrawn meanwhile, or the exam was cancelled.
    """
    found = await _registered(uow, registration_id)
    if found is None:
        return
    data = _exam_data(found.exam) | {
        "roll_number": found.registration.roll_number,
        "fields": list(fields),
        "extra_seconds": found.extra // timedelta(seconds=1),
        "previous_extra_seconds": previous_extra_seconds,
        "papers": [_paper_data(paper, found.extra) for paper in found.papers],
    }
    notice = build_notice(Kind.REGISTRATION_CHANGED, f"{registration_id}:{change_id}", data)
    await _create(uow, parts, [(found.user_id, notice)], now)


class _Registered(NamedTuple):
    registration: Registration
    user_id: UUID
    exam: Exam
    papers: Sequence[ExamPaper]
    extra: timedelta


async def _registered(uow: UnitOfWork, registration_id: UUID) -> _Registered | None:
    """A registration and its exam. None if it has no account or was withdrawn, or the exam was cancelled."""
    registration = await uow.exam_events.registration(registration_id)
    if registration is None or registration.user_id is None:
        return None
    found = await uow.exam_events.exam(registration.exam_id)
    if found is None or found[0].cancelled_at is not None:
        return None
    exam, papers = found
    granted = await uow.exams.accommodations_for(exam.id, [registration.user_id])
    extra = ExtraTimes(granted).of(registration)
    return _Registered(registration, registration.user_id, exam, papers, extra)


async def enrolment_changed(
    uow: UnitOfWork, parts: Components, user_id: UUID, change_id: str, now: datetime
) -> None:
    """Notify a user of the enrolment as it is now. Does nothing without an account."""
    member = await uow.users.member(user_id)
    if member is None:
        return
    enrolled, until = member.enrolment.is_active(now), member.enrolment.until
    data: dict[str, Any] = {"enrolled": enrolled, "batches": list(member.enrolment.batches)}
    if enrolled and until is not None:
        data["until_at"] = _iso_time(until)
    await _create(uow, parts, [(user_id, build_notice(Kind.ENROLMENT_CHANGED, change_id, data))], now)


async def submitted(uow: UnitOfWork, parts: Components, attempt_ids: Sequence[UUID], now: datetime) -> None:
    """Confirm the end of those attempts that are official and at an exam. Void attempts are left out.

    Results are not read (docs/decisions/0021). An attempt that was reopened is confirmed again when it ends
    again.
    """
    ended = await uow.exam_events.submitted_attempts(attempt_ids)
    await _create(uow, parts, [(attempt.user_id, _confirmation(attempt)) for attempt in ended], now)


def _confirmation(attempt: SubmittedAttempt) -> Notice:
    data = _exam_data(attempt.exam) | {
        "paper": _paper_data(attempt.paper, timedelta(seconds=attempt.accommodation_seconds)),
        "attempt_id": str(attempt.attempt_id),
        "submitted_at": _iso_time(attempt.submitted_at),
        "closed_by": attempt.closed_by,
    }
    return build_notice(Kind.SUBMITTED, f"{attempt.attempt_id}:{_iso_time(attempt.submitted_at)}", data)


async def results_released(parts: Components, exam_id: UUID, now: datetime) -> int:
    """Notify everybody who is registered that results are released, or that they were revised."""
    found = await _exam(parts, exam_id)
    if found is None or found[0].released_at is None:
        return 0
    version = found[0].results_version or 1
    data = _exam_data(found[0]) | {"version": version, "revised": version > 1}
    notice = build_notice(Kind.RESULTS_RELEASED, f"{exam_id}:{version}", data)
    return await create_for_registered(parts, exam_id, lambda _: notice, now)


async def postponed(parts: Components, exam_id: UUID, now: datetime) -> int:
    """Notify everybody who is registered of the papers' new times, once for each set of times."""
    found = await _exam(parts, exam_id)
    if found is None or found[0].cancelled_at is not None:
        return 0
    exam, papers = found
    times = sha256(" ".join(f"{paper.id} {_iso_time(paper.starts_at)}" for paper in papers).encode())
    event = f"{exam_id}:{times.hexdigest()[:16]}"

    def notice_for(extra: timedelta) -> Notice:
        data = _exam_data(exam) | {"papers": [_paper_data(paper, extra) for paper in papers]}
        return build_notice(Kind.POSTPONED, event, data)

    return await create_for_registered(parts, exam_id, notice_for, now)


async def cancelled(parts: Components, exam_id: UUID, now: datetime) -> int:
    """Notify everybody who is registered that the exam is cancelled."""
    found = await _exam(parts, exam_id)
    if found is None or found[0].cancelled_at is None:
        return 0
    notice = build_notice(Kind.CANCELLED, str(exam_id), _exam_data(found[0]))
    return await create_for_registered(parts, exam_id, lambda _: notice, now)


async def extra_time_changed(
    parts: Components, exam_id: UUID, change_id: str, before: Sequence[Mapping[str, Any]], now: datetime
) -> int:
    """Notify every candidate whose extra time was changed, with the times of the papers that are not over.

    `before` has the changed grants as they were, with zero seconds for those that did not exist.
    """
    found = await _exam(parts, exam_id)
    if found is None or found[0].cancelled_at is not None or found[0].released_at is not None:
        return 0
    exam, papers = found
    created, last = 0, None
    while True:
        async with unit_of_work(parts.engine) as uow:
            batch = await uow.exam_events.registered(exam_id, last, BATCH)
            granted = await uow.exams.accommodations(exam_id)
            earlier, later = ExtraTimes(granted).with_changes(before), ExtraTimes(granted)
            for (was, extra), user_ids in _by_change(batch, earlier, later).items():
                open_papers = [paper for paper in papers if paper.ends_at + max(was, extra) > now]
                if open_papers:
                    notice = _extra_time_notice(exam, open_papers, change_id, was, extra)
                    created += await _create(uow, parts, [(user_id, notice) for user_id in user_ids], now)
        if len(batch) < BATCH:
            return created
        last = batch[-1].id


def _by_change(
    registered: Iterable[Registration], earlier: ExtraTimes, later: ExtraTimes
) -> dict[tuple[timedelta, timedelta], list[UUID]]:
    """The users whose extra time differs, by their extra time before and now."""
    found: dict[tuple[timedelta, timedelta], list[UUID]] = {}
    for registration in registered:
        change = (earlier.of(registration), later.of(registration))
        if registration.user_id is not None and change[0] != change[1]:
            found.setdefault(change, []).append(registration.user_id)
    return found


def _extra_time_notice(
    exam: Exam, papers: Sequence[ExamPaper], change_id: str, was: timedelta, extra: timedelta
) -> Notice:
    data = _exam_data(exam) | {
        "extra_seconds": extra // timedelta(seconds=1),
        "previous_extra_seconds": was // timedelta(seconds=1),
        "papers": [_paper_data(paper, extra) for paper in papers],
    }
    return build_notice(Kind.EXTRA_TIME, f"{exam.id}:{change_id}", data)


def reminder(exam: Exam, paper: ExamPaper, kind: Kind, extra: timedelta = NO_TIME) -> Notice:
    """A reminder of a paper's start, for candidates with this extra time.

    If the start is moved, another reminder is created.
    """
    rule = RULES[kind].reminder
    assert rule is not None  # noqa: S101 -- kinds that remind have one
    return build_notice(
        kind,
        f"{paper.id}:{_iso_time(paper.starts_at)}",
        _exam_data(exam) | {"paper": _paper_data(paper, extra)},
        rule.expires_at(paper.starts_at),
    )


def build_notice(kind: Kind, event: str, data: dict[str, Any], expires_at: datetime | None = None) -> Notice:
    """The content of a notification in all languages.

    A user gets one notification for each kind and `event`.
    """
    title, body = texts_of(kind, data)
    key = f"{kind}:{event}" if event else kind.value
    return Notice(kind.value, key, title, body, data, not RULES[kind].deferrable, expires_at)


async def create_for_registered(
    parts: Components,
    exam_id: UUID,
    notice_for: Callable[[timedelta], Notice],
    now: datetime,
    *,
    registered_until: datetime | None = None,
) -> int:
    """Create a notification for everybody who is registered, in batches.

    `notice_for` builds it for candidates with this extra time. A repeated run skips those who have it.
    """
    created, last = 0, None
    while True:
        async with unit_of_work(parts.engine) as uow:
            batch = await uow.exam_events.registered(exam_id, last, BATCH, registered_until)
            times = ExtraTimes(await uow.exams.accommodations(exam_id))
            created += await _create(uow, parts, _notices(batch, times, notice_for), now)
        if len(batch) < BATCH:
            return created
        last = batch[-1].id


def _notices(
    registered: Iterable[Registration], times: ExtraTimes, notice_for: Callable[[timedelta], Notice]
) -> list[tuple[UUID, Notice]]:
    """The notice of each candidate with an account. Candidates with the same extra time share one object."""
    of_extra_time = cache(notice_for)
    return [
        (registration.user_id, of_extra_time(times.of(registration)))
        for registration in registered
        if registration.user_id is not None
    ]


async def _create(
    uow: UnitOfWork, parts: Components, notices: Sequence[tuple[UUID, Notice]], now: datetime
) -> int:
    return await uow.notifications.create(notices, now, push=parts.pusher is not None)


async def _exam(parts: Components, exam_id: UUID) -> tuple[Exam, Sequence[ExamPaper]] | None:
    async with unit_of_work(parts.engine) as uow:
        return await uow.exam_events.exam(exam_id)


def _exam_data(exam: Exam) -> dict[str, Any]:
    return {"exam_id": str(exam.id), "exam_title": exam.title}


def _reminders_to_come(paper: ExamPaper, registered_at: datetime) -> list[str]:
    """The kinds of reminders that a candidate who registered then will get."""
    return [
        kind.value
        for kind, rules in RULES.items()
        if rules.reminder is not None and registered_at <= rules.reminder.due_at(paper.starts_at)
    ]


def _paper_data(paper: ExamPaper, extra: timedelta) -> dict[str, Any]:
    """A paper as a candidate with this extra time takes it. `ends_at` is the latest end, with that time."""
    return {
        "id": str(paper.id),
        "code": paper.code,
        "title": paper.title,
        "starts_at": _iso_time(paper.starts_at),
        "entry_closes_at": _iso_time(paper.entry_closes_at),
        "ends_at": _iso_time(paper.ends_at + extra),
        "extra_seconds": extra // timedelta(seconds=1),
    }


def _iso_time(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
