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
from app.services.realtime.keeping import Keeper
from app.services.realtime.publishing import Publisher
from app.services.realtime.watching import Watch

PATIENCE = 1.0
"""How long the start waits for Redis. Without Redis, sockets start without messages to replay."""

SPREAD_MS = 5000
"""At a restart clients reconnect at random times within this period."""


@dataclass(frozen=True, slots=True)
class Realtime:
    """What the routes of sockets need."""

    parts: Components
    crowd: Crowd
    keeper: Keeper

    def say_goodbye(self, inbox: Inbox) -> None:
        """Ask a client to reconnect, and close its socket."""
        now = self.parts.clock.now()
        self.parts.hub.tell([inbox], "reconnect", now, {"after_ms": random.randrange(SPREAD_MS)})  # noqa: S311 -- no secret
        inbox.close(RESTARTING)
        self.parts.hub.leave(inbox)


@asynccontextmanager
async def running(parts: Components) -> AsyncIterator[Realtime]:
    """Run the background tasks. If one fails it is restarted, and the others continue."""
    crowd = Crowd(parts.redis, parts.hub, parts.clock)
    keeper, watch = Keeper(parts), Watch(parts)
    reader = Reader(parts.stream, parts.hub, parts.clock)
    publisher = Publisher(parts.engine, parts.stream, parts.clock)
    routines: list[Coroutine[Any, Any, None]] = [
        keep_running("realtime_reader", reader.run),
        keep_running("publisher", lambda: publisher.run(parts.new_messages)),
        repeat("sockets", 1, keeper.step),
        repeat("presence", 1, crowd.step),
        repeat("rooms", 2, watch.step),
        repeat("staff_in_rooms", 15, watch.review_staff),
    ]
    tasks = [asyncio.create_task(routine) for routine in routines]
    realtime = Realtime(parts, crowd, keeper)
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await reader.loaded.wait()
        yield realtime
    finally:
        for inbox in parts.hub.inboxes:
            realtime.say_goodbye(inbox)
        await end(tasks)
