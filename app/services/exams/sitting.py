"""Sitting an exam's paper: the attempt engine, told the window that the paper stands in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.core.errors import (
    AttemptsExhausted,
    EntryClosed,
    NotAvailable,
    NotRegistered,
    PaperNotOpen,
)
from app.engine import schedule, timing
from app.engine.schedule import PaperStatus
from app.models import Accommodation, Attempt, Exam, ExamPaper, Registration
from app.repositories.realtime.messages import exam_room
from app.services import attempts
from app.services.attempts import Started
from app.services.components import Components
from app.services.exams.catalog import exam_viewer, window_of
from app.services.exams.packages import package_key
from app.services.exams.placements import Placement
from app.services.exams.registering import enroll
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal


@dataclass(frozen=True, slots=True)
class StartedPaper:
    """An attempt as a device takes it up, and what opens the paper that it may have downloaded before."""

    started: Started
    package_key: bytes


async def start(
    uow: UnitOfWork,
    parts: Components,
    candidate: Principal,
    exam_id: UUID,
    paper_id: UUID,
    device: str | None,
    now: datetime,
    arrived_at: datetime | None = None,
) -> StartedPaper:
    """Start the paper, or resume it with a new lease. Once the results are released it is practice.

    Whether the paper is open is judged by `arrived_at`, which may be earlier than `now`, when the attempt
    begins: what a request has waited for the server costs a candidate neither the entry nor any time.
    Raises NotRegistered, PaperNotOpen, EntryClosed, or AttemptsExhausted where the sitting is over.
    """
    exam, paper = await uow.exams.enter(exam_viewer(candidate), exam_id, paper_id)
    if exam.cancelled_at is not None or paper.paper_id is None:
        raise NotAvailable("The exam was cancelled." if exam.cancelled_at else "The exam is not published.")
    await attempts.hold_person(uow, candidate.id)
    attempt = await attempts.take_up(uow, parts, candidate.id, paper.test_id, paper.id, device, now)
    if attempt is not None:
        _tell_other_devices(uow, candidate, exam, attempt)
        started = await attempts.hand_over(uow, parts, attempt, is_new=False)
    else:
        place = exam, paper, paper.paper_id
        attempt = await _begin(uow, parts, candidate, *place, device, now, arrived_at or now)
        started = await attempts.hand_over(uow, parts, attempt, is_new=True)
    return StartedPaper(started, package_key(parts, paper.id, started.paper))


async def submit(
    uow: UnitOfWork,
    parts: Components,
    user_id: UUID,
    placement: Placement,
    paper_id: UUID,
    attempt_id: UUID,
    now: datetime,
) -> Attempt:
    """End the attempt. It stays `submitted` until the results are released; asking again gives the same."""
    attempt = await attempts.submit(
        uow, parts, attempt_id, user_id, placement.test_id, now, exam_paper_id=paper_id
    )
    if attempt.submitted_at == now and not attempt.practice:
        uow.jobs.add("notify_submitted", attempt_id=str(attempt.id))
    return attempt


async def _begin(
    uow: UnitOfWork,
    parts: Components,
    candidate: Principal,
    exam: Exam,
    paper: ExamPaper,
    frozen_id: UUID,
    device: str | None,
    now: datetime,
    arrived_at: datetime,
) -> Attempt:
    earlier = await uow.attempts.earlier(candidate.id, paper.test_id, paper.id)
    frozen = await parts.papers.get(uow, frozen_id)
    is_practice = candidate.is_staff or exam.released_at is not None
    registration, extra, ends_at = None, timing.NO_TIME, None
    if exam.released_at is None:
        registration = await _admitted(uow, candidate, exam, paper, arrived_at)
        ends_at = paper.ends_at
    if not is_practice and registration is not None:
        if earlier:
            raise AttemptsExhausted(1)
        extra = extra_for(registration, await uow.exams.accommodations_for(exam.id, candidate.id))
    return await attempts.begin(
        uow,
        now,
        device,
        test_id=paper.test_id,
        paper_id=frozen_id,
        exam_paper_id=paper.id,
        registration_id=registration.id if registration and not is_practice else None,
        user_id=candidate.id,
        number=attempts.next_number(earlier),
        practice=is_practice,
        accommodation_seconds=extra // timedelta(seconds=1),
        deadline_at=timing.deadline(now, frozen.duration, ends_at, extra),
    )


async def _admitted(
    uow: UnitOfWork, candidate: Principal, exam: Exam, paper: ExamPaper, now: datetime
) -> Registration | None:
    """The candidate's place, if the door is open. Staff need none."""
    registration = await uow.registrations.of(exam.id, candidate.id)
    if registration is None and exam.registration == "required" and not candidate.is_staff:
        raise NotRegistered
    status = schedule.paper_status(window_of(paper), now)
    if status is PaperStatus.SCHEDULED:
        raise PaperNotOpen(paper.starts_at, now)
    if status is not PaperStatus.OPEN:
        raise EntryClosed(min(paper.closed_at or paper.entry_closes_at, paper.entry_closes_at))
    if registration is None and not candidate.is_staff:
        registration, _ = await enroll(uow, exam, candidate.id)
    return registration


def extra_for(registration: Registration, granted: Sequence[Accommodation]) -> timedelta:
    """The extra time of one registered candidate out of what the exam grants."""
    own = [row for row in granted if row.user_id is not None and row.user_id == registration.user_id]
    groups = {"all"} | ({"pwbd"} if registration.pwbd is not None else set())
    return schedule.accommodation(
        timedelta(seconds=own[0].extra_seconds) if own else None,
        [timedelta(seconds=row.extra_seconds) for row in granted if row.candidate_group in groups],
    )


def _tell_other_devices(uow: UnitOfWork, candidate: Principal, exam: Exam, attempt: Attempt) -> None:
    """The attempt is on another device now. The session stays within: sockets of others are closed by it."""
    data = {"attempt_id": str(attempt.id), "lease": attempt.lease, "session_id": candidate.session_id}
    uow.messages.to_user(exam_room(exam.id), candidate.id, "attempt_changed", data)
