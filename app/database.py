"""The database engine: connection pool, TLS and settings for transaction poolers."""

import ssl
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import asyncpg
import orjson
from sqlalchemy import event, text
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from app.config import Settings

STATEMENT_SECONDS = 60.0
"""The longest time that a worker or a command waits for one SQL statement. Requests wait for less time, which
`app/main.py` has."""
PING_AFTER_SECONDS = 1.0
PING_SECONDS = 5.0
"""The timeout of a ping. It detects a server that hangs before a request runs a statement."""
LOCAL_HOSTS = {"", "localhost", "127.0.0.1", "::1"}
TLS_IS_OPTIONAL = (None, "disable", "allow", "prefer")

# Parameters that hosting providers put into database addresses. asyncpg rejects them, so they are removed.
NOT_FOR_ASYNCPG = ("application_name", "channel_binding", "connect_timeout", "gssencmode", "pgbouncer")

FIRST_VARYING_OID = 10_000
"""Types with a lower number are the same in every PostgreSQL."""

_LOSSY_SETTINGS = text(
    "select name from pg_settings"
    " where name in ('fsync', 'synchronous_commit') and setting = 'off' order by name"
)

_described_types: dict[frozenset[int], Sequence[asyncpg.Record]] = {}


@dataclass(frozen=True, slots=True)
class _NamedStatement:
    """Stands in for asyncpg's introspection statement.

    Because it has a name, asyncpg keeps the caller's unnamed statement.
    """

    name: str = "kept"


class Connection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
    """A connection that is told once in a process how PostgreSQL's own types are built.

    asyncpg asks it on each connection, before the first statement with an array of UUIDs and again for other
    arrays. The plan of that query alone takes PostgreSQL more time than most statements of a request.
    """

    async def _introspect_types(
        self,
        typeoids: Iterable[int],
        timeout: float | None,  # noqa: ASYNC109 -- asyncpg's signature
    ) -> tuple[Any, Any]:
        asked = frozenset(typeoids)
        if asked in _described_types:
            return _described_types[asked], _NamedStatement()
        rows, statement = await super()._introspect_types(asked, timeout)
        if max(asked) < FIRST_VARYING_OID:
            _described_types[asked] = rows
        return rows, statement


def create_engine(
    settings: Settings,
    *,
    application_name: str = "ias",
    statement_seconds: float = STATEMENT_SECONDS,
    **options: Any,
) -> AsyncEngine:
    """Create an engine for `settings.database_url`. It connects at its first use.

    A statement that takes longer than `statement_seconds` raises TimeoutError.
    """
    url, tls = _tls(settings)
    connect_args: dict[str, Any] = {"timeout": 5, "command_timeout": statement_seconds, **tls}
    connect_args["connection_class"] = Connection
    if settings.transaction_pooled:
        # Each transaction may run in another server process, so that named prepared statements and session
        # settings cannot be used.
        connect_args |= {"statement_cache_size": 0, "prepared_statement_cache_size": 0}
    else:
        connect_args["server_settings"] = {"application_name": application_name, "timezone": "UTC"}
    defaults: dict[str, Any] = {
        "pool_size": settings.database_pool_size,
        "max_overflow": 0,
        "pool_timeout": 15,  # At the start of an exam, many requests wait for a connection.
        "pool_recycle": 1800,
    }
    engine = create_async_engine(
        url,
        connect_args=connect_args,
        hide_parameters=True,  # Parameters may hold personal data, which must not be logged.
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        **(defaults | options),
    )
    _ping_idle_connections(engine)
    return engine


