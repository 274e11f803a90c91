"""From PostgreSQL to the stream: once, in order, also when whoever began it died; and what is watched."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.config import Settings
from app.core.clock import SystemClock
from app.core.errors import NotFound
from app.core.realtime.hub import Hub
from app.core.realtime.inbox import Listener
from app.core.realtime.messages import Posted, unpack
from app.core.realtime.presence_tracker import PresenceTracker
from app.core.realtime.stream import Stream
from app.core.repeating import end
from app.database import create_engine
from app.repositories.realtime.messages import exam_room
from app.services import realtime
from app.services.components import Components
from app.services.realtime import Publisher
from app.services.realtime.publishing import TIMEOUT
from app.services.unit_of_work import unit_of_work
from devservers.valkey import Valkey
from tests.builders.messages import announcement, number_of
from tests.conftest import TestClock, cloned_database, delete_rows
from tests.waiting import PATIENCE

ROOM = "exam:1"


@pytest.fixture(scope="module")
def module_database_url(superuser_url: str, template: str) -> Iterator[str]:
    """A database that each test empties."""
    with cloned_database(superuser_url, template) as url:
        yield url


@pytest.fixture
def own_database_url(superuser_url: str, module_database_url: str) -> str:
    """A database in which nobody else has written a message."""
    delete_rows(superuser_url, module_database_url)
    return module_database_url


@pytest.fixture
async def database(own_database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(Settings(database_url=SecretStr(own_database_url)), pool_size=10)
    yield engine
    await engine.dispose()


@pytest.fixture
async def stream(valkey: Valkey) -> AsyncIterator[Stream]:
    stream = Stream(valkey.url)
    yield stream
    await stream.close()


@pytest.fixture
def publisher(database: AsyncEngine, stream: Stream) -> Publisher:
    return Publisher(database, stream, SystemClock())


async def write(engine: AsyncEngine, *numbers: int, new_messages: asyncio.Event | None = None) -> list[UUID]:
    async with unit_of_work(engine, new_messages) as uow:
        return [uow.messages.to_everybody(ROOM, announcement(number)) for number in numbers]


async def published(stream: Stream) -> list[Posted]:
    entries = [unpack(entry_id.decode(), fields[b"m"]) for entry_id, fields in await stream.last(10_000)]
    return [posted for posted in entries if posted.room]


async def numbers(stream: Stream) -> list[int]:
    return [number_of(json.loads(posted.text)) for posted in await published(stream)]


async def unpublished(engine: AsyncEngine) -> int:
    async with unit_of_work(engine) as uow:
        return len(await uow.messages.unpublished(10_000))


class TestPublisher:
    async def test_keeps_the_order_of_writing(
        self, database: AsyncEngine, stream: Stream, publisher: Publisher
    ) -> None:
        await write(database, *range(50))
        for number in range(50, 100):
            await write(database, number)
        await publisher.publish_all()
        assert await numbers(stream) == list(range(100))
        assert await unpublished(database) == 0

    async def test_publishes_more_than_a_batch(
        self, database: AsyncEngine, stream: Stream, publisher: Publisher
    ) -> None:
        await write(database, *range(1200))
        await publisher.publish_all()
        assert await numbers(stream) == list(range(1200))

    async def test_what_is_rolled_back_is_told_to_nobody(
        self, database: AsyncEngine, stream: Stream, publisher: Publisher
    ) -> None:
        with suppress(NotFound):
            async with unit_of_work(database) as uow:
                uow.messages.to_everybody(ROOM, announcement(1))
                raise NotFound("room")
        await publisher.publish_all()
        assert await numbers(stream) == []

    async def test_many_publishers_publish_each_once_and_in_order(
        self, database: AsyncEngine, stream: Stream, valkey: Valkey
    ) -> None:
        others = [Stream(valkey.url) for _ in range(4)]
        publishers = [Publisher(database, each, SystemClock()) for each in others]

        async def write_and_publish(first: int) -> None:
            for number in range(first, first + 20):
                await write(database, number)
                await publishers[first // 20].publish_all()

        await asyncio.gather(*(write_and_publish(first) for first in (0, 20, 40, 60)))
        told = await numbers(stream)
        assert sorted(told) == list(range(80))
        for first in (0, 20, 40, 60):  # Each of these was committed before the next was written.
            own = [number for number in told if first <= number < first + 20]
            assert own == list(range(first, first + 20))
        for each in others:
            await each.close()

    async def test_what_was_sent_and_not_marked_is_not_told_twice(
        self, database: AsyncEngine, stream: Stream, publisher: Publisher
    ) -> None:
        """As when a process is killed between Redis and the commit."""
        await write(database, 1, 2)
        await publisher.publish_all()
        async with database.begin() as connection:
            await connection.execute(text("update ias.messages set published_at = null"))
        await write(database, 3)
        await publisher.publish_all()
        assert await numbers(stream) == [1, 2, 3]
        assert await unpublished(database) == 0

    async def test_waits_in_postgresql_while_redis_is_away_and_fills_what_was_emptied(
        self, database: AsyncEngine, stream: Stream, publisher: Publisher, valkey: Valkey
    ) -> None:
        await write(database, 1, 2)
        await publisher.publish_all()
        valkey.stop()
        await write(database, 3, 4)
        with pytest.raises(RedisError):
            await publisher.publish_all()
        assert await unpublished(database) == 2
        valkey.start()
        await publisher.publish_all()
        assert await numbers(stream) == [1, 2, 3, 4]

    async def test_an_idle_publisher_fills_too(
        self, database: AsyncEngine, stream: Stream, publisher: Publisher, valkey: Valkey
    ) -> None:
        await write(database, 1)
        await publisher.publish_all()
        valkey.stop()
        valkey.start()
        await publisher.publish_all()
        assert await numbers(stream) == [1]

    async def test_old_messages_are_not_dug_out(
        self, database: AsyncEngine, stream: Stream, publisher: Publisher, valkey: Valkey
    ) -> None:
        await write(database, 1)
        await publisher.publish_all()
        async with database.begin() as connection:
            await connection.execute(text("update ias.messages set created_at = now() - interval '2 h'"))
        valkey.stop()
        valkey.start()
        await publisher.publish_all()
        assert await numbers(stream) == []


class TestUnitOfWork:
    async def test_tells_of_new_messages_after_its_commit_and_not_before(self, database: AsyncEngine) -> None:
        new_messages = asyncio.Event()
        async with unit_of_work(database, new_messages) as uow:
            uow.messages.to_everybody(ROOM, announcement(1))
            await uow.session.flush()
            assert not new_messages.is_set()
        assert new_messages.is_set()

    async def test_tells_nothing_of_what_is_rolled_back(self, database: AsyncEngine) -> None:
        new_messages = asyncio.Event()
        with suppress(ZeroDivisionError):
            async with unit_of_work(database, new_messages) as uow:
                uow.messages.to_everybody(ROOM, announcement(1))
                await uow.session.flush()
                raise ZeroDivisionError
        assert not new_messages.is_set()

    async def test_tells_nothing_if_the_commit_fails(self, database: AsyncEngine) -> None:
        new_messages = asyncio.Event()
        with suppress(DBAPIError):
            async with unit_of_work(database, new_messages) as uow:
                uow.messages.to_everybody(ROOM, announcement(1))
                await uow.session.flush()
                pid = await uow.session.scalar(text("select pg_backend_pid()"))
                async with database.connect() as other:
                    await other.execute(text("select pg_terminate_backend(:pid, 60000)"), {"pid": pid})
        assert not new_messages.is_set()

    async def test_a_commit_wakes_the_publisher(
        self, database: AsyncEngine, stream: Stream, publisher: Publisher
    ) -> None:
        new_messages = asyncio.Event()
        task = asyncio.create_task(publisher.run(new_messages))
        await write(database, 1, new_messages=new_messages)
        async with asyncio.timeout(PATIENCE):
            while await numbers(stream) != [1]:  # noqa: ASYNC110 -- the publisher tells nobody
                await asyncio.sleep(0.01)
        await end([task])

    async def test_a_redis_that_hangs_holds_nothing_up(self, database: AsyncEngine) -> None:
        async def hang(reader: Any, writer: Any) -> None:
            await reader.read()
            writer.close()

        server = await asyncio.start_server(hang, "127.0.0.1", 0)
        stream = Stream(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0")
        publisher = Publisher(database, stream, SystemClock())
        new_messages = asyncio.Event()
        task = asyncio.create_task(publisher.run(new_messages))
        began = asyncio.get_running_loop().time()
        for number in range(20):
            await write(database, number, new_messages=new_messages)
        # A write that waited for Redis would take at least the publisher's timeout.
        assert asyncio.get_running_loop().time() - began < 20 * TIMEOUT
        await end([task])
        await stream.close()
        server.close()


class TestForgetting:
    async def test_of_what_was_published_well_before(
        self, database: AsyncEngine, publisher: Publisher
    ) -> None:
        await write(database, 1)
        await publisher.publish_all()
        await write(database, 2)
        async with unit_of_work(database) as uow:
            await uow.messages.delete_published(datetime.now(UTC) + timedelta(hours=1))
        async with unit_of_work(database) as uow:
            rows = await uow.messages.recent(datetime.now(UTC) - timedelta(days=1), 10)
            assert rows == []
            assert [row.data["text"]["en"] for row in await uow.messages.unpublished(10)] == ["2"]


def seated(hub: Hub, exam_id: UUID, user_id: UUID, *, is_staff: bool = False) -> Any:
    now = datetime.now(UTC)
    listener = Listener(exam_room(exam_id), user_id, "s", now, is_staff)
    return hub.join(listener, None, now, 15)


class TestPresence:
    async def test_knows_who_is_connected_in_any_process(self, parts: Components, clock: TestClock) -> None:
        exam_id, asha, ravi, proctor = uuid4(), uuid4(), uuid4(), uuid4()
        here, there = Hub(), Hub()
        trackers = [PresenceTracker(parts.redis, hub, clock) for hub in (here, there)]
        inbox = seated(here, exam_id, asha)
        twice = seated(here, exam_id, asha)
        seated(there, exam_id, ravi)
        seated(there, exam_id, proctor, is_staff=True)
        for tracker in trackers:
            await tracker.step()
        assert await realtime.connected(parts, exam_id) == {asha, ravi}
        here.leave(inbox)
        await trackers[0].step()
        assert await realtime.connected(parts, exam_id) == {asha, ravi}
        here.leave(twice)
        await trackers[0].step()
        assert await realtime.connected(parts, exam_id) == {ravi}
        seen = await realtime.presence(parts, exam_id)
        assert seen is not None
        assert seen.keys() == {asha, ravi}
        assert seen[asha] < seen[ravi]

    async def test_forgets_those_of_a_process_that_died(self, parts: Components, clock: TestClock) -> None:
        exam_id, asha = uuid4(), uuid4()
        hub = Hub()
        seated(hub, exam_id, asha)
        await PresenceTracker(parts.redis, hub, clock).step()
        clock.advance(seconds=13)
        assert await realtime.connected(parts, exam_id) == set()

    async def test_says_so_when_nobody_can_know(self, parts: Components, valkey: Valkey) -> None:
        valkey.stop()
        async with Redis.from_url(valkey.url, socket_connect_timeout=0.2) as redis:
            hub, exam_id = Hub(), uuid4()
            seated(hub, exam_id, uuid4())
            await PresenceTracker(redis, hub, parts.clock).step()
            lost = _with_redis(parts, redis)
            assert await realtime.presence(lost, exam_id) is None
            assert await realtime.connected(lost, exam_id) is None
            assert await realtime.acknowledged(lost, [uuid4()]) == {}


class TestAcknowledged:
    async def test_counts_people(self, parts: Components, clock: TestClock) -> None:
        first, second = uuid4(), uuid4()
        tracker = PresenceTracker(parts.redis, Hub(), clock)
        asha = uuid4()
        for message_id, user_id in [(first, asha), (first, asha), (first, uuid4())]:
            tracker.acknowledge(message_id, user_id)
            await tracker.step()
        assert await realtime.acknowledged(parts, [first, second]) == {first: 2, second: 0}
        assert await realtime.acknowledged(parts, []) == {}

    async def test_are_written_when_redis_is_back(self, valkey: Valkey, parts: Components) -> None:
        message_id = uuid4()
        valkey.stop()
        async with Redis.from_url(valkey.url, socket_connect_timeout=0.2) as redis:
            tracker = PresenceTracker(redis, Hub(), parts.clock)
            tracker.acknowledge(message_id, uuid4())
            await tracker.step()
            valkey.start()
            await tracker.step()
            assert await realtime.acknowledged(_with_redis(parts, redis), [message_id]) == {message_id: 1}


def _with_redis(parts: Components, redis: Redis) -> Components:
    fields = {name: getattr(parts, name) for name in Components.__slots__}
    return Components(**(fields | {"redis": redis}))
