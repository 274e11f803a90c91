"""The outbox of jobs, and the running workers."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Identified


class Job(Identified, Base):
    """A job that a transaction added (docs/decisions/0016). Its task sets `finished_at`."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_due", "leased_until", "id", postgresql_where=text("finished_at is null")),
        Index("ix_jobs_finished_at", "finished_at", postgresql_where=text("finished_at is not null")),
    )

    task: Mapped[str]
    arguments: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    leased_until: Mapped[datetime] = mapped_column(server_default=func.now())
    """The relay publishes a job whose lease has ended, and gives it the next lease."""
    deliveries: Mapped[int] = mapped_column(server_default="0")
    finished_at: Mapped[datetime | None]
    error: Mapped[str | None]
    """Why the job was given up."""


class Worker(Base):
    """A worker process. It updates `seen_at` as long as it runs."""

    __tablename__ = "workers"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