def _ping_idle_connections(engine: AsyncEngine) -> None:
    """Ping a connection at checkout if it has been idle for a while. Replace it if the ping fails.

    `pool_pre_ping` pings at each checkout, which takes three round trips: as many as saving answers takes.
    Under load connections are rarely idle, and the driver knows which of them the server has closed.
    """

    def checked_in(_: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
        entry.info["idle_since"] = time.monotonic()

    def checked_out(connection: DBAPIConnection, entry: ConnectionPoolEntry, _: object) -> None:
        driver: Any = entry.driver_connection
        if driver.is_closed():
            raise InvalidatePoolError
        if time.monotonic() - entry.info.get("idle_since", time.monotonic()) < PING_AFTER_SECONDS:
            return
        adapted: Any = connection
        try:
            adapted.run_async(lambda raw: raw.execute("select 1", timeout=PING_SECONDS))
        except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
            raise InvalidatePoolError from error

    event.listen(engine.sync_engine, "checkin", checked_in)
    event.listen(engine.sync_engine, "checkout", checked_out)


def _tls(settings: Settings) -> tuple[URL, dict[str, Any]]:
    """The URL for asyncpg and its TLS options.

    Connections to other machines use TLS with a verified certificate, unless DATABASE_SSL is `off`. libpq's
    parameters `sslmode` and `sslrootcert` are read from the address and removed.
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
    """Whether the database is on this machine. A `host` in the query overrides the host of the URL."""
    given = url.query.get("host", url.host or "")
    hosts = [given] if isinstance(given, str) else given
    return all(host in LOCAL_HOSTS or host.startswith("/") for host in hosts)


async def lossy_settings(engine: AsyncEngine) -> list[str]:
    """The settings of PostgreSQL by which a crash loses what was committed, if they are off.

    They cannot be set by a parameter of the connection: PgBouncer refuses those that it does not know.
    """
    async with engine.connect() as connection:
        found = await connection.execute(_LOSSY_SETTINGS)
        return list(found.scalars())


@asynccontextmanager
async def transaction(engine: AsyncEngine, *, read_only: bool = False) -> AsyncIterator[AsyncSession]:
    """A session in a transaction, which the end of the block commits and an exception rolls back."""
    bind = _read_only(engine) if read_only else engine
    async with AsyncSession(bind, expire_on_commit=False) as session, session.begin():
        yield session


@asynccontextmanager
async def driver_connection(engine: AsyncEngine) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the driver, outside of any transaction. The pool replaces it if it is lost."""
    async with engine.connect() as connection:
        adapted = await connection.get_raw_connection()
        driver: Any = adapted.driver_connection
        yield driver


async def run_and_commit(
    connection: asyncpg.Connection, statement: str, arguments: Sequence[Any], *, pooled: bool
) -> Sequence[asyncpg.Record]:
    """Run one statement in a transaction of its own, and return its rows after the commit.

    PostgreSQL commits it by itself. Through a transaction pooler, the preparation and the run may reach
    different server processes unless a transaction holds them together.
    """
    if not pooled:
        # No BEGIN was sent: SQLAlchemy begins with its own first statement.
        rows: Sequence[asyncpg.Record] = await connection.fetch(statement, *arguments)
    else:
        async with connection.transaction():
            rows = await connection.fetch(statement, *arguments)
    return rows


@asynccontextmanager
async def undone(session: AsyncSession) -> AsyncIterator[None]:
    """A block whose changes are rolled back at its end. The rest of the transaction is kept.

    Locks that the block took are released. Objects that it changed must not be used after it.
    """
    savepoint = await session.begin_nested()
    try:
        yield
    finally:
        await savepoint.rollback()


@lru_cache(maxsize=8)
def autocommit(engine: AsyncEngine) -> AsyncEngine:
    """The same engine, where each statement is a transaction of its own."""
    return engine.execution_options(isolation_level="AUTOCOMMIT")


@lru_cache(maxsize=8)
def _read_only(engine: AsyncEngine) -> AsyncEngine:
    """The same engine with read-only transactions, each of which reads one snapshot.

    An answer that several statements put together would otherwise show a result by the key before and the
    ranks by the new one, if a key revision commits between them (docs/decisions/0075). It takes no round trip
    more, and a transaction that only reads cannot fail by it.
    """
    return engine.execution_options(postgresql_readonly=True, isolation_level="REPEATABLE READ")
