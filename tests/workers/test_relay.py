"""From the outbox to the broker."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from app.core.clock import SystemClock
from app.workers.broker import Broker
from app.workers.celery_app import QUEUE
from app.workers.loops import Relay
from devservers.valkey import Valkey
from tests.waiting import PATIENCE
from tests.workers.conftest import Database

pytestmark = pytest.mark.anyio


@pytest.fixture
async def brokers(valkey: Valkey) -> AsyncIterator[list[Broker]]:
    brokers = [Broker(valkey.url), Broker(valkey.url)]
    yield brokers
    for broker in brokers:
        await broker.close()


@pytest.fixture
async def redis(valkey: Valkey) -> AsyncIterator[Redis]:
    async with Redis.from_url(valkey.url) as redis:
        yield redis


async def take_messages(redis: Redis) -> list[str]:
    """The ids of all messages in the queue, which is empty afterwards."""
    raw = await redis.lrange(QUEUE.name, 0, -1)
    await redis.delete(QUEUE.name)
    return [json.loads(message)["headers"]["id"] for message in raw]


class TestStep:
    async def test_two_relays_never_publish_the_same_lease_twice(
        self, database: Database, brokers: list[Broker], redis: Redis
    ) -> None:
        await database.execute(
            "insert into ias.jobs (id, task, arguments)"
            " select gen_random_uuid(), 'trace', '{}' from generate_series(1, 450)"
        )
        relays = [Relay(database.engine, SystemClock(), broker) for broker in brokers]
        published: list[str] = []
        while len(published) < 450:
            await asyncio.gather(*(relay.step() for relay in relays))
            taken = await take_messages(redis)
            assert taken
            published += taken
        assert len(set(published)) == len(published) == 450
        await asyncio.gather(*(relay.step() for relay in relays))
        assert await take_messages(redis) == []

    async def test_nothing_is_sent_while_messages_wait(
        self, database: Database, brokers: list[Broker], redis: Redis
    ) -> None:
        job = await database.add_job("trace", name="x")
        relay = Relay(database.engine, SystemClock(), brokers[0])
        await relay.step()
        await database.end_leases()
        await relay.step()
        assert (await database.job(job)).deliveries == 1
        assert await take_messages(redis) == [str(job)]
        await relay.step()
        assert (await database.job(job)).deliveries == 2

    async def test_a_broker_that_is_down_costs_no_delivery(
        self, database: Database, valkey: Valkey, brokers: list[Broker], redis: Redis
    ) -> None:
        job = await database.add_job("trace", name="x")
        relay = Relay(database.engine, SystemClock(), brokers[0])
        valkey.stop()
        with pytest.raises(Exception, match=r"refused|closed|111"):
            await asyncio.wait_for(relay.step(), PATIENCE)
        assert (await database.job(job)).deliveries == 0
        valkey.start()
        await relay.step()
        assert await take_messages(redis) == [str(job)]

    async def test_a_message_says_nothing_but_which_job(
        self, database: Database, brokers: list[Broker], redis: Redis
    ) -> None:
        await database.add_job("trace", name="a-name-for-postgres-alone")
        await Relay(database.engine, SystemClock(), brokers[0]).step()
        assert b"a-name-for-postgres-alone" not in (await redis.lrange(QUEUE.name, 0, -1))[0]
