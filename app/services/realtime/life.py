"""What an API process does for its sockets as long as it lives."""

import asyncio
import random
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from app.core.realtime.inbox import RESTARTING, Inbox
from app.core.realtime.presence_tracker import PresenceTracker
from app.core.realtime.stream import StreamReader
from app.core.repeating import end, keep_running, repeat
from app.services.components import Components
from app.services.realtime.keeping import Keeper
from app.services.realtime.publishing import Publisher
from app.services.realtime.watching import Watch

STREAM_TIMEOUT = 1.0
"""How long the start waits for the stream. Without it, sockets cannot be sent missed messages."""

SPREAD_MS = 5000
"""Those whom a restart throws out come back spread over this time."""


@dataclass(frozen=True, slots=True)
class Realtime:
    """What the sockets' routes need of it."""

    parts: Components
    presence: PresenceTracker
    keeper: Keeper

    def say_goodbye(self, inbox: Inbox) -> None:
        """Ask a client to come back in a moment, and close its socket."""
        now = self.parts.clock.now()
        self.parts.hub.send([inbox], "reconnect", now, {"after_ms": random.randrange(SPREAD_MS)})  # noqa: S311 -- no secret
        inbox.close(RESTARTING)
        self.parts.hub.leave(inbox)


@asynccontextmanager
async def running(parts: Components) -> AsyncIterator[Realtime]:
    """Follow the stream, publish what is committed, keep sockets; what fails of it stops nothing."""
    presence = PresenceTracker(parts.redis, parts.hub, parts.clock)
    keeper, watch = Keeper(parts), Watch(parts)
    reader = StreamReader(parts.stream, parts.hub, parts.clock)
    publisher = Publisher(parts.engine, parts.stream, parts.clock)
    routines: list[Coroutine[Any, Any, None]] = [
        keep_running("realtime_reader", reader.run),
        keep_running("publisher", lambda: publisher.run(parts.new_messages)),
        repeat("sockets", 1, keeper.step),
        repeat("presence", 1, presence.step),
        repeat("rooms", 2, watch.step),
        repeat("staff_in_rooms", 15, watch.review_staff),
    ]
    tasks = [asyncio.create_task(routine) for routine in routines]
    realtime = Realtime(parts, presence, keeper)
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(STREAM_TIMEOUT):
                await reader.loaded.wait()
        yield realtime
    finally:
        for inbox in parts.hub.inboxes:
            realtime.say_goodbye(inbox)
        await end(tasks)
