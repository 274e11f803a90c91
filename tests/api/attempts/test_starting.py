"""`POST /tests/{id}/start`: new attempts and resumed ones, and which of them count."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.unit_of_work import reading, unit_of_work
from tests.builders.attempts import AttemptClient, Json, start, take_test
from tests.builders.content import PublishedTest, publish_test
from tests.builders.people import People
from tests.conftest import TestClock


async def publish(engine: AsyncEngine, **changes: Any) -> PublishedTest:
    async with unit_of_work(engine) as uow:
        return await publish_test(uow, **changes)


async def void(engine: AsyncEngine, sitting: AttemptClient) -> None:
    async with engine.begin() as connection:
        statement = text("update ias.attempts set status = 'void', closed_by = 'staff' where id = :id")
        await connection.execute(statement, {"id": sitting.id})


async def post_start(client: httpx.AsyncClient, made: PublishedTest, **request: Any) -> httpx.Response:
    return await client.post(f"{made.path}/start", **request)


class TestNew:
    async def test_what_a_device_gets(self, engine: AsyncEngine, candidate: httpx.AsyncClient) -> None:
        made = await publish(engine)
        answer = await post_start(candidate, made)
        assert answer.status_code == 201
        attempt = answer.json()
        token = attempt.pop("attempt_token")
        started_at = datetime.fromisoformat(attempt["started_at"])
        assert attempt == {
            "id": attempt["id"],
            "test_id": str(made.id),
            "exam_paper_id": None,
            "status": "in_progress",
            "number": 1,
            "practice": False,
            "lease": 1,
            "started_at": attempt["started_at"],
            "deadline_at": attempt["deadline_at"],
            "submitted_at": None,
            "server_time": attempt["server_time"],
            "remaining_seconds": attempt["remaining_seconds"],
            "paper_version": 1,
            "question_order": [str(question_id) for question_id in made.question_ids],
            "option_orders": {},
            "section_times": [],
            "responses": [],
        }
        assert datetime.fromisoformat(attempt["deadline_at"]) - started_at == timedelta(seconds=600)
        assert attempt["remaining_seconds"] in (599, 600)
        assert token.count(".") == 2

    @pytest.mark.parametrize(
        ("request_", "status"),
        [
            ({}, 201),
            ({"json": {}}, 201),
            ({"json": {"device": "Pixel 9"}}, 201),
            ({"json": {"device": None}}, 201),
            ({"json": {"device": "x" * 201}}, 422),
            ({"json": {"device": 5}}, 422),
            ({"json": {"devices": "Pixel 9"}}, 422),
            ({"json": []}, 422),
            ({"content": b"{", "headers": {"Content-Type": "application/json"}}, 422),
        ],
    )
    async def test_bodies(
        self, engine: AsyncEngine, candidate: httpx.AsyncClient, request_: Json, status: int
    ) -> None:
        made = await publish(engine)
        assert (await post_start(candidate, made, **request_)).status_code == status
        shown = await candidate.get(made.path)
        assert shown.json()["my_attempts"] == (status == 201)

    async def test_nobody(self, engine: AsyncEngine, api: httpx.AsyncClient) -> None:
        answer = await post_start(api, await publish(engine))
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")

    async def test_a_test_that_is_not_there(self, candidate: httpx.AsyncClient) -> None:
        assert (await candidate.post(f"/tests/{uuid4()}/start")).status_code == 404

    async def test_staff_cannot_start_what_is_not_published(
        self, engine: AsyncEngine, author: httpx.AsyncClient
    ) -> None:
        made = await publish(engine)
        await author.post(f"{made.path}/archive")
        refused = await post_start(author, made)
        assert (refused.status_code, refused.json()["code"]) == (409, "not_available")


class TestResumed:
    async def test_another_device_gets_the_next_lease(
        self, engine: AsyncEngine, candidate: httpx.AsyncClient, clock: TestClock
    ) -> None:
        made = await publish(engine, shuffle={"questions": True, "options": True})
        first = (await post_start(candidate, made)).json()
        clock.advance(100)
        answer = await post_start(candidate, made)
        second = answer.json()
        assert answer.status_code == 200
        assert (first["lease"], second["lease"]) == (1, 2)
        for name in ("id", "number", "started_at", "deadline_at", "question_order", "option_orders"):
            assert second[name] == first[name]
        assert first["remaining_seconds"] - second["remaining_seconds"] in (100, 101)
        assert second["attempt_token"] != first["attempt_token"]

    async def test_many_starts_at_once_are_one_attempt(
        self, engine: AsyncEngine, candidate: httpx.AsyncClient
    ) -> None:
        made = await publish(engine)
        answers = await asyncio.gather(*(post_start(candidate, made) for _ in range(5)))
        assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 200, 201]
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert sorted(answer.json()["lease"] for answer in answers) == [1, 2, 3, 4, 5]

    async def test_orders_are_permutations_of_the_paper(
        self, engine: AsyncEngine, candidate: httpx.AsyncClient
    ) -> None:
        made = await publish(engine, keys=[["a"]] * 30, shuffle={"questions": True, "options": True})
        attempt = (await start(candidate, made)).attempt
        paper_order = [str(question_id) for question_id in made.question_ids]
        assert attempt["question_order"] != paper_order
        assert sorted(attempt["question_order"]) == sorted(paper_order)
        assert set(attempt["option_orders"]) == set(paper_order)
        orders = {tuple(order) for order in attempt["option_orders"].values()}
        assert {tuple(sorted(order)) for order in orders} == {("a", "b", "c", "d")}
        assert len(orders) > 1

    @pytest.mark.parametrize(
        "change",
        ["status = 'archived'", "available_until = now() - interval '1 day'", "access = 'enrolled'"],
    )
    async def test_what_closes_a_test_ends_no_attempt(
        self, engine: AsyncEngine, candidate: httpx.AsyncClient, change: str
    ) -> None:
        made = await publish(engine)
        sitting = await start(candidate, made)
        async with engine.begin() as connection:
            await connection.execute(text(f"update ias.tests set {change} where id = :id"), {"id": made.id})
        assert (await post_start(candidate, made)).status_code == 200
        assert (await sitting.save(sitting.response(0, ["a"]))).status_code == 200
        assert (await sitting.submit()).json()["status"] == "graded"
        assert (await post_start(candidate, made)).status_code == 404

    async def test_one_whose_time_is_over_is_closed_and_the_next_begins(
        self, engine: AsyncEngine, candidate: httpx.AsyncClient, clock: TestClock
    ) -> None:
        made = await publish(engine)
        first = await start(candidate, made)
        await first.save(first.response(0, ["a"]))
        clock.advance(605)
        assert (await post_start(candidate, made)).status_code == 200  # in grace
        clock.advance(10)
        answer = await post_start(candidate, made)
        second = answer.json()
        assert answer.status_code == 201
        assert (second["number"], second["practice"]) == (2, True)
        closed = (await first.submit()).json()
        assert (closed["status"], closed["submitted_at"]) == ("graded", closed["deadline_at"])
        result = await first.result()
        assert (result["score"], result["rank"]) == ("2.00", 1)

    async def test_and_a_job_grades_it(
        self, engine: AsyncEngine, candidate: httpx.AsyncClient, clock: TestClock
    ) -> None:
        made = await publish(engine)
        first = await start(candidate, made)
        clock.advance(700)
        await start(candidate, made)
        statement = text(
            "select count(*) from ias.jobs where task = 'grade_attempts' and arguments->'attempt_ids' ? :id"
        )
        async with reading(engine) as reads:
            assert await reads.session.scalar(statement, {"id": str(first.id)}) == 1


class TestAttemptsAllowed:
    async def test_no_more_than_allowed(self, engine: AsyncEngine, candidate: httpx.AsyncClient) -> None:
        made = await publish(engine, attempts_allowed=2)
        for _ in range(2):
            await take_test(candidate, made, {})
        refused = await post_start(candidate, made)
        assert refused.status_code == 409
        assert (refused.json()["code"], refused.json()["allowed"]) == ("attempts_exhausted", 2)
        assert (await candidate.get(made.path)).json()["my_attempts"] == 2

    async def test_the_one_in_progress_is_resumed(
        self, engine: AsyncEngine, candidate: httpx.AsyncClient
    ) -> None:
        made = await publish(engine, attempts_allowed=1)
        await start(candidate, made)
        assert (await post_start(candidate, made)).status_code == 200

    async def test_void_ones_do_not_count(self, engine: AsyncEngine, candidate: httpx.AsyncClient) -> None:
        made = await publish(engine, attempts_allowed=1)
        await void(engine, await start(candidate, made))
        second = await start(candidate, made)
        assert (second.attempt["number"], second.attempt["practice"]) == (2, False)
        await second.submit()
        assert (await second.result())["rank"] == 1

    async def test_staff_may_try_as_often_as_they_like(
        self, engine: AsyncEngine, author: httpx.AsyncClient
    ) -> None:
        made = await publish(engine, attempts_allowed=1)
        for _ in range(2):
            assert (await take_test(author, made, {}))["rank"] is None


class TestPractice:
    async def test_a_retake(self, engine: AsyncEngine, candidate: httpx.AsyncClient) -> None:
        made = await publish(engine)
        official = await take_test(candidate, made, {0: ["a"]})
        retake = await take_test(candidate, made, {0: ["a"], 1: ["b"], 2: ["c"]})
        assert (official["attempt"]["practice"], official["rank"]) == (False, 1)
        assert (retake["attempt"]["practice"], retake["rank"], retake["percentile"]) == (True, None, None)
        assert (retake["score"], retake["participants"]) == ("6.00", 1)

    @pytest.mark.parametrize("role", ["author", "evaluator", "proctor", "admin"])
    async def test_staff(self, engine: AsyncEngine, people: People, role: str) -> None:
        result = await take_test(await people.member(role), await publish(engine), {0: ["a"]})
        assert result["attempt"]["practice"] is True
        assert (result["rank"], result["percentile"], result["participants"]) == (None, None, 0)

    async def test_a_practice_test(self, engine: AsyncEngine, candidate: httpx.AsyncClient) -> None:
        result = await take_test(candidate, await publish(engine, kind="practice"), {0: ["a"]})
        assert result["attempt"]["practice"] is True
        assert (result["rank"], result["percentile"], result["participants"]) == (None, None, 0)
