"""The cache against a real Valkey, alive, dead and frozen."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import structlog
from redis.asyncio import Redis

from app.core.cache import Cache
from devservers.valkey import Valkey
from tests.waiting import PATIENCE

pytestmark = pytest.mark.anyio


class Loader:
    """A load that counts its calls and, if asked to, waits at a gate."""

    def __init__(self, *outcomes: object) -> None:
        self.outcomes = list(outcomes)
        self.calls = 0
        self.started = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self) -> object:
        outcome = self.outcomes[min(self.calls, len(self.outcomes) - 1)]
        self.calls += 1
        self.started.set()
        await self.gate.wait()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def hold(loader: Loader) -> Loader:
    loader.gate.clear()
    return loader


@pytest.fixture
def freeze() -> Iterator[Callable[[Valkey], None]]:
    """Freeze a server; it is woken when the test ends."""
    frozen: list[int] = []

    def freeze(server: Valkey) -> None:
        assert server.child is not None
        assert server.child.pid is not None
        frozen.append(server.child.pid)
        os.kill(server.child.pid, signal.SIGSTOP)

    yield freeze
    for pid in frozen:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


class Probes:
    """Counts the commands that are sent to a server that is down."""

    def __init__(self) -> None:
        self.sent = 0
        self._began = time.monotonic()

    def allowed(self) -> int:
        """One command at first, and one for each second since."""
        return 1 + int(time.monotonic() - self._began)


@contextmanager
def probes(redis: Redis) -> Iterator[Probes]:
    count, send = Probes(), redis.execute_command

    async def counted(*arguments: Any, **options: Any) -> Any:
        count.sent += 1
        return await send(*arguments, **options)  # type: ignore[no-untyped-call]

    redis.execute_command = counted  # type: ignore[method-assign]
    yield count
    redis.execute_command = send  # type: ignore[method-assign]


async def started(*callers: Coroutine[Any, Any, object]) -> list["asyncio.Task[object]"]:
    tasks = [asyncio.create_task(caller) for caller in callers]
    await asyncio.sleep(0)
    return tasks


class TestGetOrLoad:
    async def test_loads_once_and_then_reads_the_cache(self, redis: Redis) -> None:
        cache, load = Cache(redis, "t", timeout=PATIENCE), Loader({"marks": ["2", None]})
        first = await cache.get_or_load("k", 60, load)
        again = await cache.get_or_load("k", 60, load)
        assert first == again == {"marks": ["2", None]}
        assert load.calls == 1

    async def test_another_process_reads_what_this_one_loaded(self, redis: Redis) -> None:
        load = Loader([1])
        await Cache(redis, "t", timeout=PATIENCE).get_or_load("k", 60, load)
        assert await Cache(redis, "t", timeout=PATIENCE).get_or_load("k", 60, load) == [1]
        assert load.calls == 1

    async def test_prefixes_keep_apart(self, redis: Redis) -> None:
        await Cache(redis, "a").get_or_load("k", 60, Loader("a"))
        assert await Cache(redis, "b").get_or_load("k", 60, Loader("b")) == "b"

    async def test_a_value_ends_with_its_time_to_live(self, redis: Redis) -> None:
        await Cache(redis, "t", timeout=PATIENCE).get_or_load("k", 60, Loader(1))
        assert 0 < await redis.ttl("t:k") <= 60

    async def test_callers_at_once_share_one_load(self, redis: Redis) -> None:
        cache, load = Cache(redis, "t", timeout=PATIENCE), hold(Loader({"n": 1}))
        tasks = await started(*(cache.get_or_load("k", 60, load) for _ in range(50)))
        await load.started.wait()
        load.gate.set()
        assert await asyncio.gather(*tasks) == [{"n": 1}] * 50
        assert load.calls == 1

    async def test_nobody_can_change_the_value_of_another(self, redis: Redis) -> None:
        cache, load = Cache(redis, "t", timeout=PATIENCE), hold(Loader({"list": []}))
        tasks = await started(*(cache.get_or_load("k", 60, load) for _ in range(2)))
        load.gate.set()
        first, second = await asyncio.gather(*tasks)
        assert first is not second

    async def test_cancelled_loads_are_taken_over_however_many(self, redis: Redis) -> None:
        cache, working = Cache(redis, "t", timeout=PATIENCE), hold(Loader("value"))
        leaders, loads = [], [hold(Loader("abandoned")) for _ in range(3)]
        for load in loads:
            leaders += await started(cache.get_or_load("k", 60, load))
        followers = await started(*(cache.get_or_load("k", 60, working) for _ in range(10)))
        for leader, load in zip(leaders, loads, strict=True):
            await load.started.wait()
            leader.cancel()
        working.gate.set()
        assert [await follower for follower in followers] == ["value"] * 10
        assert working.calls == 1

    async def test_a_cancelled_follower_leaves_the_load_alone(self, redis: Redis) -> None:
        cache, load = Cache(redis, "t", timeout=PATIENCE), hold(Loader("value"))
        leader, follower, other = await started(*(cache.get_or_load("k", 60, load) for _ in range(3)))
        await load.started.wait()
        follower.cancel()
        load.gate.set()
        assert (await leader, await other) == ("value", "value")
        assert load.calls == 1

    async def test_a_failed_load_is_tried_by_the_next_caller(self, redis: Redis) -> None:
        cache, failing, working = (
            Cache(redis, "t", timeout=PATIENCE),
            hold(Loader(ValueError("no"))),
            Loader("fine"),
        )
        (leader,) = await started(cache.get_or_load("k", 60, failing))
        await failing.started.wait()
        followers = await started(*(cache.get_or_load("k", 60, working) for _ in range(10)))
        failing.gate.set()
        with pytest.raises(ValueError, match="no"):
            await leader
        assert await asyncio.gather(*followers) == ["fine"] * 10
        assert working.calls == 1

    async def test_when_loads_keep_failing_nobody_waits_for_a_third(self, redis: Redis) -> None:
        cache, load = Cache(redis, "t", timeout=PATIENCE), hold(Loader(ValueError("down")))
        tasks = await started(*(cache.get_or_load("k", 60, load) for _ in range(20)))
        await load.started.wait()
        load.gate.set()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [ValueError] * 20
        assert load.calls == 2

    async def test_a_failure_is_not_kept(self, redis: Redis) -> None:
        cache, load = Cache(redis, "t", timeout=PATIENCE), Loader(ValueError("no"), "fine")
        with pytest.raises(ValueError, match="no"):
            await cache.get_or_load("k", 60, load)
        assert await cache.get_or_load("k", 60, load) == "fine"


class TestDelete:
    async def test_the_next_caller_loads_again(self, redis: Redis) -> None:
        cache, load = Cache(redis, "t", timeout=PATIENCE), Loader("old", "new")
        await cache.get_or_load("k", 60, load)
        await cache.delete("k")
        assert await cache.get_or_load("k", 60, load) == "new"

    async def test_a_load_that_began_before_is_not_stored(self, redis: Redis) -> None:
        cache, slow = Cache(redis, "t", timeout=PATIENCE), hold(Loader("stale"))
        (reader,) = await started(cache.get_or_load("k", 60, slow))
        await slow.started.wait()
        await cache.delete("k")
        assert await cache.get_or_load("k", 60, Loader("fresh")) == "fresh"
        slow.gate.set()
        await reader
        assert await cache.get_or_load("k", 60, Loader("third")) == "fresh"


class TestWithoutRedis:
    async def test_a_dead_server_costs_little_is_logged_once_and_heals(
        self, valkey: Valkey, breakable_redis: Redis
    ) -> None:
        cache, load = Cache(breakable_redis, "t"), Loader("value")
        await cache.get_or_load("k", 60, load)
        valkey.stop()
        with structlog.testing.capture_logs() as logs, probes(breakable_redis) as count:
            for _ in range(101):
                assert await cache.get_or_load("k", 60, load) == "value"
            assert count.sent <= count.allowed()
        assert [entry["event"] for entry in logs] == ["server_down"]
        assert load.calls == 102

        valkey.start()
        await self._until_cached(cache)

    async def test_a_frozen_server_is_waited_for_once_only(
        self, valkey: Valkey, breakable_redis: Redis, freeze: Callable[[Valkey], None]
    ) -> None:
        cache, load = Cache(breakable_redis, "t"), Loader("value")
        await cache.get_or_load("other", 60, load)
        freeze(valkey)
        with probes(breakable_redis) as count:
            for _ in range(50):
                assert await cache.get_or_load("k", 60, load) == "value"
            assert count.sent <= count.allowed()

    async def test_after_a_frozen_server_wakes_nobody_gets_the_answer_of_another(
        self, valkey: Valkey, breakable_redis: Redis, freeze: Callable[[Valkey], None]
    ) -> None:
        cache = Cache(breakable_redis, "t")
        for key in "abcdef":
            await cache.get_or_load(key, 60, Loader(key))
        freeze(valkey)
        await asyncio.gather(*(cache.get_or_load(key, 60, Loader("not cached")) for key in "abc"))
        assert valkey.child is not None
        assert valkey.child.pid is not None
        os.kill(valkey.child.pid, signal.SIGCONT)
        await self._until_cached(cache)
        # On a busy machine a read may take longer than the cache waits; then the key's own value is loaded.
        read = await asyncio.gather(*(cache.get_or_load(key, 60, Loader(key)) for key in "defabc"))
        assert read == list("defabc")

    @staticmethod
    async def _until_cached(cache: Cache) -> None:
        """The breaker asks again after its pause; then a second read needs no load."""
        async with asyncio.timeout(PATIENCE):
            while True:
                load = Loader("healed")
                await cache.get_or_load("h", 60, load)
                await cache.get_or_load("h", 60, load)
                if load.calls < 2:
                    return
                await asyncio.sleep(0.05)
