"""The OpenAPI document against the running API: no 5xx, no status and no shape that it does not name."""

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as bounded
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy.ext.asyncio import AsyncEngine

from app.config import Settings
from app.main import create_app
from devservers.network import free_port
from devservers.processes import wait_for
from tests.builders.people import People
from tests.builders.world import World, build_world

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="session")
def served(settings: Settings) -> Iterator[str]:
    """The API as a process of its own, where a client in another thread can reach it."""
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "ENVIRONMENT": "test",
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "REDIS_URL": settings.redis,
        "SUPABASE_URL": settings.supabase_url,
        "SUPABASE_ANON_KEY": settings.supabase_anon_key.get_secret_value(),
        "SUPABASE_SERVICE_KEY": settings.supabase_service_key.get_secret_value(),
        "LOGIN_LIMIT_PER_ADDRESS": "100000/minute",
        "LOGIN_FLOOR_MS": "0",
        "MEDIA_URL": str(settings.media_url),
        "LOG_LEVEL": "ERROR",
    }
    arguments = ["-m", "app.cli", "serve", "--port", str(port)]
    with subprocess.Popen([sys.executable, *arguments], env=environment) as server:
        url = f"http://127.0.0.1:{port}"
        try:
            assert wait_for(lambda: _answers(url), patience=30), "the API does not answer"
            yield url
        finally:
            server.terminate()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health").is_success
    except httpx.TransportError:
        return False


def operations() -> list[tuple[str, str]]:
    """Every operation of the document, known before any server runs."""
    paths = create_app(Settings(environment="test")).openapi()["paths"]
    return [(method, path) for path, item in sorted(paths.items()) for method in item]


@pytest.fixture(scope="session")
def document(served: str) -> BaseSchema:
    return schemathesis.openapi.from_url(f"{served}/openapi.json")


@pytest.fixture(scope="session")
async def world(engine: AsyncEngine, people: People) -> World:
    """Things that exist, for paths: a random id only ever finds a 404."""
    return await build_world(people, engine)


@pytest.fixture(params=["student", "admin"])
async def token(people: People, request: pytest.FixtureRequest) -> str:
    """Somebody's own token, since an operation may end its session."""
    client = await people.member(request.param)
    return str(client.headers["Authorization"])


@pytest.mark.usefixtures("anyio_backend")  # some fixtures are asynchronous, Schemathesis is not
@pytest.mark.parametrize(("method", "path"), operations())
def test_answers_as_documented(
    method: str, path: str, document: BaseSchema, world: World, token: str
) -> None:
    operation = document[path][method]
    named = world.mine.named(path)
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    cases = [operation.as_strategy(mode) for mode in modes]
    if named:
        cases += [operation.as_strategy(mode, path_parameters=named) for mode in modes]

    @bounded(
        derandomize=True,
        database=None,
        deadline=None,
        max_examples=12,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=st.one_of(cases))
    def holds(case: Case[Any]) -> None:
        case.call_and_validate(headers={"Authorization": token}, checks=CHECKS)

    holds()
