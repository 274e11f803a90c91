"""The server's tables: made once, whoever comes first."""

import asyncio
from collections.abc import Iterator
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from devservers.auth.store import Database
from tests.devservers.auth.conftest import run

pytestmark = pytest.mark.anyio


@pytest.fixture
def new_database_url(superuser_url: str) -> Iterator[str]:
    """An empty database of a role that may make schemas in it."""
    name = f"auth_{uuid4().hex[:12]}"
    run(superuser_url, f"create role {name} login password 'secret'", f"create database {name} owner {name}")
    url = make_url(superuser_url).set(database=name, username=name, password="secret")
    yield url.render_as_string(hide_password=False)
    run(superuser_url, f"drop database {name} with (force)", f"drop role {name}")


class TestUpgrade:
    async def test_by_many_at_once_happens_once(self, new_database_url: str) -> None:
        databases = await asyncio.gather(*(Database.open(new_database_url) for _ in range(4)))
        for database in databases:
            await database.close()
        connection = await asyncpg.connect(new_database_url)
        assert await connection.fetchval("select array_agg(number) from auth.schema_steps") == [1, 2]
        await connection.close()

    async def test_keeps_what_is_there(self, new_database_url: str, email: str) -> None:
        first = await Database.open(new_database_url)
        async with first.transaction() as store:
            user = await store.add_user(email, None, confirmed=True, user_metadata={}, app_metadata={})
        await first.close()
        second = await Database.open(new_database_url)
        async with second.transaction() as store:
            assert await store.user_by_email(email) == user
        await second.close()
