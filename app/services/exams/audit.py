"""Audit entries of an exam, written in the transaction of the change."""

from typing import Any
from uuid import UUID

from app.models import Exam
from app.services import audit
from app.services.audit import AuditSubject
from app.services.unit_of_work import Reading
from app.services.users import Principal


def record(
    reads: Reading,
    staff: Principal,
    action: str,
    exam: Exam,
    *,
    reason: str | None = None,
    attempt_id: UUID | None = None,
    **details: Any,
) -> None:
    """Record an action on an exam, or on one attempt of it. Details are JSON."""
    audit.record(
        reads,
        staff,
        action,
        AuditSubject("attempt", attempt_id) if attempt_id else AuditSubject("exam", exam.id),
        reason=reason,
        exam_id=exam.id,
        attempt_id=attempt_id,
        **details,
    )
