"""Who did what to whom, and why: written in the transaction that does it, never changed."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Identified


class AuditEntry(Identified, Base):
    """One thing that staff did; `actor_id` is null where an operator worked at the command line."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_exam_id_id", "exam_id", "id", postgresql_where=text("exam_id is not null")),
    )

    institute_id: Mapped[UUID] = mapped_column(ForeignKey("institutes.id"))
    actor_id: Mapped[UUID | None]
    action: Mapped[str]
    exam_id: Mapped[UUID | None]
    attempt_id: Mapped[UUID | None]
    reason: Mapped[str | None]
    details: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
