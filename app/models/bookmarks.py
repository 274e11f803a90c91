"""Bookmarks: questions that a person wants to find again, with notes."""

from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Identified, Timestamped


class Bookmark(Identified, Timestamped, Base):
    """A question that a person has reviewed and keeps, with a note of their own."""

    __tablename__ = "bookmarks"
    __table_args__ = (
        UniqueConstraint("user_id", "question_id"),
        Index("ix_bookmarks_user_id_id", "user_id", "id"),
        Index("ix_bookmarks_question_id", "question_id"),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    question_id: Mapped[UUID] = mapped_column(ForeignKey("questions.id", ondelete="CASCADE"))
    note: Mapped[str | None]
