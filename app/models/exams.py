"""Scheduled events, their papers in windows, who takes part and with what extra time."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Identified, LocalizedText, Timestamped


class Exam(Identified, Timestamped, Base):
    """A scheduled event. `released_at` lifts the embargo on its papers' tests (decision D13)."""

    __tablename__ = "exams"
    __table_args__ = (
        CheckConstraint("registration in ('required', 'open')", name="registration"),
        CheckConstraint("closes_at > opens_at", name="window"),
    )

    institute_id: Mapped[UUID] = mapped_column(ForeignKey("institutes.id"))
    title: Mapped[LocalizedText]
    description: Mapped[LocalizedText | None]
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    registration: Mapped[str] = mapped_column(server_default="required")
    cutoffs: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    published_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    released_at: Mapped[datetime | None]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))


class ExamPaper(Identified, Timestamped, Base):
    """One paper of an exam in its window; `paper_id` is pinned when the exam is published."""

    __tablename__ = "exam_papers"
    __table_args__ = (
        UniqueConstraint("exam_id", "code"),
        CheckConstraint("starts_at < entry_closes_at and entry_closes_at <= ends_at", name="window"),
        Index("ix_exam_papers_test_id", "test_id"),
    )

    exam_id: Mapped[UUID] = mapped_column(ForeignKey("exams.id"))
    test_id: Mapped[UUID] = mapped_column(ForeignKey("tests.id"))
    paper_id: Mapped[UUID | None] = mapped_column(ForeignKey("papers.id"))
    code: Mapped[str]
    title: Mapped[LocalizedText]
    starts_at: Mapped[datetime]
    entry_closes_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    qualifying_percent: Mapped[Any | None] = mapped_column(Numeric(5, 2))
    counts_for_merit: Mapped[bool] = mapped_column(server_default="true")


class Registration(Identified, Timestamped, Base):
    """A candidate's place in an exam, as things were then; `user_id` is null until an account claims it."""

    __tablename__ = "registrations"
    __table_args__ = (
        UniqueConstraint("exam_id", "roll_number"),
        UniqueConstraint("exam_id", "user_id"),
        CheckConstraint("pwbd between 1 and 5", name="pwbd"),
        Index("ix_registrations_user_id", "user_id"),
    )

    exam_id: Mapped[UUID] = mapped_column(ForeignKey("exams.id"))
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    roll_number: Mapped[str]
    name: Mapped[str]
    category: Mapped[str]
    pwbd: Mapped[int | None]


class Accommodation(Identified, Timestamped, Base):
    """Extra time for one registered candidate or for a group of them."""

    __tablename__ = "accommodations"
    __table_args__ = (
        CheckConstraint("num_nonnulls(user_id, candidate_group) = 1", name="one_target"),
        CheckConstraint("candidate_group in ('pwbd', 'all')", name="candidate_group"),
        Index("uq_accommodations_exam_id_user_id", "exam_id", "user_id", unique=True),
        Index("uq_accommodations_exam_id_candidate_group", "exam_id", "candidate_group", unique=True),
    )

    exam_id: Mapped[UUID] = mapped_column(ForeignKey("exams.id"))
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    candidate_group: Mapped[str | None]
    extra_seconds: Mapped[int]
    reason: Mapped[str]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
