"""Accounts that were deleted and are not purged yet, and exports of what is kept of a person."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Identified

PSEUDONYM = "Deleted candidate"
"""What lists show instead of the name of a deleted account."""


class AccountDeletion(Base):
    """A deleted account during its legal hold (docs/decisions/0063). The purge deletes the row."""

    __tablename__ = "account_deletions"
    __table_args__ = (Index("ix_account_deletions_due_at", "due_at"),)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    requested_at: Mapped[datetime]
    due_at: Mapped[datetime]
    """When the purge looks at the account next. A worker that takes the row sets the end of a lease."""
    purging_since: Mapped[datetime | None]
    """When the purge began. From then on the account cannot be restored."""
    auth_deleted_at: Mapped[datetime | None]
    """When the auth server had deleted the account."""
    names: Mapped[dict[str, str]] = mapped_column(JSONB, server_default="{}")
    """The names of the person's registrations, by id. The registrations show a pseudonym."""


class ExportStatus(StrEnum):
    """The status of an export."""

    WAITING = "waiting"
    READY = "ready"


class AccountExport(Identified, Base):
    """An export of what is kept of a person. Its file is in the storage."""

    __tablename__ = "account_exports"
    __table_args__ = (
        CheckConstraint("status in ('waiting', 'ready')", name="status"),
        Index("ix_account_exports_user_id", "user_id"),
        Index("ix_account_exports_expires_at", "expires_at"),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    status: Mapped[str] = mapped_column(server_default=ExportStatus.WAITING)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ready_at: Mapped[datetime | None]
    size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    downloaded_at: Mapped[datetime | None]
    """When the first download began."""
    expires_at: Mapped[datetime]
    """When the export expires. A worker then deletes its file and its row."""
