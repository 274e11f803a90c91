"""Starts of many candidates at one exam paper, in one transaction. The reasons are in docs/decisions/0092."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from app.core.errors import AttemptsExhausted, DomainError, EntryClosed, PaperNotOpen
from app.models import DEFAULT_INSTITUTE_ID, Exam, ExamPaper
from app.repositories.attempts.starts import Starter
from app.repositories.exams import ExamViewer
from app.services.attempts import NewAttempt, StartRequest
from app.services.attempts.starting_together import leave_to_single_starts, lock_starters, resume_or_start
from app.services.components import Components
from app.services.exams.extra_time import ExtraTimes
from app.services.exams.packages import package_key
from app.services.exams.taking import StartedPaper, official_attempt, require_open, tell_other_devices
from app.services.tests.papers import FrozenPaper
from app.services.unit_of_work import UnitOfWork, unit_of_work

ANY_CANDIDATE = ExamViewer(UUID(int=0), DEFAULT_INSTITUTE_ID, is_staff=False)


@dataclass(frozen=True, slots=True)
class _Entry:
    """An exam paper, its frozen content, and the time at which a batch starts."""

    exam_id: UUID
    paper: ExamPaper
    frozen: FrozenPaper
    now: datetime


async def start_together(
    parts: Components, exam_id: UUID, paper_id: UUID, request: StartRequest
) -> StartedPaper | None:
    """Start the only official attempt or resume it, together with others at this paper at this moment.

    None if a batch cannot carry it out: as in `attempts.start_together`; if the paper is of a session group;
    and for a first start, if the candidate is not registered. Then nothing was changed; call `start`, which
    handles these cases.

    Raises PaperNotOpen, EntryClosed or AttemptsExhausted as `start` does. After any other error the attempt
    may have been stored. Who starts again resumes it.
    """
    work = partial(_start, parts, exam_id, paper_id)
    outcome = await parts.write_batches.outcome((start_together, exam_id, paper_id), request, work)
    if isinstance(outcome, DomainError):
        raise outcome
    return outcome


async def _start(
    parts: Components, exam_id: UUID, paper_id: UUID, requests: Sequence[StartRequest]
) -> Sequence[StartedPaper | DomainError | None]:
    try:
        async with unit_of_work(parts.batch_engine, parts.new_messages) as uow:
            exam, paper = await uow.exams.lock_paper_for_entry(ANY_CANDIDATE, exam_id, paper_id)
            if paper.paper_id is None or not _is_for_all(exam, paper):
                return [None] * len(requests)
            scope = await parts.placements.get(uow, exam_id, paper_id)  # Saves find it in memory then.
            starters = await lock_starters(uow, requests, scope)
            now = parts.clock.now()
            frozen = await parts.papers.get(uow, paper.paper_id)
            entry = _Entry(exam.id, paper, frozen, now)
            new, refused = await _first_starts(uow, entry, requests, starters)
            started = await resume_or_start(uow, parts, frozen, requests, starters, new, now)
            for request, each in zip(requests, started, strict=True):
                if each is not None and not each.is_new:
                    tell_other_devices(uow, exam, each.attempt, request.session_id)
            # An exam paper is not published anew once somebody has started it: all have the same version.
            key = package_key(parts, paper.id, frozen)
            return [
                refusal if each is None else StartedPaper(each, key)
                for each, refusal in zip(started, refused, strict=True)
            ]
    except Exception as error:  # noqa: BLE001 -- one request must not harm the others
        return leave_to_single_starts(requests, error)


def _is_for_all(exam: Exam, paper: ExamPaper) -> bool:
    return exam.cancelled_at is None and exam.released_at is None and paper.session_group is None


async def _first_starts(
    uow: UnitOfWork, entry: _Entry, requests: Sequence[StartRequest], starters: Mapping[UUID, Starter]
) -> tuple[Mapping[UUID, NewAttempt], Sequence[DomainError | None]]:
    """Of those who are registered and have no attempt in progress: the new attempts by person, and for each
    request why it gets none."""
    registrations = await uow.registrations.of_people(entry.exam_id, starters)
    extra_times = ExtraTimes(await uow.exams.accommodations_for(entry.exam_id, starters))
    new: dict[UUID, NewAttempt] = {}
    refused: list[DomainError | None] = [None] * len(requests)
    for place, request in enumerate(requests):
        user_id = request.account.id
        registration = registrations.get(user_id)
        if registration is None or starters[user_id].running_id is not None:
            continue
        refused[place] = _refusal(entry, request, starters[user_id])
        if refused[place] is None:
            extra = extra_times.of(registration)
            attempt = official_attempt(user_id, entry.paper, entry.frozen, registration, extra, entry.now)
            new.setdefault(user_id, attempt)
    # A request that came too late resumes the attempt which another one of the same person starts.
    return new, [
        None if request.account.id in new else refusal
        for request, refusal in zip(requests, refused, strict=True)
    ]


def _refusal(entry: _Entry, request: StartRequest, starter: Starter) -> DomainError | None:
    """Why a registered candidate may not start, in the order in which `start` checks it."""
    try:
        require_open(entry.paper, request.arrived_at, entry.now)
    except (PaperNotOpen, EntryClosed) as error:
        return error
    return AttemptsExhausted(1) if starter.last_number > 0 else None
