"""The stream in a real Valkey, which is stopped and emptied."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis
from redis.crc import key_slot
from redis.exceptions import RedisError

from app.core.clock import SystemClock
from app.core.realtime.hub import Hub
from app.core.realtime.inbox import Listener
from app.core.realtime.messages import Posted, pack
from app.core.realtime.stream import STREAM, Packed, Stream, StreamReader
from app.core.repeating import end
from devservers.valkey import Valkey
from tests.waiting import PATIENCE

ROOM = "exam:1"


@pytest.fixture
async def stream(valkey: Valkey) -> AsyncIterator[Stream]:
    stream = Stream(valkey.url, capacity=1000)
    yield stream
    await stream.close()


@pytest.fixture
async def redis(valkey: Valkey) -> AsyncIterator[Redis]:
    async with Redis.from_url(valkey.url) as redis:
        yield redis


def packed(at: datetime | None = None, message_id: UUID | None = None, **data: Any) -> Packed:
    message_id = message_id or uuid4()
    at = at or datetime.now(UTC)
    return message_id, pack(
        message_id, room=ROOM, audience="everybody", user_id=None, kind="announcement", at=at, data=data
    )


def ids(messages: list[Packed]) -> list[UUID]:
    return [message_id for message_id, _ in messages]


class Following:
    """A hub with a stream reader and one socket."""

    def __init__(self, stream: Stream) -> None:
        self.hub = Hub()
        self.reader = StreamReader(stream, self.hub, SystemClock())
        now = datetime.now(UTC)
        self.inbox = self.hub.join(Listener(ROOM, uuid4(), "s", now, is_staff=False), None, now, 15)
        self.delivered: list[UUID] = []
        deliver = self.hub.deliver

        def record(posted: Posted, *, is_history: bool = False) -> None:
            before = len(self.inbox._waiting)
            deliver(posted, is_history=is_history)
            if len(self.inbox._waiting) > before and posted.message_id is not None:
                self.delivered.append(posted.message_id)

        self.hub.deliver = record  # type: ignore[method-assign]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():  # noqa: ASYNC110 -- the reader sends no signal
                await asyncio.sleep(0.01)


@asynccontextmanager
async def following(stream: Stream) -> AsyncIterator[Following]:
    follower = Following(stream)
    task = asyncio.create_task(follower.reader.run())
    await follower.until(follower.reader.loaded.is_set)
    try:
        yield follower
    finally:
        await end([task])


class TestPublish:
    async def test_asks_to_be_filled_first(self, stream: Stream, redis: Redis) -> None:
        message = packed()
        assert not await stream.publish([message])
        assert not await stream.publish([])
        assert await stream.publish([], fill=True)
        assert await stream.publish([message])
        assert await redis.xlen(STREAM) == 2

    async def test_adds_each_once_whoever_publishes_and_however_often(
        self, stream: Stream, redis: Redis, valkey: Valkey
    ) -> None:
        messages = [packed() for _ in range(50)]
        await stream.publish(messages[:1], fill=True)
        others = [Stream(valkey.url) for _ in range(4)]
        await asyncio.gather(*(other.publish(messages) for other in others for _ in range(3)))
        assert await redis.xlen(STREAM) == 50
        for other in others:
            await other.close()

    async def test_all_keys_of_the_script_are_in_one_slot_of_a_cluster(
        self, stream: Stream, redis: Redis
    ) -> None:
        await stream.publish([packed() for _ in range(20)], fill=True)
        keys: list[Any] = await redis.keys()
        assert len(keys) == 21
        assert {key_slot(key) for key in keys} == {key_slot(STREAM.encode())}

    async def test_keeps_the_stream_bounded(self, stream: Stream, redis: Redis) -> None:
        await stream.publish([], fill=True)
        for _ in range(10):
            await stream.publish([packed() for _ in range(300)])
        assert 1000 <= await redis.xlen(STREAM) < 1200

    async def test_fills_a_deleted_stream_again_in_order(self, stream: Stream, redis: Redis) -> None:
        messages = [packed() for _ in range(5)]
        await stream.publish(messages, fill=True)
        await redis.delete(STREAM)
        await stream.publish(messages, fill=True)
        await stream.publish(messages, fill=True)
        async with following(stream) as follower:
            assert [posted.message_id for posted in follower.hub.memory.after(None, ROOM)] == ids(messages)[
                ::-1
            ]

    async def test_fails_soon_without_a_server(self, stream: Stream, valkey: Valkey) -> None:
        valkey.stop()
        with pytest.raises(RedisError):
            async with asyncio.timeout(3):
                await stream.publish([packed()])


class TestReader:
    async def test_stores_old_messages_and_delivers_new_ones(self, stream: Stream) -> None:
        old = [packed(datetime.now(UTC) - timedelta(minutes=10)) for _ in range(5)]
        await stream.publish(old, fill=True)
        async with following(stream) as follower:
            assert len(list(follower.hub.memory.after(None, ROOM))) == 5
            assert follower.delivered == []
            new = [packed() for _ in range(700)]  # more than one batch
            await stream.publish(new)
            # The inbox holds 256 messages (`QUEUE_LIMIT`).
            await follower.until(lambda: len(follower.delivered) >= 250)
            assert follower.delivered == ids(new)[: len(follower.delivered)]

    async def test_continues_after_the_server_was_emptied(self, stream: Stream, valkey: Valkey) -> None:
        await stream.publish([], fill=True)
        async with following(stream) as follower:
            before = [packed() for _ in range(3)]
            await stream.publish(before)
            await follower.until(lambda: len(follower.delivered) >= 3)
            valkey.stop()
            valkey.start()
            after = [packed() for _ in range(3)]
            await stream.publish([*before, *after], fill=True)
            await follower.until(lambda: len(follower.delivered) >= 6)
            assert follower.delivered == ids([*before, *after])

    async def test_reads_a_stream_that_was_recreated_with_lower_ids(
        self, stream: Stream, redis: Redis
    ) -> None:
        """Simulates a failover to a server whose clock is behind."""
        message = packed(datetime.now(UTC) - timedelta(minutes=10))
        await redis.xadd(STREAM, {"m": message[1]}, id="99999999999999-0")
        async with following(stream) as follower:
            await redis.delete(STREAM)
            lower = [message, packed(), packed()]
            await stream.publish(lower, fill=True)
            await follower.until(lambda: len(follower.delivered) >= 2)
            another = packed()
            await stream.publish([another])
            await follower.until(lambda: len(follower.delivered) >= 3)
            assert follower.delivered == ids([*lower[1:], another])  # The first is too old to be delivered.

    async def test_waits_for_a_server_that_is_not_running_yet(self, stream: Stream, valkey: Valkey) -> None:
        valkey.stop()
        follower = Following(stream)
        task = asyncio.create_task(follower.reader.run())
        await asyncio.sleep(0)
        valkey.start()
        history = packed(datetime.now(UTC) - timedelta(minutes=10))
        message = packed()
        await stream.publish([history, message], fill=True)
        await follower.until(follower.reader.loaded.is_set)
        await follower.until(lambda: bool(follower.delivered))
        assert follower.delivered == [message[0]]
        await end([task])

    async def test_skips_entries_that_it_cannot_decode(self, stream: Stream, redis: Redis) -> None:
        await stream.publish([], fill=True)
        async with following(stream) as follower:
            await redis.xadd(STREAM, {"x": "y"})
            await redis.xadd(STREAM, {"m": "{"})
            message = packed()
            await stream.publish([message])
            await follower.until(lambda: bool(follower.delivered))
            assert follower.delivered == [message[0]]
