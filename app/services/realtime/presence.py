"""Presence of candidates in an exam and counts of acknowledgements, for proctors."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from app.core.realtime import crowd
from app.repositories.realtime.messages import exam_room
from app.services.components import Components


async def presence(parts: Components, exam_id: UUID) -> dict[UUID, datetime] | None:
    """When each candidate was last connected to the exam's room. None if Redis does not answer."""
    return await crowd.seen(parts.redis, exam_room(exam_id))


async def connected(parts: Components, exam_id: UUID) -> set[UUID] | None:
    """The candidates who are connected to the exam's room now. None if Redis does not answer."""
    seen = await presence(parts, exam_id)
    if seen is None:
        return None
    since = parts.clock.now() - timedelta(seconds=crowd.CONNECTED_SECONDS)
    return {user_id for user_id, at in seen.items() if at > since}


async def acknowledged(parts: Components, message_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many users have acknowledged each message, by the ids that `uow.messages.to_…` returned.

    Empty if Redis does not answer.
    """
    return await crowd.acknowledged(parts.redis, message_ids)
