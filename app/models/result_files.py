"""ZIP files with the result sheets or certificates of an exam, made by a job (docs/decisions/0080)."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Identified


class ResultFileKind(StrEnum):
    """What is in a file."""

    RESULT_SHEETS = "result_sheets"
    CERTIFICATES = "certificates"


class ResultFile(Identified, Base):
    """A file with one PDF for each candidate. It is in the storage: in parts while it is made, then whole."""

    __tablename__ = "result_files"
    __table_args__ = (
        CheckConstraint("kind in ('result_sheets', 'certificates')", name="kind"),
        CheckConstraint("language in ('en', 'hi', 'both')", name="language"),
        CheckConstraint("done <= total", name="done"),
        Index("ix_result_files_exam_id", "exam_id"),
        Index("ix_result_files_created_by", "created_by"),
        Index("ix_result_files_expires_at", "expires_at"),
    )

    exam_id: Mapped[UUID] = mapped_column(ForeignKey("exams.id"))
    version: Mapped[int]
    """The release that the file shows. A later release does not change it."""
    kind: Mapped[str]
    language: Mapped[str]
    only: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    """Whose documents are wanted: `roll_numbers`, `categories` and `outcomes`. Empty: everybody's."""
    total: Mapped[int]
    done: Mapped[int] = mapped_column(server_default="0")
    parts: Mapped[int] = mapped_column(server_default="0")
    last_registration_id: Mapped[UUID | None]
    """The candidates are taken in the order of their registrations' ids; those up to this one are done."""
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ready_at: Mapped[datetime | None]
    size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    downloaded_at: Mapped[datetime | None]
    """When the first download began."""
    expires_at: Mapped[datetime]
    """When the file expires. A worker then deletes it and its row."""
