"""Publishes committed messages from PostgreSQL to Redis, each once and in the order of their numbers."""

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

BATCH_SIZE = 500
TIMEOUT = 3.0
"""Seconds for one batch. It limits how long the transaction stays open if Redis does not answer."""

REFILL_AGE = timedelta(hours=1)
REFILL_LIMIT = 1000
"""The age and number of messages that are published again after Redis has lost its data."""


class Publisher:
    """Publishes committed messages. The API runs it after each commit, a worker at an interval."""

    def __init__(self, engine: AsyncEngine, stream: Stream, clock: Clock) -> None:
        self._engine = engine
        self._stream = stream
        self._clock = clock
        self._is_failing = False

    async def run(self, new_messages: asyncio.Event) -> None:
        """Publish whenever the event is set, until cancelled.

        Requests do not wait for this, and one batch has the messages of many commits. After a failure, the
        worker's loop publishes the messages.
        """
        while True:
            await new_messages.wait()
            new_messages.clear()
            try:
                await self.publish_all()
            except (SQLAlchemyError, *REDIS_FAILURES) as error:
                if not self._is_failing:
                    log.warning("messages_not_published", error=repr(error))
                self._is_failing = True
            except Exception:
                log.exception("publisher_failed")
            else:
                self._is_failing = False

    async def publish_all(self) -> None:
        """Publish all committed messages."""
        while await self.publish_batch() == BATCH_SIZE:
            pass

    async def publish_batch(self) -> int:
        """Publish the oldest unpublished messages, at most BATCH_SIZE. Returns their number.

        If the process ends before the commit, they are published again, and the stream ignores duplicates.
        """
        async with asyncio.timeout(TIMEOUT), unit_of_work(self._engine) as uow:
            await uow.messages.lock_publishing()
            waiting = await uow.messages.unpublished(BATCH_SIZE)
            now = self._clock.now()
            if not await self._stream.publish([_packed(message) for message in waiting]):
                # Redis has lost its data. Recent messages are added first, for clients that reconnect.
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
