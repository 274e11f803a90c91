"""Submits of many candidates at one test or exam paper, in one transaction (docs/decisions/0092)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import structlog

from app.core.attempt_scope import AttemptRef
from app.core.outages import is_outage_for_all
from app.models import Attempt, AttemptStatus, Result
from app.repositories.attempts import RUNNING
from app.services.attempts.closing import end_by_candidate
from app.services.attempts.grading import grade, is_held, request_grading
from app.services.attempts.results import ResultView, revisions_of, submitted_results
from app.services.attempts.views import refers_to
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork, looking, reading, unit_of_work

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

    An attempt that has ended before is answered as it is. None if a batch cannot carry it out: the attempt is
    void or does not exist, it is open or not graded yet and another transaction has locked it, or its
    candidate is banned. Nothing was changed; call `submit`, which handles these cases.
    """
    key = submit_together, request.attempt.scope
    return await parts.write_batches.outcome(key, request, partial(_submit, parts))


async def _submit(parts: Components, requests: Sequence[SubmitRequest]) -> Sequence[Submitted | None]:
    try:
        async with unit_of_work(parts.batch_engine, parts.new_messages) as uow:
            submitted = await _end(uow, parts, requests)
            results = await _grade(uow, parts, [each for each in submitted.values() if not is_held(each)])
    except Exception as error:
        if is_outage_for_all(error):
            raise
        # One attempt that cannot be graded must not harm the others: each is submitted by itself.
        log.warning("batch_of_submits_failed", exc_info=True)
        return [None] * len(requests)
    attempts = {attempt.id: attempt for attempt in submitted.values()}
    shown = await _shown(parts, [(attempts[result.attempt_id], result) for result in results])
    done = {ref: Submitted(attempt, shown.get(attempt.id)) for ref, attempt in submitted.items()}
    left = [request.attempt for request in requests if request.attempt not in done]
    if left:
        done |= await _ended_before(parts, left)
    return [done.get(request.attempt) for request in requests]


async def _end(
    uow: UnitOfWork, parts: Components, requests: Sequence[SubmitRequest]
) -> dict[AttemptRef, Attempt]:
    """End the attempts that are running, and find those that wait to be graded. All are locked."""
    found = await uow.attempts.lock_free([request.attempt.id for request in requests])
    active = await uow.users.active_among([request.attempt.user_id for request in requests])
    free = {each.id: each for each in found if each.user_id in active}
    grace = timedelta(seconds=parts.settings.grace_seconds)
    submitted: dict[AttemptRef, Attempt] = {}
    for request in requests:
        attempt = free.get(request.attempt.id)
        if attempt is None or not refers_to(request.attempt, attempt):
            continue
        if attempt.status in RUNNING:
            await end_by_candidate(uow, attempt, request.arrived_at, grace)
            submitted[request.attempt] = attempt
        elif attempt.status == AttemptStatus.SUBMITTED and not is_held(attempt):
            submitted[request.attempt] = attempt
    return submitted


async def _ended_before(parts: Components, refs: Sequence[AttemptRef]) -> Mapping[AttemptRef, Submitted]:
    """Those of the attempts that ended and were graded before, or are held, with what may be shown.

    One snapshot is read without locks: an attempt that has ended takes no answers, and whoever changes it at
    this moment, for example reopens it, counts as having come later.
    """
    try:
        async with reading(parts.batch_engine) as reads:
            found = await reads.attempts.with_results([ref.id for ref in refs])
            active = await reads.users.active_among([ref.user_id for ref in refs])
            ended = {
                each.id: each for each, _ in found if each.user_id in active and _needs_no_grading_now(each)
            }
            graded = [(each, result) for each, result in found if each.id in ended and result is not None]
            revisions = await revisions_of(reads, [attempt.id for attempt, _ in graded])
            shown = await submitted_results(reads, parts, graded, revisions)
    except Exception:
        log.warning("ended_attempts_not_read", exc_info=True)
        return {}
    return {
        ref: Submitted(attempt, shown.get(attempt.id))
        for ref in refs
        if (attempt := ended.get(ref.id)) is not None and refers_to(ref, attempt)
    }


def _needs_no_grading_now(attempt: Attempt) -> bool:
    """Whether an attempt is graded, or has ended and waits for the release of its exam."""
    return attempt.status == AttemptStatus.GRADED or (
        attempt.status == AttemptStatus.SUBMITTED and is_held(attempt)
    )


async def _shown(parts: Components, graded: Sequence[tuple[Attempt, Result]]) -> Mapping[UUID, ResultView]:
    """The summaries of results, read after the commit: the histograms are not locked any more.

    They were graded a moment ago, so that no revision has changed them.
    """
    if not graded:
        return {}
    try:
        async with looking(parts.batch_engine) as reads:
            return await submitted_results(reads, parts, graded, revisions={})
    except Exception:
        # The attempts are submitted. Their candidates can ask for the results.
        log.warning("results_of_submits_not_read", exc_info=True)
        return {}


async def _grade(uow: UnitOfWork, parts: Components, attempts: Collection[Attempt]) -> Sequence[Result]:
    """Grade the attempts, or let jobs do it while somebody revises one of their keys."""
    results: list[Result] = []
    papers = sorted({attempt.paper_id for attempt in attempts})
    if all([await uow.keys.try_lock(paper_id) for paper_id in papers]):
        await grade(uow, parts, list(attempts), parts.clock.now(), append_results_to=results)
    else:
        request_grading(uow, [attempt.id for attempt in attempts])
    return results
