"""The state of an attempt with an attempt token: answered directly exactly as by the route, or left to it."""

import asyncio

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import AttemptClient, start
from tests.builders.content import PublishedTest, publish_test
from tests.builders.exams import Entrant, HeldExam, body_of, hold_exam, register
from tests.builders.people import People, user_id_of
from tests.conftest import TestClock

DIRECTLY, BY_THE_ROUTE = "Bearer", "bearer"
"""The scheme of the credentials. Only its usual form is answered directly."""


async def publish(engine: AsyncEngine) -> PublishedTest:
    async with unit_of_work(engine) as uow:
        return await publish_test(uow, shuffle={"questions": True, "options": True})


@pytest.fixture
async def sitting(candidate: httpx.AsyncClient, engine: AsyncEngine, clock: TestClock) -> AttemptClient:
    clock.stop_entirely()
    return await start(candidate, await publish(engine))


@pytest.fixture
async def held(author: httpx.AsyncClient, engine: AsyncEngine, clock: TestClock) -> HeldExam:
    clock.stop_entirely()
    return await hold_exam(author, await publish(engine), starts_at=clock.now())


@pytest.fixture
async def entrant(people: People, held: HeldExam) -> Entrant:
    entrant = await register(await people.candidate(), held)
    body_of(await entrant.enter(), 201)
    body_of(await entrant.save({0: ["a"], 2: ["b"]}))
    return entrant


async def both(client: httpx.AsyncClient, path: str, token: str) -> httpx.Response:
    """The direct response, which must be that of the route."""
    direct, routed = [
        await client.get(
            f"{path}/attempt", headers={"Authorization": f"{way} {token}", "X-Request-ID": "r-1"}
        )
        for way in (DIRECTLY, BY_THE_ROUTE)
    ]
    assert (direct.status_code, direct.content) == (routed.status_code, routed.content)
    assert direct.headers == routed.headers
    return direct


async def execute(engine: AsyncEngine, statement: str, attempt_id: str) -> None:
    async with unit_of_work(engine) as uow:
        await uow.session.execute(text(statement), {"id": attempt_id})


async def test_at_a_test(sitting: AttemptClient) -> None:
    token = sitting.attempt["attempt_token"]
    assert body_of(await both(sitting.client, sitting.made.path, token))["responses"] == []
    await sitting.save(sitting.response(0, ["a"]), sitting.response(1, None, time_spent_ms=7))
    state = body_of(await both(sitting.client, sitting.made.path, token))
    assert (state["answered"], len(state["responses"])) == (1, 2)
    await sitting.submit()
    assert (await both(sitting.client, sitting.made.path, token)).status_code == 404


async def test_at_an_exam_paper(entrant: Entrant, author: httpx.AsyncClient, engine: AsyncEngine) -> None:
    token, path = entrant.attempt["attempt_token"], entrant.path
    state = body_of(await both(entrant.client, path, token))
    assert (state["status"], state["answered"]) == ("in_progress", 2)
    orders, why = f"/exams/{entrant.held.exam['id']}/attempts/{entrant.attempt['id']}", "A fire alarm."
    body_of(await author.post(f"{orders}/pause", json={"reason": why}))
    assert body_of(await both(entrant.client, path, token))["status"] == "paused"
    body_of(await author.post(f"{orders}/resume", json={"reason": why}))
    body_of(await entrant.submit())
    assert body_of(await both(entrant.client, path, token))["status"] == "submitted"
    await execute(engine, "update ias.attempts set status = 'void' where id = :id", entrant.attempt["id"])
    assert body_of(await both(entrant.client, path, token))["status"] == "void"


async def test_what_the_token_is_not_for_is_refused_alike(entrant: Entrant, sitting: AttemptClient) -> None:
    token = entrant.attempt["attempt_token"]
    assert (await both(sitting.client, sitting.made.path, token)).status_code == 404
    assert (await both(entrant.client, entrant.path, token + "x")).status_code == 401
    assert (await both(entrant.client, entrant.path, sitting.attempt["attempt_token"])).status_code == 404


async def test_who_is_banned_is_refused_alike(entrant: Entrant, admin: httpx.AsyncClient) -> None:
    user_id = await user_id_of(entrant.client)
    body_of(await admin.put(f"/users/{user_id}/status", json={"active": False}))
    refused = await both(entrant.client, entrant.path, entrant.attempt["attempt_token"])
    assert (refused.status_code, refused.json()["code"]) == (401, "session_revoked")


async def test_many_together_get_each_their_own(people: People, held: HeldExam) -> None:
    entrants = [await register(await people.candidate(), held) for _ in range(5)]
    for number, entrant in enumerate(entrants):
        await entrant.enter()
        await entrant.save({position: ["a"] for position in range(number % 3)})
    answers = await asyncio.gather(
        *(
            each.client.get(
                f"{each.path}/attempt", headers={"Authorization": f"Bearer {each.attempt['attempt_token']}"}
            )
            for each in entrants
        )
    )
    states = [body_of(answer) for answer in answers]
    assert [state["id"] for state in states] == [each.attempt["id"] for each in entrants]
    assert [state["answered"] for state in states] == [0, 1, 2, 0, 1]
