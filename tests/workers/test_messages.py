"""The loop that publishes what a process has committed and did not live to publish."""

from typing import Any

from redis.asyncio import Redis

from app.core.realtime.stream import STREAM
from app.services.unit_of_work import unit_of_work
from devservers.valkey import Valkey
from tests.builders.messages import announcement
from tests.waiting import eventually
from tests.workers.conftest import Database, StartWorker


async def write(database: Database, *numbers: int) -> None:
    """Commit messages with nobody there to publish them, like an API that is killed right after."""
    async with unit_of_work(database.engine) as uow:
        for number in numbers:
            uow.messages.to_everybody("exam:1", announcement(number))


async def in_stream(valkey: Valkey) -> int:
    """How many messages are in the stream, without the mark of its beginning."""
    async with Redis.from_url(valkey.url) as redis:
        entries: Any = await redis.xrange(STREAM)
        return sum(bool(fields[b"m"]) for _, fields in entries)


async def test_what_was_left_behind_is_published_once_by_all_workers_together(
    database: Database, valkey: Valkey, start_worker: StartWorker
) -> None:
    await write(database, *range(20))
    for worker in [start_worker(), start_worker()]:
        await worker.ready()
    await write(database, *range(20, 40))

    async def published() -> bool:
        return not await database.all("select 1 from ias.messages where published_at is null")

    await eventually(published)
    assert await in_stream(valkey) == 40


async def test_redis_is_filled_again_after_it_was_emptied(
    database: Database, valkey: Valkey, start_worker: StartWorker
) -> None:
    await start_worker().ready()
    await write(database, 1, 2)

    async def there() -> bool:
        return await in_stream(valkey) == 2

    await eventually(there)
    valkey.stop()
    valkey.start()
    await eventually(there)
