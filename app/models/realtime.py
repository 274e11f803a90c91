"""What sockets are to be told: written with the fact itself, published after the commit."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Identified


class Message(Identified, Base):
    """A message of a room (decision D11). Whoever publishes it to Redis sets `published_at`."""

    __tablename__ = "messages"
    __table_args__ = (
        CheckConstraint("audience in ('everybody', 'staff', 'user')", name="audience"),
        CheckConstraint("(audience = 'user') = (user_id is not null)", name="addressee"),
        Index("ix_messages_unpublished", "id", postgresql_where=text("published_at is null")),
        Index("ix_messages_published_at", "published_at", postgresql_where=text("published_at is not null")),
    )

    room: Mapped[str]
    """`exam:<id>`, `test:<id>` or `user:<id>`."""
    audience: Mapped[str]
    user_id: Mapped[UUID | None]
    type: Mapped[str]
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    published_at: Mapped[datetime | None]
