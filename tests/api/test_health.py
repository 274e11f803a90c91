"""Health against real servers: alive, dead and frozen."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import delete, insert
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.schema import CreateSchema

from app.api import problems
from app.api.v1 import health
from app.config import Settings
from app.core.arrival import Arrivals
from app.core.middleware import RequestContext
from app.core.repeating import end, repeat
from app.models import Worker
from app.models.base import Base
from app.services.components import Components
from app.startup import open_components
from devservers.postgres import Postgres
from devservers.processes import processes_in
from devservers.valkey import Valkey
from tests.waiting import PATIENCE

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 5, 24, 12, tzinfo=UTC)
WORKERS = Base.metadata.tables["ias.workers"]


class Noon:
    def now(self) -> datetime:
        return NOON


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    server = Postgres(tmp_path_factory.mktemp("postgres"), durable=False)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    server = Valkey(tmp_path_factory.mktemp("valkey"), durable=False)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def redis_url(valkey: Valkey) -> str:
    return valkey.start()


@pytest.fixture
async def engine(postgres: Postgres) -> AsyncIterator[AsyncEngine]:
    assert postgres.address is not None
    url = postgres.address.url("postgres").replace("postgresql://", "postgresql+asyncpg://")
    engine = create_async_engine(url, pool_pre_ping=True)
    async with engine.begin() as connection:
        await connection.execute(CreateSchema("ias", if_not_exists=True))
        await connection.run_sync(lambda sync: WORKERS.create(sync, checkfirst=True))
        await connection.execute(delete(Worker))
    yield engine
    await engine.dispose()


@pytest.fixture
async def app(postgres: Postgres, engine: AsyncEngine, redis_url: str) -> AsyncIterator[FastAPI]:
    assert postgres.address is not None
    async with serving(postgres.address.url("postgres"), redis_url) as app:
        yield app


@asynccontextmanager
async def serving(database_url: str, redis_url: str, token: str | None = None) -> AsyncIterator[FastAPI]:
    settings = Settings(
        database_url=SecretStr(database_url),
        redis_url=SecretStr(redis_url),
        metrics_token=SecretStr(token) if token else None,
    )
    app = FastAPI()
    app.include_router(health.router)
    app.include_router(health.clock_router, prefix="/v1")
    problems.install(app)
    app.add_middleware(problems.UnexpectedErrors)
    app.add_middleware(RequestContext, arrivals=Arrivals(Noon(), lambda: 0.0))
    async with open_components(settings, application_name="ias-tests", clock=Noon()) as parts:
        app.state.components = parts
        parts.revocations.is_loaded = True
        yield app


def speaking_to(app: FastAPI, peer: str = "192.0.2.7") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, client=(peer, 1234))
    return httpx.AsyncClient(transport=transport, base_url="http://ias")


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with speaking_to(app) as client:
        yield client


@pytest.fixture
def freeze() -> Iterator[Callable[[Postgres], None]]:
    """Stop every process of a server, which then neither answers nor refuses; woken when the test ends."""
    frozen: list[int] = []

    def stop(server: Postgres) -> None:
        frozen.extend(process.pid for process in processes_in(server.data, "postgres"))
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)

    yield stop
    for pid in frozen:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


async def beat(engine: AsyncEngine, seconds_ago: float) -> None:
    seen_at = NOON - timedelta(seconds=seconds_ago)
    async with engine.begin() as connection:
        await connection.execute(insert(Worker).values(id=UUID(int=1), started_at=seen_at, seen_at=seen_at))


class TestHealth:
    async def test_the_process_lives(self, client: httpx.AsyncClient) -> None:
        answer = await client.get("/health")
        assert answer.json() == {"status": "healthy", "timestamp": "2026-05-24T12:00:00Z"}


class TestDatabaseHealth:
    async def test_with_a_database(self, client: httpx.AsyncClient) -> None:
        answer = await client.get("/health/db")
        assert (answer.status_code, answer.json()) == (200, {"status": "healthy"})

    async def test_without(self, redis_url: str) -> None:
        nobody = "postgresql://nobody:hunter2@127.0.0.1:1/none"
        async with serving(nobody, redis_url) as app, speaking_to(app) as client:
            answer = await client.get("/health/db")
        assert (answer.status_code, answer.json()) == (503, {"status": "unhealthy"})
        assert answer.headers["Retry-After"]

    async def test_a_crowd_that_holds_every_connection_is_no_outage(
        self, app: FastAPI, client: httpx.AsyncClient
    ) -> None:
        """A balancer must not take a process out of service in an exam's busiest minute."""
        engine = app.state.components.engine
        async with AsyncExitStack() as crowd:
            for _ in range(engine.pool.size()):
                await crowd.enter_async_context(engine.connect())
            assert (await client.get("/health/db")).status_code == 200
            assert (await client.get("/health/ready")).json()["checks"]["database"] == "ok"

    async def test_a_frozen_database_is_not_waited_for(
        self, client: httpx.AsyncClient, postgres: Postgres, freeze: Callable[[Postgres], None]
    ) -> None:
        await client.get("/health/db")
        freeze(postgres)
        async with asyncio.timeout(PATIENCE):  # it stays frozen as long as the test waits
            assert (await client.get("/health/db")).status_code == 503


