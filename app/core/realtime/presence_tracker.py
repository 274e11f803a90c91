"""Connected candidates and acknowledgements of all processes, kept in Redis. The data may be lost."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from redis.asyncio import Redis

from app.core.cache import REDIS_FAILURES
from app.core.clock import Clock
from app.core.realtime.hub import Hub

CONNECTED_SECONDS = 12.0
"""A candidate who was seen within so many seconds is connected; each process refreshes it every 5 seconds."""

REFRESH_SECONDS = 5
KEEP_SECONDS = 24 * 3600
TIMEOUT = 1.0


class PresenceTracker:
    """Writes the presence of this process's sockets; `step` is called every second."""

    def __init__(self, redis: Redis, hub: Hub, clock: Clock) -> None:
        self._redis = redis
        self._clock = clock
        self._hub = hub
        self._shown: dict[str, set[UUID]] = {}
        self._acks: defaultdict[UUID, set[UUID]] = defaultdict(set)
        self._steps = 0

    def acknowledge(self, message_id: UUID, user_id: UUID) -> None:
        """Record that somebody has read a message. The next step writes it."""
        self._acks[message_id].add(user_id)

    async def step(self) -> None:
        """Write arrivals, departures and acknowledgements; every few seconds write all who are connected."""
        present = self._present()
        refresh = self._steps % REFRESH_SECONDS == 0
        self._steps += 1
        acks, self._acks = self._acks, defaultdict(set)
        try:
            await self._write(present, acks, self._clock.now().timestamp(), refresh=refresh)
        except REDIS_FAILURES:
            for message_id, user_ids in acks.items():
                self._acks[message_id] |= user_ids
            return  # The reader of the stream logs the outage.
        self._shown = present

    def _present(self) -> dict[str, set[UUID]]:
        rooms = ((name, room) for name, room in self._hub.rooms.items() if name.startswith("exam:"))
        return {
            name: {inbox.listener.user_id for inbox in room.everybody if not inbox.listener.is_staff}
            for name, room in rooms
        }

    async def _write(
        self,
        present: Mapping[str, set[UUID]],
        acks: Mapping[UUID, set[UUID]],
        now: float,
        *,
        refresh: bool,
    ) -> None:
        pipeline = self._redis.pipeline(transaction=False)
        for room in present.keys() | self._shown.keys():
            here, before = present.get(room, set()), self._shown.get(room, set())
            scores: dict[Any, float] = dict.fromkeys(map(str, here if refresh else here - before), now)
            scores |= dict.fromkeys(map(str, before - here), now - CONNECTED_SECONDS)
            if scores:
                pipeline.zadd(_presence_key(room), scores)
                pipeline.expire(_presence_key(room), KEEP_SECONDS)
        for message_id, user_ids in acks.items():
            pipeline.sadd(_acks_key(message_id), *map(str, user_ids))
            pipeline.expire(_acks_key(message_id), KEEP_SECONDS)
        if len(pipeline):
            async with asyncio.timeout(TIMEOUT):
                await pipeline.execute()


async def seen(redis: Redis, room: str) -> dict[UUID, datetime] | None:
    """When each candidate of a room was last connected; None while Redis is down."""
    try:
        async with asyncio.timeout(TIMEOUT):
            members: Any = await redis.zrange(_presence_key(room), 0, -1, withscores=True)
    except REDIS_FAILURES:
        return None
    return {UUID(member.decode()): datetime.fromtimestamp(score, UTC) for member, score in members}


async def count_connected(redis: Redis, room: str, now: datetime) -> int | None:
    """The number of connected candidates of a room; None while Redis is down."""
    try:
        async with asyncio.timeout(TIMEOUT):
            since = now.timestamp() - CONNECTED_SECONDS
            return int(await redis.zcount(_presence_key(room), f"({since}", "+inf"))
    except REDIS_FAILURES:
        return None


async def acknowledged(redis: Redis, message_ids: Sequence[UUID]) -> dict[UUID, int]:
    """The number of acknowledgements by message; empty while Redis is down."""
    if not message_ids:
        return {}
    pipeline = redis.pipeline(transaction=False)
    for message_id in message_ids:
        pipeline.scard(_acks_key(message_id))
    try:
        async with asyncio.timeout(TIMEOUT):
            counts = await pipeline.execute()
    except REDIS_FAILURES:
        return {}
    return dict(zip(message_ids, counts, strict=True))


def _presence_key(room: str) -> str:
    return f"ias:presence:{room.partition(':')[2]}"


def _acks_key(message_id: UUID) -> str:
    return f"ias:acks:{message_id}"
