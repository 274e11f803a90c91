"""The background tasks of an API process for its sockets."""

import asyncio
import random
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from app.core.realtime.crowd import Crowd
from app.core.realtime.inbox import RESTARTING, Inbox
from app.core.realtime.stream import Reader
from app.core.repeating import end, keep_running, repeat
from app.services.components import Components
from app.services.realtime.heartbeats import Heartbeats
from app.services.realtime.publishing import Publisher
from app.services.realtime.room_counts import RoomCounts

REDIS_TIMEOUT = 1.0
"""How long the start waits for Redis. Without Redis, sockets start without messages to replay."""

RECONNECT_WITHIN_MS = 5000
"""At a restart clients reconnect at random times within this period."""


@dataclass(frozen=True, slots=True)
class Realtime:
    """What the routes of sockets need."""

    parts: Components
    crowd: Crowd
    heartbeats: Heartbeats

    def ask_to_reconnect(self, inbox: Inbox) -> None:
        """Ask a client to reconnect, and close its socket."""
        now = self.parts.clock.now()
        self.parts.hub.tell([inbox], "reconnect", now, {"after_ms": random.randrange(RECONNECT_WITHIN_MS)})  # noqa: S311 -- no secret
        inbox.close(RESTARTING)
        self.parts.hub.leave(inbox)


@asynccontextmanager
async def running(parts: Components) -> AsyncIterator[Realtime]:
    """Run the background tasks. If one fails it is restarted, and the others continue."""
    crowd = Crowd(parts.redis, parts.hub, parts.clock)
    heartbeats, room_counts = Heartbeats(parts), RoomCounts(parts)
    reader = Reader(parts.stream, parts.hub, parts.clock)
    publisher = Publisher(parts.engine, parts.stream, parts.clock)
    routines: list[Coroutine[Any, Any, None]] = [
        keep_running("realtime_reader", reader.run),
        keep_running("publisher", lambda: publisher.run(parts.new_messages)),
        repeat("sockets", 1, heartbeats.step),
        repeat("presence", 1, crowd.step),
        repeat("rooms", 2, room_counts.step),
        repeat("staff_in_rooms", 15, room_counts.review_staff),
    ]
    tasks = [asyncio.create_task(routine) for routine in routines]
    realtime = Realtime(parts, crowd, heartbeats)
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(REDIS_TIMEOUT):
                await reader.loaded.wait()
        yield realtime
    finally:
        for inbox in parts.hub.inboxes:
            realtime.ask_to_reconnect(inbox)
        await end(tasks)
