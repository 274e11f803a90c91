"""The engine and its connections: pooling, TLS, and what a transaction pooler cannot bear."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from app.config import Settings

LOCAL_HOSTS = {None, "", "localhost", "127.0.0.1", "::1"}


def create_engine(settings: Settings, *, application_name: str = "ias", **options: Any) -> AsyncEngine:
    """An engine for `settings.database_url`; it connects when first used."""
    url, tls = _tls(settings)
    connect_args: dict[str, Any] = {"timeout": 5, "command_timeout": 60, **tls}
    if settings.transaction_pooled:
        # Each transaction may land on another server process: statements may have no name there, and
        # session settings do not hold.
        connect_args |= {"statement_cache_size": 0, "prepared_statement_cache_size": 0}
    else:
        connect_args["server_settings"] = {"application_name": application_name, "timezone": "UTC"}
    defaults: dict[str, Any] = {
        "pool_size": settings.database_pool_size,
        "max_overflow": 0,
        "pool_timeout": 5,
        "pool_pre_ping": True,
        "pool_recycle": 1800,
    }
    return create_async_engine(
        url,
        connect_args=connect_args,
        hide_parameters=True,  # What people wrote has no place in logs.
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        **(defaults | options),
    )


def _tls(settings: Settings) -> tuple[URL, dict[str, Any]]:
    """TLS is verified to any host but this machine, unless DATABASE_SSL=off says otherwise.

    libpq's `sslmode` and `sslrootcert` in the address are understood, since that is what people paste.
    """
    url = settings.database
    query = dict(url.query)
    mode, root_certificate = query.pop("sslmode", None), query.pop("sslrootcert", None)
    url = url.set(query=query)
    local = (url.host in LOCAL_HOSTS or str(url.host).startswith("/")) and mode in (None, "disable")
    if settings.database_ssl == "off" or (settings.database_ssl == "auto" and local):
        return url, {"ssl": False}
    ca_file = settings.database_ca_file or (Path(str(root_certificate)) if root_certificate else None)
    return url, {"ssl": ssl.create_default_context(cafile=ca_file)}


@asynccontextmanager
async def transaction(engine: AsyncEngine, *, read_only: bool = False) -> AsyncIterator[AsyncSession]:
    """One session in one transaction: committed at the end of the block, rolled back by an exception."""
    bind = engine.execution_options(postgresql_readonly=True) if read_only else engine
    async with AsyncSession(bind, expire_on_commit=False) as session, session.begin():
        yield session
