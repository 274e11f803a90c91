"""The audit log: what staff do and what they read of held keys, written down with who, when and why."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from structlog.contextvars import get_contextvars

from app.models import AuditEntry
from app.repositories.audit import AuditFilter
from app.repositories.base import Page, PageRequest
from app.repositories.questions import BankReader
from app.services.unit_of_work import Reading
from app.services.users import OPERATOR_ID, Principal

ACTIONS: Mapping[str, frozenset[str]] = {
    "user": frozenset({"create", "change_role", "change_status", "sign_out"}),
    "question": frozenset({"change_key", "read_key"}),
    "bank": frozenset({"import", "export"}),
    "test": frozenset({"publish", "archive", "clone", "read_paper", "print_solutions"}),
    "exam": frozenset(
        {
            "create",
            "change",
            "add_paper",
            "change_paper",
            "remove_paper",
            "publish",
            "announce",
            "accommodate",
            "claim",
            "close",
            "postpone",
            "cancel",
            "import_answer_sheets",
            "release",
            "export_merit_list",
        }
    ),
    "attempt": frozenset({"extend", "pause", "resume", "submit", "reopen", "void", "admit-late"}),
}
"""Everything that is recorded, by the kind of its subject."""

MOST_IDS = 1_000
"""An entry names so many questions at most; `count` tells how many there were."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What was done something to, or read: one of the kinds of `ACTIONS`, and its id if it has one."""

    kind: str
    id: UUID | None = None


def record(
    reads: Reading,
    actor: Principal,
    action: str,
    subject: Subject,
    *,
    reason: str | None = None,
    exam_id: UUID | None = None,
    attempt_id: UUID | None = None,
    **details: Any,
) -> None:
    """Write an entry. Details are JSON without secrets, and name people by their ids alone.

    In a unit of work it commits together with what it tells. A request that only reads has a transaction in
    which nothing can be written: its entries are written in one of their own, when that one has ended and
    before the answer leaves. If they cannot be written, the request fails: nothing is read unseen.
    """
    if action not in ACTIONS[subject.kind]:
        raise ValueError(f"{action} of {subject.kind} is not among the actions of the audit log")
    entry = AuditEntry(
        institute_id=actor.institute_id,
        actor_id=actor.author_id,
        action=action,
        subject_kind=subject.kind,
        subject_id=subject.id,
        exam_id=exam_id,
        attempt_id=attempt_id,
        reason=reason,
        details=details,
        request_id=get_contextvars().get("request_id"),
    )
    reads.record(entry)


def record_key_read(reads: Reading, reader: Principal, question_ids: Collection[UUID], where: str) -> None:
    """Write down that somebody was shown keys of questions that an exam holds; `where` says by which way."""
    if not question_ids:
        return
    several = sorted(map(str, question_ids))
    only = next(iter(question_ids)) if len(several) == 1 else None
    record(
        reads,
        reader,
        "read_key",
        Subject("question", only),
        where=where,
        count=len(several),
        question_ids=several[:MOST_IDS],
    )


async def held_among(reads: Reading, reader: Principal, question_ids: Iterable[UUID]) -> set[UUID]:
    """Which of these questions an exam that is not released holds, whoever asks."""
    nobody = BankReader(reader.institute_id, OPERATOR_ID, is_admin=False)
    return await reads.questions.withheld(nobody, question_ids)


async def page(
    reads: Reading, admin: Principal, wanted: AuditFilter, request: PageRequest
) -> Page[AuditEntry]:
    """The log of the admin's institute, newest first."""
    return await reads.audit.page(admin.institute_id, wanted, request)
