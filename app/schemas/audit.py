"""The audit log."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field

from app.models import AuditEntry
from app.schemas.common import Out


class AuditSubjectOut(Out):
    """The object of an action."""

    kind: Annotated[str, Field(examples=["user", "question", "bank", "test", "exam", "attempt"])]
    id: UUID | None


class AuditLogEntryOut(Out):
    """An action of staff. `actor_id` is null if an operator acted at the command line."""

    id: UUID
    action: str
    subject: AuditSubjectOut
    actor_id: UUID | None
    exam_id: UUID | None
    reason: str | None
    details: dict[str, Any]
    request_id: str | None
    created_at: datetime

    @classmethod
    def of(cls, entry: AuditEntry) -> Self:
        """An entry of the audit log."""
        names = ("id", "action", "actor_id", "exam_id", "reason", "details", "request_id", "created_at")
        subject = AuditSubjectOut(kind=entry.subject_kind, id=entry.subject_id)
        return cls(subject=subject, **{name: getattr(entry, name) for name in names})
