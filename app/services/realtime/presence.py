"""Who is connected to an exam, and how many have acknowledged a message, for the staff who run it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from app.core.realtime import presence_tracker
from app.repositories.realtime.messages import exam_room
from app.services.components import Components


async def presence(parts: Components, exam_id: UUID) -> dict[UUID, datetime] | None:
    """When each candidate who has had a socket in the exam's room was last seen; None without Redis."""
    return await presence_tracker.seen(parts.redis, exam_room(exam_id))


async def connected(parts: Components, exam_id: UUID) -> set[UUID] | None:
    """The candidates who have a socket in the exam's room now, in any process; None without Redis."""
    seen = await presence(parts, exam_id)
    if seen is None:
        return None
    since = parts.clock.now() - timedelta(seconds=presence_tracker.CONNECTED_SECONDS)
    return {user_id for user_id, at in seen.items() if at > since}


async def acknowledged(parts: Components, message_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many people have acknowledged each message, by message id. Empty without Redis."""
    return await presence_tracker.acknowledged(parts.redis, message_ids)
