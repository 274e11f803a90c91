"""Saving answers: checked against the paper in memory, then judged and logged by one statement.

The reasons are in docs/decisions/0012 and docs/decisions/0088.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import asyncpg
import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.core import receipts
from app.core.attempt_scope import AttemptRef
from app.core.errors import NotFound, Unavailable
from app.core.signing import Signer
from app.engine import save_limits, timing
from app.repositories.attempts import SaveOutcome, SaveRequest, given_time_of
from app.services.attempts.response_checks import SentResponse, checked
from app.services.attempts.save_pacing import Saver, SectionTimes
from app.services.attempts.save_reports import ClosedSections, LateSave, SaveReport, report_of
from app.services.attempts.views import section_windows
from app.services.components import Components
from app.services.tests.papers import FrozenPaper
from app.services.unit_of_work import Reading, UnitOfWork, reading

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SaveTarget:
    """The attempt that a request saves to, the paper version that it has, and the lease of the device."""

    attempt: AttemptRef
    paper_id: UUID
    lease: int


class _Database(Protocol):
    """What a save needs of the database. Most saves need the statement alone."""

    def reading(self) -> AbstractAsyncContextManager[Reading]: ...

    async def save(self, request: SaveRequest) -> SaveOutcome | None: ...

    async def signer(self) -> Signer: ...


@dataclass(frozen=True, slots=True)
class _OwnTransactions:
    """Saves together with other requests of this moment. They are committed when `save` returns."""

    parts: Components

    def reading(self) -> AbstractAsyncContextManager[Reading]:
        return reading(self.parts.engine)

    async def save(self, request: SaveRequest) -> SaveOutcome | None:
        return await self.parts.save_batches.save(request)

    async def signer(self) -> Signer:
        return await self.parts.signers.signer_of_reading(self.parts.batch_engine)


@dataclass(frozen=True, slots=True)
class _InTransaction:
    """Saves in the caller's transaction, which commits it."""

    parts: Components
    uow: UnitOfWork

    def reading(self) -> AbstractAsyncContextManager[Reading]:
        return nullcontext(self.uow)

    async def save(self, request: SaveRequest) -> SaveOutcome | None:
        return await self.uow.attempts.save(request)

    async def signer(self) -> Signer:
        return await self.parts.signers.signer(self.uow)


async def save(
    uow: UnitOfWork, parts: Components, target: SaveTarget, sent: Sequence[SentResponse], now: datetime
) -> SaveReport | LateSave:
    """Log responses in a transaction that has other work too. See `save_and_commit` for the errors.

    No route does this; tests and benchmarks do.
    """
    return await _save(_InTransaction(parts, uow), parts, target, sent, now)


async def save_and_commit(
    parts: Components, target: SaveTarget, sent: Sequence[SentResponse], now: datetime
) -> SaveReport | LateSave:
    """Log responses, and commit them before this returns. Those in time are graded, late ones are not.

    Raises Invalid, NotFound, SessionRevoked, AttemptNotInProgress, SectionClosed, QuestionUnreadable,
    TooManyRequests or SaveLimitReached; then nothing is saved. After Unavailable, or an error of the
    database, they may be saved all the same.
    """
    return await _save(_OwnTransactions(parts), parts, target, sent, now)


async def _save(
    database: _Database, parts: Components, target: SaveTarget, sent: Sequence[SentResponse], now: datetime
) -> SaveReport | LateSave:
    attempt = target.attempt
    saver = parts.save_pacing.admit(attempt.user_id, attempt.id, len(sent), now)
    if saver.is_count_due:
        await _count(database, saver, attempt.id)
    paper = await _paper(database, parts, target.paper_id)
    valid = checked(paper, sent)
    grace = timedelta(seconds=parts.settings.grace_seconds)
    closed: ClosedSections = {}
    request = SaveRequest(attempt, target.lease, valid, now, grace, takes_new=not saver.is_full)
    if paper.has_timed_sections:
        request, closed = await _with_closed_sections(database, saver, paper, request)
    outcome = await database.save(request)
    if outcome is not None and outcome.verdict == "moved":  # Time was given since the process has read it.
        saver.section_times = None
        request, closed = await _with_closed_sections(database, saver, paper, request)
        outcome = await database.save(request)
    if outcome is None:
        raise NotFound("attempt")
    if outcome.verdict == "moved":
        raise Unavailable
    if outcome.verdict == "packed":
        outcome = await _with_packed_log(database, request, outcome)
    saver.uncounted += len(outcome.inserted)
    report = report_of(request, outcome, closed, parts.clock.now())
    if isinstance(report, SaveReport) and report.acknowledged:
        report.receipt = await _receipt(database, parts, request, report)
    return report


async def _with_packed_log(database: _Database, request: SaveRequest, outcome: SaveOutcome) -> SaveOutcome:
    """The outcome at an attempt that takes no answers, with the events which the statement does not read."""
    questions = {event.question_id for event in request.events}
    async with database.reading() as reads:
        packed = await reads.attempts.packed_log(request.attempt.id, questions)
    return replace(outcome, verdict="closed", log=packed)


async def _receipt(
    database: _Database, parts: Components, request: SaveRequest, report: SaveReport
) -> str | None:
    """The signed receipt of the acknowledged responses.

    None if the key cannot be read: the answers are saved all the same.
    """
    signer = parts.signers.in_memory
    if signer is None:
        try:
            signer = await database.signer()
        except (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            log.exception("receipt_not_signed", attempt_id=str(request.attempt.id))
            return None
    facts = [receipts.response_facts(response, request.lease) for response in report.acknowledged]
    return receipts.issue(signer, request.attempt.id, request.now, facts)


async def _paper(database: _Database, parts: Components, paper_id: UUID) -> FrozenPaper:
    if (paper := parts.papers.in_memory(paper_id)) is not None:
        return paper
    async with database.reading() as reads:
        return await parts.papers.get(reads, paper_id)


async def _count(database: _Database, saver: Saver, attempt_id: UUID) -> None:
    """Count the events of the log. This is done only now and then, to keep saves fast."""
    async with database.reading() as reads:
        saver.is_full = save_limits.is_full(*await reads.attempts.count_events(attempt_id))
    saver.uncounted = 0


async def _with_closed_sections(
    database: _Database, saver: Saver, paper: FrozenPaper, request: SaveRequest
) -> tuple[SaveRequest, ClosedSections]:
    """The request with the questions of locked sections that have ended or have not started.

    The end of the attempt is not considered here: the statement that saves decides about it.
    """
    if (times := saver.section_times) is None:
        async with database.reading() as reads:
            found = await reads.attempts.find(request.attempt)
        times = saver.section_times = SectionTimes(section_windows(found, paper), given_time_of(found))
    windows = {
        window.section_id: window
        for window in times.windows
        if window.locked and not _takes_answers(window, request.now, request.grace)
    }
    closed = {
        question_id: windows[section.id]
        for section in paper.sections
        if section.id in windows
        for question_id in section.question_ids
    }
    return replace(request, closed=closed, given_time=times.given_time), closed


def _takes_answers(window: timing.SectionWindow, now: datetime, grace: timedelta) -> bool:
    return (
        window.opens_at <= now and timing.arrival(now, window.deadline_at, grace) is not timing.Arrival.LATE
    )
