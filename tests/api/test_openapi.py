"""The OpenAPI document against the running API: no 5xx, no status and no shape that it does not name."""

import os
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, note
from hypothesis import settings as bounded
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core import NOT_SET
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy.ext.asyncio import AsyncEngine

from app.config import Settings
from devservers.network import free_port
from devservers.processes import wait_for
from tests.api.access_table import Operation
from tests.api.document import openapi_document
from tests.api.matrix import RIGHTFUL, WITH_OBJECTS, body_for, reaches
from tests.builders.people import People
from tests.builders.world import Identity, World, build_world
from tests.fork_server import ForkServer, Program
from tests.thorough import THOROUGH, count, part
from tests.waiting import PATIENCE, answers

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="session")
def served(
    settings: Settings, fork_server: ForkServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
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
    log, url = tmp_path_factory.mktemp("api") / "api.log", f"http://127.0.0.1:{port}"
    server = fork_server.start(Program("app.cli", ["serve", "--port", str(port)], environment, log, log))
    try:
        assert wait_for(lambda: answers(f"{url}/health"), timeout=PATIENCE), "the API does not answer"
        yield url
    finally:
        server.terminate()
        server.wait(PATIENCE)


def operations() -> Sequence[Operation]:
    """Every operation of the document, known before any server runs; every eighth one in `make test`."""
    paths = openapi_document()["paths"]
    return part([(method, path) for path, item in sorted(paths.items()) for method in item], "generated", 8)


@pytest.fixture(scope="session")
def document(served: str) -> BaseSchema:
    return schemathesis.openapi.from_url(f"{served}/openapi.json", timeout=PATIENCE)


@pytest.fixture(scope="session")
async def world(engine: AsyncEngine, people: People) -> World:
    """Objects for the paths of generated requests, which may end them."""
    return await build_world(people, engine)


@pytest.fixture
async def own_world(engine: AsyncEngine, people: People) -> World:
    """Objects for one test, which ends them in an order of its own."""
    return await build_world(people, engine)


def answered(document: BaseSchema, world: World, operation: Operation, identity: Identity) -> int:
    """The status of a right request, whose answer must be as documented."""
    method, template = operation
    request = body_for(operation, world.mine)
    if template.endswith(("/start", "/submit")):
        request = request or {"json": {}}
    content = {name: file[1] for name, file in request["files"].items()} if "files" in request else None
    case = document[template][method].Case(
        path_parameters=world.mine.named(template),
        body=content or request.get("json", NOT_SET),
        media_type="multipart/form-data" if content else "application/json",
    )
    headers = {"Authorization": str(world.headers[identity])}
    return case.call_and_validate(headers=headers, checks=CHECKS, timeout=PATIENCE).status_code


@pytest.mark.usefixtures("anyio_backend")
def test_a_right_request_reaches_its_objects_and_is_answered_as_documented(
    document: BaseSchema, own_world: World
) -> None:
    """The generated requests below seldom have a body that lets them reach an exam or an attempt."""
    unreached = []
    for operation in WITH_OBJECTS:
        statuses = statuses_of(document, own_world, operation)
        unreached += [(operation, statuses)] if not reaches(operation, statuses) else []
    assert unreached == []


def statuses_of(document: BaseSchema, world: World, operation: Operation) -> list[int]:
    """Send a right request as one identity after another; in `make test` until one reaches its objects."""
    statuses: list[int] = []
    for identity in RIGHTFUL:
        if THOROUGH or not statuses or not reaches(operation, statuses):
            statuses.append(answered(document, world, operation, identity))
    return statuses


Tokens = dict[str, str]


@pytest.fixture(scope="session")
async def shared_tokens(people: People) -> Tokens:
    return await tokens_of_roles(people)


async def tokens_of_roles(people: People) -> Tokens:
    """The access token of a new user of each role."""
    return {role: (await people.member(role)).headers["Authorization"] for role in ("student", "admin")}


@pytest.fixture
async def tokens(shared_tokens: Tokens, people: People, request: pytest.FixtureRequest) -> Tokens:
    """A token of each role. Operations on the own account may end its session and get tokens of their own."""
    own_account = request.node.callspec.params["path"].startswith(("/v1/auth/", "/v1/users/"))
    return await tokens_of_roles(people) if own_account else shared_tokens


@pytest.mark.usefixtures("anyio_backend")  # some fixtures are asynchronous, Schemathesis is not
@pytest.mark.parametrize(("method", "path"), operations())
def test_answers_as_documented(
    method: str, path: str, document: BaseSchema, world: World, tokens: Tokens
) -> None:
    """Both roles send the same requests, since generating one takes longer than sending it."""
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
        max_examples=count(2, 12),
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=st.one_of(cases))
    def holds(case: Case[Any]) -> None:
        for role, token in tokens.items():
            note(f"as {role}")
            headers = {"Authorization": token}
            case.call_and_validate(headers=headers, checks=CHECKS, timeout=PATIENCE)

    holds()
