"""No answer to a candidate contains a key or an explanation too early: every route, byte by byte."""

from dataclasses import replace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.unit_of_work import unit_of_work
from tests.builders.content import PublishedTest, publish_test
from tests.builders.people import People
from tests.builders.world import Objects, World
from tests.thorough import part

NUMBER = "271828.1828"
KEYS = (["b"], ["c"], {"value": NUMBER, "tolerance": "0.125"})
MARKERS = (b"SECRET-EXPLANATION", b'"accepted"', b'"tolerance"', NUMBER.encode())


@pytest.fixture
async def made(engine: AsyncEngine, request: pytest.FixtureRequest) -> PublishedTest:
    async with unit_of_work(engine) as uow:
        return await publish_test(uow, KEYS, review=getattr(request, "param", "never"))


BY_THE_TESTS = ("/v1/auth/logout", "/v1/tests/{test_id}/submit")
"""Called by the tests themselves, at their time."""
RESULTS = ("get", "/v1/tests/{test_id}/results")


def operations(app: FastAPI, state: str) -> list[tuple[str, str]]:
    """All operations; in `make test` every second one, others in each state, and always the results."""
    paths = app.openapi()["paths"]
    every = [(method, path) for path in paths if path not in BY_THE_TESTS for method in paths[path]]
    return list(dict.fromkeys([*part(every, state, 2), RESULTS]))


async def leaks(
    client: httpx.AsyncClient, app: FastAPI, searched: Objects, state: str, body: dict[str, Any]
) -> list[str]:
    """The operations whose answers, headers included, show something that is right."""
    found = []
    for method, template in operations(app, state):
        path = searched.path(template).removeprefix("/v1")
        answer = await client.request(
            method,
            path,
            params={"attempt_id": body["attempt_id"]} if template.endswith("/results") and body else {},
            json=None if method == "get" else body if template.endswith("/responses") else {},
        )
        assert answer.status_code < 500, (method, path, answer.text)
        raw = answer.content + repr(answer.headers.raw).encode()
        found += [f"{method} {template}: {marker!r}" for marker in MARKERS if marker in raw]
    return found


@pytest.fixture
async def searched(world: World, made: PublishedTest, engine: AsyncEngine) -> Objects:
    """The objects of others, with the test whose keys are looked for instead of theirs."""
    async with unit_of_work(engine) as uow:
        question, version = (await uow.tests.questions([made.question_ids[2]]))[made.question_ids[2]]
    ids = {
        "test_id": str(made.id),
        "question_id": str(question.id),
        "version": str(version.number),
        "subject_id": str(question.subject_id),
    }
    return replace(world.mine, ids={**world.mine.ids, **ids})


class TestNothingIsShown:
    async def test_before_during_and_after_an_attempt_whose_review_is_never(
        self, app: FastAPI, candidate: httpx.AsyncClient, made: PublishedTest, searched: Objects
    ) -> None:
        assert await leaks(candidate, app, searched, "before", {}) == []
        attempt = (await candidate.post(f"{made.path}/start")).json()
        body = {
            "attempt_id": attempt["id"],
            "lease": attempt["lease"],
            "responses": [{"question_id": str(made.question_ids[0]), "revision": 1, "answer": ["b"]}],
        }
        assert await leaks(candidate, app, searched, "during", body) == []
        await candidate.post(f"{made.path}/submit", json={"attempt_id": attempt["id"]})
        assert (await candidate.get(f"{made.path}/results")).json()["questions"] is None
        assert await leaks(candidate, app, searched, "after", body) == []

    async def test_to_the_holder_of_an_attempt_token(
        self,
        app: FastAPI,
        people: People,
        candidate: httpx.AsyncClient,
        made: PublishedTest,
        searched: Objects,
    ) -> None:
        attempt = (await candidate.post(f"{made.path}/start")).json()
        async with people.client(attempt["attempt_token"]) as holder:
            assert await leaks(holder, app, searched, "token", {}) == []


class TestTheSearchCanFail:
    @pytest.mark.parametrize("made", ["after_submit"], indirect=True)
    async def test_results_show_the_key_once_they_may(
        self, app: FastAPI, candidate: httpx.AsyncClient, made: PublishedTest, searched: Objects
    ) -> None:
        attempt = (await candidate.post(f"{made.path}/start")).json()
        assert await leaks(candidate, app, searched, "during, to be reviewed", {}) == []
        await candidate.post(f"{made.path}/submit", json={"attempt_id": attempt["id"]})
        shown = await leaks(candidate, app, searched, "after, reviewed", {"attempt_id": attempt["id"]})
        assert {leak.partition(":")[0] for leak in shown} == {"get /v1/tests/{test_id}/results"}
        assert len(shown) == len(MARKERS)
