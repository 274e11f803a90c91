"""Messages for sockets, written with the facts that they tell (decision D11)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update

from app.models import Message
from app.repositories.base import Repository


class MessageRepository(Repository):
    """An outbox of its own: whoever is quick publishes what is new, a worker's loop what was left behind."""

    def to_everybody(self, room: str, kind: str, data: dict[str, Any]) -> None:
        """Tell all who are in a room."""
        self._session.add(Message(room=room, audience="everybody", type=kind, data=data))

    def to_staff(self, room: str, kind: str, data: dict[str, Any]) -> None:
        """Tell the staff in a room."""
        self._session.add(Message(room=room, audience="staff", type=kind, data=data))

    def to_user(self, room: str, user_id: UUID, kind: str, data: dict[str, Any]) -> None:
        """Tell one person in a room, on each of their sockets there."""
        self._session.add(Message(room=room, audience="user", user_id=user_id, type=kind, data=data))

    async def lock_unpublished(self, limit: int = 500) -> Sequence[Message]:
        """What nobody has published yet and nobody is publishing, in the order in which it was written."""
        statement = (
            select(Message)
            .where(Message.published_at.is_(None))
            .order_by(Message.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return (await self._session.scalars(statement)).all()

    async def mark_published(self, message_ids: Sequence[UUID], now: datetime) -> None:
        """They are in Redis."""
        await self._session.execute(
            update(Message).where(Message.id.in_(message_ids)).values(published_at=now)
        )

    async def forget_published(self, before: datetime) -> None:
        """Delete what was published well before."""
        await self._session.execute(delete(Message).where(Message.published_at < before))


def exam_room(exam_id: UUID) -> str:
    """The room of an exam: its candidates and proctors."""
    return f"exam:{exam_id}"


def test_room(test_id: UUID) -> str:
    """The room of a test."""
    return f"test:{test_id}"


def user_room(user_id: UUID) -> str:
    """A person's own room: their notifications."""
    return f"user:{user_id}"
