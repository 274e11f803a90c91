"""The tasks that an API process runs for its sockets."""

import asyncio
import random
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from app.core.realtime.inbox import RESTARTING, Inbox
from app.core.realtime.payloads import ReconnectData
from app.core.realtime.presence_tracker import PresenceTracker
from app.core.realtime.stream import StreamReader
from app.core.repeating import end, keep_running, repeat
from app.services.components import Components
from app.services.realtime.maintenance import SocketMaintenance
from app.services.realtime.publishing import Publisher
from app.services.realtime.room_updates import RoomUpdates

REDIS_TIMEOUT = 1.0
"""How long the start waits for Redis. Without it sockets start without earlier messages."""

SPREAD_MS = 5000
"""Clients that a restart disconnects reconnect spread over this time."""


@dataclass(frozen=True, slots=True)
class Realtime:
    """What the routes of sockets need."""

    parts: Components
    presence: PresenceTracker
    maintenance: SocketMaintenance

    def ask_to_reconnect(self, inbox: Inbox) -> None:
        """Ask a client to reconnect after a delay, and close its socket."""
        now = self.parts.clock.now()
        delay = random.randrange(SPREAD_MS)  # noqa: S311 -- no secret
        self.parts.hub.send([inbox], now, ReconnectData(after_ms=delay))
        inbox.close(RESTARTING)
        self.parts.hub.leave(inbox)


@asynccontextmanager
async def running(parts: Components) -> AsyncIterator[Realtime]:
    """Run the reader, the publisher and the loops for sockets. A failing task stops no other."""
    presence = PresenceTracker(parts.redis, parts.hub, parts.clock)
    maintenance, updates = SocketMaintenance(parts), RoomUpdates(parts)
    reader = StreamReader(parts.stream, parts.hub, parts.clock)
    publisher = Publisher(parts.engine, parts.stream, parts.clock)
    routines: list[Coroutine[Any, Any, None]] = [
        keep_running("realtime_reader", reader.run),
        keep_running("publisher", lambda: publisher.run(parts.new_messages)),
        repeat("sockets", 1, maintenance.step),
        repeat("presence", 1, presence.step),
        repeat("rooms", 2, updates.step),
        repeat("staff_in_rooms", 15, updates.review_staff),
    ]
    tasks = [asyncio.create_task(routine) for routine in routines]
    realtime = Realtime(parts, presence, maintenance)
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(REDIS_TIMEOUT):
                await reader.loaded.wait()
        yield realtime
    finally:
        for inbox in parts.hub.inboxes:
            realtime.ask_to_reconnect(inbox)
        await end(tasks)
