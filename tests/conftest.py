"""Real servers for all tests: PostgreSQL, Valkey and the auth server, started once by each xdist worker.

TEST_POSTGRES_URL (a superuser's address) runs the suite on another PostgreSQL, such as Debian's 15.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx
import pytest
from alembic import command
from alembic.config import Config
from fastapi import FastAPI
from hypothesis.internal.conjecture import providers
from pydantic import SecretStr
from sqlalchemy import Connection
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from app.config import Settings
from app.core.telemetry import configure_logging
from app.database import create_engine
from app.services.components import Components
from app.services.signing_keys import SignerStore
from app.services.unit_of_work import UnitOfWork, unit_of_work
from devservers.network import free_port
from devservers.postgres import Postgres, PostgresAddress
from devservers.processes import wait_for
from devservers.valkey import Valkey
from tests.api.document import create_documented_app
from tests.builders.auth_accounts import AuthAccounts
from tests.builders.people import People
from tests.documented_problems import DocumentedProblems
from tests.file_children import FileChildren
from tests.fork_server import ForkServer, Program
from tests.statement_cache import shared_statements
from tests.waiting import PATIENCE, answers

ROOT = Path(__file__).parent.parent
ANON_KEY, SERVICE_KEY = "sb_publishable_test", "sb_secret_test"

# Hypothesis would parse all modules for constants to draw: those that are collected, so that examples would
# depend on which tests run.
providers._get_local_constants = lambda: providers._local_constants
# Unless an application configures it, structlog draws each exception with the source of all frames.
configure_logging("ERROR")


class TestClock:
    """The system's time until a test stops or moves it; from then on, the test alone moves it.

    A clock that stands is later by a millisecond at each look, so that what is dated by it keeps its order.
    """

    __test__ = False

    def __init__(self) -> None:
        self._standing: datetime | None = None
        self._tick = timedelta(milliseconds=1)

    def now(self) -> datetime:
        if self._standing is None:
            return datetime.now(UTC)
        self._standing += self._tick
        return self._standing

    def monotonic(self) -> float:
        """Never advances: a busy machine holds the event loop, which must not date a test's requests back."""
        return 0.0

    def stop(self, at: datetime | None = None) -> None:
        self._standing = at or self.now()

    def stop_entirely(self) -> None:
        """Show one time at every look."""
        self.stop()
        self._tick = timedelta()

    def advance(self, seconds: float) -> None:
        self._standing = self.now() + timedelta(seconds=seconds)

    def reset(self) -> None:
        """Show the system's time again."""
        self._standing, self._tick = None, timedelta(milliseconds=1)

    @contextmanager
    def moved(self, seconds: float) -> Iterator[None]:
        """Show another time for a while."""
        before = self._standing
        self.advance(seconds)
        yield
        self._standing = before


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """The event loop with which the API runs."""
    return "asyncio", {"use_uvloop": True}


@pytest.fixture(scope="session", autouse=True)
def compiled_once() -> Iterator[None]:
    """All engines share their compiled statements."""
    with shared_statements():
        yield


@pytest.fixture(scope="session")
def superuser_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a superuser of a real PostgreSQL."""
    if given := os.environ.get("TEST_POSTGRES_URL"):
        yield given
        return
    server = Postgres(tmp_path_factory.mktemp("postgres"), durable=False)
    yield _by_socket(server.start())
    server.stop()


def _by_socket(address: PostgresAddress) -> str:
    """The superuser's address by the Unix socket of the server: a round trip takes 20 µs, and 33 by TCP."""
    url = URL.create(
        "postgresql",
        address.superuser,
        address.password,
        database="postgres",
        query={"host": str(address.socket_folder), "port": str(address.port)},
    )
    return url.render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def template(superuser_url: str) -> Iterator[str]:
    """A database built by running the migrations; tests get clones of it. Its owner is no superuser."""
    name = f"template_{uuid4().hex[:12]}"
    owner = f"owner_{uuid4().hex[:12]}"
    statements = [f"create role {owner} login password 'owner'", f"create database {name} owner {owner}"]
    asyncio.run(administer(superuser_url, *statements))
    asyncio.run(_migrate(_address(superuser_url, name, owner)))
    yield name
    drop = [f"drop database {name} with (force)", f"drop owned by {owner}", f"drop role {owner}"]
    asyncio.run(administer(superuser_url, *drop))


