"""Writing down what staff do, in the transaction that does it."""

from typing import Any
from uuid import UUID

from app.models import AuditEntry, Exam
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal


def record(
    uow: UnitOfWork,
    staff: Principal,
    action: str,
    exam: Exam,
    *,
    reason: str | None = None,
    attempt_id: UUID | None = None,
    **details: Any,
) -> None:
    """Note who did what to an exam, or to one attempt of it, and why. Details are JSON."""
    uow.audit.add(
        AuditEntry(
            institute_id=exam.institute_id,
            actor_id=staff.author_id,
            action=action,
            exam_id=exam.id,
            attempt_id=attempt_id,
            reason=reason,
            details=details,
        )
    )
