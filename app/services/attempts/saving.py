"""Saving answers: checked against the paper in memory, then judged and logged by one statement.

The reasons are in docs/decisions/0012 and docs/decisions/0088.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from app.core import receipts
from app.core.attempt_scope import AttemptRef
from app.core.errors import NotFound, Unavailable
from app.engine import save_limits, timing
from app.repositories.attempts import SaveOutcome, SaveRequest, given_time_of
from app.services.attempts.response_checks import SentResponse, checked
from app.services.attempts.save_memory import AttemptMemory, SectionTimes
from app.services.attempts.save_reports import ClosedQuestions, LateSave, SaveReport, report_of
from app.services.attempts.views import section_windows
from app.services.components import Components
from app.services.tests.papers import FrozenPaper
from app.services.unit_of_work import reading

log = structlog.get_logger(__name__)

KEY_SECONDS = 2.0
"""The longest time that a committed save waits for the key of its receipt."""


@dataclass(frozen=True, slots=True)
class SaveTarget:
    """The attempt that a request saves to, the paper version that it has, and the lease of the device."""

    attempt: AttemptRef
    paper_id: UUID
    lease: int


async def save_and_commit(
    parts: Components, target: SaveTarget, sent: Sequence[SentResponse], now: datetime
) -> SaveReport | LateSave:
    """Log responses, and commit them before this returns. Those in time are graded, late ones are not.

    Raises Invalid, NotFound, SessionRevoked, AttemptNotInProgress, SectionClosed, QuestionUnreadable,
    TooManyRequests or SaveLimitReached; then nothing is saved, unless another process has saved a part of
    the same request at the same moment: `known` counts what is. After Unavailable, or an error of the
    database, they may be saved all the same.
    """
    attempt = target.attempt
    memory = parts.save_memory.admit(attempt.user_id, attempt.id, now)
    if memory.is_count_due:
        await _count(parts, memory, attempt.id)
    paper = await _paper(parts, target.paper_id)
    valid = checked(paper, sent)
    grace = timedelta(seconds=parts.settings.grace_seconds)
    request = SaveRequest(attempt, target.lease, valid, now, grace, takes_new=not memory.is_full)
    closed_questions: ClosedQuestions = {}
    if paper.has_timed_sections:
        request, closed_questions = await _with_closed_sections(parts, memory, paper, request)
    outcome = await parts.save_batches.save(request)
    if outcome is not None and outcome.decision == "moved":  # Time was given since the process has read it.
        memory.section_times = None
        request, closed_questions = await _with_closed_sections(parts, memory, paper, request)
        outcome = await parts.save_batches.save(request)
    if outcome is None:
        raise NotFound("attempt")
    if outcome.decision == "moved":
        raise Unavailable
    if outcome.decision == "packed":
        outcome = await _with_packed_log(parts, request, outcome)
    memory.uncounted += len(outcome.inserted)
    report = report_of(request, outcome, closed_questions, parts.clock.now())
    if isinstance(report, SaveReport) and report.acknowledged:
        report.receipt = await _receipt(parts, request, report)
    return report


async def _with_packed_log(parts: Components, request: SaveRequest, outcome: SaveOutcome) -> SaveOutcome:
    """The outcome at an attempt that takes no answers, with the events which the statement does not read."""
    questions = {event.question_id for event in request.events}
    async with reading(parts.engine) as reads:
        packed = await reads.attempts.packed_log(request.attempt.id, questions)
    return replace(outcome, decision="closed", log=packed)


async def _receipt(parts: Components, request: SaveRequest, report: SaveReport) -> str | None:
    """The signed receipt of the acknowledged responses.

    None if the key cannot be read in time: the answers are saved all the same.
    """
    signer = parts.signers.in_memory
    if signer is None:
        try:
            async with asyncio.timeout(KEY_SECONDS):
                signer = await parts.signers.signer_of_reading(parts.batch_engine)
        except Exception:  # The answers are committed: no error may make this a failed save.
            log.exception("receipt_not_signed", attempt_id=str(request.attempt.id))
            return None
    facts = [receipts.response_facts(response, request.lease) for response in report.acknowledged]
    return receipts.issue(signer, request.attempt.id, request.arrived_at, facts)


async def _paper(parts: Components, paper_id: UUID) -> FrozenPaper:
    if (paper := parts.papers.in_memory(paper_id)) is not None:
        return paper
    async with reading(parts.engine) as reads:
        return await parts.papers.get(reads, paper_id)


async def _count(parts: Components, memory: AttemptMemory, attempt_id: UUID) -> None:
    """Count the events of the log. This is done only now and then, to keep saves fast."""
    async with reading(parts.engine) as reads:
        memory.is_full = save_limits.is_full(*await reads.attempts.count_events(attempt_id))
    memory.uncounted = 0


async def _with_closed_sections(
    parts: Components, memory: AttemptMemory, paper: FrozenPaper, request: SaveRequest
) -> tuple[SaveRequest, ClosedQuestions]:
    """The request with the questions of locked sections that have ended or have not started.

    The end of the attempt is not considered here: the statement that saves decides about it.
    """
    if (times := memory.section_times) is None:
        async with reading(parts.engine) as reads:
            found = await reads.attempts.find(request.attempt)
        times = memory.section_times = SectionTimes(section_windows(found, paper), given_time_of(found))
    windows = {
        window.section_id: window
        for window in times.windows
        if window.locked and not _takes_answers(window, request.arrived_at, request.grace)
    }
    closed_questions = {
        question_id: windows[section.id]
        for section in paper.sections
        if section.id in windows
        for question_id in section.question_ids
    }
    request = replace(request, closed_questions=closed_questions, given_time=times.given_time)
    return request, closed_questions


def _takes_answers(window: timing.SectionWindow, now: datetime, grace: timedelta) -> bool:
    return (
        window.opens_at <= now and timing.arrival(now, window.deadline_at, grace) is not timing.Arrival.LATE
    )