# Most exams of the tests are never released, and nothing analyzes their table. Without statistics, PostgreSQL
# expects one unreleased exam in 40,000, and reads all unreleased exams for each condition of the embargo.
_EXAM_STATISTICS = (
    """insert into ias.exams (id, institute_id, title, opens_at, closes_at, released_at)
       select gen_random_uuid(), institutes.id, '{}', now(), now() + interval '1 hour',
         case when number = 1 then now() end
       from ias.institutes, generate_series(1, 4) as number""",
    "analyze ias.exams",
    "truncate ias.exams cascade",  # The statistics stay.
)


@pytest.fixture(scope="session")
def database_url(superuser_url: str, template: str) -> Iterator[str]:
    """A database of this xdist worker, for everything that commits; tests make unique data in it."""
    with cloned_database(superuser_url, template) as url:
        asyncio.run(_make_signing_key(url))
        inside = make_url(superuser_url).set(database=make_url(url).database)
        asyncio.run(administer(inside.render_as_string(hide_password=False), *_EXAM_STATISTICS))
        yield url


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = Valkey(tmp_path_factory.mktemp("valkey"), durable=False)
    yield server.start()
    server.stop()


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    """A Valkey of this test, which may stop, kill and freeze it. It loses its data when it stops."""
    server = Valkey(tmp_path / "valkey", durable=False)
    server.start()
    yield server
    server.stop()


@contextmanager
def cloned_database(superuser_url: str, template: str) -> Iterator[str]:
    """A database of one's own, as migrated."""
    name = f"test_{uuid4().hex[:12]}"
    asyncio.run(administer(superuser_url, f"create database {name} template {template}"))
    owner = asyncio.run(_owner(superuser_url, template))
    asyncio.run(administer(superuser_url, f"alter database {name} owner to {owner}"))
    yield _address(superuser_url, name, owner)
    asyncio.run(administer(superuser_url, f"drop database {name} with (force)"))


_END_CONNECTIONS = """
    select pg_terminate_backend(pid, 10000) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()
"""
_DELETE_ROWS = """
    do $$ declare name regclass; begin
      for name in
        select oid from pg_class where relnamespace = 'ias'::regnamespace and relkind in ('r', 'p')
          and not relispartition and relname not in ('alembic_version', 'institutes')
      loop
        execute format('delete from %s', name);
      end loop;
    end $$
"""


def delete_rows(superuser_url: str, database_url: str) -> None:
    """Bring a clone back to how it was migrated. All connections to it end.

    It takes a tenth of the processor time of another clone, which consists of hundreds of files.
    """
    database = make_url(database_url).database
    inside = make_url(superuser_url).set(database=database).render_as_string(hide_password=False)
    statements = [
        _END_CONNECTIONS,  # A worker that was killed may still be committing.
        "set session_replication_role = replica",  # Neither triggers nor foreign keys refuse it.
        _DELETE_ROWS,
    ]
    asyncio.run(administer(inside, *statements))


async def administer(superuser_url: str, *statements: str) -> None:
    """Run statements as the superuser, each in a transaction of its own."""
    connection = await asyncpg.connect(superuser_url)
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


async def _owner(superuser_url: str, database: str) -> str:
    connection = await asyncpg.connect(superuser_url)
    owner = await connection.fetchval(
        "select pg_get_userbyid(datdba) from pg_database where datname = $1", database
    )
    await connection.close()
    return str(owner)


