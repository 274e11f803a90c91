"""Starts of many candidates at one test, in one transaction. The reasons are in docs/decisions/0092."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

import structlog
from sqlalchemy.exc import DBAPIError

from app.core.attempt_scope import AttemptScope
from app.core.errors import AttemptsExhausted, NotAvailable, NotFound, QuestionUnreadable
from app.models import DEFAULT_INSTITUTE_ID, Role
from app.repositories.attempts.starts import Starter
from app.repositories.tests import Viewer
from app.services.attempts.starting import (
    EarlierAttempts,
    NewAttempt,
    Offer,
    StartedAttempt,
    attempt_row,
    newly_started,
    offered,
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
    """Who wants to start, on which device, and when the request came."""

    account: Account
    device: str | None
    arrived_at: datetime


async def start_together(parts: Components, test_id: UUID, request: StartRequest) -> StartedAttempt | None:
    """Start a new attempt, together with others who start the same test at this moment.

    None if a batch cannot carry it out: the candidate has an attempt in progress or no profile, is staff, is
    locked by another transaction, or may not start; or PostgreSQL refuses the batch, or the paper has a
    question that cannot be read. Then nothing was changed; call `start`, which handles these cases.

    After an error the attempt may have been stored. Who starts again resumes it.
    """
    return await parts.batches.outcome((start_together, test_id), request, partial(_start, parts, test_id))


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
            started = started_of(parts, offer.paper, requests, new, now)
            await uow.starts.add([each.attempt for each in started if each is not None])
    except (NotFound, NotAvailable, QuestionUnreadable, DBAPIError) as error:
        return leave_to_single_starts(requests, error)
    return started


def leave_to_single_starts(requests: Sequence[StartRequest], error: Exception) -> Sequence[None]:
    """The outcome of starts that failed together: each is carried out by itself.

    So a start that PostgreSQL refuses does not harm the others. If the connection is lost, all fail.
    """
    if isinstance(error, DBAPIError):
        if error.connection_invalidated:
            raise error
        log.warning("batch_of_starts_failed", exc_info=error)
    return [None] * len(requests)


async def lock_starters(
    uow: UnitOfWork, requests: Sequence[StartRequest], scope: AttemptScope
) -> dict[UUID, Starter]:
    """The candidates whom a batch can start, locked: see `start_together`. Their accounts are up to date."""
    # Of two requests of one person the first is served, so that its account counts.
    accounts = {request.account.id: request.account for request in reversed(requests)}
    found = await uow.starts.lock(list(accounts), scope)
    return {
        user_id: starter
        for user_id, starter in found.items()
        if starter.active
        and starter.role == Role.STUDENT
        and not starter.is_running
        and not has_newer_address(starter.email, starter.email_since, accounts[user_id])
    }


def _new_attempts(offer: Offer, starters: Iterable[Starter], now: datetime) -> dict[UUID, NewAttempt]:
    """The attempts of those who may start, by person."""
    new: dict[UUID, NewAttempt] = {}
    for starter in starters:
        earlier = EarlierAttempts(starter.last_number + 1, starter.valid_attempts)
        if offer.test.access != "enrolled" or starter.enrolment.is_active(now):
            with suppress(AttemptsExhausted):
                new[starter.user_id] = offer.new_attempt(starter.user_id, earlier, is_staff=False, now=now)
    return new


def started_of(
    parts: Components,
    paper: FrozenPaper,
    requests: Iterable[StartRequest],
    new: Mapping[UUID, NewAttempt],
    now: datetime,
) -> list[StartedAttempt | None]:
    """What each request gets: a new attempt, or None. Of two requests of one person the first gets it.

    Call it before the attempts are stored. If it raises QuestionUnreadable, none of them may be: its
    candidate could not take it.
    """
    left = dict(new)
    started: list[StartedAttempt | None] = []
    for request in requests:
        of_person = left.pop(request.account.id, None)
        if of_person is None:
            started.append(None)
        else:
            started.append(newly_started(parts, attempt_row(of_person, request.device, now), paper))
    return started
