"""Taking a paper of an exam: started, resumed and submitted within the paper's window."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.core.attempt_scope import AttemptRef, AttemptScope
from app.core.errors import AttemptsExhausted, EntryClosed, NotAvailable, NotRegistered, PaperNotOpen
from app.engine import schedule, timing
from app.engine.schedule import PaperStatus
from app.models import Attempt, Exam, ExamPaper, Registration
from app.models.message_data import AttemptChangedData, attempt_fields
from app.repositories.realtime.messages import exam_room
from app.services import attempts
from app.services.attempts import NewAttempt, StartedAttempt
from app.services.components import Components
from app.services.exams import sessions
from app.services.exams.catalog import exam_viewer, window_of
from app.services.exams.extra_time import ExtraTimes
from app.services.exams.packages import package_key
from app.services.exams.registrations import register_person
from app.services.tests.papers import FrozenPaper
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal


@dataclass(frozen=True, slots=True)
class StartPaper:
    """A request to start or resume a paper, and when it came."""

    exam_id: UUID
    paper_id: UUID
    device: str | None
    arrived_at: datetime
    """When the request reached the server. This decides whether the paper is open."""
    now: datetime
    """When the attempt begins. It may be later: waiting for the server costs a candidate no time."""


@dataclass(frozen=True, slots=True)
class StartedPaper:
    """An attempt in progress, and the key that decrypts the package of its paper."""

    started: StartedAttempt
    package_key: bytes


async def start(
    uow: UnitOfWork, parts: Components, candidate: Principal, request: StartPaper
) -> StartedPaper:
    """Start the paper, or resume it with a new lease.

    After the release the attempt is practice, for whoever may start the paper's test; others get NotFound.

    Raises NotAvailable, NotRegistered, PaperNotOpen, EntryClosed, AttemptsExhausted if the candidate has
    ended the only official attempt, or SessionTaken if they have sat another paper of the session group.
    """
    exam, paper = await uow.exams.lock_paper_for_entry(
        exam_viewer(candidate), request.exam_id, request.paper_id
    )
    if exam.cancelled_at is not None:
        raise NotAvailable("The exam was cancelled.")
    if paper.paper_id is None:
        raise NotAvailable("The exam is not published.")
    if exam.released_at is not None:
        await uow.tests.lock_shared(paper.test_id)  # Another exam may be about to place the test.
    await attempts.lock_candidate(uow, candidate.id)
    scope = AttemptScope(paper.test_id, paper.id)
    attempt = await attempts.resume(uow, parts, candidate.id, scope, request.device, request.now)
    is_new = attempt is None
    if attempt is None:
        new = await _new_attempt(uow, parts, candidate, (exam, paper), request)
        attempt = await attempts.create(uow, new, request.device, request.now)
    else:
        tell_other_devices(uow, exam, attempt, candidate.session_id)
    started = await attempts.started_attempt(uow, parts, attempt, is_new=is_new)
    return StartedPaper(started, package_key(parts, paper.id, started.paper))


async def submit(uow: UnitOfWork, parts: Components, ref: AttemptRef, now: datetime) -> Attempt:
    """End the attempt. It stays `submitted` until the release. Submitting again returns the same attempt."""
    return await attempts.submit(uow, parts, ref, now)


async def _new_attempt(
    uow: UnitOfWork,
    parts: Components,
    candidate: Principal,
    place: tuple[Exam, ExamPaper],
    request: StartPaper,
) -> NewAttempt:
    exam, paper = place
    assert paper.paper_id is not None  # noqa: S101 -- the caller has refused an exam that is not published
    earlier = await uow.attempts.earlier(candidate.id, AttemptScope(paper.test_id, paper.id))
    frozen = await parts.papers.get(uow, paper.paper_id)
    registration = None
    if exam.released_at is None:
        registration = await _admitted(uow, candidate, exam, paper, request)
    else:
        await attempts.require_access(uow, candidate, paper.test_id, frozen.id, request.now)
    if candidate.is_staff or registration is None:
        return NewAttempt(
            user_id=candidate.id,
            scope=AttemptScope(paper.test_id, paper.id),
            paper_id=frozen.id,
            number=attempts.next_number(earlier),
            practice=True,
            deadline_at=timing.deadline(
                request.now, frozen.duration, paper.ends_at if exam.released_at is None else None
            ),
        )
    if earlier:
        raise AttemptsExhausted(1)
    await sessions.require_no_other(uow, exam, paper, registration)
    granted = await uow.exams.accommodations_for(exam.id, [candidate.id])
    extra = ExtraTimes(granted).of(registration)
    return official_attempt(candidate.id, paper, frozen, registration, extra, request.now)


def official_attempt(
    user_id: UUID,
    paper: ExamPaper,
    frozen: FrozenPaper,
    registration: Registration,
    extra: timedelta,
    now: datetime,
) -> NewAttempt:
    """The only official attempt of a registered candidate at a paper."""
    return NewAttempt(
        user_id=user_id,
        scope=AttemptScope(paper.test_id, paper.id),
        paper_id=frozen.id,
        number=1,
        practice=False,
        deadline_at=timing.deadline(now, frozen.duration, paper.ends_at, extra),
        registration_id=registration.id,
        accommodation_seconds=extra // timedelta(seconds=1),
    )


async def _admitted(
    uow: UnitOfWork, candidate: Principal, exam: Exam, paper: ExamPaper, request: StartPaper
) -> Registration | None:
    """The candidate's registration, if the paper is open for entry. Staff need none."""
    registration = await uow.registrations.of(exam.id, candidate.id)
    if registration is None and exam.registration == "required" and not candidate.is_staff:
        raise NotRegistered
    require_open(paper, request.arrived_at, request.now)
    if registration is None and not candidate.is_staff:
        registration, _ = await register_person(uow, exam, candidate.id)
    return registration


def require_open(paper: ExamPaper, arrived_at: datetime, now: datetime) -> None:
    """Raise PaperNotOpen or EntryClosed unless the paper is open for entry.

    The time of arrival decides. It may lie before the opening although the paper is open now: a request that
    waited in a blocked event loop is dated back. Such a request counts as one of the opening.
    """
    status = schedule.paper_status(window_of(paper), max(arrived_at, min(now, paper.starts_at)))
    if status is PaperStatus.SCHEDULED:
        raise PaperNotOpen(paper.starts_at, paper.starts_at, now)
    if status is not PaperStatus.OPEN:
        raise EntryClosed(min(paper.closed_at or paper.entry_closes_at, paper.entry_closes_at))


def tell_other_devices(uow: UnitOfWork, exam: Exam, attempt: Attempt, session_id: str) -> None:
    """Announce the new lease. The candidate's sockets of other sessions are closed."""
    assert attempt.user_id is not None  # noqa: S101 -- a candidate has resumed it
    data = AttemptChangedData(**attempt_fields(attempt), lease=attempt.lease)
    uow.messages.to_user(exam_room(exam.id), attempt.user_id, data, keeps_session=session_id)
