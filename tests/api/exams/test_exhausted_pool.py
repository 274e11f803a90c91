"""Other requests hold all shared connections: starts, saves, papers, submits and tickets do not wait."""

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
from fastapi import FastAPI

from app.core.active_users import ActiveUsers
from app.database import create_engine
from app.services.components import Components
from app.services.exams.placements import PlacementStore
from app.services.signing_keys import SignerStore
from tests.builders.attempts import Json, start, take_test
from tests.builders.content import PublishedTest
from tests.builders.exams import Entrant, HeldExam, body_of, register, take_paper
from tests.builders.people import People
from tests.conftest import TestClock


@pytest.fixture
async def exhausted(app: FastAPI, parts: Components, clock: TestClock) -> AsyncIterator[Components]:
    """A pool without a free connection, and a process that has looked up nobody, no key and no exam paper."""
    engine = create_engine(parts.settings, pool_size=1, pool_timeout=0.05)
    signers = SignerStore(parts.settings.secret_key.get_secret_value(), clock)
    active_users = ActiveUsers(parts.revocations, clock)
    async with engine.connect():
        app.state.components = changed = replace(
            parts, engine=engine, signers=signers, active_users=active_users, placements=PlacementStore()
        )
        yield changed
        app.state.components = parts
    await engine.dispose()


@pytest.fixture
async def entrant(people: People, held: HeldExam) -> Entrant:
    """A candidate who has not started yet. The process knows the paper: another one has taken it."""
    await take_paper(await people.candidate(), held, {0: ["a"]})
    return await register(await people.candidate(), held)


@pytest.fixture
async def started(entrant: Entrant) -> Entrant:
    """The same candidate in an attempt."""
    body_of(await entrant.enter(), 201)
    return entrant


@pytest.fixture
async def taken(people: People, made: PublishedTest) -> PublishedTest:
    """A test that the process knows."""
    await take_test(await people.candidate(), made, {0: ["a"]})
    return made


async def goes_on(client: httpx.AsyncClient, path: str, attempt: Json, made: PublishedTest) -> Json:
    """Save an answer, download the paper, and submit, with the attempt token as apps do."""
    token = {"Authorization": f"Bearer {attempt['attempt_token']}"}
    response = {"question_id": str(made.question_ids[0]), "revision": 1, "answer": ["a"]}
    body = {"attempt_id": attempt["id"], "lease": 1, "responses": [response]}
    saved = body_of(await client.post(f"{path}/responses", json=body, headers=token))
    assert saved["receipt"] is not None
    body_of(await client.get(f"{path}/questions", headers=token))
    assert body_of(await client.get(f"{path}/attempt", headers=token))["answered"] == 1
    submitted = await client.post(f"{path}/submit", json={"attempt_id": attempt["id"]}, headers=token)
    return body_of(submitted)


async def test_an_exam_paper(entrant: Entrant, made: PublishedTest, exhausted: Components) -> None:
    attempt = body_of(await entrant.enter(), 201)
    submitted = await goes_on(entrant.client, entrant.path, attempt, made)
    assert submitted["status"] == "submitted"


async def test_an_exam_paper_that_was_started_on_another_process(
    started: Entrant, made: PublishedTest, exhausted: Components
) -> None:
    submitted = await goes_on(started.client, started.path, started.attempt, made)
    assert submitted["status"] == "submitted"


async def test_a_practice_test(
    candidate: httpx.AsyncClient, taken: PublishedTest, exhausted: Components
) -> None:
    attempt = body_of(await candidate.post(f"{taken.path}/start"), 201)
    assert (await candidate.get(f"{taken.path}/questions")).status_code == 200
    submitted = await goes_on(candidate, taken.path, attempt, taken)
    assert submitted["status"] == "graded"


async def test_a_socket_gets_its_ticket(
    candidate: httpx.AsyncClient, held: HeldExam, exhausted: Components
) -> None:
    asked = await candidate.post("/ws/ticket", json={"path": f"/ws/exam/{held.exam['id']}"})
    assert body_of(asked, 201)["ticket"]


async def test_a_login_is_looked_up(candidate: httpx.AsyncClient, exhausted: Components) -> None:
    """Who may not call a route is refused at once."""
    assert (await candidate.get("/users")).status_code == 403


async def test_a_start_of_an_exam_paper_that_is_sent_again(started: Entrant, exhausted: Components) -> None:
    assert body_of(await started.enter(), 200)["lease"] == 2


async def test_a_start_of_a_practice_test_that_is_sent_again(
    candidate: httpx.AsyncClient, taken: PublishedTest, exhausted: Components
) -> None:
    body_of(await candidate.post(f"{taken.path}/start"), 201)
    assert body_of(await candidate.post(f"{taken.path}/start"), 200)["lease"] == 2


async def test_a_submit_that_is_sent_again(
    candidate: httpx.AsyncClient, taken: PublishedTest, exhausted: Components
) -> None:
    sitting = await start(candidate, taken)
    token = {"Authorization": f"Bearer {sitting.attempt['attempt_token']}"}
    body = {"attempt_id": sitting.attempt["id"]}
    submits = [await candidate.post(f"{taken.path}/submit", json=body, headers=token) for _ in range(2)]
    assert body_of(submits[0])["result"] is not None
    assert body_of(submits[1]) == body_of(submits[0])


async def test_what_needs_a_shared_connection_is_told_when_to_come_again(
    candidate: httpx.AsyncClient, exhausted: Components
) -> None:
    answer = await candidate.get("/tests")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0
