"""Tests that nobody owns: any author may place them, but joins no team of another person's exam so."""

from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.builders.content import PublishedTest, publish_for
from tests.builders.exams import HOUR, MINUTE, HeldExam, body_of, hold_exam, take_paper
from tests.builders.people import People, user_id_of
from tests.conftest import TestClock


@pytest.fixture
async def made(engine: AsyncEngine) -> PublishedTest:
    return await publish_for(engine)


@pytest.fixture
async def other(people: People) -> httpx.AsyncClient:
    return await people.member("author")


async def place(client: httpx.AsyncClient, made: PublishedTest, clock: TestClock) -> httpx.Response:
    """Place the test in a new draft exam of this author."""
    held = await hold_exam(client, starts_at=clock.now(), publish=False)
    times = {"starts_at": 0 * HOUR, "entry_closes_at": HOUR / 2, "ends_at": HOUR}
    paper: dict[str, Any] = {name: (clock.now() + time).isoformat() for name, time in times.items()}
    paper |= {"code": "GS", "title": "GS", "test_id": str(made.id)}
    return await client.post(f"{held.path}/papers", json=paper)


async def hold(staff: httpx.AsyncClient, made: PublishedTest, clock: TestClock, **more: Any) -> HeldExam:
    return await hold_exam(staff, made, starts_at=clock.now() - MINUTE, **more)


@pytest.mark.parametrize("publish", [False, True])
async def test_what_an_exam_of_somebody_else_holds_is_not_placed(
    author: httpx.AsyncClient,
    other: httpx.AsyncClient,
    admin: httpx.AsyncClient,
    made: PublishedTest,
    clock: TestClock,
    publish: bool,
) -> None:
    """Otherwise a draft exam would show its author the paper before the exam of the other one opens."""
    await hold(author, made, clock, publish=publish)
    refused = await place(other, made, clock)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert (await other.get(f"{made.path}/preview")).status_code == 404
    assert (await place(author, made, clock)).status_code == 201
    body_of(await admin.put(f"{made.path}/consents/{await user_id_of(other)}"))
    assert (await place(other, made, clock)).status_code == 201


async def test_a_draft_of_before_is_not_published(
    author: httpx.AsyncClient, other: httpx.AsyncClient, made: PublishedTest, clock: TestClock
) -> None:
    """Two drafts with the test, from before this was refused: an admin decides."""
    first, second = [await hold(client, made, clock, publish=False) for client in (author, other)]
    for held in (first, second):
        refused = body_of(await held.staff.post(f"{held.path}/publish"), 409)
        assert (refused["code"], refused["errors"][0]["field"]) == ("not_publishable", "papers.0.test_id")
    [paper] = second.papers
    assert (await other.delete(f"{second.path}/papers/{paper['id']}")).status_code == 204
    body_of(await author.post(f"{first.path}/publish"))


async def test_a_draft_does_not_hide_what_is_released(
    author: httpx.AsyncClient,
    other: httpx.AsyncClient,
    admin: httpx.AsyncClient,
    candidate: httpx.AsyncClient,
    made: PublishedTest,
    clock: TestClock,
) -> None:
    """A draft that was made before the exam stands until somebody removes it. A published one holds again."""
    drafted = await hold(other, made, clock, publish=False)
    held = await hold(author, made, clock)
    attempt = (await take_paper(candidate, held, {0: ["a"]})).attempt
    params = {"attempt_id": attempt["id"]}
    assert (await candidate.get(f"{made.path}/results", params=params)).status_code == 404
    await held.release()
    assert body_of(await candidate.get(f"{made.path}/results", params=params))["score"] == "2.00"
    [listed] = body_of(await candidate.get("/users/attempts"))["items"]
    assert (listed["status"], listed["score"]) == ("graded", "2.00")
    overview = body_of(await candidate.get("/analytics/overview"))
    assert overview["attempts"] == 1
    body_of(await admin.post(f"{drafted.path}/publish"))
    assert (await candidate.get(f"{made.path}/results", params=params)).status_code == 404
