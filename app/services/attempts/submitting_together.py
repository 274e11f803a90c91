"""Submits of many candidates at one test or exam paper, in one transaction (docs/decisions/0092)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import structlog
from sqlalchemy.exc import DBAPIError

from app.core.attempt_scope import AttemptRef
from app.models import Attempt, Result
from app.repositories.attempts import RUNNING
from app.services.attempts.closing import end_by_candidate
from app.services.attempts.grading import grade, is_held, request_grading
from app.services.attempts.results import ResultView, submitted_results
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork, looking, unit_of_work

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SubmitRequest:
    """The attempt that its candidate submits with an attempt token, and when the request came."""

    attempt: AttemptRef
    arrived_at: datetime


@dataclass(frozen=True, slots=True)
class Submitted:
    """A submitted attempt, and the summary of its result if its candidate may see it now."""

    attempt: Attempt
    result: ResultView | None


async def submit_together(parts: Components, request: SubmitRequest) -> Submitted | None:
    """End an attempt and grade it, together with others that are submitted at this moment.

    None if a batch cannot carry it out: the attempt is not running, is locked by another transaction, or its
    candidate is banned. Nothing was changed; call `submit`, which handles these cases.
    """
    key = submit_together, request.attempt.scope
    return await parts.batches.outcome(key, request, partial(_submit, parts))


async def _submit(parts: Components, requests: Sequence[SubmitRequest]) -> Sequence[Submitted | None]:
    try:
        async with unit_of_work(parts.batch_engine, parts.new_messages) as uow:
            submitted = await _end(uow, parts, requests)
            results = await _grade(uow, parts, [each for each in submitted.values() if not is_held(each)])
    except Exception as error:
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            raise
        # One attempt that cannot be graded must not harm the others: each is submitted by itself.
        log.warning("batch_of_submits_failed", exc_info=True)
        return [None] * len(requests)
    shown = await _shown(parts, [(submitted[result.attempt_id], result) for result in results])
    return [
        Submitted(attempt, shown.get(attempt.id)) if attempt is not None else None
        for attempt in (submitted.pop(request.attempt.id, None) for request in requests)
    ]


async def _end(uow: UnitOfWork, parts: Components, requests: Sequence[SubmitRequest]) -> dict[UUID, Attempt]:
    """End the attempts that are running. They are locked in the order of their ids."""
    found = await uow.attempts.lock_free([request.attempt.id for request in requests])
    active = await uow.users.active_among([request.attempt.user_id for request in requests])
    running = {each.id: each for each in found if each.status in RUNNING and each.user_id in active}
    grace = timedelta(seconds=parts.settings.grace_seconds)
    submitted: dict[UUID, Attempt] = {}
    for request in requests:
        attempt = running.get(request.attempt.id)
        if attempt is not None and attempt.id not in submitted and _is_of(attempt, request.attempt):
            await end_by_candidate(uow, attempt, request.arrived_at, grace)
            submitted[attempt.id] = attempt
    return submitted


def _is_of(attempt: Attempt, ref: AttemptRef) -> bool:
    where = attempt.user_id, attempt.test_id, attempt.exam_paper_id
    return where == (ref.user_id, ref.scope.test_id, ref.scope.exam_paper_id)


async def _shown(parts: Components, graded: Sequence[tuple[Attempt, Result]]) -> Mapping[UUID, ResultView]:
    """The summaries of results, read after the commit: the histograms are not locked any more."""
    if not graded:
        return {}
    try:
        async with looking(parts.batch_engine) as reads:
            return await submitted_results(reads, parts, graded)
    except Exception:
        # The attempts are submitted. Their candidates can ask for the results.
        log.warning("results_of_submits_not_read", exc_info=True)
        return {}


async def _grade(uow: UnitOfWork, parts: Components, attempts: Collection[Attempt]) -> Sequence[Result]:
    """Grade the attempts, or let jobs do it while somebody revises one of their keys."""
    results: list[Result] = []
    papers = sorted({attempt.paper_id for attempt in attempts})
    if all([await uow.keys.try_lock(paper_id) for paper_id in papers]):
        await grade(uow, parts, list(attempts), parts.clock.now(), collected=results)
    else:
        request_grading(uow, [attempt.id for attempt in attempts])
    return results
