"""The Python client: generated without a warning, and used against the application."""

import asyncio
import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.builders.content import publish_for
from tests.clients.conftest import GENERATORS
from tests.npm import run
from tests.thorough import thorough_only

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="session")
def python_client(
    generators: Path, document_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ModuleType]:
    """The generated package. It is imported as any package is."""
    folder = tmp_path_factory.mktemp("python")
    arguments = ["--path", str(document_file), "--output-path", str(folder / "ias_client"), "--meta", "none"]
    generator = [sys.executable, "-m", "openapi_python_client", "generate", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(generators)}
    result = run([*generator, "--config", str(GENERATORS / "python.yaml")], folder, environment)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "WARNING" not in result.stdout + result.stderr, result.stdout
    sys.path.insert(0, str(folder))
    yield importlib.import_module("ias_client")
    sys.path.remove(str(folder))


def part(name: str) -> Any:
    return importlib.import_module(f"ias_client.{name}")


@thorough_only
async def test_plays_the_core_loop(
    python_client: ModuleType, api_url: str, engine: AsyncEngine, candidate: httpx.AsyncClient
) -> None:
    made = await publish_for(engine)
    models = part("models")
    anonymous = python_client.Client(base_url=api_url)
    body = models.RegisterIn(email=f"{uuid4().hex}@example.org", password="testpassword", name="Asha Rao")
    account = await part("api.auth.register").asyncio(client=anonymous, body=body)
    client = python_client.AuthenticatedClient(base_url=api_url, token=account.access_token)

    started = await part("api.tests.start_test").asyncio(made.id, client=client)
    attempt = python_client.AuthenticatedClient(base_url=api_url, token=started.attempt_token)
    paper = await part("api.tests.get_questions").asyncio(made.id, client=attempt)
    assert isinstance(paper, models.Paper)
    response = models.ResponseIn(question_id=paper.questions[0].id, revision=1, answer=["a"])
    sent = models.ResponsesIn(attempt_id=started.id, lease=started.lease, responses=[response])
    saved = await part("api.tests.save_responses").asyncio(made.id, client=attempt, body=sent)
    assert saved.saved == 1

    early = await part("api.tests.get_results").asyncio(made.id, client=client)
    assert isinstance(early, models.GetResultsProblem)
    assert early.code is models.GetResultsProblemCode.NOT_GRADED_YET
    submit = models.SubmitIn(attempt_id=started.id)
    await part("api.tests.submit_test").asyncio(made.id, client=attempt, body=submit)
    result = await part("api.tests.get_results").asyncio(made.id, client=client)
    assert result.score == "2.00"
    assert isinstance(result.questions[0].key, models.AcceptedOptions)
    await asyncio.gather(*(each.get_async_httpx_client().aclose() for each in (anonymous, client, attempt)))