class TestReadiness:
    async def test_all_is_well(self, client: httpx.AsyncClient, engine: AsyncEngine) -> None:
        await beat(engine, seconds_ago=15)
        answer = await client.get("/health/ready")
        assert answer.status_code == 200
        assert answer.json() == {
            "status": "ready",
            "checks": {"database": "ok", "redis": "ok", "worker": "ok", "loops": "ok", "revocations": "ok"},
        }

    @pytest.mark.parametrize("seconds_ago", [None, 15.1, 3600])
    async def test_no_worker_lives(
        self, client: httpx.AsyncClient, engine: AsyncEngine, seconds_ago: float | None
    ) -> None:
        if seconds_ago is not None:
            await beat(engine, seconds_ago)
        answer = await client.get("/health/ready")
        assert answer.status_code == 200
        assert answer.json()["status"] == "degraded"
        assert answer.json()["checks"]["worker"] == "unavailable"

    async def test_redis_is_down(
        self, client: httpx.AsyncClient, engine: AsyncEngine, valkey: Valkey
    ) -> None:
        await beat(engine, seconds_ago=1)
        valkey.stop()
        answer = await client.get("/health/ready")
        assert answer.status_code == 200
        assert answer.json()["checks"] == {
            "database": "ok",
            "redis": "unavailable",
            "worker": "ok",
            "loops": "ok",
            "revocations": "ok",
        }
        valkey.start()
        assert (await client.get("/health/ready")).json()["status"] == "ready"

    async def test_the_database_is_frozen(
        self,
        client: httpx.AsyncClient,
        engine: AsyncEngine,
        postgres: Postgres,
        freeze: Callable[[Postgres], None],
    ) -> None:
        await beat(engine, seconds_ago=1)
        await client.get("/health/ready")
        freeze(postgres)
        async with asyncio.timeout(PATIENCE):  # it stays frozen as long as the test waits
            answer = await client.get("/health/ready")
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]
        assert answer.json() == {
            "status": "unavailable",
            "checks": {
                "database": "unavailable",
                "redis": "ok",
                "worker": "unknown",
                "loops": "ok",
                "revocations": "ok",
            },
        }

    async def test_the_revoked_sessions_are_not_read_yet(
        self, app: FastAPI, client: httpx.AsyncClient, engine: AsyncEngine
    ) -> None:
        """Until then every request of a user is a 503, so that no request should be sent here."""
        await beat(engine, seconds_ago=1)
        app.state.components.revocations.is_loaded = False
        answer = await client.get("/health/ready")
        assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")
        assert answer.json()["checks"]["revocations"] == "unavailable"

    async def test_a_loop_of_this_process_fails(self, client: httpx.AsyncClient, engine: AsyncEngine) -> None:
        await beat(engine, seconds_ago=1)
        failed = asyncio.Event()

        async def step() -> None:
            failed.set()
            raise ValueError

        loop = asyncio.create_task(repeat("test", 60, step))
        await failed.wait()
        answer = await client.get("/health/ready")
        await end([loop])

        assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
        assert answer.json()["checks"]["loops"] == "unavailable"
        assert (await client.get("/health/ready")).json()["status"] == "ready"


class TestMetrics:
    async def test_from_this_machine(self, app: FastAPI) -> None:
        async with speaking_to(app, peer="127.0.0.1") as client:
            answer = await client.get("/metrics")
        assert answer.status_code == 200
        assert "ias_http_requests_in_progress" in answer.text
        assert 'ias_backlog_known{part="redis"} 1.0' in answer.text
        assert 'ias_backlog_known{part="database"} 0.0' in answer.text  # which has one table here
        assert answer.headers["Content-Type"].startswith("text/plain")

    async def test_connections_are_counted_by_pool(self, app: FastAPI) -> None:
        parts: Components = app.state.components
        async with speaking_to(app, peer="127.0.0.1") as client, parts.batch_engine.connect():
            answer = await client.get("/metrics")
        assert 'ias_database_connections{pool="ias-tests-batches",state="in_use"} 1.0' in answer.text
        assert 'ias_database_connections{pool="ias-tests",state="in_use"} 0.0' in answer.text

    @pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP"])
    async def test_not_when_forwarded_from_elsewhere(self, app: FastAPI, header: str) -> None:
        async with speaking_to(app, peer="127.0.0.1") as client:
            assert (await client.get("/metrics", headers={header: "192.0.2.7"})).status_code == 404

    async def test_without_a_token_there_is_nothing_for_others(self, client: httpx.AsyncClient) -> None:
        assert (await client.get("/metrics")).status_code == 404

    @pytest.mark.parametrize(
        ("authorization", "status"),
        [("Bearer good", 200), ("bearer good", 200), ("Bearer bad", 401), ("Basic good", 401), ("", 401)],
    )
    async def test_with_the_token(self, redis_url: str, authorization: str, status: int) -> None:
        nobody = "postgresql://nobody@127.0.0.1:1/none"
        async with serving(nobody, redis_url, token="good") as app, speaking_to(app) as client:
            answer = await client.get("/metrics", headers={"Authorization": authorization})
        assert answer.status_code == status


class TestServerTime:
    async def test_is_the_servers(self, client: httpx.AsyncClient) -> None:
        assert (await client.get("/v1/time")).json() == {"server_time": "2026-05-24T12:00:00Z"}
