"""The API and a worker through a real PgBouncer in transaction mode (docs/capacity.md)."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from app.config import Settings
from app.services.unit_of_work import unit_of_work
from tests.api.document import create_documented_app
from tests.builders.attempts import start, take_test
from tests.builders.content import publish_test
from tests.builders.people import People
from tests.servers.pgbouncer import SERVER_CONNECTIONS, pooled
from tests.waiting import eventually
from tests.workers.conftest import Database, StartWorker

pytestmark = pytest.mark.anyio

CANDIDATES = 2 * SERVER_CONNECTIONS
END_ONE = "update ias.attempts set deadline_at = now() - interval '1 h' where id = :id"


@pytest.fixture
def pooler(database: Database, tmp_path: Path) -> Iterator[str]:
    """The address of a pooler in front of the test's own database."""
    with pooled(database.url, tmp_path) as url:
        yield url


async def test_candidates_take_a_test_and_a_worker_ends_it(
    pooler: str, database: Database, start_worker: StartWorker, settings: Settings, people: People
) -> None:
    worker = start_worker(DATABASE_URL=pooler, DATABASE_POOLER="transaction")
    through_pooler = {"database_url": SecretStr(pooler), "database_pooler": "transaction"}
    app = create_documented_app(settings.model_copy(update=through_pooler))
    async with app.router.lifespan_context(app):
        async with unit_of_work(app.state.components.engine) as uow:
            made = await publish_test(uow)
        members = [await people.candidate() for _ in range(CANDIDATES)]
        clients = [
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app),
                base_url="http://api.test/v1",
                headers={"Authorization": member.headers["Authorization"]},
            )
            for member in members
        ]
        # More clients at the same time than the pooler has connections.
        results = await asyncio.gather(*(take_test(client, made, {0: ["a"], 1: ["b"]}) for client in clients))
        assert {result["score"] for result in results} == {"4.00"}

        left = await start(clients[0], made)
        await left.save(left.response(0, ["a"]))
        await worker.ready()
        await database.execute(END_ONE, id=left.id)
        status = "select status from ias.attempts where id = :id"
        await eventually(lambda: _is(database, status, left.id, "graded"))


async def _is(database: Database, statement: str, attempt_id: object, wanted: str) -> bool:
    return str((await database.all(statement, id=attempt_id))[0][0]) == wanted
