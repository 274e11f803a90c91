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

PUBLISHING_LOCK = 0x1A7  # any constant: everybody who publishes takes the same one


class MessageRepository(Repository):
    """An outbox of its own: whoever is quick publishes what is new, a worker's loop what was left behind."""

    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session)
        self.written = False
        """Whether this transaction tells anybody anything: then it is published right after the commit."""

    def to_everybody(self, room: str, kind: str, data: dict[str, Any]) -> UUID:
        """Tell all who are in a room. Returns the message's id, by which acknowledgements are counted."""
        return self._add(room, "everybody", None, kind, data)

    def to_staff(self, room: str, kind: str, data: dict[str, Any]) -> UUID:
        """Tell the staff in a room."""
        return self._add(room, "staff", None, kind, data)

    def to_user(self, room: str, user_id: UUID, kind: str, data: dict[str, Any]) -> UUID:
        """Tell one person in a room, on each of their sockets there.

        `session_id` in the data is for us and never sent: once they were told, this person's sockets of
        other sessions are closed, since their attempt has moved to that session's device.
        """
        return self._add(room, "user", user_id, kind, data)

    async def take_turn(self) -> None:
        """Publish alone until this transaction ends: who publishes next sees all that was written before.

        Otherwise a message could overtake one that was committed earlier, and is being published slowly.
        """
        await self._session.execute(select(func.pg_advisory_xact_lock(PUBLISHING_LOCK)))

    async def unpublished(self, limit: int) -> Sequence[Message]:
        """What nobody has published yet, in the order in which it was written."""
        statement = select(Message).where(Message.published_at.is_(None))
        return (await self._session.scalars(statement.order_by(Message.number).limit(limit))).all()

    async def recent(self, since: datetime, limit: int) -> Sequence[Message]:
        """The newest that were published, in the order in which they were written."""
        statement = select(Message).where(Message.published_at.is_not(None), Message.created_at > since)
        newest = await self._session.scalars(statement.order_by(Message.number.desc()).limit(limit))
        return newest.all()[::-1]

    async def mark_published(self, message_ids: Sequence[UUID], now: datetime) -> None:
        """They are in Redis."""
        await self._session.execute(
            update(Message).where(Message.id.in_(message_ids)).values(published_at=now)
        )

    async def forget_published(self, before: datetime) -> None:
        """Delete what was published well before."""
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
    """A person's own room: their notifications."""
    return f"user:{user_id}"
