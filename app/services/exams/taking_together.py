"""Starts of many candidates at one exam paper, in one transaction. The reasons are in docs/decisions/0092."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from sqlalchemy.exc import DBAPIError

from app.core.errors import EntryClosed, NotFound, PaperNotOpen, QuestionUnreadable
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
    and for a first start, if the candidate is not registered or the paper is not open. Then nothing was
    changed; call `start`, which handles these cases.

    After an error the attempt may have been stored. Who starts again resumes it.
    """
    work = partial(_start, parts, exam_id, paper_id)
    return await parts.batches.outcome((start_together, exam_id, paper_id), request, work)


async def _start(
    parts: Components, exam_id: UUID, paper_id: UUID, requests: Sequence[StartRequest]
) -> Sequence[StartedPaper | None]:
    try:
        async with unit_of_work(parts.batch_engine, parts.new_messages) as uow:
            exam, paper = await uow.exams.lock_paper_for_entry(ANY_CANDIDATE, exam_id, paper_id)
            if paper.paper_id is None or not _is_for_all(exam, paper):
                return [None] * len(requests)
            scope = await parts.placements.get(uow, exam_id, paper_id)  # Saves find it in memory then.
            starters = await lock_starters(uow, requests, scope)
            now = parts.clock.now()
            frozen = await parts.papers.get(uow, paper.paper_id)
            new = await _new_attempts(uow, _Entry(exam.id, paper, frozen, now), requests, starters)
            started = await resume_or_start(uow, parts, frozen, requests, starters, new, now)
            for request, each in zip(requests, started, strict=True):
                if each is not None and not each.is_new:
                    tell_other_devices(uow, exam, each.attempt, request.session_id)
            # An exam paper is not published anew once somebody has started it: all have the same version.
            key = package_key(parts, paper.id, frozen)
            return [None if each is None else StartedPaper(each, key) for each in started]
    except (NotFound, QuestionUnreadable, DBAPIError) as error:
        return leave_to_single_starts(requests, error)


def _is_for_all(exam: Exam, paper: ExamPaper) -> bool:
    return exam.cancelled_at is None and exam.released_at is None and paper.session_group is None


async def _new_attempts(
    uow: UnitOfWork, entry: _Entry, requests: Sequence[StartRequest], starters: Mapping[UUID, Starter]
) -> dict[UUID, NewAttempt]:
    """The attempts of those who are registered, have none yet, and come while the paper is open."""
    paper, now = entry.paper, entry.now
    registrations = await uow.registrations.of_people(entry.exam_id, starters)
    extra_times = ExtraTimes(await uow.exams.accommodations_for(entry.exam_id, starters))
    new: dict[UUID, NewAttempt] = {}
    for request in requests:
        user_id = request.account.id
        registration = registrations.get(user_id)
        if registration is None or starters[user_id].last_number > 0:
            continue
        try:
            require_open(paper, request.arrived_at, now)
        except (PaperNotOpen, EntryClosed):
            continue
        extra = extra_times.of(registration)
        new.setdefault(user_id, official_attempt(user_id, paper, entry.frozen, registration, extra, now))
    return new
