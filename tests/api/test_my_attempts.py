"""`GET /users/attempts`: one's own, newest first, with marks as far as they may be seen."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import AttemptClient, Json, start, take_test
from tests.builders.content import PublishedTest, publish_test
from tests.builders.exams import add_exam, hold_exam, register
from tests.builders.people import People

HIDDEN = {"score": None, "score_exact": None, "max_score": None}


async def publish(engine: AsyncEngine, **changes: Any) -> PublishedTest:
    async with unit_of_work(engine) as uow:
        return await publish_test(uow, **changes)


async def mine(client: httpx.AsyncClient, **params: Any) -> list[Json]:
    answer = await client.get("/users/attempts", params=params)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def set_status(engine: AsyncEngine, sitting: AttemptClient, status: str) -> None:
    async with engine.begin() as connection:
        statement = text("update ias.attempts set status = :status where id = :id")
        await connection.execute(statement, {"status": status, "id": sitting.id})


class TestItems:
    async def test_a_graded_one(self, engine: AsyncEngine, candidate: httpx.AsyncClient) -> None:
        made = await publish(engine, kind="practice")
        result = await take_test(candidate, made, {0: ["a"], 1: ["c"]})
        attempt = result["attempt"]
        title = (await candidate.get(made.path)).json()["title"]
        names = ("id", "exam_paper_id", "number", "started_at", "submitted_at", "deadline_at")
        assert await mine(candidate) == [
            {name: attempt[name] for name in names}
            | {
                "test": {"id": str(made.id), "title": title, "kind": "practice"},
                "practice": True,
                "status": "graded",
                "exam": None,
                "exam_paper": None,
                "answered": 2,
                "marked_for_review": 0,
                "score": "1.34",
                "score_exact": "4/3",
                "max_score": "6.00",
            }
        ]

    @pytest.mark.parametrize("rounding", ["upsc", "half_up"])
    async def test_printed_as_in_its_result(
        self, engine: AsyncEngine, candidate: httpx.AsyncClient, rounding: str
    ) -> None:
        """Prorated for a dropped question, where the two policies differ."""
        keys = (["a"], ["b"], ["c"], {"dropped": True})
        made = await publish(engine, keys=keys, marking={"rounding": rounding})
        result = await take_test(candidate, made, {0: ["a"], 1: ["c"], 2: ["a"]})
        [item] = await mine(candidate)
        names = ("score", "score_exact", "max_score")
        assert [item[name] for name in names] == [result[name] for name in names]
        assert (item["score_exact"], item["max_score"]) == ("8/9", "8.00")

    async def test_one_under_way(self, engine: AsyncEngine, candidate: httpx.AsyncClient) -> None:
        sitting = await start(candidate, await publish(engine))
        [item] = await mine(candidate)
        assert (item["status"], item["submitted_at"]) == ("in_progress", None)
        assert item["deadline_at"] == sitting.attempt["deadline_at"]
        assert item.items() >= HIDDEN.items()

    async def test_answers_and_marks_that_stand_are_counted(
        self, engine: AsyncEngine, candidate: httpx.AsyncClient
    ) -> None:
        sitting = await start(candidate, await publish(engine))
        await sitting.save(
            sitting.response(0, ["a"], marked_for_review=True),
            sitting.response(1, ["a"], marked_for_review=True),
            sitting.response(1, None, 2),
        )
        [item] = await mine(candidate)
        assert (item["answered"], item["marked_for_review"]) == (1, 1)

    async def test_the_exam_has_its_title_and_the_paper_its_code(
        self, engine: AsyncEngine, candidate: httpx.AsyncClient, author: httpx.AsyncClient
    ) -> None:
        held = await hold_exam(author, await publish(engine), starts_at=datetime.now(UTC))
        entrant = await register(candidate, held)
        await entrant.enter()
        [item] = await mine(candidate)
        assert item["exam"] == {"id": held.exam["id"], "title": {"en": "All-India mock"}}
        assert item["exam_paper"] == {"id": held.papers[0]["id"], "code": "GS1"}

    @pytest.mark.parametrize("status", ["submitted", "void", "paused"])
    async def test_no_marks_of_what_is_not_graded(
        self, engine: AsyncEngine, candidate: httpx.AsyncClient, status: str
    ) -> None:
        sitting = await start(candidate, await publish(engine))
        await sitting.submit()
        await set_status(engine, sitting, status)
        [item] = await mine(candidate)
        assert item.items() >= (HIDDEN | {"status": status}).items()

    async def test_the_title_is_that_of_its_paper(
        self, engine: AsyncEngine, candidate: httpx.AsyncClient, author: httpx.AsyncClient
    ) -> None:
        made = await publish(engine)
        await start(candidate, made)
        [before] = await mine(candidate)
        await author.patch(made.path, json={"title": "Another title"})
        assert (await author.post(f"{made.path}/publish")).status_code == 200
        [after] = await mine(candidate)
        assert after["test"]["title"] == before["test"]["title"]


class TestEmbargo:
    async def test_a_graded_one_shows_as_submitted_until_the_release(
        self, engine: AsyncEngine, candidate: httpx.AsyncClient
    ) -> None:
        made = await publish(engine)
        await take_test(candidate, made, {0: ["a"]})
        async with unit_of_work(engine) as uow:
            await add_exam(uow, made.id, datetime.now(UTC))
        [item] = await mine(candidate)
        assert item.items() >= (HIDDEN | {"status": "submitted"}).items()
        assert await mine(candidate, status="submitted") == [item]
        assert await mine(candidate, status="graded") == []
        await release(engine, made)
        [released] = await mine(candidate, status="graded")
        assert (released["status"], released["score"]) == ("graded", "2.00")

    async def test_the_answer_does_not_depend_on_what_is_right(
        self, engine: AsyncEngine, people: People
    ) -> None:
        made = await publish(engine)
        answers = [{0: ["a"], 1: ["b"], 2: ["c"]}, {0: ["b"], 1: ["c"], 2: ["a"]}]
        clients = [await people.candidate() for _ in answers]
        for client, sheet in zip(clients, answers, strict=True):
            await take_test(client, made, sheet)
        async with unit_of_work(engine) as uow:
            await add_exam(uow, made.id, datetime.now(UTC))
        own = ("id", "started_at", "submitted_at", "deadline_at")
        right, wrong = [
            {name: value for name, value in item.items() if name not in own}
            for client in clients
            for item in await mine(client)
        ]
        assert right == wrong


async def release(engine: AsyncEngine, made: PublishedTest) -> None:
    async with engine.begin() as connection:
        statement = "update ias.exams set released_at = now() where id in"
        exams = "(select exam_id from ias.exam_papers where test_id = :id)"
        await connection.execute(text(f"{statement} {exams}"), {"id": made.id})


class TestList:
    async def test_ones_own_newest_first_in_pages(
        self, engine: AsyncEngine, candidate: httpx.AsyncClient, people: People
    ) -> None:
        made = await publish(engine)
        expected = [(await take_test(candidate, made, {}))["attempt"]["id"] for _ in range(3)][::-1]
        await take_test(await people.candidate(), made, {})
        assert [item["id"] for item in await mine(candidate)] == expected
        assert [item["number"] for item in await mine(candidate)] == [3, 2, 1]
        first = (await candidate.get("/users/attempts", params={"limit": 2})).json()
        rest = {"limit": 2, "cursor": first["next_cursor"]}
        second = (await candidate.get("/users/attempts", params=rest)).json()
        assert [item["id"] for item in first["items"] + second["items"]] == expected
        assert second["next_cursor"] is None

    async def test_filters(self, engine: AsyncEngine, candidate: httpx.AsyncClient) -> None:
        done, begun = await publish(engine), await publish(engine)
        await take_test(candidate, done, {})
        await start(candidate, begun)
        filters: list[tuple[Json, list[PublishedTest]]] = [
            ({}, [begun, done]),
            ({"test_id": str(done.id)}, [done]),
            ({"status": "in_progress"}, [begun]),
            ({"status": "graded"}, [done]),
            ({"test_id": str(done.id), "status": "in_progress"}, []),
            ({"test_id": str(uuid4())}, []),
        ]
        for params, expected in filters:
            shown = [item["test"]["id"] for item in await mine(candidate, **params)]
            assert shown == [str(made.id) for made in expected], params

    async def test_says_what_is_wrong(self, candidate: httpx.AsyncClient) -> None:
        for params, field in [
            ({"status": "done"}, "status"),
            ({"test_id": "7"}, "test_id"),
            ({"cursor": "?"}, "cursor"),
        ]:
            answer = await candidate.get("/users/attempts", params=params)
            assert answer.status_code == 422, params
            assert answer.json()["errors"][0]["field"] == field, params

    async def test_needs_an_account(self, api: httpx.AsyncClient) -> None:
        assert (await api.get("/users/attempts")).status_code == 401
