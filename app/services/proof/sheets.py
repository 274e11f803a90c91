"""Signed response sheets: what was answered in an attempt, when, and what staff did to it (docs/proof.md)."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.core.receipts import response_facts
from app.core.signed_files import SHEET_FORMAT
from app.core.signing import ALGORITHM, Signer, canonical, digest_of, to_base64url
from app.engine.answers import answer_of
from app.engine.responses import count_changes
from app.models import Attempt, AttemptLease, AttemptStatus, AuditEntry
from app.repositories.attempts.records import AttemptRecord
from app.services.components import Components
from app.services.tests.papers import FrozenPaper
from app.services.unit_of_work import Reading

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SignedSheet:
    """A sheet with its signature, and what is needed to print it."""

    sheet: Json
    signature: Json
    paper: FrozenPaper

    @property
    def file(self) -> bytes:
        """The file that `ias verify` reads."""
        return canonical({"sheet": self.sheet, "signature": self.signature})


async def sign(reads: Reading, parts: Components, signer: Signer, attempt: Attempt) -> SignedSheet:
    """The signed sheet of a closed attempt. The caller has checked who may see it.

    It is a function of what is stored, without the time of the request: two requests get the same bytes.
    """
    record = await reads.attempt_records.record(attempt)
    paper = await parts.papers.get(reads, attempt.paper_id)
    log = await reads.attempt_records.log(attempt.id)
    leases = await reads.attempt_records.leases(attempt.id)
    orders = await reads.attempt_records.staff_actions(attempt.id)
    # A log has up to 30,000 events.
    return await asyncio.to_thread(_signed, signer, record, paper, log, leases, orders)


def _signed(
    signer: Signer,
    record: AttemptRecord,
    paper: FrozenPaper,
    log: Sequence[Any],
    leases: Sequence[AttemptLease],
    orders: Sequence[AuditEntry],
) -> SignedSheet:
    logged = [event_facts(event) for event in log]
    sheet: Json = {
        "format": SHEET_FORMAT,
        "institute": record.institute,
        "as_of": moment(_last_change(record.attempt, log, orders)),
        "candidate": {"name": record.name, "roll_number": record.roll_number},
        "test": {"id": str(record.attempt.test_id), "title": record.test_title},
        "exam": _exam(record),
        "paper": {"id": str(record.attempt.paper_id), "version": record.paper_version},
        "attempt": _attempt(record.attempt),
        "questions": _questions(paper, logged),
        "leases": [
            {"lease": each.lease, "device": each.device, "given_at": moment(each.given_at)} for each in leases
        ],
        "orders": [order_facts(order) for order in orders],
        "log": logged,
        "log_digest": digest_of(logged).hex(),
    }
    signature = {
        "algorithm": ALGORITHM,
        "key_id": signer.key_id,
        "value": to_base64url(signer.sign(canonical(sheet))),
    }
    return SignedSheet(sheet, signature, paper)


def moment(at: datetime) -> str:
    """A time in UTC with microseconds, always in one form."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def event_facts(event: Any) -> Json:
    """A response event, as a receipt has it, with its arrival."""
    return response_facts(event, event.lease) | {"received_at": moment(event.received_at), "late": event.late}


def order_facts(order: AuditEntry) -> Json:
    """What staff did, and when. The reason is theirs and is not shown."""
    return {
        "action": order.action,
        "at": moment(order.created_at),
        "seconds": order.details.get("seconds"),
    }


def _last_change(attempt: Attempt, log: Sequence[Any], orders: Sequence[AuditEntry]) -> datetime:
    """When the attempt or its log changed last. A regrading changes neither."""
    times = [attempt.started_at, *(order.created_at for order in orders)]
    times += [event.received_at for event in log]
    return max(times if attempt.submitted_at is None else [*times, attempt.submitted_at])


def _exam(record: AttemptRecord) -> Json | None:
    if record.exam_paper is None:
        return None
    paper = record.exam_paper
    return {
        "id": str(paper.exam_id),
        "title": record.exam_title,
        "paper": {"id": str(paper.id), "code": paper.code, "title": paper.title},
    }


def _attempt(attempt: Attempt) -> Json:
    """Whether it is graded is not said: the sheet is the same before and after, and under embargo."""
    return {
        "id": str(attempt.id),
        "number": attempt.number,
        "practice": attempt.practice,
        "status": "void" if attempt.status == AttemptStatus.VOID else "submitted",
        "started_at": moment(attempt.started_at),
        "deadline_at": moment(attempt.deadline_at),
        "submitted_at": moment(attempt.submitted_at) if attempt.submitted_at else None,
        "closed_by": attempt.closed_by,
        "extra_seconds": attempt.accommodation_seconds,
        "leases": attempt.lease,
    }


def _questions(paper: FrozenPaper, log: Sequence[Json]) -> list[Json]:
    """Every question in the order of the paper, with the answer that stands. Late answers do not count."""
    section_of = {question: section.id for section in paper.sections for question in section.question_ids}
    by_question: dict[str, list[Json]] = {}
    for event in log:
        if not event["late"]:
            by_question.setdefault(event["question_id"], []).append(event)
    return [
        _question(number, question_id, section_of[question_id], by_question.get(str(question_id), []))
        for number, question_id in enumerate(paper.questions, start=1)
    ]


def _in_order(events: Sequence[Json]) -> list[Json]:
    return sorted(events, key=lambda each: (each["lease"], each["revision"]))


def _question(number: int, question_id: UUID, section_id: UUID, events: Sequence[Json]) -> Json:
    standing: Mapping[str, Any] = _in_order(events)[-1] if events else {}
    spent: dict[int, int] = {}
    for event in events:  # Devices count time up within their lease, and leases add up.
        spent[event["lease"]] = max(spent.get(event["lease"], 0), event["time_spent_ms"])
    return {
        "number": number,
        "question_id": str(question_id),
        "section_id": str(section_id),
        "answer": standing.get("answer"),
        "lease": standing.get("lease"),
        "revision": standing.get("revision"),
        "received_at": standing.get("received_at"),
        "marked_for_review": standing.get("marked_for_review", False),
        "confidence": standing.get("confidence"),
        "time_spent_ms": sum(spent.values()),
        "changes": count_changes([answer_of(each["answer"]) for each in _in_order(events)]),
    }
