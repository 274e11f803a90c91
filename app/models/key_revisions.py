"""Key revisions: corrections of a test's keys that are tried, published and graded by."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Identified


class RevisionState(StrEnum):
    """The state of a key revision. A dry run is published or withdrawn; the last two are final.

    One that is publishing is withdrawn if its job was given up.
    """

    DRY_RUN = "dry_run"
    PUBLISHING = "publishing"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class Keep(StrEnum):
    """Which score stands after a revision: always the new one, or the higher of both."""

    NEW = "new"
    HIGHER = "higher"


class KeyRevision(Identified, Base):
    """A correction of the key of a test, in all versions of its paper (docs/decisions/0075)."""

    __tablename__ = "key_revisions"
    __table_args__ = (
        UniqueConstraint("test_id", "number"),
        CheckConstraint("number > 0", name="number"),
        CheckConstraint("state in ('dry_run', 'publishing', 'published', 'withdrawn')", name="state"),
        CheckConstraint("keep in ('new', 'higher')", name="keep"),
        CheckConstraint("(state in ('dry_run', 'withdrawn')) = (published_at is null)", name="published_at"),
        CheckConstraint("(state = 'published') = (completed_at is not null)", name="completed_at"),
        Index(
            "uq_key_revisions_publishing",
            "test_id",
            unique=True,
            postgresql_where=text("state = 'publishing'"),
        ),
    )

    test_id: Mapped[UUID] = mapped_column(ForeignKey("tests.id"))
    number: Mapped[int]
    """Counted from 1 in each test."""
    state: Mapped[str] = mapped_column(server_default=RevisionState.DRY_RUN)
    changes: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    """`{"question_id", "number", "key_before", "key"}`; number and key before of the newest version."""
    reason: Mapped[str]
    keep: Mapped[str]
    based_on: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """By paper: its key, how many attempts were graded, and when the last one was. See `staleness`."""
    impact: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """None until it is computed."""
    new_keys: Mapped[dict[str, str]] = mapped_column(JSONB, server_default="{}")
    """By paper: the version of its key that the publication has added."""
    bank: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default="[]")
    """What the publication did to each question of the bank: `{"question_id", "outcome", "version"}`."""
    official: Mapped[dict[str, int]] = mapped_column(JSONB, server_default="{}")
    """By exam that was released already: the version of the official results that the revision has made."""
    regraded: Mapped[int] = mapped_column(server_default="0")
    to_regrade: Mapped[int] = mapped_column(server_default="0")
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    published_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    published_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    """When the results by the new keys replaced the old ones."""


class RevisedResult(Base):
    """What a revision did to the result of one attempt. It is never changed: results show it."""

    __tablename__ = "revised_results"
    __table_args__ = (Index("ix_revised_results_revision_id_attempt_id", "revision_id", "attempt_id"),)

    attempt_id: Mapped[UUID] = mapped_column(ForeignKey("attempts.id", ondelete="CASCADE"), primary_key=True)
    revision_id: Mapped[UUID] = mapped_column(
        ForeignKey("key_revisions.id", ondelete="CASCADE"), primary_key=True
    )
    key_before: Mapped[UUID] = mapped_column(ForeignKey("paper_keys.id"))
    key_after: Mapped[UUID] = mapped_column(ForeignKey("paper_keys.id"))
    """The key of the revision, also where the higher score by the one before was kept."""
    kept: Mapped[bool]
    """Whether the result by the key before is better and was kept."""
    score_before: Mapped[str]
    """As it was printed."""
    score_after: Mapped[str]
    exact_before: Mapped[str]
    exact_after: Mapped[str]
    rank_before: Mapped[int | None]
    """At the test or at the paper of the exam, when the revision was published. None without a rank."""
    rank_after: Mapped[int | None]
