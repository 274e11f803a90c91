"""Saving answers: checked against the paper in memory, then judged and logged by one statement.

The reasons are in docs/decisions/0012.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.core import receipts
from app.core.attempt_scope import AttemptRef
from app.core.errors import Invalid, NotFound, SessionRevoked
from app.core.saving_errors import AttemptNotInProgress, SaveLimitReached, SectionClosed
from app.engine import responses, save_limits, timing
from app.engine.answers import answer_of, json_of
from app.engine.responses import Closed, Conflicting, Known, Saved, Superseded, Verdict
from app.repositories.attempts import SaveOutcome, SaveRequest
from app.services.attempts.response_checks import Response, SentResponse, checked
from app.services.attempts.save_pacing import Saver
from app.services.attempts.views import section_windows
from app.services.components import Components
from app.services.tests.papers import FrozenPaper
from app.services.unit_of_work import UnitOfWork

log = structlog.get_logger(__name__)

ClosedSections = Mapping[UUID, timing.SectionWindow]
"""The questions whose section takes no answers now, each with the window of its section."""


@dataclass(frozen=True, slots=True)
class SaveTarget:
    """The attempt that a request saves to, the paper version that it has, and the lease of the device."""

    attempt: AttemptRef
    paper_id: UUID
    lease: int


@dataclass(frozen=True, slots=True)
class StandingAnswer:
    """The answer that counts for a question, where it is not the one that was sent."""

    question_id: UUID
    lease: int
    revision: int
    answer: Any


@dataclass(frozen=True, slots=True)
class ClosedResponse:
    """A response that was not stored, because its section takes no answers now."""

    question_id: UUID
    section_id: UUID


@dataclass(frozen=True, slots=True)
class SaveReport:
    """What happened to each response. Each counts in exactly one of the first five fields.

    `acknowledged` has those that are in the log now, in the order in which they were sent: the saved, the
    known and the superseded ones. `receipt` is signed for these; None if there are none, or if the key cannot
    be read.
    """

    saved: int
    known: int
    superseded: Sequence[StandingAnswer]
    conflicts: Sequence[StandingAnswer]
    closed: Sequence[ClosedResponse]
    server_time: datetime
    deadline_at: datetime
    acknowledged: Sequence[Response] = ()
    receipt: str | None = None


@dataclass(frozen=True, slots=True)
class LateSave:
    """The responses came after the deadline and its grace. New ones were kept as late and do not count."""

    deadline_at: datetime
    recorded: bool
    """Whether some responses were new, and were kept as late."""
    known: int
    """How many responses had been saved in time before. They count."""


async def save(
    uow: UnitOfWork, parts: Components, target: SaveTarget, sent: Sequence[SentResponse], now: datetime
) -> SaveReport | LateSave:
    """Log responses. The transaction commits before the client gets the report; what is saved is graded.

    Raises Invalid, NotFound, AttemptNotInProgress, SectionClosed, QuestionUnreadable, TooManyRequests or
    SaveLimitReached; then nothing is saved.
    """
    attempt = target.attempt
    saver = parts.save_pacing.admit(attempt.user_id, attempt.id, len(sent), now)
    if saver.is_count_due:
        await _count(uow, saver, attempt.id)
    paper = await parts.papers.get(uow, target.paper_id)
    valid = checked(paper, sent)
    grace = timedelta(seconds=parts.settings.grace_seconds)
    closed: ClosedSections = {}
    if paper.has_timed_sections:
        closed = await _closed_sections(uow, target, paper, now, grace)
    request = SaveRequest(
        attempt, target.lease, valid, now, grace, closed=closed, takes_new=not saver.is_full
    )
    outcome = await uow.attempts.save(request)
    if outcome is None:
        raise NotFound("attempt")
    saver.uncounted += len(outcome.inserted)
    report = _report(request, outcome, closed, parts.clock.now())
    if isinstance(report, LateSave) or not report.acknowledged:
        return report
    return replace(report, receipt=await _receipt(uow, parts, request, report))


async def _receipt(
    uow: UnitOfWork, parts: Components, request: SaveRequest, report: SaveReport
) -> str | None:
    """The client gets it after the commit, or not at all: a failed commit is answered with an error.

    None if the key cannot be read: the answers are saved all the same.
    """
    try:
        signer = await parts.signers.signer(uow)
    except SQLAlchemyError:
        log.exception("receipt_not_signed", attempt_id=str(request.attempt.id))
        return None
    facts = [receipts.response_facts(response, request.lease) for response in report.acknowledged]
    return receipts.issue(signer, request.attempt.id, request.now, facts)


async def _count(uow: UnitOfWork, saver: Saver, attempt_id: UUID) -> None:
    """Count the events of the log. This is done only now and then, to keep saves fast."""
    saver.is_full = save_limits.is_full(*await uow.attempts.count_events(attempt_id))
    saver.uncounted = 0


async def _closed_sections(
    uow: UnitOfWork, target: SaveTarget, paper: FrozenPaper, now: datetime, grace: timedelta
) -> ClosedSections:
    """The questions of locked sections that have ended or have not started.

    The end of the attempt is not considered here: the statement that saves decides about it.
    """
    attempt = await uow.attempts.find(target.attempt)
    closed = {
        window.section_id: window
        for window in section_windows(attempt, paper)
        if window.locked and not _takes_answers(window, now, grace)
    }
    return {
        question_id: closed[section.id]
        for section in paper.sections
        if section.id in closed
        for question_id in section.question_ids
    }


def _takes_answers(window: timing.SectionWindow, now: datetime, grace: timedelta) -> bool:
    return (
        window.opens_at <= now and timing.arrival(now, window.deadline_at, grace) is not timing.Arrival.LATE
    )


def _report(
    request: SaveRequest, outcome: SaveOutcome, closed: ClosedSections, server_time: datetime
) -> SaveReport | LateSave:
    if outcome.verdict == "banned":
        raise SessionRevoked  # An attempt token outlives a session, but not a ban.
    if outcome.verdict == "unknown_lease":
        raise Invalid.field("lease", "This lease was never handed out. Start the test to get one.")
    is_open = outcome.verdict == "open" and request.takes_new
    verdicts = _verdicts(request, outcome, is_open=is_open)
    known = sum(isinstance(verdict, Known) for verdict in verdicts)
    if outcome.verdict == "closed":
        raise AttemptNotInProgress(outcome.status, known=known)
    has_new = any(isinstance(verdict, Closed) for verdict in verdicts)
    if not request.takes_new and has_new:
        raise SaveLimitReached(known=known)
    if outcome.verdict == "late":
        return LateSave(outcome.deadline_at, recorded=has_new, known=known)
    report = SaveReport(
        saved=sum(isinstance(verdict, Saved) for verdict in verdicts),
        known=known,
        superseded=[_standing_answer(v.standing) for v in verdicts if isinstance(v, Superseded)],
        conflicts=[_standing_answer(v.standing) for v in verdicts if isinstance(v, Conflicting)],
        closed=[
            ClosedResponse(event.question_id, closed[event.question_id].section_id)
            for event, verdict in zip(request.events, verdicts, strict=True)
            if isinstance(verdict, Closed)
        ],
        server_time=server_time,
        deadline_at=outcome.deadline_at,
        acknowledged=[
            event
            for event, verdict in zip(request.events, verdicts, strict=True)
            if isinstance(verdict, Saved | Known | Superseded)
        ],
    )
    if len(report.closed) == len(verdicts):
        raise _section_closed(report.closed, closed[request.events[0].question_id], request.now)
    return report


def _section_closed(
    refused: Sequence[ClosedResponse], window: timing.SectionWindow, now: datetime
) -> SectionClosed:
    opened = window.opens_at <= now
    return SectionClosed(
        window.section_id,
        window.deadline_at if opened else window.opens_at,
        opened=opened,
        closed=[{"question_id": each.question_id, "section_id": each.section_id} for each in refused],
    )


def _verdicts(request: SaveRequest, outcome: SaveOutcome, *, is_open: bool) -> list[Verdict]:
    """Compare each response with the log as the statement saw it, and with the responses before it."""
    log = [_logged(entry) for entry in outcome.log]
    verdicts: list[Verdict] = []
    for response in request.events:
        event = _event(response, request.lease)
        takes_new = is_open and event.question_id not in request.closed
        verdict = responses.classify(log, event, takes_new=takes_new)
        verdicts.append(verdict)
        if isinstance(verdict, Saved | Superseded):
            log.append(event)
    return verdicts


def _event(response: Response, lease: int) -> responses.Event:
    return responses.Event(
        question_id=response.question_id,
        lease=lease,
        revision=response.revision,
        answer=answer_of(response.answer),
        marked_for_review=response.marked_for_review,
        time_spent_ms=response.time_spent_ms,
        confidence=response.confidence,
        language=response.language,
    )


def _logged(entry: Mapping[str, Any]) -> responses.Event:
    return responses.Event(
        question_id=UUID(entry["question_id"]),
        lease=entry["lease"],
        revision=entry["revision"],
        answer=answer_of(entry["answer"]),
        marked_for_review=entry["marked_for_review"],
        time_spent_ms=entry["time_spent_ms"],
        confidence=entry["confidence"],
        language=entry["language"],
    )


def _standing_answer(event: responses.Event) -> StandingAnswer:
    return StandingAnswer(event.question_id, event.lease, event.revision, json_of(event.answer))
