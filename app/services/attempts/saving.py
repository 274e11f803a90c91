"""Saving answers: checked against the paper in memory, then judged and logged by one statement.

The reasons are in docs/decisions/0012.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.core.attempt_scope import AttemptRef
from app.core.errors import (
    AttemptNotInProgress,
    FieldError,
    Invalid,
    NotFound,
    SaveLimitReached,
    SectionClosed,
    SessionRevoked,
)
from app.engine import responses, save_limits, timing
from app.engine.answers import answer_of, json_of
from app.engine.question_types import question_type
from app.models import AttemptStatus
from app.repositories.attempts import NewEvent, SaveOutcome, SaveRequest
from app.services.attempts.save_pacing import Saver
from app.services.attempts.starting import section_windows
from app.services.components import Components
from app.services.questions.content import reading
from app.services.tests.papers import FrozenPaper, PaperQuestion
from app.services.unit_of_work import UnitOfWork

Response = NewEvent
"""One response as a device sends it. All responses of a request have the request's lease."""


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
class SaveReport:
    """What happened to each response. Each counts in exactly one of the first four fields."""

    saved: int
    known: int
    superseded: Sequence[StandingAnswer]
    conflicts: Sequence[StandingAnswer]
    server_time: datetime
    deadline_at: datetime


@dataclass(frozen=True, slots=True)
class LateSave:
    """The responses came after the deadline and its grace. New ones were kept as late and do not count."""

    deadline_at: datetime
    recorded: bool
    """Whether some responses were new, and were kept as late."""
    known: int
    """How many responses had been saved in time before. They count."""


async def save(
    uow: UnitOfWork, parts: Components, target: SaveTarget, sent: Sequence[Response], now: datetime
) -> SaveReport | LateSave:
    """Log responses. The transaction commits before the client gets the report; what is saved is graded.

    Raises Invalid, NotFound, AttemptNotInProgress, SectionClosed, TooManyRequests or SaveLimitReached; then
    nothing is saved.
    """
    attempt = target.attempt
    saver = parts.save_pacing.admit(attempt.user_id, attempt.id, len(sent), now)
    if saver.is_count_due:
        await _count(uow, saver, attempt.id)
    paper = await parts.papers.get(uow, target.paper_id)
    _check(paper, sent)
    grace = timedelta(seconds=parts.settings.grace_seconds)
    if paper.has_timed_sections:
        await _check_sections(uow, target, paper, sent, now, grace)
    outcome = await uow.attempts.save(SaveRequest(attempt, target.lease, sent, now, grace))
    if outcome is None:
        raise NotFound("attempt")
    saver.uncounted += len(outcome.inserted)
    return _report(outcome, target.lease, sent, parts.clock.now())


async def _count(uow: UnitOfWork, saver: Saver, attempt_id: UUID) -> None:
    """Count the events of the log. This is done only now and then, to keep saves fast."""
    saver.is_full = save_limits.is_full(*await uow.attempts.count_events(attempt_id))
    saver.uncounted = 0
    if saver.is_full:
        raise SaveLimitReached


def _report(
    outcome: SaveOutcome, lease: int, sent: Sequence[Response], server_time: datetime
) -> SaveReport | LateSave:
    if outcome.verdict == "banned":
        raise SessionRevoked  # An attempt token outlives a session, but not a ban.
    if outcome.verdict == "unknown_lease":
        raise Invalid.field("lease", "this lease was never handed out; start the test to get one")
    if outcome.verdict == "closed":
        raise AttemptNotInProgress(outcome.status)
    if outcome.verdict == "late":
        return _late_save(outcome, lease, sent)
    verdicts = _verdicts(outcome, lease, sent)
    counts = Counter(type(verdict) for verdict in verdicts)
    return SaveReport(
        saved=counts[responses.Saved],
        known=counts[responses.Known],
        superseded=[_standing_answer(v.standing) for v in verdicts if isinstance(v, responses.Superseded)],
        conflicts=[_standing_answer(v.standing) for v in verdicts if isinstance(v, responses.Conflict)],
        server_time=server_time,
        deadline_at=outcome.deadline_at,
    )


def _late_save(outcome: SaveOutcome, lease: int, sent: Sequence[Response]) -> LateSave:
    """Responses that were saved in time before and are only repeated are not late."""
    in_time = {(UUID(entry["question_id"]), entry["lease"], entry["revision"]) for entry in outcome.log}
    known = sum((response.question_id, lease, response.revision) in in_time for response in sent)
    return LateSave(outcome.deadline_at, recorded=known < len(sent), known=known)


def _verdicts(outcome: SaveOutcome, lease: int, sent: Sequence[Response]) -> list[responses.Verdict]:
    """Compare each response with the log as the statement saw it, and with the responses before it."""
    log = [_logged(entry) for entry in outcome.log]
    verdicts: list[responses.Verdict] = []
    for response in sent:
        event = _event(response, lease)
        verdict = responses.classify(log, event)
        verdicts.append(verdict)
        if isinstance(verdict, responses.Saved | responses.Superseded):
            log.append(event)
    return verdicts


def _check(paper: FrozenPaper, sent: Sequence[Response]) -> None:
    errors = [
        FieldError(f"responses.{number}.{field}", message)
        for number, response in enumerate(sent)
        for field, message in _mistakes(paper, response)
    ]
    if errors:
        raise Invalid("None of the responses was saved.", errors=errors)


def _mistakes(paper: FrozenPaper, response: Response) -> list[tuple[str, str]]:
    question = paper.questions.get(response.question_id)
    if question is None:
        return [("question_id", "this question is not in the paper")]
    mistakes = []
    if response.language is not None and response.language not in paper.languages:
        mistakes.append(("language", f"the paper has {', '.join(paper.languages)}"))
    if response.answer is not None and (sentence := _answer_problem(question, response.answer)):
        mistakes.append(("answer", sentence))
    return mistakes


def _answer_problem(question: PaperQuestion, answer: Any) -> str | None:
    """Why an answer cannot be one to this question. Two options of a single choice can: they are wrong."""
    with reading(question.id):
        return question_type(question.type).answer_problem(answer, question.options)


async def _check_sections(
    uow: UnitOfWork,
    target: SaveTarget,
    paper: FrozenPaper,
    sent: Sequence[Response],
    now: datetime,
    grace: timedelta,
) -> None:
    """Raise SectionClosed for a locked section that is not open. The attempt's own end is not judged here."""
    attempt = await uow.attempts.find(target.attempt)
    ended = attempt.status != AttemptStatus.IN_PROGRESS
    if ended or timing.arrival(now, attempt.deadline_at, grace) is timing.Arrival.LATE:
        return
    section_of = {
        question_id: section.id for section in paper.sections for question_id in section.question_ids
    }
    wanted = {section_of[response.question_id] for response in sent}
    for window in section_windows(attempt, paper):
        if window.section_id not in wanted or not window.locked:
            continue
        if timing.arrival(now, window.deadline_at, grace) is timing.Arrival.LATE:
            raise SectionClosed(window.section_id, window.deadline_at)
        if now < window.opens_at:
            raise SectionClosed(window.section_id, window.opens_at, opened=False)


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
