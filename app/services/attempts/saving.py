"""Saving answers: checked against the paper in memory, judged and logged by one statement (decision D5)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.core.errors import (
    AttemptNotInProgress,
    DeadlinePassed,
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
from app.services.attempts.starting import section_windows
from app.services.components import Components
from app.services.questions.content import reading
from app.services.save_pacing import Saver
from app.services.tests.papers import FrozenPaper, PaperQuestion
from app.services.unit_of_work import UnitOfWork

Response = NewEvent
"""One response as a device sends it; the lease is the request's."""


@dataclass(frozen=True, slots=True)
class Target:
    """Which attempt a request writes to, and under which lease."""

    user_id: UUID
    test_id: UUID
    exam_paper_id: UUID | None
    attempt_id: UUID
    paper_id: UUID
    lease: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands for a question where the answer sent does not."""

    question_id: UUID
    lease: int
    revision: int
    answer: Any


@dataclass(frozen=True, slots=True)
class SaveReport:
    """What became of each response: it counts in exactly one of the four."""

    saved: int
    known: int
    superseded: Sequence[Standing]
    conflicts: Sequence[Standing]
    server_time: datetime
    deadline_at: datetime


async def save(
    uow: UnitOfWork, parts: Components, target: Target, sent: Sequence[Response], now: datetime
) -> SaveReport:
    """Log responses; what this returns is committed before the client hears of it, and will be graded.

    Raises Invalid (none is saved), NotFound, AttemptNotInProgress, SectionClosed, TooManyRequests,
    SaveLimitReached, or DeadlinePassed, which keeps the responses as late.
    """
    saver = parts.save_pacing.admit(target.user_id, target.attempt_id, len(sent), now)
    if saver.is_count_due:
        await _count(uow, saver, target.attempt_id)
    paper = await parts.papers.get(uow, target.paper_id)
    _check(paper, sent)
    grace = timedelta(seconds=parts.settings.grace_seconds)
    if paper.has_timed_sections:
        await _check_sections(uow, target, paper, sent, now, grace)
    request = SaveRequest(
        attempt_id=target.attempt_id,
        test_id=target.test_id,
        exam_paper_id=target.exam_paper_id,
        user_id=target.user_id,
        lease=target.lease,
        events=sent,
        now=now,
        grace=grace,
    )
    outcome = await uow.attempts.save(request)
    if outcome is None:
        raise NotFound("attempt")
    saver.uncounted += len(outcome.inserted)
    return _report(outcome, target.lease, sent, parts.clock.now())


async def _count(uow: UnitOfWork, saver: Saver, attempt_id: UUID) -> None:
    """Look how long the log is: now and then, since no save should take longer because of it."""
    saver.is_full = save_limits.is_full(*await uow.attempts.count_events(attempt_id))
    saver.uncounted = 0
    if saver.is_full:
        raise SaveLimitReached


def _report(outcome: SaveOutcome, lease: int, sent: Sequence[Response], server_time: datetime) -> SaveReport:
    if outcome.verdict == "banned":
        raise SessionRevoked  # An attempt token outlives a session, but not a ban.
    if outcome.verdict == "unknown_lease":
        raise Invalid.field("lease", "this lease was never handed out; start the test to get one")
    if outcome.verdict == "closed":
        raise AttemptNotInProgress(outcome.status)
    if outcome.verdict == "late":
        raise _too_late(outcome, lease, sent)
    verdicts = _verdicts(outcome, lease, sent)
    counts = Counter(type(verdict) for verdict in verdicts)
    return SaveReport(
        saved=counts[responses.Saved],
        known=counts[responses.Known],
        superseded=[_standing(v.standing) for v in verdicts if isinstance(v, responses.Superseded)],
        conflicts=[_standing(v.standing) for v in verdicts if isinstance(v, responses.Conflict)],
        server_time=server_time,
        deadline_at=outcome.deadline_at,
    )


def _too_late(outcome: SaveOutcome, lease: int, sent: Sequence[Response]) -> DeadlinePassed:
    """Answers that had come in time before, and are only repeated, are not called late."""
    in_time = {(UUID(entry["question_id"]), entry["lease"], entry["revision"]) for entry in outcome.log}
    known = sum((response.question_id, lease, response.revision) in in_time for response in sent)
    return DeadlinePassed(outcome.deadline_at, recorded=known < len(sent), known=known)


def _verdicts(outcome: SaveOutcome, lease: int, sent: Sequence[Response]) -> list[responses.Verdict]:
    """Judge each response against the log as the statement saw it, and against those before it."""
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
    target: Target,
    paper: FrozenPaper,
    sent: Sequence[Response],
    now: datetime,
    grace: timedelta,
) -> None:
    """A locked section takes answers only while it runs; the attempt's own end is `_report`'s matter."""
    attempt = await uow.attempts.find(
        target.attempt_id, of=target.user_id, test=target.test_id, exam_paper=target.exam_paper_id
    )
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


def _standing(event: responses.Event) -> Standing:
    return Standing(event.question_id, event.lease, event.revision, json_of(event.answer))
