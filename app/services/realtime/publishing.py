"""Publishes committed messages from PostgreSQL to Redis, each once and in the order of writing."""

import asyncio
from datetime import timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.cache import REDIS_FAILURES
from app.core.clock import Clock
from app.core.realtime.messages import pack
from app.core.realtime.stream import Packed, Stream
from app.models import Message
from app.services.unit_of_work import unit_of_work

log = structlog.get_logger(__name__)

BATCH = 500
TIMEOUT = 3.0
"""Seconds for one batch, so that a Redis that hangs does not keep the transaction open."""

REFILL_AGE = timedelta(hours=1)
REFILL_LIMIT = 1000


class Publisher:
    """Publishes committed messages: after each commit in the API, by a loop in a worker."""

    def __init__(self, engine: AsyncEngine, stream: Stream, clock: Clock) -> None:
        self._engine = engine
        self._stream = stream
        self._clock = clock
        self._down = False

    async def run(self, new_messages: asyncio.Event) -> None:
        """Publish whenever the event is set, until cancelled. After a failure the workers' loop publishes.

        No request waits for this: the messages of many commits are published in one batch.
        """
        while True:
            await new_messages.wait()
            new_messages.clear()
            try:
                await self.publish_all()
            except (SQLAlchemyError, *REDIS_FAILURES) as error:
                if not self._down:
                    log.warning("messages_not_published", error=repr(error))
                self._down = True
            except Exception:
                log.exception("publisher_failed")
            else:
                self._down = False

    async def publish_all(self) -> None:
        """Publish all committed messages."""
        while await self.publish_some() == BATCH:
            pass

    async def publish_some(self) -> int:
        """Publish the oldest unpublished messages, at most BATCH. Returns how many there were.

        If the process ends before the commit they are published again, and the stream ignores duplicates.
        """
        async with asyncio.timeout(TIMEOUT), unit_of_work(self._engine) as uow:
            await uow.messages.lock_publishing()
            waiting = await uow.messages.unpublished(BATCH)
            now = self._clock.now()
            if not await self._stream.publish([_packed(message) for message in waiting]):
                # Redis has lost its data. Recent messages come first, so that they can be replayed.
                recent = await uow.messages.recent(now - REFILL_AGE, REFILL_LIMIT)
                await self._stream.publish([_packed(message) for message in recent], fill=True)
                await self._stream.publish([_packed(message) for message in waiting])
            if waiting:
                await uow.messages.mark_published([message.id for message in waiting], now)
        return len(waiting)


def _packed(message: Message) -> Packed:
    return message.id, pack(
        message.id,
        room=message.room,
        audience=message.audience,
        user_id=message.user_id,
        kind=message.type,
        at=message.created_at,
        data=message.data,
    )
