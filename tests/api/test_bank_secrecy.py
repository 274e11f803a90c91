"""A candidate reaches nothing of the bank: every route of questions, passages, images and unpublished tests.

The routes come from the OpenAPI document, so that a new one cannot be forgotten.
"""

from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.unit_of_work import unit_of_work
from tests.builders.content import UPSC, add_subject, publish_test
from tests.builders.images import new_image
from tests.builders.people import People

BANK = ("/v1/questions", "/v1/passages", "/v1/media")
SECRET = "SECRET-OF-THE-BANK"


def operations(app: FastAPI, *beginnings: str) -> list[tuple[str, str]]:
    """Every operation below these paths."""
    paths = app.openapi()["paths"]
    return [
        (method, path)
        for path, item in sorted(paths.items())
        if any(path == beginning or path.startswith(f"{beginning}/") for beginning in beginnings)
        for method in item
    ]


@pytest.fixture(scope="module")
async def ids(author: httpx.AsyncClient, engine: AsyncEngine) -> dict[str, str]:
    """A question with a passage and an image, and a test of it that is a draft."""
    async with unit_of_work(engine) as uow:
        subject_id = str((await add_subject(uow)).id)
    image = await made(author, "/media", files={"file": new_image()})
    passage = await made(author, "/passages", json={"text": SECRET, "media": [image["id"]]})
    body = {
        "subject_id": subject_id,
        "type": "single_choice",
        "text": f"{SECRET} {uuid4()}",
        "options": [{"id": name, "text": name} for name in "ab"],
        "key": ["b"],
        "explanation": SECRET,
        "passage_id": passage["id"],
        "media": [image["id"]],
    }
    question = await made(author, "/questions", json=body)
    draft = {
        "title": SECRET,
        "kind": "full",
        "duration_seconds": 600,
        "marking": UPSC,
        "sections": [{"name": "Paper", "question_ids": [question["id"]]}],
    }
    test = await made(author, "/tests", json=draft)
    return {
        "question_id": question["id"],
        "passage_id": passage["id"],
        "media_id": image["id"],
        "test_id": test["id"],
        "user_id": str(uuid4()),
        "attempt_id": str(uuid4()),
        "version": "1",
        "number": "1",
        "objection_id": str(uuid4()),
        "cluster_id": str(uuid4()),
    }


async def made(author: httpx.AsyncClient, path: str, **request: Any) -> dict[str, Any]:
    answer = await author.post(path, **request)
    assert answer.is_success, answer.text
    return dict(answer.json())


async def call(client: httpx.AsyncClient, method: str, template: str, ids: dict[str, str]) -> httpx.Response:
    """The operation with ids that exist, and a body that is fine where candidates may send one."""
    path = template.removeprefix("/v1").format_map(ids)
    bodies: dict[str, dict[str, Any]] = {
        "responses": {
            "attempt_id": str(uuid4()),
            "lease": 1,
            "responses": [{"question_id": ids["question_id"], "revision": 1, "answer": ["b"]}],
        },
        "submit": {"attempt_id": str(uuid4())},
        "objections": {
            "question_id": ids["question_id"],
            "claimed_key": ["b"],
            "explanation": "To see what it says.",
        },
    }
    body = bodies.get(path.rpartition("/")[2], {})
    return await client.request(method, path, json=None if method in ("get", "delete") else body)


async def test_no_route_of_the_bank_answers_a_candidate(
    app: FastAPI, candidate: httpx.AsyncClient, author: httpx.AsyncClient, ids: dict[str, str]
) -> None:
    routes = operations(app, *BANK)
    assert len(routes) >= 19
    refused = {route: await call(candidate, *route, ids) for route in routes}
    told = {route: answer.status_code for route, answer in refused.items()}
    expected = {route: 404 if route == ("get", "/v1/media/{media_id}") else 403 for route in routes}
    assert told == expected
    assert not any(SECRET in answer.text for answer in refused.values())
    # The same calls reach something when they may, so that the answers above do not come from the ids.
    reached = {route: (await call(author, *route, ids)).status_code for route in routes}
    assert {route for route, status in reached.items() if status in (403, 404)} == set()


async def test_an_attempt_at_another_paper_opens_nothing(
    app: FastAPI, people: People, author: httpx.AsyncClient, ids: dict[str, str], engine: AsyncEngine
) -> None:
    async with unit_of_work(engine) as uow:
        other = await publish_test(uow)
    candidate = await people.candidate()
    attempt = (await candidate.post(f"{other.path}/start")).json()
    async with people.client(attempt["attempt_token"]) as holder:
        for route in operations(app, *BANK):
            assert (await call(holder, *route, ids)).status_code in (401, 403, 404), route
    assert (await candidate.get(f"/media/{ids['media_id']}")).status_code == 404


async def test_a_draft_is_as_if_it_were_not_there(
    app: FastAPI, candidate: httpx.AsyncClient, author: httpx.AsyncClient, ids: dict[str, str]
) -> None:
    routes = operations(app, "/v1/tests")
    answers = {route: await call(candidate, *route, ids) for route in routes}
    assert {route for route, answer in answers.items() if answer.is_success} == {("get", "/v1/tests")}
    statuses = {answer.status_code for route, answer in answers.items() if not answer.is_success}
    assert statuses == {403, 404}
    assert not any(SECRET in answer.text for answer in answers.values())
    assert SECRET in (await author.get(f"/tests/{ids['test_id']}")).text
