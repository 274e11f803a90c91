"""Messages for sockets, written with the facts that they tell (docs/decisions/0011)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.ids import uuid7
from app.models import Message
from app.repositories.base import Repository

PUBLISHING_LOCK = 0x1A7  # key of the advisory lock; the value has no meaning


class MessageRepository(Repository):
    """The outbox of messages.

    A process publishes its own after the commit; a worker's loop publishes the rest.
    """

    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session)
        self.written = False
        """Whether this transaction wrote messages. They are published right after the commit."""

    def to_everybody(self, room: str, kind: str, data: dict[str, Any]) -> UUID:
        """Send to everybody in a room. Returns the message's id, by which acknowledgements are counted."""
        return self._add(room, "everybody", None, kind, data)

    def to_staff(self, room: str, kind: str, data: dict[str, Any]) -> UUID:
        """Send to the staff in a room."""
        return self._add(room, "staff", None, kind, data)

    def to_user(self, room: str, user_id: UUID, kind: str, data: dict[str, Any]) -> UUID:
        """Send to one user in a room, on each of the user's sockets there.

        `session_id` in the data is internal and not sent. After the message, the user's sockets of other
        sessions are closed, because the attempt has moved to that session's device.
        """
        return self._add(room, "user", user_id, kind, data)

    async def lock_publishing(self) -> None:
        """Lock publishing until this transaction ends, so that messages are published in order.

        Without the lock a message could overtake an earlier one that another process is still publishing.
        """
        await self._session.execute(select(func.pg_advisory_xact_lock(PUBLISHING_LOCK)))

    async def unpublished(self, limit: int) -> Sequence[Message]:
        """Unpublished messages in the order in which they were written."""
        statement = select(Message).where(Message.published_at.is_(None))
        return (await self._session.scalars(statement.order_by(Message.number).limit(limit))).all()

    async def recent(self, since: datetime, limit: int) -> Sequence[Message]:
        """The newest published messages, in the order in which they were written."""
        statement = select(Message).where(Message.published_at.is_not(None), Message.created_at > since)
        newest = await self._session.scalars(statement.order_by(Message.number.desc()).limit(limit))
        return newest.all()[::-1]

    async def mark_published(self, message_ids: Sequence[UUID], now: datetime) -> None:
        """Mark messages as published."""
        await self._session.execute(
            update(Message).where(Message.id.in_(message_ids)).values(published_at=now)
        )

    async def delete_published(self, before: datetime) -> None:
        """Delete messages that were published before `before`."""
        await self._session.execute(delete(Message).where(Message.published_at < before))

    def _add(self, room: str, audience: str, user_id: UUID | None, kind: str, data: dict[str, Any]) -> UUID:
        message = Message(id=uuid7(), room=room, audience=audience, user_id=user_id, type=kind, data=data)
        self._session.add(message)
        self.written = True
        return message.id


def exam_room(exam_id: UUID) -> str:
    """The room of an exam: its candidates and proctors."""
    return f"exam:{exam_id}"


def test_room(test_id: UUID) -> str:
    """The room of a test."""
    return f"test:{test_id}"


def user_room(user_id: UUID) -> str:
    """The room of a user, for their notifications."""
    return f"user:{user_id}"
