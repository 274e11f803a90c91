"""Reading from a replica: a real one, which streams from a primary of its own (docs/decisions/0094)."""

import shutil
from collections import deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.config import Settings
from app.core.redis_client import open_redis
from app.services.components import Components
from app.services.replica import WritePosition, lag_of, reading_with_lag
from app.services.unit_of_work import unit_of_work
from app.startup import open_components
from devservers.binaries import server_account
from devservers.postgres import Postgres
from tests.api.document import create_documented_app
from tests.builders.content import publish_test
from tests.builders.exams import hold_exam, register
from tests.builders.people import People, user_id_of
from tests.waiting import eventually

MARKS = deque(
    [WritePosition(10.0, 100), WritePosition(11.0, 200), WritePosition(12.0, 200), WritePosition(13.0, 300)]
)


@pytest.mark.parametrize(
    ("replayed", "lag"),
    [(300, 0.0), (350, 0.0), (299, 2.0), (200, 2.0), (150, 4.0), (99, 4.0)],
    ids=["all", "more", "nearly", "of two marks the later", "older", "less than is known"],
)
def test_the_lag_is_the_age_of_the_last_mark_that_was_passed(replayed: int, lag: float) -> None:
    assert lag_of(MARKS, replayed, 14.0) == lag


@dataclass(frozen=True)
class Servers:
    """A primary and its replica."""

    primary: Postgres
    replica: Postgres
    settings: Settings


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[Servers]:
    primary = Postgres(tmp_path_factory.mktemp("primary"), durable=False)
    replica = Postgres(tmp_path_factory.mktemp("replica"), durable=False)
    try:
        primary.start()
        url = primary.ensure_database("ias", "ias", "password")
        primary.stop()
        _copy(primary, replica)
        primary.start()
        replica.start()
        settings = Settings(
            environment="test",
            database_url=SecretStr(url),
            database_replica_url=SecretStr(replica.url("ias", "ias", "password")),
            database_replica_lag_seconds=0.001,
            redis_url=SecretStr(redis_url),
        )
        yield Servers(primary, replica, settings)
    finally:
        replica.stop()
        primary.stop()


def _copy(primary: Postgres, replica: Postgres) -> None:
    """Make the folders of a replica from those of a stopped primary."""
    shutil.copytree(primary.data, replica.data)
    shutil.copytree(primary.secret.parent, replica.secret.parent)
    (replica.data / "standby.signal").touch()
    place = f"host=127.0.0.1 port={primary.port} user=postgres password={primary.secret.read_text().strip()}"
    with (replica.data / "postgresql.auto.conf").open("a") as settings:
        settings.write(f"primary_conninfo = '{place}'\n")
    if account := server_account():
        for path in (replica.data, *replica.data.rglob("*")):
            account.own(path)


@pytest.fixture
async def parts(servers: Servers) -> AsyncIterator[Components]:
    async with open_components(servers.settings, application_name="ias-test", reads_replica=True) as parts:
        yield parts


async def reads_replica(parts: Components, user_id: str | None = None) -> bool:
    """Whether this person reads from the replica now."""
    async with reading_with_lag(parts, user_id or str(uuid4())) as reads:
        return bool(await reads.session.scalar(text("select pg_is_in_recovery()")))


async def compared(parts: Components) -> bool:
    """Whether the replica is used after a comparison."""
    assert parts.replica
    await parts.replica.step()
    return await reads_replica(parts)


async def test_a_replica_that_has_all_is_read_except_by_who_has_just_written(parts: Components) -> None:
    assert parts.replica
    assert not await reads_replica(parts)  # Before the first comparison.
    await eventually(lambda: compared(parts))
    writer = str(uuid4())
    await parts.replica.note_write(writer)
    assert not await reads_replica(parts, writer)
    await eventually(lambda: compared(parts))
    async with reading_with_lag(parts, None) as reads:
        assert not await reads.session.scalar(text("select pg_is_in_recovery()"))


async def test_a_replica_that_is_behind_is_not_read(servers: Servers, parts: Components) -> None:
    await eventually(lambda: compared(parts))
    servers.replica.execute("select pg_wal_replay_pause()")
    try:
        servers.primary.execute("create table behind (); select pg_switch_wal()", "ias")
        assert not await compared(parts)
    finally:
        servers.replica.execute("select pg_wal_replay_resume()")
    await eventually(lambda: compared(parts))


async def test_a_primary_is_no_replica(servers: Servers, redis_url: str) -> None:
    settings = servers.settings.model_copy(update={"database_replica_url": servers.settings.database_url})
    async with open_components(settings, application_name="ias-test", reads_replica=True) as parts:
        assert not await compared(parts)


async def test_the_primary_is_read_while_the_replica_is_down(servers: Servers, parts: Components) -> None:
    await eventually(lambda: compared(parts))
    servers.replica.stop()
    try:
        assert not await reads_replica(parts)  # Nobody has compared since.
        assert not await compared(parts)
    finally:
        servers.replica.start()
    await eventually(lambda: compared(parts))


async def test_a_write_over_http_is_noted(settings: Settings, people: People) -> None:
    url = settings.database_url
    app: FastAPI = create_documented_app(settings.model_copy(update={"database_replica_url": url}))
    async with app.router.lifespan_context(app), open_redis(settings.redis) as redis:
        person = await people.candidate()
        key = f"ias:wrote:{await user_id_of(person)}"
        headers = {"Authorization": person.headers["Authorization"]}
        async with AsyncClient(
            transport=ASGITransport(app), base_url="http://api.test/v1", headers=headers
        ) as client:
            assert (await client.get("/tests")).status_code == 200
            assert not await redis.exists(key)
            answer = await client.put("/users/profile", json={"name": "Asha Rao"})
            assert answer.status_code == 200, answer.text
            assert await redis.exists(key)


async def test_starts_and_submits_that_are_answered_directly_are_noted(
    settings: Settings, people: People, author: AsyncClient, engine: AsyncEngine
) -> None:
    async with unit_of_work(engine) as uow:
        made, other = await publish_test(uow), await publish_test(uow)
    held = await hold_exam(author, other, starts_at=datetime.now(UTC))
    person = await people.candidate()
    entrant = await register(person, held)
    key = f"ias:wrote:{await user_id_of(person)}"
    app = create_documented_app(settings.model_copy(update={"database_replica_url": settings.database_url}))
    async with (
        app.router.lifespan_context(app),
        open_redis(settings.redis) as redis,
        AsyncClient(transport=ASGITransport(app), base_url="http://api.test/v1") as client,
    ):
        for path in (made.path, entrant.path):
            token = person.headers["Authorization"]
            started = await client.post(f"{path}/start", headers={"Authorization": token})
            assert (started.status_code, await redis.delete(key)) == (201, 1)
            body = {"attempt_id": started.json()["id"]}
            token = f"Bearer {started.json()['attempt_token']}"
            answer = await client.post(f"{path}/submit", json=body, headers={"Authorization": token})
            assert (answer.status_code, await redis.delete(key)) == (200, 1)
