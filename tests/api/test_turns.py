"""Work on the whole bank, logins, and requests of one person: who waits takes no connection from others."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool

from app.core.process_pool import PoolLimits
from app.core.turns import REQUESTS_AT_ONCE
from app.services.components import Components
from tests.builders.people import People
from tests.two_connections import until_waiting
from tests.waiting import eventually

SHEET = b"subject,question,option_a,option_b,key\nTurns,Which comes first?,x,y,a\n"
Ask = Callable[[httpx.AsyncClient], Coroutine[Any, Any, httpx.Response]]
ROUTES: list[Ask] = [
    lambda client: client.post("/questions/import", files={"file": ("q.csv", SHEET)}),
    lambda client: client.post("/questions/export", json={"tag": uuid4().hex}),
    lambda client: client.get("/questions/duplicates"),
]


async def until_connections_in_use(engine: AsyncEngine, count: int) -> None:
    """Wait for this count: loops of the process use a connection for a moment now and then."""
    pool = engine.pool
    assert isinstance(pool, QueuePool)

    async def reached() -> bool:
        return pool.checkedout() == count

    await eventually(reached)


async def take_all_turns(parts: Components, stack: AsyncExitStack) -> None:
    for caller in ("one", "other"):
        await stack.enter_async_context(parts.bank_turns.turn(caller))


@pytest.mark.parametrize("ask", ROUTES, ids=["import", "export", "duplicates"])
async def test_who_waits_holds_no_connection(ask: Ask, people: People, parts: Components) -> None:
    author = await people.member("author")
    async with AsyncExitStack() as stack:
        await take_all_turns(parts, stack)
        asking = asyncio.create_task(ask(author))

        async def waits() -> bool:
            return parts.bank_turns.waiting == 1

        await eventually(waits)
        await until_connections_in_use(parts.engine, 0)
        assert not asking.done()
    assert (await asking).status_code == 200


async def test_no_more_wait_than_fit(people: People, parts: Components) -> None:
    author = await people.member("author")
    async with AsyncExitStack() as stack:
        await take_all_turns(parts, stack)
        waiting = [asyncio.create_task(ROUTES[2](author)) for _ in range(PoolLimits().queue)]

        async def all_wait() -> bool:
            return parts.bank_turns.waiting == len(waiting)

        await eventually(all_wait)
        refused = await ROUTES[2](author)
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
        assert refused.headers["retry-after"] == "10"
        assert (await author.get("/questions")).status_code == 200
    assert {answer.status_code for answer in await asyncio.gather(*waiting)} == {200}


@pytest.mark.parametrize(
    ("path", "more", "status"), [("/auth/register", {"name": "Asha Rao"}, 201), ("/auth/login", {}, 401)]
)
async def test_logins_wait_for_their_turn_without_a_connection(
    path: str, more: dict[str, str], status: int, api: httpx.AsyncClient, parts: Components
) -> None:
    body = {"email": f"{uuid4().hex}@example.org", "password": "a long password", **more}
    async with AsyncExitStack() as stack:
        for _ in range(parts.settings.logins_at_once):
            await stack.enter_async_context(parts.login_turns.turn(object()))
        asking = asyncio.create_task(api.post(path, json=body))

        async def waits() -> bool:
            return parts.login_turns.waiting == 1

        await eventually(waits)
        await until_connections_in_use(parts.engine, 0)
        assert not asking.done()
    assert (await asking).status_code == status


@pytest.mark.parametrize(
    ("way", "counted"), [("application/json", 0), ("application/json; charset=utf-8", REQUESTS_AT_ONCE)]
)
async def test_saves_of_one_person_at_unknown_exam_papers_share_one_connection(
    people: People, parts: Components, engine: AsyncEngine, way: str, counted: int
) -> None:
    """Papers that do not exist are looked up together, directly and by the documented route.

    Saves of FastAPI that wait for their turn do not count as in progress.
    """
    crowd, other = await people.candidate(), await people.candidate()
    response = {"question_id": str(uuid4()), "revision": 1, "answer": ["a"]}
    body = json.dumps({"attempt_id": str(uuid4()), "lease": 1, "responses": [response]})

    async def save() -> httpx.Response:
        path = f"/exams/{uuid4()}/papers/{uuid4()}/responses"
        return await crowd.post(path, content=body, headers={"Content-Type": way})

    async with engine.begin() as connection:
        await connection.execute(text("lock table ias.exam_papers in access exclusive mode"))
        saving = [asyncio.create_task(save()) for _ in range(40)]
        await until_waiting(engine, 1)
        await until_connections_in_use(parts.engine, 0)
        await until_connections_in_use(parts.batch_engine, 1)

        async def only_these_count() -> bool:
            return parts.admission.in_progress == counted

        await eventually(only_these_count)
        assert (await other.get("/auth/me")).status_code == 200
    assert {answer.status_code for answer in await asyncio.gather(*saving)} == {404}


async def test_requests_of_one_person_leave_connections_to_others(
    people: People, parts: Components, engine: AsyncEngine
) -> None:
    """Requests that wait for the database, as behind a lock, take a few of its connections and no more."""
    crowd, other = await people.candidate(), await people.candidate()
    user_id = (await crowd.get("/auth/me")).json()["id"]
    async with engine.begin() as connection:
        await connection.execute(text("select 1 from ias.users where id = :id for update"), {"id": user_id})
        changing = [
            asyncio.create_task(crowd.put("/users/profile", json={"name": "Asha"})) for _ in range(40)
        ]
        await until_waiting(engine, REQUESTS_AT_ONCE)
        await until_connections_in_use(parts.engine, REQUESTS_AT_ONCE)

        async def only_these_count() -> bool:
            return parts.admission.in_progress == REQUESTS_AT_ONCE

        await eventually(only_these_count)
        assert (await other.get("/users/attempts")).status_code == 200
    assert {answer.status_code for answer in await asyncio.gather(*changing)} == {200}


async def test_logins_are_looked_up_together(people: People, parts: Components, engine: AsyncEngine) -> None:
    """The first one waits for PostgreSQL, and the others for the statement after it."""
    clients = [await people.candidate() for _ in range(3)]
    async with engine.begin() as connection:
        await connection.execute(text("lock table ias.memberships in access exclusive mode"))
        asking = [asyncio.create_task(client.get("/users")) for client in clients]
        await until_waiting(engine, 1)
        await until_connections_in_use(parts.engine, 0)
        await until_connections_in_use(parts.batch_engine, 1)
    assert {(await each).status_code for each in asking} == {403}
