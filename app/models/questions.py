"""The question bank: questions, passages and media, with immutable versions."""

from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, INTEGER, JSONB, TEXT, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, Identified, LocalizedText, Timestamped
from app.models.subjects import Chapter, Subject


class Media(Identified, Timestamped, Base):
    """An image of the bank, re-encoded and stored by the hash of its bytes."""

    __tablename__ = "media"
    __table_args__ = (UniqueConstraint("institute_id", "sha256"),)

    institute_id: Mapped[UUID] = mapped_column(ForeignKey("institutes.id"))
    sha256: Mapped[str]
    content_type: Mapped[str]
    size_bytes: Mapped[int]
    width: Mapped[int]
    height: Mapped[int]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))


class Passage(Identified, Timestamped, Base):
    """A text or data set that several questions share. Its content is in its versions."""

    __tablename__ = "passages"
    __table_args__ = (
        CheckConstraint("status in ('active', 'retired')", name="status"),
        Index(
            "uq_passages_institute_id_external_id",
            "institute_id",
            "external_id",
            unique=True,
            postgresql_where=text("external_id is not null"),
        ),
    )

    institute_id: Mapped[UUID] = mapped_column(ForeignKey("institutes.id"))
    external_id: Mapped[str | None]
    status: Mapped[str] = mapped_column(server_default="active")
    current_version: Mapped[int] = mapped_column(server_default="1")

    version: Mapped["PassageVersion"] = relationship(
        primaryjoin="and_(Passage.id == foreign(PassageVersion.passage_id),"
        " Passage.current_version == foreign(PassageVersion.number))",
        lazy="raise",
        uselist=False,
        viewonly=True,
    )


class PassageVersion(Identified, Timestamped, Base):
    """One immutable version of a passage."""

    __tablename__ = "passage_versions"
    __table_args__ = (UniqueConstraint("passage_id", "number"),)

    passage_id: Mapped[UUID] = mapped_column(ForeignKey("passages.id", ondelete="CASCADE"))
    number: Mapped[int]
    text: Mapped[LocalizedText]
    media: Mapped[list[str]] = mapped_column(JSONB, server_default="[]")
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))


class Question(Identified, Timestamped, Base):
    """A question of the bank: its identity and place. Its content is in its versions."""

    __tablename__ = "questions"
    __table_args__ = (
        CheckConstraint("status in ('draft', 'active', 'retired')", name="status"),
        Index(
            "uq_questions_institute_id_external_id",
            "institute_id",
            "external_id",
            unique=True,
            postgresql_where=text("external_id is not null"),
        ),
        Index(
            "uq_questions_institute_id_source_number",
            "institute_id",
            "source",
            "source_number",
            unique=True,
            postgresql_where=text("external_id is null and source is not null and source_number is not null"),
        ),
        Index("ix_questions_institute_id_subject_id_id", "institute_id", "subject_id", "id"),
        Index("ix_questions_chapter_id_id", "chapter_id", "id"),
        Index("ix_questions_fingerprint", "institute_id", "fingerprint"),
    )

    institute_id: Mapped[UUID] = mapped_column(ForeignKey("institutes.id"))
    subject_id: Mapped[UUID] = mapped_column(ForeignKey("subjects.id"))
    chapter_id: Mapped[UUID | None] = mapped_column(ForeignKey("chapters.id"))
    external_id: Mapped[str | None]
    source: Mapped[str | None]
    source_number: Mapped[int | None]
    fingerprint: Mapped[str]
    """SHA-256 of subject, passage, text and options, the identity of a question without another one."""
    status: Mapped[str] = mapped_column(server_default="active")
    current_version: Mapped[int] = mapped_column(server_default="1")
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))

    subject: Mapped[Subject] = relationship(lazy="raise", viewonly=True)
    chapter: Mapped[Chapter | None] = relationship(lazy="raise", viewonly=True)
    version: Mapped["QuestionVersion"] = relationship(
        primaryjoin="and_(Question.id == foreign(QuestionVersion.question_id),"
        " Question.current_version == foreign(QuestionVersion.number))",
        lazy="raise",
        uselist=False,
        viewonly=True,
    )


class QuestionVersion(Identified, Timestamped, Base):
    """One immutable version of a question."""

    __tablename__ = "question_versions"
    __table_args__ = (
        UniqueConstraint("question_id", "number"),
        CheckConstraint("type ~ '^[a-z][a-z_]{0,39}$'", name="type"),
        CheckConstraint("difficulty in ('easy', 'medium', 'hard')", name="difficulty"),
        Index("ix_question_versions_tags", "tags", postgresql_using="gin"),
        Index("ix_question_versions_search", "search", postgresql_using="gin"),
        Index(
            "ix_question_versions_words",
            "words",
            postgresql_using="gin",
            postgresql_ops={"words": "gin_trgm_ops"},
        ),
    )

    question_id: Mapped[UUID] = mapped_column(ForeignKey("questions.id", ondelete="CASCADE"))
    number: Mapped[int]
    type: Mapped[str]
    text: Mapped[LocalizedText]
    options: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default="[]")
    """`[{"id": "a", "text": {"en": "…"}}]`, in the author's order; empty for numeric and descriptive."""
    key: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """`{"accepted": [["b"]]}`, `{"value": "3.14", "tolerance": "0.01"}` or `{"dropped": true}`."""
    explanation: Mapped[LocalizedText | None]
    difficulty: Mapped[str | None]
    tags: Mapped[list[str]] = mapped_column(ARRAY(TEXT), server_default="{}")
    passage_id: Mapped[UUID | None] = mapped_column(ForeignKey("passages.id"))
    media: Mapped[list[str]] = mapped_column(JSONB, server_default="[]")
    note: Mapped[str | None]
    """Why there is this version: the reason of the key revision that has made it."""
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))

    # PostgreSQL computes these three (migrations 0002 and 0037). Statements search in them.
    words: Mapped[str] = mapped_column(
        TEXT, Computed("ias.question_words(text, options)", persisted=True), nullable=True, deferred=True
    )
    """The texts of the question and its options in all languages."""
    search: Mapped[str] = mapped_column(
        TSVECTOR,
        Computed("ias.question_search(text, options, tags)", persisted=True),
        nullable=True,
        deferred=True,
    )
    """Stems of the words and the tags, for full-text search."""
    sketch: Mapped[list[int]] = mapped_column(
        ARRAY(INTEGER),
        Computed("ias.question_sketch(text, options)", persisted=True),
        nullable=True,
        deferred=True,
    )
    """Numbers computed from the text. Similar texts have at least one number in common."""