def _address(superuser_url: str, database: str, owner: str) -> str:
    url = make_url(superuser_url).set(database=database, username=owner, password="owner")
    return url.render_as_string(hide_password=False)


async def _migrate(database_url: str) -> None:
    engine = create_engine(Settings(database_url=SecretStr(database_url)), pool_size=1)

    def upgrade(connection: Connection) -> None:
        config = Config(ROOT / "alembic.ini")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    async with engine.begin() as connection:
        await connection.run_sync(upgrade)
    async with unit_of_work(engine) as uow:
        await uow.users.ensure_default_institute()
        await uow.attempts.ensure_partitions(datetime.now(UTC))
    await engine.dispose()


async def _make_signing_key(database_url: str) -> None:
    """Make the key of receipts before any test moves its clock: a receipt cannot be older than its key."""
    settings = Settings(database_url=SecretStr(database_url))
    clock = TestClock()
    clock.stop(datetime(2020, 1, 1, tzinfo=UTC))
    engine = create_engine(settings, pool_size=1)
    async with unit_of_work(engine) as uow:
        await SignerStore(settings.secret_key.get_secret_value(), clock).signer(uow)
    await engine.dispose()


@pytest.fixture(scope="session")
def auth_url(
    superuser_url: str,
    database_url: str,
    mail_folder: Path,
    fork_server: ForkServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """The embedded auth server, a process of its own, with a schema of its own in the same database."""
    role = f"auth_{uuid4().hex[:12]}"
    database = make_url(database_url).database or ""
    asyncio.run(administer(superuser_url, f"create role {role} login password 'owner'"))
    inside = make_url(superuser_url).set(database=database).render_as_string(hide_password=False)
    grants = [f"create schema auth authorization {role}", f"grant connect on database {database} to {role}"]
    asyncio.run(administer(inside, *grants))
    url = f"http://127.0.0.1:{free_port()}"
    environment = {
        "PATH": os.environ["PATH"],
        "AUTH_DATABASE_URL": _address(superuser_url, database, role),
        "AUTH_PORT": url.rpartition(":")[2],
        "AUTH_PUBLIC_URL": url,
        "AUTH_SITE_URL": "https://app.example.org",
        "AUTH_ANON_KEY": ANON_KEY,
        "AUTH_SERVICE_KEY": SERVICE_KEY,
        "AUTH_MAIL_FOLDER": str(mail_folder),
    }
    log = tmp_path_factory.mktemp("auth") / "auth.log"
    server = fork_server.start(Program("tests.auth_server", [], environment, log, log))
    try:
        health = f"{url}/auth/v1/health"
        assert wait_for(lambda: answers(health), timeout=PATIENCE), log.read_text()
        yield url
    finally:
        server.terminate()
        server.wait(PATIENCE)
    asyncio.run(administer(inside, f"drop owned by {role} cascade", f"drop role {role}"))


@pytest.fixture(scope="session")
def mail_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where mails arrive."""
    return tmp_path_factory.mktemp("mails")


@pytest.fixture(scope="session")
def media_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where images are kept."""
    return tmp_path_factory.mktemp("media").as_uri()


@pytest.fixture(scope="session")
def settings(database_url: str, redis_url: str, auth_url: str, mail_folder: Path, media_url: str) -> Settings:
    """The application's settings for tests."""
    return Settings(
        environment="test",
        database_url=SecretStr(database_url),
        database_pool_size=20,
        redis_url=SecretStr(redis_url),
        supabase_url=auth_url,
        supabase_anon_key=SecretStr(ANON_KEY),
        supabase_service_key=SecretStr(SERVICE_KEY),
        mail_folder=mail_folder,
        media_url=media_url,
        login_floor_ms=0,
        public_limit_per_address="1000000/minute",
        log_level="ERROR",
    )


@pytest.fixture(scope="session")
def fork_server() -> Iterator[ForkServer]:
    """Starts workers, API processes and commands without importing the application again."""
    server = ForkServer()
    yield server
    server.close()


@pytest.fixture(scope="session", autouse=True)
def forked_file_children(fork_server: ForkServer) -> Iterator[None]:
    """Children that read files are forks. The first waits for the fork server, for long if others work."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FILE_SECONDS", str(int(PATIENCE)))
        patch.setattr("app.core.process_pool._start", FileChildren(fork_server).start)
        yield


@pytest.fixture(scope="session")
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """Connections to the database in which things are committed."""
    engine = create_engine(Settings(database_url=SecretStr(database_url)), pool_size=20)
    yield engine
    await engine.dispose()


@pytest.fixture
async def uow(engine: AsyncEngine) -> AsyncIterator[UnitOfWork]:
    """A unit of work that is rolled back after the test: for repositories and services alone."""
    async with engine.connect() as connection:
        outer = await connection.begin()
        async with AsyncSession(
            bind=connection, expire_on_commit=False, join_transaction_mode="create_savepoint"
        ) as session:
            yield UnitOfWork(session)
        await outer.rollback()


@pytest.fixture(scope="session")
def shared_clock() -> TestClock:
    return TestClock()


@pytest.fixture
def clock(shared_clock: TestClock) -> Iterator[TestClock]:
    """The application's clock, which shows the system's time again after the test."""
    yield shared_clock
    shared_clock.reset()


@asynccontextmanager
async def running(app: FastAPI) -> AsyncIterator[None]:
    """Run the lifespan of an application on a clock of tests.

    Its event loop is not watched: by that clock, no time passes between two ticks.
    """
    async with AsyncExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("app.core.arrival.INTERVAL", 3600.0)
            await stack.enter_async_context(app.router.lifespan_context(app))
            await asyncio.sleep(0)  # The watching task begins, and reads the interval.
        yield


@pytest.fixture(scope="session")
async def app(settings: Settings, shared_clock: TestClock) -> AsyncIterator[FastAPI]:
    """The real application, with its lifespan."""
    app = create_documented_app(settings, clock=shared_clock, monotonic=shared_clock.monotonic)
    app.add_middleware(DocumentedProblems, documented=app)
    async with running(app):
        limiter = app.state.components.limiter
        with pytest.MonkeyPatch.context() as patch:
            # Redis answers late on a busy machine, and a hit would be counted in the process alone.
            patch.setattr(limiter, "_timeout", PATIENCE)
            yield app


@pytest.fixture(scope="session")
def parts(app: FastAPI) -> Components:
    """The application's long-lived parts."""
    components: Components = app.state.components
    return components


@pytest.fixture(scope="session")
async def auth_accounts(superuser_url: str, database_url: str, auth_url: str) -> AsyncIterator[AuthAccounts]:
    """Adds accounts to the auth server."""
    inside = make_url(superuser_url).set(database=make_url(database_url).database)
    async with AuthAccounts.connected(inside.render_as_string(hide_password=False), auth_url) as accounts:
        yield accounts


@pytest.fixture(scope="session")
async def people(app: FastAPI, engine: AsyncEngine, auth_accounts: AuthAccounts) -> AsyncIterator[People]:
    """Makes accounts, each with a client of its own."""
    async with People(app, engine, auth_accounts) as people:
        yield people


@pytest.fixture
async def api(people: People) -> AsyncIterator[httpx.AsyncClient]:
    """A client that is not signed in."""
    async with people.client() as client:
        yield client


@pytest.fixture
async def candidate(people: People) -> httpx.AsyncClient:
    """A new candidate's client."""
    return await people.candidate()


@pytest.fixture(scope="session")
async def author(people: People) -> httpx.AsyncClient:
    """An author's client."""
    return await people.member("author")


@pytest.fixture(scope="session")
async def admin(people: People) -> httpx.AsyncClient:
    """An admin's client."""
    return await people.member("admin")
