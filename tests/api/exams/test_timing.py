"""Exam time over HTTP as one table: early, late, time given before, during and after, zones, wrong clocks."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.components import Components
from app.services.tests import SectionDraft
from app.services.unit_of_work import unit_of_work
from tests.api.exams.worker_steps import sweep
from tests.builders.content import add_questions, publish_test
from tests.builders.exams import (
    HOUR,
    MINUTE,
    Entrant,
    HeldExam,
    body_of,
    compose_exam,
    hold_exam,
    moment,
    register,
)
from tests.builders.people import People
from tests.conftest import TestClock

DURATION = 10 * MINUTE
SECOND = timedelta(seconds=1)
SLACK = 3 * SECOND
"""The clock runs while a test does."""


@dataclass
class Case:
    """A candidate in an exam, and the clock that a script moves."""

    entrant: Entrant
    clock: TestClock
    parts: Components

    @property
    def held(self) -> HeldExam:
        return self.entrant.held

    def wait(self, length: timedelta) -> None:
        self.clock.advance(length.total_seconds())

    async def grant(self, seconds: int) -> None:
        items = [{"group": "all", "extra_seconds": seconds, "reason": "table"}]
        body_of(await self.held.staff.put(f"{self.held.path}/accommodations", json={"items": items}))

    async def order(self, verb: str, **body: Any) -> None:
        body_of(await self.held.order(verb, self.entrant.attempt, reason="table", **body))


Script = Callable[[Case], Awaitable[None]]


async def at_once(case: Case) -> None:
    await case.entrant.enter()


async def late(case: Case) -> None:
    case.wait(35 * MINUTE)
    await case.entrant.enter()


async def granted_before(case: Case) -> None:
    await case.grant(200)
    await case.entrant.enter()


async def granted_before_and_late(case: Case) -> None:
    await case.grant(200)
    await late(case)


async def granted_during(case: Case) -> None:
    await case.entrant.enter()
    case.wait(5 * MINUTE)
    await case.grant(200)


async def extended_during(case: Case) -> None:
    await case.entrant.enter()
    case.wait(5 * MINUTE)
    await case.order("extend", seconds=120)


async def extended_in_the_grace(case: Case) -> None:
    await case.entrant.enter()
    case.wait(DURATION + 5 * SECOND)
    await case.order("extend", seconds=120)


async def extended_after_the_sweep(case: Case) -> None:
    await case.entrant.enter()
    case.wait(DURATION + 20 * SECOND)
    await sweep(case.parts)
    await case.order("extend", seconds=120)


async def granted_after_the_sweep(case: Case) -> None:
    await case.entrant.enter()
    case.wait(DURATION + 20 * SECOND)
    await sweep(case.parts)
    await case.grant(300)


async def paused_over_the_deadline(case: Case) -> None:
    await case.entrant.enter()
    case.wait(9 * MINUTE)
    await case.order("pause")
    case.wait(20 * MINUTE)
    await sweep(case.parts)
    await case.order("resume")


async def everything(case: Case) -> None:
    await granted_before(case)
    await case.order("extend", seconds=60)
    await case.order("pause")
    case.wait(5 * MINUTE)
    await case.order("resume")


@pytest.mark.parametrize(
    ("window", "script", "after_start"),
    [
        pytest.param(HOUR, at_once, DURATION, id="at once"),
        pytest.param(5 * MINUTE, at_once, 5 * MINUTE, id="window shorter than the duration"),
        pytest.param(40 * MINUTE, late, 40 * MINUTE, id="late: the window ends first"),
        pytest.param(HOUR, granted_before, DURATION + 200 * SECOND, id="granted before"),
        pytest.param(40 * MINUTE, granted_before_and_late, 40 * MINUTE + 200 * SECOND, id="granted, late"),
        pytest.param(HOUR, granted_during, DURATION + 200 * SECOND, id="granted during"),
        pytest.param(HOUR, extended_during, DURATION + 120 * SECOND, id="extended during"),
        pytest.param(HOUR, extended_in_the_grace, DURATION + 120 * SECOND, id="extended in the grace"),
        pytest.param(HOUR, extended_after_the_sweep, DURATION + 120 * SECOND, id="extended after the sweep"),
        pytest.param(HOUR, granted_after_the_sweep, DURATION + 300 * SECOND, id="granted after the sweep"),
        pytest.param(HOUR, paused_over_the_deadline, DURATION + 20 * MINUTE, id="paused over the deadline"),
        pytest.param(HOUR, everything, DURATION + 560 * SECOND, id="granted, extended and paused"),
    ],
)
async def test_deadlines(
    engine: AsyncEngine,
    parts: Components,
    author: httpx.AsyncClient,
    people: People,
    clock: TestClock,
    window: timedelta,
    script: Script,
    after_start: timedelta,
) -> None:
    async with unit_of_work(engine) as uow:
        made = await publish_test(uow)
    starts_at = clock.now()
    held = await hold_exam(author, made, starts_at=starts_at, window=window)
    case = Case(await register(await people.candidate(), held), clock, parts)
    await script(case)
    standing = body_of(await case.entrant.client.get(f"{case.entrant.path}/attempt"))
    assert abs(moment(standing["deadline_at"]) - starts_at - after_start) < SLACK
    left = moment(standing["deadline_at"]) - moment(standing["server_time"])
    assert standing["remaining_seconds"] == left // SECOND
    # And that is the deadline by which saves are judged.
    case.wait(left - SLACK)
    assert (await case.entrant.save({0: ["a"]})).status_code == 200
    case.wait(SLACK + 11 * SECOND)
    over = await case.entrant.save({1: ["b"]})
    assert (over.status_code, over.json()["code"]) == (409, "deadline_passed")


class TestSections:
    async def test_time_that_is_given_lengthens_the_section_that_runs(
        self,
        engine: AsyncEngine,
        parts: Components,
        author: httpx.AsyncClient,
        people: People,
        clock: TestClock,
    ) -> None:
        async with unit_of_work(engine) as uow:
            questions = await add_questions(uow, (["a"], ["b"]))
            sections = [
                SectionDraft({"en": f"Part {number}"}, [question], duration_seconds=300)
                for number, question in enumerate(questions)
            ]
            made = await publish_test(uow, sections=sections, duration_seconds=600)
        held = await hold_exam(author, made, starts_at=clock.now())
        case = Case(await register(await people.candidate(), held), clock, parts)
        attempt = body_of(await case.entrant.enter())
        first, second = attempt["section_times"]
        assert first["deadline_at"] == second["opens_at"]

        case.wait(6 * MINUTE)  # in the second section
        await case.order("extend", seconds=60)
        await case.order("pause")
        case.wait(2 * MINUTE)
        await case.order("resume")
        standing = body_of(await case.entrant.client.get(f"{case.entrant.path}/attempt"))
        assert standing["section_times"][0] == first
        gained = moment(standing["section_times"][1]["deadline_at"]) - moment(second["deadline_at"])
        assert abs(gained - 3 * MINUTE) < SLACK
        body = {"attempt_id": attempt["id"], "lease": 1}
        for question, status in ((questions[0], 409), (questions[1], 200)):
            answer = {"question_id": str(question), "revision": 1, "answer": ["a"]}
            saved = await case.entrant.client.post(
                f"{case.entrant.path}/responses", json=body | {"responses": [answer]}
            )
            assert saved.status_code == status, saved.text


class TestClocks:
    async def test_a_window_means_the_same_moment_in_every_zone(
        self, author: httpx.AsyncClient, engine: AsyncEngine, clock: TestClock
    ) -> None:
        async with unit_of_work(engine) as uow:
            made = await publish_test(uow)
        india = timezone(timedelta(hours=5, minutes=30))
        starts_at = clock.now().astimezone(india)
        held = await compose_exam(author, made, starts_at=starts_at)
        assert held.papers[0]["starts_at"].endswith("Z")
        assert datetime.fromisoformat(held.papers[0]["starts_at"]) == starts_at

    async def test_a_client_with_a_wrong_clock_changes_nothing(
        self, author: httpx.AsyncClient, candidate: httpx.AsyncClient, engine: AsyncEngine, clock: TestClock
    ) -> None:
        async with unit_of_work(engine) as uow:
            made = await publish_test(uow)
        held = await hold_exam(author, made, starts_at=clock.now() + MINUTE)
        candidate.headers["Date"] = "Tue, 01 Jan 2030 00:00:00 GMT"
        entrant = await register(candidate, held)
        assert (await entrant.enter()).json()["code"] == "paper_not_open"
        clock.advance(60)
        attempt = body_of(await entrant.enter())
        assert abs(moment(attempt["server_time"]) - clock.now()) < SLACK
        assert moment(attempt["deadline_at"]) - moment(attempt["started_at"]) == DURATION


class TestStrangers:
    async def test_nobody_touches_anothers_attempt(
        self, author: httpx.AsyncClient, people: People, engine: AsyncEngine, clock: TestClock
    ) -> None:
        async with unit_of_work(engine) as uow:
            made = await publish_test(uow)
        held = await hold_exam(author, made, starts_at=clock.now())
        mine, theirs = [await register(await people.candidate(), held) for _ in range(2)]
        for each in (mine, theirs):
            body_of(await each.enter())
        body_of(await theirs.save({0: ["a"]}))
        before = await held.attempt(theirs.attempt)
        stolen = Entrant(mine.client, held, attempt=theirs.attempt)
        assert (await stolen.save({0: ["d"]}, revision=9)).status_code == 404
        assert (await stolen.submit()).status_code == 404
        async with people.client(mine.attempt["attempt_token"]) as holder:
            by_token = Entrant(holder, held, attempt=theirs.attempt)
            assert (await by_token.save({0: ["d"]}, revision=9)).status_code == 404
            assert (await by_token.submit()).status_code == 404
        assert body_of(await mine.client.get(f"{mine.path}/attempt"))["id"] == mine.attempt["id"]
        params = {"attempt_id": theirs.attempt["id"]}
        assert (await mine.client.get(f"{made.path}/results", params=params)).status_code == 404
        assert await held.attempt(theirs.attempt) == before
        await theirs.submit()
        await mine.submit()
        await held.release()
        assert (await mine.client.get(f"{made.path}/results", params=params)).status_code == 404
