"""Starts of many candidates at one test, in one transaction. The reasons are in docs/decisions/0092."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import structlog

from app.core.attempt_scope import AttemptScope
from app.core.errors import AttemptsExhausted, DomainError
from app.core.outages import is_outage_for_all
from app.models import DEFAULT_INSTITUTE_ID, Role
from app.repositories.attempts import RUNNING
from app.repositories.attempts.starts import Starter
from app.repositories.tests import Viewer
from app.services.attempts.closing import is_late
from app.services.attempts.starting import (
    EarlierAttempts,
    NewAttempt,
    Offer,
    StartedAttempt,
    attempt_row,
    newly_started,
    offered,
    resumed,
)
from app.services.components import Components
from app.services.tests.papers import FrozenPaper
from app.services.unit_of_work import UnitOfWork, unit_of_work
from app.services.users import Account, has_newer_address

log = structlog.get_logger(__name__)

ANY_CANDIDATE = Viewer(UUID(int=0), DEFAULT_INSTITUTE_ID, is_staff=False, enrolled=True)
"""A candidate who is enrolled and for whom no personal test was made."""


@dataclass(frozen=True, slots=True)
class StartRequest:
    """Who wants to start, in which session and on which device, and when the request came."""

    account: Account
    session_id: str
    device: str | None
    arrived_at: datetime


async def start_together(parts: Components, test_id: UUID, request: StartRequest) -> StartedAttempt | None:
    """Start a new attempt or resume the one in progress, together with others who do so at this moment.

    None if a batch cannot carry it out. Then nothing was changed; call `start`, which handles these cases:

    - The candidate has no profile, is staff, or may not start.
    - The time of the attempt in progress is over.
    - Another transaction has locked the candidate or the attempt.
    - An earlier request of the candidate is in the batch.
    - The test is not offered to all.
    - A paper has a question that cannot be read.
    - PostgreSQL refuses the batch.

    After an error the attempt may have been stored. Who starts again resumes it.
    """
    return await parts.write_batches.outcome(
        (start_together, test_id), request, partial(_start, parts, test_id)
    )


async def _start(
    parts: Components, test_id: UUID, requests: Sequence[StartRequest]
) -> Sequence[StartedAttempt | None]:
    try:
        async with unit_of_work(parts.batch_engine, parts.new_messages) as uow:
            await uow.tests.lock_shared(test_id)
            starters = await lock_starters(uow, requests, AttemptScope(test_id))
            now = parts.clock.now()
            offer = await offered(uow, parts, ANY_CANDIDATE, test_id, now)
            new = _new_attempts(offer, starters.values(), now)
            return await resume_or_start(uow, parts, offer.paper, requests, starters, new, now)
    except Exception as error:  # noqa: BLE001 -- one request must not harm the others
        return leave_to_single_starts(requests, error)


def leave_to_single_starts(requests: Sequence[StartRequest], error: Exception) -> Sequence[None]:
    """The outcome of starts that failed together: each is carried out by itself.

    So one that PostgreSQL refuses, or a damaged paper, does not harm the others. In an outage all fail.
    """
    if is_outage_for_all(error):
        raise error
    if not isinstance(error, DomainError):
        log.warning("batch_of_starts_failed", exc_info=error)
    return [None] * len(requests)


async def lock_starters(
    uow: UnitOfWork, requests: Sequence[StartRequest], scope: AttemptScope
) -> dict[UUID, Starter]:
    """The candidates whom a batch can start, locked: see `start_together`. Their accounts are up to date."""
    served = _first_of_each(requests)
    found = await uow.starts.lock(list(served), scope)
    return {
        user_id: starter
        for user_id, starter in found.items()
        if starter.active
        and starter.role == Role.STUDENT
        and not has_newer_address(starter.email, starter.email_since, served[user_id].account)
    }


def _first_of_each(requests: Sequence[StartRequest]) -> dict[UUID, StartRequest]:
    """The requests that a batch serves: of two requests of one person the first."""
    return {request.account.id: request for request in reversed(requests)}


def _new_attempts(offer: Offer, starters: Iterable[Starter], now: datetime) -> dict[UUID, NewAttempt]:
    """The attempts of those who have none in progress and may start, by person."""
    new: dict[UUID, NewAttempt] = {}
    for starter in starters:
        if starter.running_id is not None:
            continue
        earlier = EarlierAttempts(starter.last_number + 1, starter.valid_attempts)
        if offer.test.access != "enrolled" or starter.enrolment.is_active(now):
            with suppress(AttemptsExhausted):
                new[starter.user_id] = offer.new_attempt(starter.user_id, earlier, is_staff=False, now=now)
    return new


async def resume_or_start(
    uow: UnitOfWork,
    parts: Components,
    paper: FrozenPaper,
    requests: Sequence[StartRequest],
    starters: Mapping[UUID, Starter],
    new: Mapping[UUID, NewAttempt],
    now: datetime,
) -> list[StartedAttempt | None]:
    """What each request gets: the attempt in progress with the next lease, a new attempt, or None.

    If it raises QuestionUnreadable, nothing may be stored: a candidate could not take the attempt.
    """
    served = _first_of_each(requests)
    started = await _resume(uow, parts, served, starters.values(), now)
    added = {
        user_id: newly_started(parts, attempt_row(each, served[user_id].device, now), paper)
        for user_id, each in new.items()
    }
    await uow.starts.add([each.attempt for each in added.values()])
    started |= added
    return [started.pop(request.account.id, None) for request in requests]


async def _resume(
    uow: UnitOfWork,
    parts: Components,
    served: Mapping[UUID, StartRequest],
    starters: Iterable[Starter],
    now: datetime,
) -> dict[UUID, StartedAttempt]:
    """The attempts in progress, each with the next lease, by person.

    An attempt is left to `start`, which waits or ends it, if another transaction has locked it or ended it
    meanwhile, or if its time is over.
    """
    running = [starter.running_id for starter in starters if starter.running_id is not None]
    if not running:
        return {}
    grace = timedelta(seconds=parts.settings.grace_seconds)
    attempts = {
        attempt.user_id: attempt
        for attempt in await uow.attempts.lock_free(running)
        if attempt.user_id is not None and attempt.status in RUNNING and not is_late(now, attempt, grace)
    }
    await uow.starts.next_leases([(each, served[user_id].device) for user_id, each in attempts.items()], now)
    answers = await uow.attempts.standing_of([attempt.id for attempt in attempts.values()])
    return {
        user_id: resumed(
            parts, attempt, await parts.papers.get(uow, attempt.paper_id), answers.get(attempt.id, [])
        )
        for user_id, attempt in attempts.items()
    }
