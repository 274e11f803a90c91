"""Faults of processes: killed and hung, and stores that are emptied, full or out of connections."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg
from redis.asyncio import Redis

from tests.faults.faulty_rehearsal import Fault, Inject
from tests.faults.system import System, frozen
from tests.full_disk import SmallDisk


def killed(*names: str) -> Inject:
    """kill -9, one after the other; over when each has been replaced."""

    @asynccontextmanager
    async def inject(system: System) -> AsyncIterator[None]:
        before = {name: system.pid(name) for name in names}
        for pid in before.values():
            os.kill(pid or 0, signal.SIGKILL)
        yield
        await replaced(system, before)

    return inject


async def replaced(system: System, before: Mapping[str, int | None]) -> None:
    """Wait until run.json names other processes than these."""

    def all_replaced() -> bool:
        return all(system.pid(name) not in (None, pid) for name, pid in before.items())

    await system.wait_until(all_replaced, f"{', '.join(before)} replaced")


def stopped(name: str, how: signal.Signals = signal.SIGTERM) -> Inject:
    """Ended in order, as in a deployment; over when it has been replaced."""

    @asynccontextmanager
    async def inject(system: System) -> AsyncIterator[None]:
        pid = system.pid(name)
        os.kill(pid or 0, how)
        yield
        await replaced(system, {name: pid})

    return inject


def hung(name: str) -> Inject:
    """SIGSTOP to it and everything below it."""

    @asynccontextmanager
    async def inject(system: System) -> AsyncIterator[None]:
        with frozen(system.pid(name) or 0):
            yield

    return inject


@asynccontextmanager
async def redis_of(system: System) -> AsyncIterator[Redis]:
    redis = Redis.from_url(system.run["redis_url"])
    try:
        yield redis
    finally:
        await redis.aclose()


@asynccontextmanager
async def emptied(system: System) -> AsyncIterator[None]:
    """Again and again: the queue, the cache, the stream and the limits are gone."""

    async def empty() -> None:
        async with redis_of(system) as redis:
            while True:
                await redis.flushall()
                await asyncio.sleep(0.5)

    emptying = asyncio.create_task(empty())
    try:
        yield
    finally:
        emptying.cancel()


@asynccontextmanager
async def read_only(system: System) -> AsyncIterator[None]:
    """It answers, and refuses every write: as a replica does after a failover, or after a failed save."""
    async with redis_of(system) as redis:
        await redis.execute_command(  # type: ignore[no-untyped-call]
            "REPLICAOF", "127.0.0.1", "1"
        )
        try:
            yield
        finally:
            await redis.execute_command(  # type: ignore[no-untyped-call]
                "REPLICAOF", "NO", "ONE"
            )


@asynccontextmanager
async def out_of_memory(system: System) -> AsyncIterator[None]:
    async with redis_of(system) as redis:
        await redis.config_set("maxmemory", "1")
        try:
            yield
        finally:
            await redis.config_set("maxmemory", "0")


@asynccontextmanager
async def out_of_connections(system: System) -> AsyncIterator[None]:
    """Somebody takes every connection; ours are ended now and then, so that new ones are needed."""
    async with AsyncExitStack() as taken:

        async def take() -> None:
            while True:
                try:
                    connection = await asyncpg.connect(system.run["database_url"], ssl=False, timeout=5)
                    taken.push_async_callback(connection.close, timeout=2)
                    await connection.execute(
                        "select pg_terminate_backend(pid) from pg_stat_activity"
                        " where usename = current_user and application_name like 'ias-%' and random() < 0.3"
                    )
                except (asyncpg.PostgresError, OSError):
                    await asyncio.sleep(0.05)

        taking = asyncio.create_task(take())
        try:
            yield
        finally:
            taking.cancel()
            await asyncio.wait([taking])


async def keep_full(disk: SmallDisk) -> None:
    """Take also what a part that dies gives back."""
    while True:
        await asyncio.to_thread(disk.fill)
        await asyncio.sleep(0.2)


async def exhaust_log(system: System) -> None:
    """Write to PostgreSQL's log until it needs a file for which there is no space: it ends itself."""
    try:
        connection = await asyncpg.connect(system.run["database_url"], ssl=False, timeout=5)
        for _ in range(200):
            await connection.execute("select pg_logical_emit_message(true, 'full', repeat('x', 1000000))")
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        return
    raise AssertionError("the disk was full, and PostgreSQL wrote 200 MB to its log")


