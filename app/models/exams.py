"""Scheduled events, their papers in windows, who takes part and with what extra time, official results."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Identified, LocalizedText, Timestamped, WholeNumber


class Exam(Identified, Timestamped, Base):
    """A scheduled event. `released_at` lifts the embargo on its papers' tests (docs/decisions/0021)."""

    __tablename__ = "exams"
    __table_args__ = (
        CheckConstraint("registration in ('required', 'open')", name="registration"),
        CheckConstraint("closes_at > opens_at", name="window"),
        CheckConstraint("key_stage in ('provisional_key', 'final_key')", name="key_stage"),
        Index("ix_exams_institute_id_id", "institute_id", "id"),
        # The embargo asks for these alone, and there are few of them however many exams were held.
        Index(
            "ix_exams_unreleased", "id", postgresql_where=text("released_at is null and cancelled_at is null")
        ),
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
    key_stage: Mapped[str | None]
    """How far the key has come between the exam's end and its release; both stages may be skipped."""
    released_at: Mapped[datetime | None]
    results_version: Mapped[int | None]
    """Which release counts; older ones are kept."""
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))


class ExamPaper(Identified, Timestamped, Base):
    """One paper of an exam in its window; `paper_id` is pinned when the exam is published."""

    __tablename__ = "exam_papers"
    __table_args__ = (
        UniqueConstraint("exam_id", "code"),
        UniqueConstraint("exam_id", "test_id"),
        CheckConstraint("starts_at < entry_closes_at and entry_closes_at <= ends_at", name="window"),
        Index("ix_exam_papers_test_id", "test_id"),
        Index("ix_exam_papers_opening", "starts_at", postgresql_where=text("opening_told_at is null")),
        Index("ix_exam_papers_closing", "ends_at", postgresql_where=text("closing_told_at is null")),
    )

    exam_id: Mapped[UUID] = mapped_column(ForeignKey("exams.id"))
    test_id: Mapped[UUID] = mapped_column(ForeignKey("tests.id"))
    paper_id: Mapped[UUID | None] = mapped_column(ForeignKey("papers.id"))
    code: Mapped[str]
    title: Mapped[LocalizedText]
    starts_at: Mapped[datetime]
    entry_closes_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    qualifying_percent: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))
    counts_for_merit: Mapped[bool] = mapped_column(server_default="true")
    closed_at: Mapped[datetime | None]
    """When staff ended it before its time."""
    opening_told_at: Mapped[datetime | None]
    closing_told_at: Mapped[datetime | None]
    """When those in the exam's room were told; null until it has happened."""


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


class Announcement(Identified, Base):
    """What staff said to everybody in an exam. The socket carries it, this keeps it."""

    __tablename__ = "announcements"
    __table_args__ = (Index("ix_announcements_exam_id_id", "exam_id", "id"),)

    exam_id: Mapped[UUID] = mapped_column(ForeignKey("exams.id"))
    text: Mapped[LocalizedText]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ExamRelease(Base):
    """One release of an exam's results: which version, when, by whom, and how many are ranked in it."""

    __tablename__ = "exam_releases"

    exam_id: Mapped[UUID] = mapped_column(ForeignKey("exams.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    participants: Mapped[int]
    """How many have an exam rank."""
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ExamResult(Base):
    """What one registered candidate has achieved in an exam, as one release told it (docs/decisions/0035)."""

    __tablename__ = "exam_results"
    __table_args__ = (
        CheckConstraint("outcome in ('ranked', 'not_qualified', 'incomplete', 'absent')", name="outcome"),
        Index("ix_exam_results_merit", "exam_id", "version", "rank", "roll_number"),
    )

    exam_id: Mapped[UUID] = mapped_column(ForeignKey("exams.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    registration_id: Mapped[UUID] = mapped_column(ForeignKey("registrations.id"), primary_key=True)
    roll_number: Mapped[str]
    outcome: Mapped[str]
    total_numerator: Mapped[int | None] = mapped_column(WholeNumber)
    total_denominator: Mapped[int | None] = mapped_column(WholeNumber)
    total: Mapped[str | None]
    """The sum of the merit papers' printed scores."""
    qualified: Mapped[bool]
    rank: Mapped[int | None]
    percentile: Mapped[float | None]
    category_rank: Mapped[int | None]
    cutoff: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    papers: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    """By paper, in the exam's order: score, exact and printed, qualified, rank, percentile."""
