"""Announcements for somebody who has lost the login: the attempt token of the exam opens them."""

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import start
from tests.builders.content import PublishedTest, publish_test
from tests.builders.exams import HOUR, Entrant, HeldExam, body_of, hold_exam, register
from tests.builders.people import People, user_id_of
from tests.conftest import TestClock

TEXT = "Question 7: read 1947 instead of 1974."


@pytest.fixture
async def held(author: httpx.AsyncClient, made: PublishedTest, clock: TestClock) -> HeldExam:
    return await hold_exam(author, made, starts_at=clock.now(), window=HOUR)


@pytest.fixture
async def entrant(people: People, held: HeldExam) -> Entrant:
    entrant = await register(await people.candidate(), held)
    body_of(await entrant.enter())
    return entrant


async def read(people: People, held: HeldExam, token: str) -> httpx.Response:
    async with people.client(token) as client:
        return await client.get(f"{held.path}/announcements", params={"limit": 1})


async def test_the_token_reads_a_correction_after_the_login_is_lost(
    people: People, held: HeldExam, entrant: Entrant
) -> None:
    for text in ("Welcome.", TEXT):
        body_of(await held.staff.post(f"{held.path}/announcements", json={"text": text}))
    await entrant.client.post("/auth/logout", json={"scope": "global"})
    assert (await entrant.client.get(f"{held.path}/announcements")).status_code == 401
    page = body_of(await read(people, held, entrant.attempt["attempt_token"]))
    assert [item["text"]["en"] for item in page["items"]] == [TEXT]
    assert page["next_cursor"] is not None


async def test_the_token_opens_no_other_exam(
    people: People,
    held: HeldExam,
    entrant: Entrant,
    made: PublishedTest,
    clock: TestClock,
    engine: AsyncEngine,
) -> None:
    async with unit_of_work(engine) as uow:
        another = await publish_test(uow)
    other = await hold_exam(held.staff, another, starts_at=clock.now(), window=HOUR)
    assert (await read(people, other, entrant.attempt["attempt_token"])).status_code == 404


async def test_the_token_of_an_attempt_at_a_test_opens_none(
    people: People, held: HeldExam, engine: AsyncEngine
) -> None:
    async with unit_of_work(engine) as uow:
        rolling = await publish_test(uow)
    sitting = await start(await people.candidate(), rolling)
    assert (await read(people, held, sitting.attempt["attempt_token"])).status_code == 404


async def test_a_ban_ends_it(
    people: People, held: HeldExam, entrant: Entrant, admin: httpx.AsyncClient
) -> None:
    path = f"/users/{await user_id_of(entrant.client)}/status"
    body_of(await admin.put(path, json={"active": False}))
    answer = await read(people, held, entrant.attempt["attempt_token"])
    assert (answer.status_code, answer.json()["code"]) == (401, "session_revoked")
