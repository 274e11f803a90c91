"""From PostgreSQL to Redis: each committed message once, in the order in which they were written."""

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
"""A Redis that hangs must not hold a transaction for long."""

REFILL_AGE = timedelta(hours=1)
REFILL_LIMIT = 1000


class Publisher:
    """Publishes what waits: woken by each commit in the API, called again and again in a worker."""

    def __init__(self, engine: AsyncEngine, stream: Stream, clock: Clock) -> None:
        self._engine = engine
        self._stream = stream
        self._clock = clock
        self._waiting = asyncio.Event()
        self._down = False

    def wake(self) -> None:
        """Something was committed. Nobody waits for us: many commits become one batch."""
        self._waiting.set()

    async def run(self) -> None:
        """Publish whenever woken, until cancelled. What fails here is left to the workers' loop."""
        while True:
            await self._waiting.wait()
            self._waiting.clear()
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
        """Publish until nothing waits."""
        while await self.publish_some() == BATCH:
            pass

    async def publish_some(self) -> int:
        """Publish the oldest that wait; how many they were.

        If we die before the commit they are published again, and the stream knows them.
        """
        async with asyncio.timeout(TIMEOUT), unit_of_work(self._engine) as uow:
            await uow.messages.take_turn()
            waiting = await uow.messages.unpublished(BATCH)
            now = self._clock.now()
            if not await self._stream.publish([_packed(message) for message in waiting]):
                # Redis was emptied: first what its stream held, so that those who come back can be replayed.
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
