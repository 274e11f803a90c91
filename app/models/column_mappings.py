"""Mappings of columns that an institute uses again for sheets with the same headers (docs/decisions/0086)."""

from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Identified, Timestamped


class MappedSheet(StrEnum):
    """The kinds of sheets that take a mapping."""

    QUESTIONS = "questions"
    ANSWER_SHEETS = "answer_sheets"


class ColumnMapping(Identified, Timestamped, Base):
    """What the columns of one header are. A later import with another mapping replaces it."""

    __tablename__ = "column_mappings"
    __table_args__ = (
        UniqueConstraint("institute_id", "kind", "fingerprint"),
        CheckConstraint("kind in ('questions', 'answer_sheets')", name="kind"),
        Index("ix_column_mappings_saved_by", "saved_by"),
    )

    institute_id: Mapped[UUID] = mapped_column(ForeignKey("institutes.id"))
    kind: Mapped[str]
    fingerprint: Mapped[str]
    """A hash of the headers, whatever their order, case and spaces."""
    headers: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """The headers, for people who look through the list."""
    columns: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """The column of each header that the mapping names."""
    saved_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    """Who imported the sheet. Null for the command line and for an account that is purged."""
