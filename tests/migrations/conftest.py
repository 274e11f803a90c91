"""A database of version 0009 with the rows of that version.

`version_0009.json` was written by commit 881c1fc: the rows of its tables after 14 attempts at four papers (a
dropped question under each rule, typed numbers, partial marks, sections with a choice, two devices, a late
answer, a retake), and what its API answered to each of the candidates.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from pydantic import SecretStr
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from app.config import Settings
from app.database import create_engine
from tests.conftest import ROOT, cloned_database

BEFORE = json.loads((ROOT / "tests" / "migrations" / "version_0009.json").read_text())
LOADED = (
    "users",
    "memberships",
    "subjects",
    "questions",
    "tests",
    "papers",
    "attempts",
    "response_events",
    "results",
    "score_counts",
)


@pytest.fixture(scope="session")
def old_database(superuser_url: str, template: str) -> Iterator[str]:
    """Its name. Tests get clones of it."""
    with cloned_database(superuser_url, template) as url:
        asyncio.run(_load(url))
        yield str(make_url(url).database)


@pytest.fixture
def database(superuser_url: str, old_database: str) -> Iterator[str]:
    with cloned_database(superuser_url, old_database) as url:
        yield url


@pytest.fixture
async def owner(database: str) -> AsyncIterator[AsyncEngine]:
    """Connections to a clone as its owner."""
    engine = create_engine(Settings(database_url=SecretStr(database)), pool_size=2)
    yield engine
    await engine.dispose()


async def _load(url: str) -> None:
    engine = create_engine(Settings(database_url=SecretStr(url)), pool_size=1)
    await downgrade(engine, "0009")
    async with engine.begin() as connection:
        for table in LOADED:
            load = f"insert into ias.{table} select * from jsonb_populate_recordset(null::ias.{table}, :rows)"
            await connection.execute(text(load), {"rows": json.dumps(BEFORE["rows"][table])})
    await engine.dispose()


async def upgrade(engine: AsyncEngine, to: str = "head") -> None:
    await _migrate(engine, command.upgrade, to)


async def downgrade(engine: AsyncEngine, to: str) -> None:
    await _migrate(engine, command.downgrade, to)


async def _migrate(engine: AsyncEngine, move: Any, to: str) -> None:
    def run(connection: Connection) -> None:
        config = Config(ROOT / "alembic.ini")
        config.attributes["connection"] = connection
        move(config, to)

    async with engine.begin() as connection:
        await connection.run_sync(run)


async def rows(engine: AsyncEngine, table: str, order: str) -> list[dict[str, Any]]:
    """The rows of a table."""
    statement = f"select coalesce(jsonb_agg(to_jsonb(row) order by {order}), '[]') from ias.{table} as row"
    async with engine.connect() as connection:
        return list(await connection.scalar(text(statement)))
