"""The auth server in this process, over a real PostgreSQL."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from sqlalchemy.engine import make_url

from devservers.auth import passwords
from devservers.auth.app import create_app
from devservers.auth.mail_requests import MailRequests
from devservers.auth.settings import Settings
from tests.auth_server import LEAST
from tests.conftest import administer
from tests.mails import mails_to

ANON_KEY = "sb_publishable_test"
SERVICE_KEY = "sb_secret_test"


@contextmanager
def new_database(superuser_url: str) -> Iterator[str]:
    """A database for a role that owns schema `auth` and nothing else."""
    name = f"auth_{uuid4().hex[:12]}"
    inside = make_url(superuser_url).set(database=name)
    run(superuser_url, f"create role {name} login password 'secret'", f"create database {name}")
    run(inside.render_as_string(hide_password=False), f"create schema auth authorization {name}")
    yield inside.set(username=name, password="secret").render_as_string(hide_password=False)
    run(superuser_url, f"drop database {name} with (force)", f"drop role {name}")


@pytest.fixture(scope="session")
def auth_database_url(superuser_url: str) -> Iterator[str]:
    """The database of the servers that run as long as the tests."""
    with new_database(superuser_url) as url:
        yield url


def run(superuser_url: str, *statements: str) -> None:
    asyncio.run(administer(superuser_url, *statements))


@dataclass(frozen=True)
class Server:
    """A running server: its wire, its database, its mail folder."""

    http: httpx.AsyncClient
    database: asyncpg.Pool
    mail_folder: Path
    mail_requests: MailRequests

    async def call(
        self, method: str, path: str, body: Any = None, *, bearer: str | None = None, **headers: str
    ) -> httpx.Response:
        given = {"apikey": ANON_KEY, "X-Supabase-Api-Version": "2024-01-01"}
        if bearer:
            given["Authorization"] = f"Bearer {bearer}"
        answer = await self.http.request(method, f"/auth/v1{path}", json=body, headers={**given, **headers})
        await self.mail_requests.send_all()
        return answer

    async def admin(self, method: str, path: str, body: Any = None) -> httpx.Response:
        return await self.call(method, f"/admin{path}", body, bearer=SERVICE_KEY)

    async def sign_up(self, email: str, password: str = "testpassword", **data: Any) -> dict[str, Any]:
        answer = await self.call("POST", "/signup", {"email": email, "password": password, "data": data})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def sign_in(self, email: str, password: str = "testpassword") -> httpx.Response:
        return await self.call("POST", "/token?grant_type=password", {"email": email, "password": password})

    async def refresh(self, refresh_token: str) -> httpx.Response:
        return await self.call("POST", "/token?grant_type=refresh_token", {"refresh_token": refresh_token})

    def mails(self, address: str) -> list[EmailMessage]:
        """What was sent to an address, the oldest first."""
        return mails_to(self.mail_folder, address)

    def token_of(self, mail: EmailMessage) -> str:
        text = mail.get_body(("plain",))
        assert text is not None
        found = re.search(r"token_hash=([\w-]+)", text.get_content())
        assert found is not None
        return found[1]


async def until_somebody_waits(connection: asyncpg.Connection, *, count: int = 1) -> None:
    """Until so many other connections wait for a lock."""
    waiting = """select count(*) from pg_stat_activity
        where wait_event_type = 'Lock' and datname = current_database()"""
    # The statistics of a transaction are a snapshot, which must be dropped to see anything new.
    while await connection.fetchval(waiting) < count:
        await connection.execute("select pg_stat_clear_snapshot()")


MakeServer = Callable[..., Awaitable[Server]]


@dataclass(frozen=True)
class Shared:
    """What servers of one database share. Each of them sends the mails that any of them was asked for."""

    database_url: str
    database: asyncpg.Pool
    mail_folder: Path


@asynccontextmanager
async def shared_by(database_url: str, folder: Path) -> AsyncIterator[Shared]:
    async with asyncpg.create_pool(database_url, min_size=1) as database:
        yield Shared(database_url, database, folder / "outbox")


@pytest.fixture(scope="session")
async def shared(auth_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shared]:
    async with shared_by(auth_database_url, tmp_path_factory.mktemp("mails")) as shared:
        yield shared


@asynccontextmanager
async def running(shared: Shared, **settings: Any) -> AsyncIterator[Server]:
    """A server with settings of its own."""
    given = {
        "database_url": shared.database_url,
        "host": "127.0.0.1",
        "port": 1,
        "site_url": "https://app.example.org",
        "public_url": "http://auth.test",
        "anon_key": ANON_KEY,
        "service_key": SERVICE_KEY,
        "mail_from": "IAS <no-reply@example.org>",
        "mail_folder": shared.mail_folder,
    }
    app = create_app(Settings(**{**given, **settings}))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with AsyncExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in LEAST.items():
                patch.setattr(passwords, name, value)
            await stack.enter_async_context(app.router.lifespan_context(app))
        client = httpx.AsyncClient(transport=transport, base_url="http://auth.test")
        http = await stack.enter_async_context(client)
        yield Server(http, shared.database, shared.mail_folder, app.state.mail_requests)


@pytest.fixture
def own_database_url(superuser_url: str) -> Iterator[str]:
    """The database of the servers of one test."""
    with new_database(superuser_url) as url:
        yield url


@pytest.fixture
async def make_server(own_database_url: str, tmp_path: Path) -> AsyncIterator[MakeServer]:
    """Start a server for one test.

    It has a database of its own, because the servers of other tests would send its mails their way.
    """
    async with AsyncExitStack() as stack:
        shared = await stack.enter_async_context(shared_by(own_database_url, tmp_path))

        async def make(**settings: Any) -> Server:
            return await stack.enter_async_context(running(shared, **settings))

        yield make


@pytest.fixture(scope="session")
async def server(shared: Shared) -> AsyncIterator[Server]:
    """E-mail confirmation is off, as by default."""
    async with running(shared) as server:
        yield server


@pytest.fixture(scope="session")
async def confirming_server(shared: Shared) -> AsyncIterator[Server]:
    async with running(shared, confirm_email=True) as server:
        yield server


@pytest.fixture
def email() -> str:
    """An address that nobody else uses."""
    return f"{uuid4().hex}@example.org"


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
