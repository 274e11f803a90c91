"""Exams: their papers and windows, registrations, accommodations, announcements and official results."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Identified, LocalizedText, Timestamped, WholeNumber


class Exam(Identified, Timestamped, Base):
    """A scheduled event. The embargo on its papers' tests ends when `released_at` or `cancelled_at` is set.

    See docs/decisions/0021.
    """

    __tablename__ = "exams"
    __table_args__ = (
        CheckConstraint("registration in ('required', 'open')", name="registration"),
        CheckConstraint("closes_at > opens_at", name="window"),
        CheckConstraint("key_stage in ('provisional_key', 'final_key')", name="key_stage"),
        CheckConstraint("certificates in ('none', 'ranked', 'qualified', 'all')", name="certificates"),
        CheckConstraint(
            "percentile_definition in ('at_or_below', 'mid_rank', 'better_than')",
            name="percentile_definition",
        ),
        Index("ix_exams_institute_id_id", "institute_id", "id"),
        UniqueConstraint("institute_id", "reference"),
        # For the embargo. Few exams are neither released nor cancelled.
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
    tie_breaks: Mapped[str | list[dict[str, str]]] = mapped_column(JSONB, server_default='"none"')
    """A preset, or the criteria in their order: `engine.tie_breaks.chain_of`."""
    percentile_definition: Mapped[str] = mapped_column(server_default="at_or_below")
    """The definition of the percentiles of its results: `engine.ranking.PercentileDefinition`."""
    objections: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """The window for objections to the keys: `engine.objections.ObjectionRules`.

    Null: no objections are accepted.
    """
    published_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    key_stage: Mapped[str | None]
    """The stage of the key between the exam's end and its release. Both stages are optional."""
    released_at: Mapped[datetime | None]
    results_version: Mapped[int | None]
    """The current release; older ones are kept."""
    normalization: Mapped[str] = mapped_column(server_default="none")
    """How scores of session groups are compared: "none", or a name of `engine.normalization`."""
    certificates: Mapped[str] = mapped_column(server_default="none")
    """Who gets a certificate after the release (docs/decisions/0080)."""
    reference: Mapped[str | None]
    """The name by which a file of `ias exam create` finds the exam again (docs/decisions/0064)."""
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))


class ExamPaper(Identified, Timestamped, Base):
    """The placement of a test in an exam, with its window. Publishing the exam sets `paper_id`."""

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
    group_percents: Mapped[dict[str, str]] = mapped_column(JSONB, server_default="{}")
    """Other qualifying percentages, by category or kind of disability: `{"sc": "25", "pwbd": "20"}`."""
    section_percents: Mapped[dict[str, dict[str, str]]] = mapped_column(JSONB, server_default="{}")
    """Qualifying percentages of sections by name and group: `{"Physics": {"all": "30", "sc": "25"}}`."""
    counts_for_merit: Mapped[bool] = mapped_column(server_default="true")
    session_group: Mapped[str | None]
    """Each candidate sits one of the papers with the same session group (docs/decisions/0078)."""
    closed_at: Mapped[datetime | None]
    """When staff closed the paper early."""
    provisional_key_id: Mapped[UUID | None] = mapped_column(ForeignKey("paper_keys.id"))
    """The version of the key that candidates were shown as the provisional key."""
    final_key_id: Mapped[UUID | None] = mapped_column(ForeignKey("paper_keys.id"))
    """The version of the key that candidates were shown as the final key, before the release."""
    opening_told_at: Mapped[datetime | None]
    """When the opening was announced in the exam's room; null before."""
    closing_told_at: Mapped[datetime | None]
    """When the closing was announced in the exam's room; null before."""


class Registration(Identified, Timestamped, Base):
    """A candidate's place in an exam, with category and PwBD status at that time.

    `user_id` is null until staff assign the registration to an account.
    """

    __tablename__ = "registrations"
    __table_args__ = (
        UniqueConstraint("exam_id", "roll_number"),
        UniqueConstraint("exam_id", "user_id"),
        CheckConstraint("pwbd between 1 and 5", name="pwbd"),
        Index("ix_registrations_user_id", "user_id"),
        Index("ix_registrations_exam_id_id", "exam_id", "id"),
        # Staff search by the beginning of a roll number and by parts of a name.
        Index(
            "ix_registrations_roll_number_prefix",
            "exam_id",
            "roll_number",
            postgresql_ops={"roll_number": "text_pattern_ops"},
        ),
        Index(
            "ix_registrations_name_trigrams",
            "name",
            postgresql_using="gin",
            postgresql_ops={"name": "gin_trgm_ops"},
        ),
    )

    exam_id: Mapped[UUID] = mapped_column(ForeignKey("exams.id"))
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    roll_number: Mapped[str]
    name: Mapped[str]
    category: Mapped[str]
    pwbd: Mapped[int | None]


class WithdrawnRegistration(Base):
    """The roll number of a candidate who has withdrawn (docs/decisions/0061).

    Nobody else gets the number. The candidate gets it again if they register again.
    """

    __tablename__ = "withdrawn_registrations"
    __table_args__ = (Index("ix_withdrawn_registrations_exam_id_user_id", "exam_id", "user_id"),)

    exam_id: Mapped[UUID] = mapped_column(ForeignKey("exams.id"), primary_key=True)
    roll_number: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    withdrawn_at: Mapped[datetime]


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
    """A text that staff sent to everybody in an exam's room."""

    __tablename__ = "announcements"
    __table_args__ = (Index("ix_announcements_exam_id_id", "exam_id", "id"),)

    exam_id: Mapped[UUID] = mapped_column(ForeignKey("exams.id"))
    text: Mapped[LocalizedText]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ExamRelease(Base):
    """One release of an exam's results."""

    __tablename__ = "exam_releases"

    exam_id: Mapped[UUID] = mapped_column(ForeignKey("exams.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    participants: Mapped[int]
    """The number of candidates with a rank."""
    percentile_definition: Mapped[str] = mapped_column(server_default="at_or_below")
    """The definition of its percentiles."""
    tie_breaks: Mapped[str | list[dict[str, str]]] = mapped_column(JSONB, server_default='"none"')
    """How candidates with equal totals were ordered."""
    reason: Mapped[str | None]
    """The reason of the key revision. Null for the first release."""
    key_ids: Mapped[dict[str, str]] = mapped_column(JSONB, server_default="{}")
    """The version of each paper's key, by the id of the exam paper.

    Empty for releases made before this column existed.
    """
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ExamResult(Base):
    """The result of one registered candidate in one release of an exam (docs/decisions/0035)."""

    __tablename__ = "exam_results"
    __table_args__ = (
        CheckConstraint(
            "outcome in ('ranked', 'not_qualified', 'incomplete', 'absent', 'void', 'disqualified', 'staff')",
            name="outcome",
        ),
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
    """The sum of the printed scores of the merit papers."""
    qualified: Mapped[bool]
    rank: Mapped[int | None]
    percentile: Mapped[float | None]
    category_rank: Mapped[int | None]
    category_percentile: Mapped[float | None]
    """The percentile within the category, as `category_rank` is the rank within it."""
    pwbd_rank: Mapped[int | None]
    pwbd_percentile: Mapped[float | None]
    """The percentile among candidates with a benchmark disability, as `pwbd_rank` is the rank among them."""
    cutoff: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    papers: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    """The papers in the exam's order: exact and printed score, qualified, rank, percentile."""
