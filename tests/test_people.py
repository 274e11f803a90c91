"""The accounts of `tests/builders/people.py` are as the auth server and the repository write them."""

import json
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from app.models import Role
from app.services.unit_of_work import unit_of_work
from devservers.auth.store import Database
from tests.builders.people import PASSWORD_HASH, People, new_email, user_id_of

TABLES = {"auth.users": "id", "auth.sessions": "user_id", "ias.users": "id", "ias.memberships": "user_id"}
OF_ONE_ACCOUNT = {"id", "user_id", "email"}


def comparable(column: str, value: Any) -> Any:
    """The value of a column; a time is only there or not, and what is unique only has a length."""
    if column in OF_ONE_ACCOUNT:
        return len(value)
    is_time = column.endswith(("_at", "_since")) and value is not None
    return "a time" if is_time else value


async def rows_of(connection: asyncpg.Connection, user_id: UUID) -> dict[str, dict[str, Any]]:
    found = {}
    for table, column in TABLES.items():
        statement = f"select to_jsonb(one)::text from {table} one where {column} = $1"
        row = json.loads(await connection.fetchval(statement, user_id))
        found[table] = {name: comparable(name, value) for name, value in row.items()}
    return found


async def written_by_the_code(database: Database, engine: AsyncEngine, name: str, role: Role) -> UUID:
    async with database.transaction() as store:
        user = await store.add_user(
            new_email(), PASSWORD_HASH, confirmed=True, user_metadata={"name": name}, app_metadata={}
        )
        assert user is not None
        session = await store.add_session(user.id, "password")
    async with unit_of_work(engine) as uow:
        await uow.users.add(user.id, user.email, name)
        await uow.users.change(user.id, {"email_since": session.created_at})
        await uow.users.set_role(user.id, role, session.created_at)
    return user.id


@pytest.mark.parametrize("role", [Role.STUDENT, Role.AUTHOR])
async def test_an_account_is_as_the_code_writes_it(
    people: People, engine: AsyncEngine, superuser_url: str, database_url: str, role: Role
) -> None:
    inside = make_url(superuser_url).set(database=make_url(database_url).database)
    url = inside.render_as_string(hide_password=False)
    client = await (people.candidate("Author") if role is Role.STUDENT else people.member(role))
    database, connection = await Database.open(url), await asyncpg.connect(url)
    written = await written_by_the_code(database, engine, "Author", role)
    made = await rows_of(connection, await user_id_of(client))
    assert made == await rows_of(connection, written)
    await connection.close()
    await database.close()
