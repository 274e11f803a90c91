"""What became of the responses of a save, from what the statement found and did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.errors import Invalid, SessionRevoked
from app.core.saving_errors import AttemptNotInProgress, SaveLimitReached, SectionClosed
from app.engine import responses, timing
from app.engine.answers import answer_of, json_of
from app.engine.responses import Conflicting, Known, NotTaken, Saved, Superseded, Verdict
from app.repositories.attempts import SaveOutcome, SaveRequest
from app.services.attempts.response_checks import Response

ClosedQuestions = Mapping[UUID, timing.SectionWindow]
"""The questions whose section takes no answers now, each with the window of its section."""


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


@dataclass(slots=True)
class SaveReport:
    """What happened to each response. Each counts in exactly one of the first five fields, which are named as
    in the API's answer: `closed` has those whose section is closed.

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
    """Whether some responses are kept as late, by this request or one before."""
    known: int
    """How many responses had been saved in time before. They count."""


def report_of(
    request: SaveRequest, outcome: SaveOutcome, closed_questions: ClosedQuestions, server_time: datetime
) -> SaveReport | LateSave:
    if outcome.decision == "banned":
        raise SessionRevoked  # An attempt token outlives a session, but not a ban.
    if outcome.decision == "unknown_lease":
        raise Invalid.field("lease", "This lease was never handed out. Start the test to get one.")
    is_open = outcome.decision == "open" and request.takes_new
    verdicts = _verdicts(request, outcome, is_open=is_open)
    known = sum(isinstance(verdict, Known) for verdict in verdicts)
    if outcome.decision == "closed":
        raise AttemptNotInProgress(outcome.status, known=known)
    # NotTaken: not in the log before this statement. If the attempt is late and takes new responses, this
    # statement stored it as late.
    late_verdicts = _late_verdicts(request, outcome, verdicts)
    if not request.takes_new and any(isinstance(verdict, NotTaken) for verdict in late_verdicts):
        raise SaveLimitReached(known=known)
    if outcome.decision == "late":
        recorded = any(isinstance(verdict, NotTaken | Known) for verdict in late_verdicts)
        return LateSave(outcome.deadline_at, recorded=recorded, known=known)
    report = SaveReport(
        saved=sum(isinstance(verdict, Saved) for verdict in verdicts),
        known=known,
        superseded=[_standing_answer(v.standing) for v in verdicts if isinstance(v, Superseded)],
        conflicts=[_standing_answer(v.standing) for v in verdicts if isinstance(v, Conflicting)],
        closed=[
            ClosedResponse(event.question_id, closed_questions[event.question_id].section_id)
            for event, verdict in zip(request.events, verdicts, strict=True)
            if isinstance(verdict, NotTaken)
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
        window = closed_questions[request.events[0].question_id]
        raise _section_closed(report.closed, window, request.arrived_at)
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
        takes_new = is_open and event.question_id not in request.closed_questions
        verdict = responses.classify(log, event, takes_new=takes_new)
        verdicts.append(verdict)
        if isinstance(verdict, Saved | Superseded):
            log.append(event)
    return verdicts


def _late_verdicts(request: SaveRequest, outcome: SaveOutcome, verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Compare the responses that are not in the log in time with those that it has as late."""
    log = [_logged(entry) for entry in outcome.late]
    return [
        responses.classify(log, _event(response, request.lease), takes_new=False)
        for response, verdict in zip(request.events, verdicts, strict=True)
        if isinstance(verdict, NotTaken)
    ]


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
