"""In production, the API is not served on a PostgreSQL that may lose what it has committed."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from app.cli.serve import refuse_lossy_database
from app.config import Settings
from app.database import create_engine, lossy_settings
from devservers.network import free_port
from tests.conftest import administer, cloned_database
from tests.fork_server import ForkServer, Program
from tests.production_settings import PRODUCTION
from tests.waiting import PATIENCE

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def own_url(superuser_url: str, template: str) -> Iterator[str]:
    with cloned_database(superuser_url, template) as url:
        yield url


async def set_synchronous_commit(superuser_url: str, own_url: str, value: str) -> None:
    """For connections to the database that are opened afterwards."""
    name = make_url(own_url).database
    await administer(superuser_url, f"alter database {name} set synchronous_commit = {value}")


@pytest.fixture
async def own_engine(own_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(Settings(database_url=SecretStr(own_url)))
    yield engine
    await engine.dispose()


@pytest.mark.parametrize(("value", "is_lossy"), [("off", True), ("on", False), ("local", False)])
async def test_what_holds_for_the_database_of_the_api_is_asked(
    superuser_url: str, own_url: str, own_engine: AsyncEngine, value: str, is_lossy: bool
) -> None:
    await set_synchronous_commit(superuser_url, own_url, value)
    assert ("synchronous_commit" in await lossy_settings(own_engine)) == is_lossy


async def test_serving_ends_with_a_sentence(
    superuser_url: str, own_url: str, tmp_path: Path, fork_server: ForkServer
) -> None:
    await set_synchronous_commit(superuser_url, own_url, "off")
    environment = PRODUCTION | {"PATH": os.environ["PATH"], "DATABASE_URL": own_url}
    log, arguments = tmp_path / "log", ["serve", "--port", str(free_port())]
    process = fork_server.start(Program("app.cli", arguments, environment, log, log))
    try:
        assert await asyncio.to_thread(process.wait, PATIENCE) == 1, log.read_text()
    finally:
        process.kill()
    assert "synchronous_commit = off" in log.read_text()
    assert "alter role ias set synchronous_commit = on" in log.read_text()


async def test_a_postgresql_that_does_not_answer_is_not_judged() -> None:
    nobody = f"postgresql://ias:secret@127.0.0.1:{free_port()}/ias"
    await refuse_lossy_database(Settings(database_url=SecretStr(nobody)))
