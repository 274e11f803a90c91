"""A cache of JSON values in Redis that loads each value once, and works without Redis."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.core.breaker import Breaker

REDIS_FAILURES = (RedisError, OSError)


class _Abandoned(Exception):
    """The caller that was loading has been cancelled; another one may load."""


class Cache:
    """`get_or_load` gives every caller a copy of its own; a process has one load in flight per key."""

    def __init__(self, redis: Redis, prefix: str, timeout: float = 0.1) -> None:
        self._redis = redis
        self._prefix = prefix
        self._timeout = timeout
        self._breaker = Breaker(f"redis cache {prefix}")
        self._flights: dict[str, asyncio.Future[bytes]] = {}

    async def get_or_load(self, key: str, ttl: int, load: Callable[[], Awaitable[Any]]) -> Any:
        """The JSON value of `key`: cached for `ttl` seconds, else what `load` returns.

        Callers that come while one loads wait for it. `load` may use the caller's own database session:
        if it fails or is cancelled, a waiting caller loads instead; two failures are told to all.
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
        """Forget the keys; a load in flight is neither stored nor joined. Without Redis, `ttl` forgets."""
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
            flight.exception()  # It counts as seen also when nobody waits.
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
        """The answer of Redis, or None when it is down."""
        if not self._breaker.allows():
            return None
        try:
            async with asyncio.timeout(self._timeout):
                answer = await command()
        except REDIS_FAILURES as error:
            self._breaker.failed(error)
            return None
        self._breaker.succeeded()
        return answer

    def _name(self, key: str) -> str:
        return f"{self._prefix}:{key}"
