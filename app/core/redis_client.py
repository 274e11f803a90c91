"""Redis clients whose connections raise the errors that redis-py expects, with uvloop too."""

from typing import Any

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError


def open_redis(url: str, **options: Any) -> Redis:
    """Create a client. It connects at its first use."""
    client = Redis.from_url(url, **options)
    pool = client.connection_pool
    pool.connection_class = _reporting_resets(pool.connection_class)
    return client


def _reporting_resets(kind: type[AbstractConnection]) -> type[AbstractConnection]:
    """A subclass of a connection class that raises ConnectionError if the transport is closed.

    After a reset, asyncio's transports ignore writes. uvloop's transports raise RuntimeError, which redis-py
    does not convert, so that callers would not recognize the outage.
    """

    class ReportingResets(kind):  # type: ignore[valid-type, misc] # the base is known only at run time
        async def send_packed_command(self, *args: Any, **kwargs: Any) -> None:
            try:
                await super().send_packed_command(*args, **kwargs)
            except RuntimeError as error:
                if "closed" not in str(error):
                    raise
                raise RedisConnectionError(str(error)) from error

    return ReportingResets
