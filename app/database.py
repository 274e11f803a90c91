"""The engine and its connections: pooling, TLS, and what a transaction pooler cannot bear."""

import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import asyncpg
import orjson
from sqlalchemy import event
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from app.config import Settings

PING_AFTER_SECONDS = 1.0
PING_SECONDS = 5.0
"""A server that hangs is found out by the ping, not by a request that waits for its statement."""
LOCAL_HOSTS = {"", "localhost", "127.0.0.1", "::1"}
TLS_IS_OPTIONAL = (None, "disable", "allow", "prefer")

# What hosts put into the addresses that people paste, and asyncpg does not know: it does without.
NOT_FOR_ASYNCPG = ("application_name", "channel_binding", "connect_timeout", "gssencmode", "pgbouncer")


def create_engine(
    settings: Settings, *, application_name: str = "ias", statement_seconds: float = 60, **options: Any
) -> AsyncEngine:
    """An engine for `settings.database_url`; it connects when first used.

    A statement that takes longer than `statement_seconds` fails with TimeoutError.
    """
    url, tls = _tls(settings)
    connect_args: dict[str, Any] = {"timeout": 5, "command_timeout": statement_seconds, **tls}
    if settings.transaction_pooled:
        # Each transaction may land on another server process: statements may have no name there, and
        # session settings do not hold.
        connect_args |= {"statement_cache_size": 0, "prepared_statement_cache_size": 0}
    else:
        connect_args["server_settings"] = {"application_name": application_name, "timezone": "UTC"}
    defaults: dict[str, Any] = {
        "pool_size": settings.database_pool_size,
        "max_overflow": 0,
        "pool_timeout": 15,  # A herd at the start of an exam waits its turn rather than being refused.
        "pool_recycle": 1800,
    }
    engine = create_async_engine(
        url,
        connect_args=connect_args,
        hide_parameters=True,  # What people wrote has no place in logs.
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        **(defaults | options),
    )
    _ping_after_rest(engine)
    return engine


def _ping_after_rest(engine: AsyncEngine) -> None:
    """Ask a connection whether it lives if it has rested for a while; a dead or hanging one is replaced.

    `pool_pre_ping` asks each time, which takes three round trips: as many as a whole save. In a crowd
    connections do not rest, and one that the server has closed meanwhile is known to the driver.
    """

    def rest(_: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
        entry.info["rests_since"] = time.monotonic()

    def wake(connection: DBAPIConnection, entry: ConnectionPoolEntry, _: object) -> None:
        driver: Any = entry.driver_connection
        if driver.is_closed():
            raise InvalidatePoolError
        if time.monotonic() - entry.info.get("rests_since", time.monotonic()) < PING_AFTER_SECONDS:
            return
        adapted: Any = connection
        try:
            adapted.run_async(lambda raw: raw.execute("select 1", timeout=PING_SECONDS))
        except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
            raise InvalidatePoolError from error

    event.listen(engine.sync_engine, "checkin", rest)
    event.listen(engine.sync_engine, "checkout", wake)


def _tls(settings: Settings) -> tuple[URL, dict[str, Any]]:
    """TLS is verified to any host but this machine, unless DATABASE_SSL=off says otherwise.

    libpq's `sslmode` and `sslrootcert` in the address are understood, since that is what people paste.
    """
    url = settings.database
    query = dict(url.query)
    mode, root_certificate = query.pop("sslmode", None), query.pop("sslrootcert", None)
    url = url.set(query=query).difference_update_query(NOT_FOR_ASYNCPG)
    local = _is_local(url) and mode in TLS_IS_OPTIONAL
    if settings.database_ssl == "off" or (settings.database_ssl == "auto" and local):
        return url, {"ssl": False}
    ca_file = settings.database_ca_file or (Path(str(root_certificate)) if root_certificate else None)
    return url, {"ssl": ssl.create_default_context(cafile=ca_file)}


def _is_local(url: URL) -> bool:
    """Whether the database is on this machine. A host in the query goes before the usual one."""
    given = url.query.get("host", url.host or "")
    hosts = [given] if isinstance(given, str) else given
    return all(host in LOCAL_HOSTS or host.startswith("/") for host in hosts)


@asynccontextmanager
async def transaction(engine: AsyncEngine, *, read_only: bool = False) -> AsyncIterator[AsyncSession]:
    """One session in one transaction: committed at the end of the block, rolled back by an exception."""
    bind = _read_only(engine) if read_only else engine
    async with AsyncSession(bind, expire_on_commit=False) as session, session.begin():
        yield session


@lru_cache(maxsize=8)
def _read_only(engine: AsyncEngine) -> AsyncEngine:
    """The same connections, in transactions that PostgreSQL lets write nothing."""
    return engine.execution_options(postgresql_readonly=True)
