"""Real servers, a database for each test, and real workers as processes."""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import redis
from pydantic import SecretStr
from sqlalchemy import text

from app.config import Settings
from app.database import create_engine
from app.services.unit_of_work import unit_of_work
from devservers.valkey import Valkey
from tests.conftest import cloned_database, delete_rows
from tests.fork_server import ForkedProcess, ForkServer, Program
from tests.waiting import PATIENCE, eventually

PROBES = "tests.workers.probes"


class Database:
    """A test's own database, and the outbox as a test sees it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = create_engine(Settings(database_url=SecretStr(url)), pool_size=5)

    async def all(self, statement: str, **values: Any) -> list[Any]:
        async with self.engine.begin() as connection:
            return list((await connection.execute(text(statement), values)).all())

    async def execute(self, statement: str, **values: Any) -> None:
        async with self.engine.begin() as connection:
            await connection.execute(text(statement), values)

    async def add_job(self, task: str, **arguments: Any) -> UUID:
        async with unit_of_work(self.engine) as uow:
            uow.jobs.add(task, **arguments)
        newest = await self.all("select id from ias.jobs order by id desc limit 1")
        return UUID(str(newest[0].id))

    async def job(self, job_id: UUID) -> Any:
        return (await self.all("select * from ias.jobs where id = :id", id=job_id))[0]

    async def finished(self, job_id: UUID) -> bool:
        return (await self.job(job_id)).finished_at is not None

    async def end_leases(self) -> None:
        """Let the time of all leases be over, rather than wait for it."""
        await self.execute(
            "update ias.jobs set leased_until = now() - interval '1 s' where finished_at is null"
        )

    async def traces(self) -> list[str]:
        return [row.name for row in await self.all("select name from public.traces order by name")]

    async def waiting_at_gate(self) -> bool:
        return bool(await self.all("select 1 from pg_locks where locktype = 'advisory' and not granted"))


@pytest.fixture(scope="package")
def workers_database_url(superuser_url: str, template: str) -> Iterator[str]:
    """A database that each test empties."""
    with cloned_database(superuser_url, template) as url:
        yield url


@pytest.fixture
def own_database_url(superuser_url: str, workers_database_url: str) -> str:
    """A database without rows: a worker takes every job that it finds."""
    delete_rows(superuser_url, workers_database_url)
    return workers_database_url


@pytest.fixture(scope="package")
def workers_valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    server = Valkey(tmp_path_factory.mktemp("valkey"), durable=False)
    yield server
    server.stop()


@pytest.fixture
def valkey(workers_valkey: Valkey) -> Valkey:
    """A Valkey without data, which the test may stop."""
    if workers_valkey.child and workers_valkey.child.running:
        with redis.Redis.from_url(workers_valkey.url) as connection:
            connection.flushall()
    else:
        workers_valkey.start()
    return workers_valkey


@pytest.fixture
async def database(own_database_url: str) -> AsyncIterator[Database]:
    async with open_database(own_database_url) as database:
        yield database


@asynccontextmanager
async def open_database(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    await database.execute("drop table if exists public.traces")
    await database.execute("create table public.traces (name text)")
    yield database
    await database.engine.dispose()


class WorkerProcess:
    """An `ias worker` with the probes, in a process group of its own."""

    def __init__(self, folder: Path, environment: dict[str, str], fork_server: ForkServer) -> None:
        self.ready_file = folder / "ready"
        self.log = folder / "worker.log"
        everything = os.environ | environment | {"IAS_READY_FILE": str(self.ready_file)}
        self.process: ForkedProcess | subprocess.Popen[bytes] = (
            self._new_process(everything)
            if "PROMETHEUS_MULTIPROC_DIR" in environment  # read when its library is imported
            else fork_server.start(Program(PROBES, [], everything, self.log, self.log))
        )

    def _new_process(self, environment: dict[str, str]) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", PROBES],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    async def ready(self) -> "WorkerProcess":
        async def announced() -> bool:
            assert self.process.poll() is None, self.log.read_text()
            return self.ready_file.exists()

        await eventually(announced)
        return self

    def kill(self) -> None:
        """End it and its children, as the kernel does when memory is short."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def terminate(self) -> int:
        """Ask it to stop; its exit code."""
        self.process.terminate()
        return self.process.wait(timeout=PATIENCE)

    def kill_if_running(self) -> None:
        try:
            self.kill()
        except ProcessLookupError:
            self.process.wait()


StartWorker = Callable[..., WorkerProcess]


@pytest.fixture
def start_worker(
    tmp_path: Path, database: Database, valkey: Valkey, fork_server: ForkServer
) -> Iterator[StartWorker]:
    """Start workers; all of them are gone when the test ends."""
    started: list[WorkerProcess] = []

    def start(**environment: str) -> WorkerProcess:
        """`environment` adds to the addresses of the test's servers, or stands instead of them."""
        folder = tmp_path / f"worker-{len(started)}"
        folder.mkdir()
        where = {"DATABASE_URL": database.url, "REDIS_URL": valkey.url, "MAIL_FOLDER": str(tmp_path / "mail")}
        started.append(WorkerProcess(folder, where | environment, fork_server))
        return started[-1]

    yield start
    for worker in started:
        worker.kill_if_running()
