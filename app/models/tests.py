"""Tests as authors compose them, and the frozen papers that candidates are served."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, false, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TEXT
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, Identified, LocalizedText, Timestamped


class Test(Identified, Timestamped, Base):
    """A mock test.

    Sections, marking, duration, languages, shuffling and texts are the draft of the next paper.

    Kind, subject, access, availability, attempts allowed, objection window and review policy are not
    versioned; changes take effect at once.
    """

    __tablename__ = "tests"
    __table_args__ = (
        CheckConstraint("kind in ('full', 'sectional', 'chapter', 'pyq', 'practice')", name="kind"),
        CheckConstraint("status in ('draft', 'published', 'archived')", name="status"),
        CheckConstraint("review in ('after_submit', 'after_release', 'never')", name="review"),
        CheckConstraint("access in ('free', 'enrolled')", name="access"),
        CheckConstraint("duration_seconds > 0", name="duration_seconds"),
        CheckConstraint("attempts_allowed > 0", name="attempts_allowed"),
        CheckConstraint("owner_id is null or is_personal", name="owner_id"),
        Index("ix_tests_institute_id_status_id", "institute_id", "status", "id"),
        Index("ix_tests_owner_id", "owner_id", postgresql_where=text("owner_id is not null")),
        UniqueConstraint("institute_id", "reference"),
    )

    institute_id: Mapped[UUID] = mapped_column(ForeignKey("institutes.id"))
    subject_id: Mapped[UUID | None] = mapped_column(ForeignKey("subjects.id"), index=True)
    title: Mapped[LocalizedText]
    description: Mapped[LocalizedText | None]
    kind: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="draft")
    duration_seconds: Mapped[int]
    languages: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    """The first language is the prevailing one: if texts differ, its text is authoritative."""
    marking: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """`{"correct": "2", "incorrect": "-2/3", "unattempted": "0", "partial", "dropped", "rounding": …}`"""
    shuffle: Mapped[dict[str, bool]] = mapped_column(JSONB)
    attempts_allowed: Mapped[int | None]
    review: Mapped[str]
    access: Mapped[str]
    available_from: Mapped[datetime | None]
    available_until: Mapped[datetime | None]
    objections: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """The window for objections to the key: `engine.objections.ObjectionRules`.

    Null: no objections are accepted.
    """
    paper_version: Mapped[int | None]
    reference: Mapped[str | None]
    """The name by which a file of `ias test compose` finds the test again (docs/decisions/0064)."""
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    is_personal: Mapped[bool] = mapped_column(server_default=false())
    """A practice test of one person (docs/decisions/0069). It stays personal after the account is purged."""
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    """The only user who may see a personal test. Null after the account is purged: then nobody may see it."""

    sections: Mapped[list["TestSection"]] = relationship(
        lazy="raise", order_by="TestSection.position", cascade="all, delete-orphan"
    )


class TestSection(Identified, Base):
    """A part of the draft, with options of its own."""

    __tablename__ = "test_sections"
    __table_args__ = (UniqueConstraint("test_id", "position", deferrable=True, initially="DEFERRED"),)

    test_id: Mapped[UUID] = mapped_column(ForeignKey("tests.id", ondelete="CASCADE"))
    position: Mapped[int]
    name: Mapped[LocalizedText]
    duration_seconds: Mapped[int | None]
    locked: Mapped[bool] = mapped_column(server_default="true")
    choose: Mapped[int | None]
    minimum_marks: Mapped[str | None]
    """A section does not qualify if both its exact and its printed score are below these marks."""
    marking: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))

    questions: Mapped[list["TestQuestion"]] = relationship(
        lazy="raise", order_by="TestQuestion.position", cascade="all, delete-orphan"
    )


class TestQuestion(Base):
    """A question's place in the draft, with marks of its own if they differ."""

    __tablename__ = "test_questions"
    __table_args__ = (Index("ix_test_questions_question_id", "question_id"),)

    section_id: Mapped[UUID] = mapped_column(
        ForeignKey("test_sections.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)
    question_id: Mapped[UUID] = mapped_column(ForeignKey("questions.id"))
    marking: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))


class Paper(Identified, Timestamped, Base):
    """The frozen, versioned form of a published test (docs/decisions/0013). Never updated, never deleted.

    The key is stored separately, in versions: `KeyVersion`.
    """

    __tablename__ = "papers"
    __table_args__ = (UniqueConstraint("test_id", "version"),)

    test_id: Mapped[UUID] = mapped_column(ForeignKey("tests.id"))
    version: Mapped[int]
    title: Mapped[LocalizedText]
    description: Mapped[LocalizedText | None]
    duration_seconds: Mapped[int]
    languages: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    marking: Mapped[dict[str, Any]] = mapped_column(JSONB)
    question_count: Mapped[int]
    max_marks: Mapped[str]
    document: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    """What candidates are served: JSON bytes, all languages, no key."""
    etag: Mapped[str]
    rules: Mapped[dict[str, Any]] = mapped_column(JSONB, deferred=True)
    """What the server needs to run an attempt: durations, sections, options, marks. No key."""
    published_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))


class KeyVersion(Identified, Base):
    """A version of a paper's key; the highest number is current. Never updated (docs/decisions/0047)."""

    __tablename__ = "paper_keys"
    __table_args__ = (
        UniqueConstraint("paper_id", "number"),
        CheckConstraint("number > 0", name="number"),
        CheckConstraint("number = 1 or reason is not null", name="reason"),
        Index("ix_paper_keys_cohort_id", "cohort_id"),
    )

    paper_id: Mapped[UUID] = mapped_column(ForeignKey("papers.id"))
    number: Mapped[int]
    """Counted from 1. Shown to people; code uses the id."""
    key: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """Keys and explanations, by question id: `{"key": …, "explanation": …}`."""
    fingerprint: Mapped[str]
    """A digest of the marking: `services/tests/cohorts.py`."""
    cohort_id: Mapped[UUID]
    """Attempts at the test that were graded by versions of one cohort are ranked together."""
    reason: Mapped[str | None]
    """Why this version replaces the previous one. Null for the first."""
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class PaperQuestion(Base):
    """A question's place in a frozen paper. A trigger writes these rows with the paper."""

    __tablename__ = "paper_questions"
    __table_args__ = (
        Index("ix_paper_questions_question_id", "question_id"),
        UniqueConstraint("paper_id", "position"),
    )

    paper_id: Mapped[UUID] = mapped_column(ForeignKey("papers.id"), primary_key=True)
    question_id: Mapped[UUID] = mapped_column(ForeignKey("questions.id"), primary_key=True)
    position: Mapped[int]
    """Counted from 1."""


class TestPopularity(Base):
    """The number of ranked candidates of a test at the last count. Lists by popularity use this order."""

    __tablename__ = "test_popularity"

    test_id: Mapped[UUID] = mapped_column(ForeignKey("tests.id", ondelete="CASCADE"), primary_key=True)
    participants: Mapped[int]


class TestConsent(Timestamped, Base):
    """The author of a test, or an admin, lets another author place it in their exams."""

    __tablename__ = "test_consents"

    test_id: Mapped[UUID] = mapped_column(ForeignKey("tests.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    granted_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))


class PaperMedia(Base):
    """An image of a paper. Active users with a non-void attempt at the paper may see it.

    Authors, evaluators and admins may see all images of the institute.
    """

    __tablename__ = "paper_media"

    paper_id: Mapped[UUID] = mapped_column(ForeignKey("papers.id"), primary_key=True)
    media_id: Mapped[UUID] = mapped_column(ForeignKey("media.id"), primary_key=True)
