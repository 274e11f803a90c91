"""Clients of Redis whose connections fail as redis-py expects it, also on uvloop."""

from typing import Any

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError


def open_redis(url: str, **options: Any) -> Redis:
    """A client for an address. It connects when first used."""
    client = Redis.from_url(url, **options)
    pool = client.connection_pool
    pool.connection_class = _reporting_resets(pool.connection_class)
    return client


def _reporting_resets(kind: type[AbstractConnection]) -> type[AbstractConnection]:
    """The same kind of connection, TLS or not, that reports a closed transport as a lost connection.

    asyncio's transports ignore what is written after a reset. uvloop's raise RuntimeError, which redis-py
    does not take for an outage: callers would not know the error.
    """

    class ReportingResets(kind):  # type: ignore[valid-type, misc] # a base known when the program runs
        async def send_packed_command(self, *args: Any, **kwargs: Any) -> None:
            try:
                await super().send_packed_command(*args, **kwargs)
            except RuntimeError as error:
                if "closed" not in str(error):
                    raise
                raise RedisConnectionError(str(error)) from error

    return ReportingResets