@asynccontextmanager
async def disk_full(system: System) -> AsyncIterator[None]:
    """Not a byte is free: PostgreSQL ends itself. API and Redis die, too, and run.json cannot be written."""
    if system.disk is None:
        raise RuntimeError("no file system of its own could be mounted")
    system.disk.fill()
    before = {name: system.pid(name) for name in ("api", "valkey")}
    filling = asyncio.create_task(keep_full(system.disk))
    try:
        await exhaust_log(system)
        for pid in before.values():
            os.kill(pid or 0, signal.SIGKILL)
        yield
    finally:
        filling.cancel()
        await asyncio.wait([filling])
        system.disk.free()
    await replaced(system, before)


@asynccontextmanager
async def power_off(system: System) -> AsyncIterator[None]:
    """Everything dies at once, the supervisor too; what it wrote about its run stays, and it starts again."""
    system.kill_everything()
    yield
    await system.start()


@asynccontextmanager
async def several(system: System) -> AsyncIterator[None]:
    """The short form: one after the other, each healed before the next one."""
    for inject, seconds in (
        (killed("api"), 0.0),
        (hung("valkey"), 2.0),
        (killed("postgres"), 0.0),
        (hung("postgres"), 3.0),
        (killed("worker", "valkey"), 0.0),
    ):
        async with inject(system):
            await asyncio.sleep(seconds)
        await system.wait_until_ready(60)
    if system.disk is not None:
        system.disk.fill()
        os.kill(system.pid("api") or 0, signal.SIGKILL)
        began = time.monotonic()
        await asyncio.sleep(2)
        system.disk.free()
        await system.wait_until(lambda: time.monotonic() > began + 2, "the disk was full for a moment")
    yield


FAULTS = [
    Fault("api-killed", "API killed (kill -9)", killed("api"), recovery=8, expects="no answer"),
    Fault("api-restarted", "API restarted (SIGTERM)", stopped("api"), recovery=20, expects="no answer"),
    Fault("worker-killed", "Worker killed (kill -9)", killed("worker")),
    Fault("worker-restarted", "Worker restarted (SIGTERM)", stopped("worker")),
    Fault("worker-hung", "Worker hung for 20 s", hung("worker"), 20, expects="degraded"),
    Fault("redis-killed", "Redis killed (kill -9)", killed("valkey")),
    Fault("redis-hung", "Redis hung for 8 s", hung("valkey"), 8, expects="degraded"),
    Fault("redis-emptied", "Redis emptied every 0.5 s for 5 s", emptied, 5),
    Fault("redis-read-only", "Redis refuses writes for 5 s", read_only, 5),
    Fault("redis-full", "Redis out of memory for 5 s", out_of_memory, 5),
    Fault(
        "postgres-killed",
        "PostgreSQL killed (kill -9)",
        killed("postgres"),
        recovery=8,
        expects="unavailable",
    ),
    Fault(
        "postgres-restarted",
        "PostgreSQL restarted",
        stopped("postgres", signal.SIGINT),
        recovery=12,
        expects="unavailable",
    ),
    Fault("postgres-hung", "PostgreSQL hung for 20 s", hung("postgres"), 20, expects="unavailable"),
    Fault("postgres-connections", "PostgreSQL out of connections for 6 s", out_of_connections, 6),
    Fault("auth-killed", "Auth server killed (kill -9)", killed("auth")),
    Fault(
        "disk-full",
        "Disk full for 6 s: PostgreSQL ends itself, API and Redis are killed",
        disk_full,
        6,
        recovery=30,
        needs_disk=True,
    ),
    Fault(
        "power-off",
        "Everything killed at once, and started again",
        power_off,
        recovery=40,
        expects="no answer",
    ),
]
SHORT = Fault("several", "API, Redis, PostgreSQL and worker killed or hung; disk full", several)
