"""Messages for sockets, written with the facts that they tell (docs/decisions/0011)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import Text, bindparam, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.ids import uuid7
from app.core.realtime.messages import SESSION_KEY
from app.core.realtime.payloads import MessageData
from app.models import Message
from app.repositories.base import Repository

NOTHING: Mapping[str, str] = MappingProxyType({})
PUBLISHING_LOCK = 0x1A7  # key of the advisory lock; the value has no meaning

_TO_USERS = text(
    """
    insert into ias.messages (id, room, audience, user_id, type, data)
    select id, :room, 'user', user_id, type, data
    from rows from (
      jsonb_to_recordset(:rows) as (id uuid, user_id uuid, type text, data jsonb)
    ) with ordinality as row(id, user_id, type, data, place)
    order by place
    """
).bindparams(bindparam("room", type_=Text), bindparam("rows", type_=JSONB))


class MessageRepository(Repository):
    """The outbox of messages.

    A process publishes its own after the commit; a worker's loop publishes the rest.
    """

    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session)
        self.written = False
        """Whether this transaction wrote messages. They are published right after the commit."""

    def to_everybody(self, room: str, data: MessageData, *, message_id: UUID | None = None) -> UUID:
        """Send to everybody in a room. Returns the message's id, by which acknowledgements are counted.

        `message_id` makes the message have the id of the object that it is about.
        """
        return self._add(Message(id=message_id or uuid7(), room=room, audience="everybody"), data)

    def to_staff(self, room: str, data: MessageData) -> UUID:
        """Send to the staff in a room."""
        return self._add(Message(id=uuid7(), room=room, audience="staff"), data)

    def to_user(
        self, room: str, user_id: UUID, data: MessageData, *, keeps_session: str | None = None
    ) -> UUID:
        """Send to one user in a room, on each of the user's sockets there.

        With `keeps_session`, the user's sockets of other sessions are closed after the message, because the
        attempt has moved to that session's device.
        """
        message = Message(id=uuid7(), room=room, audience="user", user_id=user_id)
        return self._add(message, data, {SESSION_KEY: keeps_session} if keeps_session else {})

    async def to_users(self, room: str, messages: Sequence[tuple[UUID, MessageData]]) -> None:
        """Send to each of these users in a room what is for them, in this order, with one statement."""
        if not messages:
            return
        rows = [
            {"id": uuid7(), "user_id": str(user_id), "type": data.type, "data": data.document()}
            for user_id, data in messages
        ]
        await self._session.execute(_TO_USERS, {"room": room, "rows": rows})
        self.written = True

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

    def _add(self, message: Message, data: MessageData, internal: Mapping[str, str] = NOTHING) -> UUID:
        message.type, message.data = data.type, {**data.document(), **internal}
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
