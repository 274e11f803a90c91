"""Leaderboards over HTTP: who may see which, what they show, and that they agree with results."""

from datetime import timedelta
from uuid import UUID, uuid4

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from app.models import Exam
from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import Json, take_test
from tests.builders.content import publish_for, publish_test
from tests.builders.exams import HOUR, add_exam, body_of, hold_exam, take_paper
from tests.builders.people import People
from tests.conftest import TestClock

BOARD = "/analytics/leaderboard"
MINUTE = timedelta(minutes=1)


async def board(client: httpx.AsyncClient, **params: object) -> Json:
    return body_of(await client.get(BOARD, params={name: str(value) for name, value in params.items()}))


class TestOfTest:
    async def test_it_agrees_with_the_result(
        self, engine: AsyncEngine, people: People, candidate: httpx.AsyncClient
    ) -> None:
        made = await publish_for(engine)
        other = await people.candidate("Bina Das")
        body_of(await other.put("/users/profile", json={"preferences": {"show_name": True}}))
        await take_test(other, made, {0: ["a"], 1: ["b"]})
        result = await take_test(candidate, made, {0: ["a"], 1: ["d"]})
        seen = await board(candidate, test_id=made.id)
        assert seen["me"] == {
            "rank": result["rank"],
            "name": seen["me"]["name"],
            "score": result["score"],
            "percentile": result["percentile"],
            "is_me": True,
        }
        assert [(place["rank"], place["name"]) for place in seen["items"]] == [
            (1, "Bina Das"),
            (2, seen["me"]["name"]),
        ]
        assert seen["me"]["name"].startswith("Candidate ")
        assert (seen["kind"], seen["participants"], seen["paper_version"]) == ("live", 2, 1)
        near = await board(candidate, test_id=made.id, around_me=True)
        assert near["items"] == seen["items"]
        assert await board(candidate, test_id=made.id, limit=1) == seen | {"items": seen["items"][:1]}
        # Practice after the first attempt changes nothing.
        await take_test(candidate, made, {0: ["a"], 1: ["b"], 2: ["c"]})
        assert await board(candidate, test_id=made.id) == seen

    async def test_while_an_exam_withholds_it(
        self, engine: AsyncEngine, candidate: httpx.AsyncClient, clock: TestClock
    ) -> None:
        """A test is hidden while an exam holds its questions, and shown again afterwards."""
        made = await publish_for(engine)
        await take_test(candidate, made, {0: ["a"]})
        before = await board(candidate, test_id=made.id)
        async with unit_of_work(engine) as uow:
            shared = await publish_test(uow, same_as=made)
            exam = await add_exam(uow, shared.id, clock.now() + HOUR, published_at=clock.now())
        assert (await candidate.get(BOARD, params={"test_id": str(made.id)})).status_code in (404, 409)
        async with unit_of_work(engine) as uow:
            (await uow.session.get_one(Exam, exam.exam_id)).released_at = clock.now()
        assert await board(candidate, test_id=made.id) == before


class TestOfExam:
    async def test_the_merit_list_after_the_release(
        self, engine: AsyncEngine, author: httpx.AsyncClient, people: People, clock: TestClock
    ) -> None:
        async with unit_of_work(engine) as uow:
            made = await publish_test(uow)
        held = await hold_exam(author, made, starts_at=clock.now() - MINUTE, window=2 * HOUR)
        clients = [await people.candidate(name) for name in ("Asha Rao", "Bina Das", "Chand Ali")]
        for client, answers in zip(clients, ({0: ["a"]}, {0: ["a"], 1: ["b"]}, {0: ["a"]}), strict=True):
            await take_paper(client, held, dict(answers))
        body_of(await clients[1].put("/users/profile", json={"preferences": {"show_name": True}}))
        exam_id = held.exam["id"]
        refused = await clients[0].get(BOARD, params={"exam_id": exam_id})
        assert (refused.status_code, refused.json()["code"]) == (409, "results_not_released")
        await held.release()
        for client in clients:
            seen = await board(client, exam_id=exam_id)
            mine = body_of(await client.get(f"/exams/{exam_id}/results"))
            assert [place["rank"] for place in seen["items"]] == [1, 2, 2]
            assert seen["items"][0]["name"] == "Bina Das"
            assert (seen["kind"], seen["participants"]) == ("official", mine["participants"])
            assert (seen["me"]["rank"], seen["me"]["score"], seen["me"]["percentile"]) == (
                mine["rank"],
                mine["total"],
                mine["percentile"],
            )
            assert (await board(client, exam_id=exam_id, around_me=True))["items"] == seen["items"]
            small = await board(client, exam_id=exam_id, category="general")
            assert (small["participants"], small["items"], small["me"]) == (None, [], None)
            assert set(small["reason"]) == {"en", "hi"}

    async def test_groups_tell_nobody_and_no_small_group(
        self, engine: AsyncEngine, author: httpx.AsyncClient, people: People, clock: TestClock
    ) -> None:
        """Six general, five of OBC, one of ST; the five of OBC have a disability, and show their names."""
        async with unit_of_work(engine) as uow:
            made = await publish_test(uow)
        held = await hold_exam(author, made, starts_at=clock.now() - MINUTE, window=2 * HOUR)
        reader = await people.candidate("Asha Rao")
        clients = [reader, *[await people.candidate("Bina Das") for _ in range(11)]]
        for place, client in enumerate(clients):
            profile: Json = {"category": "general"}
            if place > 5:
                profile = {"category": "obc", "pwbd": 1, "preferences": {"show_name": True}}
            if place == 11:
                profile = {"category": "st"}
            body_of(await client.put("/users/profile", json=profile))
            await take_paper(client, held, {0: ["a"]})
        await held.release()
        exam_id = held.exam["id"]
        boards = {
            each: await board(reader, exam_id=exam_id, category=each) for each in ("general", "obc", "st")
        }
        counts = {each: shown["participants"] for each, shown in boards.items()}
        assert counts == {"general": 6, "obc": None, "st": None}
        whole = await board(reader, exam_id=exam_id, limit=100)
        disabled = await board(reader, exam_id=exam_id, pwbd=True)
        assert (whole["participants"], disabled["participants"]) == (12, 5)
        names = [{place["name"] for place in each["items"]} for each in (whole, boards["general"], disabled)]
        assert "Bina Das" in names[0]
        assert not names[0] & names[1]
        assert not names[0] & names[2]


async def test_what_is_refused(candidate: httpx.AsyncClient) -> None:
    refused: list[tuple[dict[str, str], int]] = [
        ({}, 422),
        ({"test_id": str(uuid4()), "exam_id": str(uuid4())}, 422),
        ({"test_id": str(uuid4()), "limit": "101"}, 422),
        ({"test_id": str(uuid4()), "category": "rich"}, 422),
        ({"test_id": str(UUID(int=1))}, 404),
        ({"exam_id": str(UUID(int=1))}, 404),
    ]
    for params, status in refused:
        assert (await candidate.get(BOARD, params=params)).status_code == status, params
