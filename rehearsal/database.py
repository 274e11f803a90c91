"""Read-only connections to the database of the API, for checks that do not use the application's code."""

import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from app.config import Settings, get_settings

_LOCAL_HOSTS = ("", "localhost", "127.0.0.1", "::1")
_VERIFYING_MODES = ("require", "verify-ca", "verify-full")


@asynccontextmanager
async def connected() -> AsyncIterator[asyncpg.Connection]:
    """A connection to the database that the settings name. Its transactions are read-only."""
    settings = get_settings()
    url = settings.database
    connection = await asyncpg.connect(
        host=url.query.get("host", url.host),
        port=url.query.get("port", url.port),
        user=url.username,
        password=url.password,
        database=url.database,
        ssl=_tls(settings),
        timeout=30,
        command_timeout=60,
        statement_cache_size=0,  # A transaction pooler keeps no prepared statements.
    )
    try:
        await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
        async with connection.transaction(readonly=True):
            yield connection
    finally:
        await connection.close()


def _tls(settings: Settings) -> ssl.SSLContext | bool:
    """The certificate is verified, except on this machine and with DATABASE_SSL=off."""
    query: dict[str, Any] = dict(settings.database.query)
    host = str(query.get("host", settings.database.host or ""))
    is_local = host in _LOCAL_HOSTS or host.startswith("/")
    if settings.database_ssl == "off":
        return False
    if settings.database_ssl == "auto" and is_local and query.get("sslmode") not in _VERIFYING_MODES:
        return False
    return ssl.create_default_context(cafile=settings.database_ca_file or query.get("sslrootcert"))
