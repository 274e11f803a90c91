"""Candidates who become staff: an attempt of somebody who could have read the key is practice."""

from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.models import Attempt
from app.services import attempts
from app.services.components import Components
from app.services.tests.cohorts import add_key_version
from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import start, take_test
from tests.builders.content import PublishedTest, publish_test
from tests.builders.exams import HOUR, HeldExam, Json, body_of, hold_exam, register, take_paper
from tests.builders.people import People, user_id_of
from tests.conftest import TestClock

RIGHT = {0: ["a"], 1: ["b"], 2: ["c"]}


@pytest.fixture
async def made(engine: AsyncEngine) -> PublishedTest:
    async with unit_of_work(engine) as uow:
        return await publish_test(uow)


@pytest.fixture
async def admin(people: People) -> httpx.AsyncClient:
    return await people.member("admin")


@pytest.fixture
async def held(
    author: httpx.AsyncClient, made: PublishedTest, engine: AsyncEngine, clock: TestClock
) -> HeldExam:
    async with unit_of_work(engine) as uow:
        second = await publish_test(uow)
    cutoffs = {"general": "3.00"}
    return await hold_exam(author, made, second, starts_at=clock.now(), window=HOUR, cutoffs=cutoffs)


async def give(admin: httpx.AsyncClient, person: httpx.AsyncClient, role: str) -> None:
    body_of(await admin.put(f"/users/{await user_id_of(person)}/role", json={"role": role}))


async def result(client: httpx.AsyncClient, held: HeldExam) -> Json:
    return body_of(await client.get(f"{held.path}/results"))


def standing(found: Json) -> tuple[Any, ...]:
    return found["rank"], found["participants"], found["percentile"]


class TestOfATest:
    @pytest.mark.parametrize(
        "roles", [("author",), ("proctor", "student"), ("evaluator", "author", "student")]
    )
    async def test_who_was_staff_since_the_start_practised(
        self,
        candidate: httpx.AsyncClient,
        people: People,
        admin: httpx.AsyncClient,
        made: PublishedTest,
        clock: TestClock,
        roles: tuple[str, ...],
    ) -> None:
        honest = await take_test(await people.candidate(), made, {0: ["a"]})
        sitting = await start(candidate, made)
        for role in roles:
            clock.advance(1)
            await give(admin, candidate, role)
        await sitting.save(*(sitting.response(place, answer) for place, answer in RIGHT.items()))
        body_of(await sitting.submit())
        mine = await sitting.result()
        assert (mine["score"], mine["attempt"]["practice"]) == ("6.00", True)
        assert standing(mine) == (None, 1, None)
        assert standing(honest) == (1, 1, 100.0)
        await give(admin, candidate, "student")
        again = await take_test(candidate, made, RIGHT)
        assert (again["attempt"]["practice"], again["rank"]) == (True, None)

    async def test_a_role_that_was_taken_back_before_the_start_changes_nothing(
        self, candidate: httpx.AsyncClient, admin: httpx.AsyncClient, made: PublishedTest, clock: TestClock
    ) -> None:
        await give(admin, candidate, "author")
        await give(admin, candidate, "student")
        clock.advance(1)
        mine = await take_test(candidate, made, RIGHT)
        assert (mine["attempt"]["practice"], *standing(mine)) == (False, 1, 1, 100.0)

    async def test_a_role_that_is_given_after_the_grading_changes_nothing(
        self, candidate: httpx.AsyncClient, admin: httpx.AsyncClient, made: PublishedTest, people: People
    ) -> None:
        await take_test(candidate, made, RIGHT)
        await give(admin, candidate, "author")
        other = await take_test(await people.candidate(), made, {0: ["a"]})
        assert standing(other) == (2, 2, 50.0)


class TestOfAnExam:
    async def test_who_became_staff_in_a_paper_has_no_rank_and_the_outcome_says_why(
        self, candidate: httpx.AsyncClient, people: People, admin: httpx.AsyncClient, held: HeldExam
    ) -> None:
        honest = await people.candidate()
        for number in (0, 1):
            await take_paper(honest, held, {0: ["a"]}, number)
        cheat = await register(candidate, held)
        body_of(await cheat.enter())
        await give(admin, candidate, "author")
        await give(admin, candidate, "student")
        body_of(await cheat.save(RIGHT))
        body_of(await cheat.submit())
        second = await take_paper(candidate, held, RIGHT, 1)
        assert (await held.attempt(cheat.attempt))["status"] == "submitted"  # staff can still steer it
        assert body_of(await held.order("void", second.attempt, reason="a trial"))["status"] == "void"
        assert body_of(await held.order("reopen", second.attempt, reason="a trial"))["status"] == "submitted"
        assert (await held.release())["participants"] == 1
        mine, theirs = await result(candidate, held), await result(honest, held)
        assert (mine["outcome"], mine["rank"], mine["qualified"], mine["total"]) == (
            "staff",
            None,
            False,
            "12.00",
        )
        assert [(paper["score"], paper["rank"]) for paper in mine["papers"]] == [("6.00", None), ("6.00", 1)]
        assert mine["cutoff"]["reason"] == "staff"
        assert (theirs["outcome"], theirs["rank"], theirs["papers"][0]["rank"]) == ("ranked", 1, 1)
        sheet = body_of(await candidate.get(f"{held.made[0].path}/results"))
        assert (sheet["attempt"]["practice"], sheet["rank"], sheet["participants"]) == (True, None, 1)

    async def test_who_was_staff_at_the_start_of_a_later_paper_is_not_called_incomplete(
        self, candidate: httpx.AsyncClient, admin: httpx.AsyncClient, held: HeldExam
    ) -> None:
        await take_paper(candidate, held, RIGHT)
        await give(admin, candidate, "proctor")
        preview = await candidate.post(f"{held.paper_path(1)}/start")
        assert preview.json()["practice"] is True
        await give(admin, candidate, "student")
        await held.release()
        assert (await result(candidate, held))["outcome"] == "staff"

    async def test_practice_after_the_release_is_nobodys_role(
        self, candidate: httpx.AsyncClient, held: HeldExam
    ) -> None:
        for number in (0, 1):
            await take_paper(candidate, held, RIGHT, number)
        await held.release()
        body_of(await candidate.post(f"{held.paper_path(0)}/start"))
        assert (await result(candidate, held))["outcome"] == "ranked"

    async def test_who_becomes_staff_after_the_grading_keeps_the_rank_even_by_another_key(
        self,
        candidate: httpx.AsyncClient,
        admin: httpx.AsyncClient,
        held: HeldExam,
        engine: AsyncEngine,
        parts: Components,
    ) -> None:
        for number in (0, 1):
            entrant = await take_paper(candidate, held, RIGHT, number)
            async with unit_of_work(engine) as uow:
                ids = [UUID(entrant.attempt["id"])]
                assert await attempts.grade_batch(uow, parts, ids, parts.clock.now()) == 1
        await give(admin, candidate, "author")
        async with unit_of_work(engine) as uow:
            paper_id = (await uow.session.get_one(Attempt, ids[0])).paper_id
            key = (await uow.keys.current(paper_id)).key
            await add_key_version(uow, paper_id, key, reason="a trial", created_by=None)
        await give(admin, candidate, "student")
        await held.release()
        mine = await result(candidate, held)
        assert (mine["outcome"], mine["rank"]) == ("ranked", 1)
