"""Clients of the worker's Valkey, and of a test's own."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from devservers.valkey import Valkey


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url) as client:
        await client.flushdb()
        yield client


@pytest.fixture
async def breakable_redis(valkey: Valkey) -> AsyncIterator[Redis]:
    """A client of the test's own server."""
    async with Redis.from_url(valkey.url) as client:
        yield client
