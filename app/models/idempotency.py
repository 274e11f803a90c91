"""Answers to requests that carry an idempotency key."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class KeptResponse(Base):
    """The answer to a request with an `Idempotency-Key` (docs/decisions/0053), kept for a day.

    It is written in the transaction of the request, so that it exists exactly if the request was carried out.
    """

    __tablename__ = "kept_answers"
    __table_args__ = (Index("ix_kept_answers_created_at", "created_at"),)

    institute_id: Mapped[UUID] = mapped_column(
        ForeignKey("ias.institutes.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[UUID] = mapped_column(ForeignKey("ias.users.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes]
    """A hash of method, address and body of the request."""
    status: Mapped[int]
    media_type: Mapped[str]
    content: Mapped[bytes | None]
    """The body of the answer, compressed. None if it was too large to keep."""
    created_at: Mapped[datetime]
