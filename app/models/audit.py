"""The audit log. PostgreSQL refuses to change or delete a row."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Identified


class AuditEntry(Identified, Base):
    """An action of staff. `actor_id` is null for the command line.

    Entries name people by id and have no keys, texts or answers: they are kept when a person is deleted, and
    every admin may read them.
    """

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_exam_id_id", "exam_id", "id", postgresql_where=text("exam_id is not null")),
        Index("ix_audit_entries_institute_id_id", "institute_id", "id"),
        Index("ix_audit_entries_institute_id_action_id", "institute_id", "action", "id"),
        Index("ix_audit_entries_institute_id_subject_kind_id", "institute_id", "subject_kind", "id"),
        Index("ix_audit_entries_actor_id_id", "actor_id", "id"),
        Index("ix_audit_entries_subject_id_id", "subject_id", "id"),
    )

    institute_id: Mapped[UUID] = mapped_column(ForeignKey("institutes.id"))
    actor_id: Mapped[UUID | None]
    action: Mapped[str]
    subject_kind: Mapped[str] = mapped_column(server_default="exam")
    """`user`, `question`, `bank`, `test`, `exam` or `attempt`."""
    subject_id: Mapped[UUID | None]
    """Null for the bank, and for several questions, which are in `details`."""
    exam_id: Mapped[UUID | None]
    """The exam of the subject."""
    attempt_id: Mapped[UUID | None]
    reason: Mapped[str | None]
    details: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    request_id: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
