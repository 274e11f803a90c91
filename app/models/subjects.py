"""The syllabus tree."""

from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Identified, LocalizedText, Timestamped


class Subject(Identified, Timestamped, Base):
    """A subject of the syllabus."""

    __tablename__ = "subjects"
    __table_args__ = (UniqueConstraint("institute_id", "slug"),)

    institute_id: Mapped[UUID] = mapped_column(ForeignKey("institutes.id"))
    slug: Mapped[str]
    name: Mapped[LocalizedText]
    description: Mapped[LocalizedText | None]
    position: Mapped[int] = mapped_column(server_default="0")


class Chapter(Identified, Timestamped, Base):
    """A chapter of a subject, or a part of another chapter."""

    __tablename__ = "chapters"
    __table_args__ = (UniqueConstraint("subject_id", "slug"),)

    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subjects.id"))
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("chapters.id"), index=True)
    slug: Mapped[str]
    name: Mapped[LocalizedText]
    position: Mapped[int] = mapped_column(server_default="0")
