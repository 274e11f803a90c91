"""A cache of JSON values in Redis (docs/decisions/0028). Without Redis, each value is loaded."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.core.breaker import Breaker

REDIS_FAILURES = (RedisError, OSError)


class _Abandoned(Exception):
    """The caller that loaded the value was cancelled. Another caller loads it."""


class Cache:
    """Loads each missing value once for all concurrent callers of a process."""

    def __init__(self, redis: Redis, prefix: str, timeout: float = 0.1) -> None:
        self._redis = redis
        self._prefix = prefix
        self._timeout = timeout
        self._breaker = Breaker(f"redis cache {prefix}")
        self._flights: dict[str, asyncio.Future[bytes]] = {}

    async def get_or_load(self, key: str, ttl: int, load: Callable[[], Awaitable[Any]]) -> Any:
        """Return the cached value of `key`, or call `load` and cache its result for `ttl` seconds.

        Each caller gets its own copy. Concurrent callers wait for the load in progress. `load` may use the
        caller's database session, so that if it fails or is cancelled, a waiting caller calls its own `load`.
        A caller that has seen two failures raises the second one.
        """
        failures = 0
        while (flight := self._flights.get(key)) is not None:
            try:
                return orjson.loads(await asyncio.shield(flight))
            except _Abandoned:
                continue
            except Exception:
                failures += 1
                if failures > 1:
                    raise
        return orjson.loads(await self._lead(key, ttl, load))

    async def delete(self, *keys: str) -> None:
        """Delete keys. The result of a load in progress is not cached, and new callers do not wait for it.

        While Redis is down, the keys expire after their `ttl` instead.
        """
        for key in keys:
            self._flights.pop(key, None)
        await self._ask(lambda: self._redis.delete(*map(self._name, keys)))

    async def _lead(self, key: str, ttl: int, load: Callable[[], Awaitable[Any]]) -> bytes:
        flight: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._flights[key] = flight
        try:
            payload = await self._read_or_load(key, ttl, load, flight)
        except BaseException as error:
            flight.set_exception(error if isinstance(error, Exception) else _Abandoned())
            flight.exception()  # Mark it as retrieved, in case no caller waits.
            raise
        else:
            flight.set_result(payload)
            return payload
        finally:
            if self._flights.get(key) is flight:
                del self._flights[key]

    async def _read_or_load(
        self, key: str, ttl: int, load: Callable[[], Awaitable[Any]], flight: asyncio.Future[bytes]
    ) -> bytes:
        cached = await self._ask(lambda: self._redis.get(self._name(key)))
        if isinstance(cached, bytes | str):
            return cached.encode() if isinstance(cached, str) else cached
        payload = orjson.dumps(await load())
        if self._flights.get(key) is flight:
            await self._ask(lambda: self._redis.set(self._name(key), payload, ex=ttl))
        return payload

    async def _ask(self, command: Callable[[], Awaitable[Any]]) -> Any:
        """The result of a Redis command, or None while Redis is down."""
        if not self._breaker.allows():
            return None
        try:
            async with asyncio.timeout(self._timeout):
                reply = await command()
        except REDIS_FAILURES as error:
            self._breaker.failed(error)
            return None
        self._breaker.succeeded()
        return reply

    def _name(self, key: str) -> str:
        return f"{self._prefix}:{key}"
