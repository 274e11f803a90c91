"""Objections of candidates to keys, and the decisions on them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Identified, Timestamped


class ObjectionCluster(Identified, Timestamped, Base):
    """All objections to one question of a test that claim the same key. They are decided together."""

    __tablename__ = "objection_clusters"
    __table_args__ = (
        UniqueConstraint("test_id", "question_id", "claim"),
        Index("ix_objection_clusters_test_id_number_id", "test_id", "number", "id"),
        CheckConstraint("num_nulls(accepted, reason, decided_at) in (0, 3)", name="decision"),
    )

    test_id: Mapped[UUID] = mapped_column(ForeignKey("tests.id"))
    question_id: Mapped[UUID] = mapped_column(ForeignKey("questions.id"))
    number: Mapped[int]
    """The question's place in the paper of the first objector, from 1. Lists are in this order."""
    claim: Mapped[str]
    """A digest of the claimed key in its normal form: a key can be too long for an index."""
    claimed_key: Mapped[dict[str, Any]] = mapped_column(JSONB)
    accepted: Mapped[bool | None]
    """None until the cluster is decided."""
    reason: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    decisions: Mapped[int] = mapped_column(server_default="0")
    """How many times it was decided. A decision that replaces another is told again."""


class Objection(Identified, Timestamped, Base):
    """One candidate's objection. It is kept without the person when the account is purged."""

    __tablename__ = "objections"
    __table_args__ = (
        UniqueConstraint("cluster_id", "user_id"),
        Index("ix_objections_cluster_id_id", "cluster_id", "id"),
        Index("ix_objections_user_id_test_id_id", "user_id", "test_id", "id"),
        Index("ix_objections_attempt_id", "attempt_id"),
    )

    cluster_id: Mapped[UUID] = mapped_column(ForeignKey("objection_clusters.id"))
    test_id: Mapped[UUID] = mapped_column(ForeignKey("tests.id"))
    exam_paper_id: Mapped[UUID | None] = mapped_column(ForeignKey("exam_papers.id"))
    """The exam paper whose window it was made in; None for the window of the test."""
    attempt_id: Mapped[UUID | None] = mapped_column(ForeignKey("attempts.id", ondelete="SET NULL"))
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    explanation: Mapped[str]
    sources: Mapped[list[dict[str, str]]] = mapped_column(JSONB)
    """`[{"title", "page"?, "url"?}]`"""
