"""While too many requests are in progress, others are refused, except those of an exam and of staff."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx
import jwt
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.admission import Admission
from app.main import create_app
from app.services.components import Components
from app.services.unit_of_work import unit_of_work
from tests.builders.content import PublishedTest, publish_test
from tests.builders.exams import body_of
from tests.builders.people import PASSWORD, AppClient, People
from tests.request_lines import request_lines

ORIGIN = "https://app.example.org"
LEFT_TO_FASTAPI = {"Content-Type": "application/json; charset=utf-8"}


@pytest.fixture
async def admission(app: FastAPI, parts: Components) -> AsyncIterator[Admission]:
    """The application admits one request at a time."""
    app.state.components = replace(parts, admission=(admission := Admission(most=1)))
    yield admission
    app.state.components = parts


@pytest.fixture(scope="module")
async def made(engine: AsyncEngine) -> PublishedTest:
    async with unit_of_work(engine) as uow:
        return await publish_test(uow)


@contextmanager
def full(admission: Admission) -> Iterator[None]:
    """As many requests as possible are in progress."""
    admission.in_progress += 1
    yield
    admission.in_progress -= 1


async def test_the_refusal_says_what_to_do(candidate: httpx.AsyncClient, admission: Admission) -> None:
    asked = {"X-Request-ID": "r-1", "Accept-Language": "hi"}
    with full(admission):
        refused = await candidate.get("/users/attempts", headers=asked)
    assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
    assert refused.json()["request_id"] == refused.headers["x-request-id"] == "r-1"
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.headers["content-language"] == "hi"
    assert refused.headers["x-frame-options"] == "DENY"
    assert 2 <= int(refused.headers["retry-after"]) <= 8
    assert (await candidate.get("/users/attempts")).status_code == 200


async def test_clients_come_again_at_different_times(
    candidate: httpx.AsyncClient, admission: Admission
) -> None:
    with full(admission):
        times = {(await candidate.get("/tests")).headers["retry-after"] for _ in range(100)}
    assert len(times) > 1


async def test_a_refused_write_changes_nothing(candidate: httpx.AsyncClient, admission: Admission) -> None:
    before = body_of(await candidate.get("/users/profile"))
    with full(admission):
        refused = await candidate.put("/users/profile", json={"name": "Other Name"})
    assert refused.status_code == 503
    assert body_of(await candidate.get("/users/profile")) == before


async def test_it_is_logged(candidate: httpx.AsyncClient, admission: Admission, made: PublishedTest) -> None:
    with full(admission), request_lines() as lines:
        await candidate.get("/users/attempts")
        await candidate.get(f"{made.path}/results", headers={"Authorization": "Bearer wrong"})
    logged = [(line["route"], line["status"]) for line in lines]
    assert logged == [("refused", 503), ("/v1/tests/{test_id}/results", 503)]


async def test_web_pages_may_read_it(candidate: httpx.AsyncClient, parts: Components) -> None:
    app = create_app(parts.settings.model_copy(update={"cors_origins": [ORIGIN]}))
    app.state.components = replace(parts, admission=Admission(most=0))
    token = candidate.headers["Authorization"]
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "GET"}
    async with AppClient(app) as page:
        refused = await page.get("/tests", headers={"Authorization": token, "Origin": ORIGIN})
        preflight = await page.options("/tests", headers=asked)
    assert refused.status_code == 503
    assert refused.headers["access-control-allow-origin"] == ORIGIN
    assert preflight.status_code == 200


async def test_an_exam_goes_on(
    candidate: httpx.AsyncClient, admission: Admission, made: PublishedTest
) -> None:
    """A start, papers, a save and a submit that FastAPI answers, and an image, which does not exist."""
    with full(admission):
        first = body_of(await candidate.post(f"{made.path}/start", headers=LEFT_TO_FASTAPI), 201)
        token = {"Authorization": f"Bearer {first['attempt_token']}", **LEFT_TO_FASTAPI}
        response = {"question_id": str(made.question_ids[0]), "revision": 1, "answer": ["a"]}
        bodies: dict[str, Any] = {
            "responses": {"attempt_id": first["id"], "lease": 1, "responses": [response]},
            "submit": {"attempt_id": first["id"]},
        }
        by_the_route = {"Authorization": token["Authorization"].replace("Bearer", "bearer")}
        for paper in ("questions", f"questions?attempt_id={first['id']}"):
            assert (await candidate.get(f"{made.path}/{paper}", headers=by_the_route)).status_code == 200
        assert (await candidate.get(f"/media/{made.id}")).status_code == 404
        for route, body in bodies.items():
            answer = await candidate.post(f"{made.path}/{route}", json=body, headers=token)
            assert answer.status_code == 200, answer.text


async def test_staff_go_on_once_they_are_known(
    people: People, api: httpx.AsyncClient, admission: Admission
) -> None:
    author, other = await people.member("author"), await people.member("proctor")
    email = jwt.decode(author.headers["Authorization"][7:], options={"verify_signature": False})["email"]
    with full(admission):
        assert (await author.get("/questions")).status_code == 503
        login = body_of(await api.post("/auth/login", json={"email": email, "password": PASSWORD}))
        again = {"Authorization": f"Bearer {login['access_token']}"}
        assert (await api.get("/questions", headers=again)).status_code == 200
        assert (await other.get("/tests")).status_code == 503
        forged = {"Authorization": f"{author.headers['Authorization']}x"}
        assert (await author.get("/questions", headers=forged)).status_code == 503


async def test_logins_and_health_checks_have_limits_of_their_own(
    people: People, api: httpx.AsyncClient, admission: Admission
) -> None:
    email = body_of(await (await people.candidate()).get("/users/profile"))["email"]
    with full(admission):
        login = await api.post("/auth/login", json={"email": email, "password": PASSWORD})
        others = [await api.get("/health"), await api.get("/time"), await api.head("/tests")]
    assert login.status_code == 200
    assert [answer.status_code for answer in others] == [200, 200, 405]
