"""The timeline of an attempt for staff: what happened, second by second, as it was stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Integer, literal_column

from app.core.errors import NotFound
from app.models import Attempt, AttemptLease, AuditEntry, Role
from app.repositories.base import Page, PageRequest, decode_cursor, encode_cursor
from app.services.analytics.candidates import ended_attempt
from app.services.components import Components
from app.services.exams.audit import record
from app.services.exams.response_sheets import exam_to_read
from app.services.proof.finding import closed
from app.services.unit_of_work import Reading
from app.services.users import Principal

Kind = Literal["lease", "response", "order", "ended"]

_SAME_MOMENT: Mapping[Kind, int] = {"lease": 0, "response": 1, "order": 2, "ended": 3}
_POSITION = literal_column("position", Integer)


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """One event. `facts` has what its kind has: see `TimelineEventOut`."""

    at: datetime
    elapsed_ms: int
    """Since the start of the attempt, pauses included."""
    kind: Kind
    facts: Mapping[str, Any] = field(default_factory=dict)


async def timeline(
    reads: Reading,
    parts: Components,
    staff: Principal,
    attempt_id: UUID,
    now: datetime,
    request: PageRequest,
) -> Page[TimelineEvent]:
    """A page of the timeline, the earliest event first. It has answers, and neither keys nor marks.

    Staff may read it when they may read the response sheet. Raises NotFound, Forbidden or NotPossible. The
    reading of an exam's attempt is audited.
    """
    attempt = await _find(reads, staff, attempt_id, now)
    paper = await parts.papers.get(reads, attempt.paper_id)
    numbers = dict(zip(paper.questions, count(1), strict=False))
    events = sorted(
        [
            *_leases(attempt, await reads.attempt_records.leases(attempt.id)),
            *_responses(attempt, await reads.attempt_records.log(attempt.id), numbers),
            *_orders(attempt, await reads.attempt_records.staff_actions(attempt.id)),
            *_end(attempt),
        ],
        key=lambda event: (event.at, _SAME_MOMENT[event.kind]),
    )
    first = int(decode_cursor(request.cursor, [_POSITION])[0]) if request.cursor is not None else 0
    shown = events[max(first, 0) : max(first, 0) + request.limit]
    after = max(first, 0) + len(shown)
    return Page(shown, encode_cursor([after]) if after < len(events) else None)


async def _find(reads: Reading, staff: Principal, attempt_id: UUID, now: datetime) -> Attempt:
    attempt = await reads.attempt_records.attempt(attempt_id)
    if attempt is None:
        raise NotFound("attempt")
    if attempt.exam_paper_id is None:
        if not staff.is_any(Role.AUTHOR, Role.EVALUATOR):
            raise NotFound("attempt")
        return (await ended_attempt(reads, staff, attempt.test_id, attempt_id, now)).attempt
    if not staff.is_any(Role.PROCTOR, Role.AUTHOR):
        raise NotFound("attempt")
    exam_paper = (await reads.attempt_records.record(attempt)).exam_paper
    assert exam_paper is not None  # noqa: S101 -- the attempt names it
    exam = await exam_to_read(reads, staff, exam_paper.exam_id, now)
    found = closed(attempt)
    record(reads, staff, "read_timeline", exam, attempt=str(found.id))
    return found


def _event(attempt: Attempt, at: datetime, kind: Kind, **facts: Any) -> TimelineEvent:
    elapsed_ms = round((at - attempt.started_at).total_seconds() * 1000)
    return TimelineEvent(at, elapsed_ms, kind, facts)


def _leases(attempt: Attempt, leases: Sequence[AttemptLease]) -> list[TimelineEvent]:
    """The start and each resumption. Attempts before leases were kept show their start alone."""
    if not leases:
        return [_event(attempt, attempt.started_at, "lease", lease=1)]
    return [_event(attempt, each.given_at, "lease", lease=each.lease, device=each.device) for each in leases]


def _responses(attempt: Attempt, log: Sequence[Any], numbers: Mapping[UUID, int]) -> list[TimelineEvent]:
    """Each response, and what became of it when it arrived. Late ones that were admitted are not late."""
    standing: dict[UUID, tuple[int, int]] = {}
    events = []
    for each in log:
        order, latest = (each.lease, each.revision), standing.get(each.question_id)
        outcome = "late" if each.late else "saved" if latest is None or order > latest else "superseded"
        if outcome == "saved":
            standing[each.question_id] = order
        facts = {
            "question_id": each.question_id,
            "number": numbers.get(each.question_id),
            "answer": each.answer,
            "lease": each.lease,
            "revision": each.revision,
            "outcome": outcome,
            "marked_for_review": each.marked_for_review,
            "time_spent_ms": each.time_spent_ms,
            "confidence": each.confidence,
            "language": each.language,
        }
        events.append(_event(attempt, each.received_at, "response", **facts))
    return events


def _orders(attempt: Attempt, orders: Sequence[AuditEntry]) -> list[TimelineEvent]:
    return [
        _event(
            attempt,
            each.created_at,
            "order",
            action=each.action,
            by=each.actor_id,
            reason=each.reason,
            seconds=each.details.get("seconds"),
        )
        for each in orders
    ]


def _end(attempt: Attempt) -> list[TimelineEvent]:
    """The end that stands. An end before a reopening is seen by the actions of staff."""
    if attempt.submitted_at is None:
        return []
    return [_event(attempt, attempt.submitted_at, "ended", closed_by=attempt.closed_by)]
