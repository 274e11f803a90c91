"""Messages for sockets, and tickets that open a socket."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Identified


class Message(Identified, Base):
    """A message of a room (docs/decisions/0011). `published_at` is set when it is in Redis."""

    __tablename__ = "messages"
    __table_args__ = (
        CheckConstraint("audience in ('everybody', 'staff', 'user')", name="audience"),
        CheckConstraint("(audience = 'user') = (user_id is not null)", name="addressee"),
        Index("ix_messages_unpublished", "number", postgresql_where=text("published_at is null")),
        Index("ix_messages_published_at", "published_at", postgresql_where=text("published_at is not null")),
    )

    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    """The order of writing. Ids cannot give it: those of one millisecond have no order."""
    room: Mapped[str]
    """`exam:<id>`, `test:<id>` or `user:<id>`."""
    audience: Mapped[str]
    user_id: Mapped[UUID | None]
    type: Mapped[str]
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    published_at: Mapped[datetime | None]


class SocketTicket(Base):
    """A ticket that opens one socket, once. Only the digest of the ticket is stored."""

    __tablename__ = "socket_tickets"
    __table_args__ = (Index("ix_socket_tickets_expires_at", "expires_at"),)

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    user_id: Mapped[UUID]
    session_id: Mapped[str]
    issued_at: Mapped[datetime]
    """When the session began. A revocation of the session's tokens also applies to the ticket."""
    path: Mapped[str]
    expires_at: Mapped[datetime]
