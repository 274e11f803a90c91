"""The audit log: who did what, when and why, and which staff have read keys under embargo."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from structlog.contextvars import get_contextvars

from app.models import AuditEntry
from app.repositories.audit import AuditFilter
from app.repositories.base import Page, PageRequest
from app.repositories.embargo import Reader
from app.services.unit_of_work import Reading, UnitOfWork
from app.services.users import OPERATOR_ID, Principal

ACTIONS: Mapping[str, frozenset[str]] = {
    "user": frozenset(
        {
            "create",
            "change_role",
            "change_status",
            "change_enrolment",
            "sign_out",
            "reset_password",
            "delete_account",
            "restore",
            "purge",
        }
    ),
    "institute": frozenset({"rename"}),
    "roster": frozenset({"import"}),
    "question": frozenset({"change_key", "read_key"}),
    "bank": frozenset({"import", "export", "save_mapping", "delete_mapping"}),
    "test": frozenset(
        {
            "publish",
            "archive",
            "clone",
            "read_paper",
            "print_solutions",
            "consent",
            "withdraw_consent",
            "refresh_statistics",
            "read_similarity",
            "decide_objections",
            "export_objections",
            "try_key_revision",
            "publish_key_revision",
            "withdraw_key_revision",
        }
    ),
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
            "correct_registration",
            "read_response_sheet",
            "read_timeline",
            "close",
            "postpone",
            "cancel",
            "import_answer_sheets",
            "release",
            "void_left_over",
            "export_exam",
            "export_merit_list",
            "show_provisional_key",
            "show_final_key",
            "read_result_sheet",
            "read_certificate",
            "look_up_result",
            "request_result_file",
            "download_result_file",
        }
    ),
    "attempt": frozenset(
        {
            "extend",
            "pause",
            "resume",
            "submit",
            "reopen",
            "void",
            "admit-late",
            "close",
            "cancel",
            "void_left_over",
        }
    ),
}
"""Everything that is recorded, by the kind of its subject."""

MAX_IDS = 1_000
"""The most question ids in one entry. `count` has the real number."""


@dataclass(frozen=True, slots=True)
class AuditSubject:
    """The object of an action: one of the kinds of `ACTIONS`, and its id if it has one."""

    kind: str
    id: UUID | None = None


def record(
    reads: Reading,
    actor: Principal,
    action: str,
    subject: AuditSubject,
    *,
    reason: str | None = None,
    exam_id: UUID | None = None,
    attempt_id: UUID | None = None,
    **details: Any,
) -> None:
    """Write an entry. Details are JSON without secrets, and identify people by id only.

    In a unit of work the entry commits together with the action. In a read-only request entries are written
    in a second transaction, after the first has ended and before the response is sent. If that fails, the
    request fails, so that no key is read without an entry.
    """
    entry = _entry(actor, action, subject, reason, exam_id, attempt_id, details)
    reads.record(entry)


async def record_for_attempts(
    uow: UnitOfWork,
    actor: Principal,
    action: str,
    attempt_ids: Sequence[UUID],
    *,
    reason: str | None,
    exam_id: UUID,
    **details: Any,
) -> None:
    """Write the same entry for each of these attempts of an exam, with one statement."""
    if attempt_ids:
        entry = _entry(actor, action, AuditSubject("attempt"), reason, exam_id, None, details)
        await uow.audit.add_for_attempts(entry, attempt_ids)


def _entry(
    actor: Principal,
    action: str,
    subject: AuditSubject,
    reason: str | None,
    exam_id: UUID | None,
    attempt_id: UUID | None,
    details: dict[str, Any],
) -> AuditEntry:
    if action not in ACTIONS[subject.kind]:
        raise ValueError(f"{action} of {subject.kind} is not among the actions of the audit log")
    return AuditEntry(
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


def record_key_read(reads: Reading, reader: Principal, question_ids: Collection[UUID], where: str) -> None:
    """Record that keys of questions under embargo were shown. `where` names the feature that showed them."""
    if not question_ids:
        return
    several = sorted(map(str, question_ids))
    only = next(iter(question_ids)) if len(several) == 1 else None
    record(
        reads,
        reader,
        "read_key",
        AuditSubject("question", only),
        where=where,
        count=len(several),
        question_ids=several[:MAX_IDS],
    )


async def held_among(reads: Reading, question_ids: Collection[UUID]) -> set[UUID]:
    """Those of these questions that are in an unreleased exam, whoever the author."""
    nobody = Reader(OPERATOR_ID, is_staff=True, is_admin=False)
    return await reads.embargo.withheld(nobody, question_ids)


async def page(
    reads: Reading, admin: Principal, wanted: AuditFilter, request: PageRequest
) -> Page[AuditEntry]:
    """The log of the admin's institute, newest first."""
    return await reads.audit.page(admin.institute_id, wanted, request)
