"""Work after commit: the outbox of jobs, and which workers live."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Identified


class Job(Identified, Base):
    """Work that a transaction asked for (docs/decisions/0016). The task that does it sets `finished_at`."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_due", "leased_until", "id", postgresql_where=text("finished_at is null")),
        Index("ix_jobs_finished_at", "finished_at", postgresql_where=text("finished_at is not null")),
    )

    task: Mapped[str]
    arguments: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    leased_until: Mapped[datetime] = mapped_column(server_default=func.now())
    """The relay publishes a job whose lease is over; publishing gives it the next lease."""
    deliveries: Mapped[int] = mapped_column(server_default="0")
    finished_at: Mapped[datetime | None]
    error: Mapped[str | None]
    """Why it was given up, if it was."""


class Worker(Base):
    """A worker process that was alive at `seen_at`."""

    __tablename__ = "workers"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
