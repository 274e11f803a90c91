"""A real Valkey: one for all tests, and one that a test may break."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from devservers.valkey import Valkey


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = Valkey(tmp_path_factory.mktemp("valkey"), durable=False)
    yield server.start()
    server.stop()


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url) as client:
        await client.flushdb()
        yield client


@pytest.fixture
def breakable(tmp_path: Path) -> Iterator[Valkey]:
    """A server that the test itself starts, kills and freezes."""
    server = Valkey(tmp_path / "home", durable=False)
    yield server
    server.stop()


@pytest.fixture
async def breakable_redis(breakable: Valkey) -> AsyncIterator[Redis]:
    async with Redis.from_url(breakable.start()) as client:
        yield client
