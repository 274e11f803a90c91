"""Steering over HTTP: nobody loses time by an action of staff, and a double click changes nothing."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.unit_of_work import unit_of_work
from tests.builders.content import PublishedTest, publish_test
from tests.builders.exams import HOUR, MINUTE, Entrant, HeldExam, Json, body_of, hold_exam, moment, register
from tests.conftest import TestClock


@pytest.fixture
async def made(engine: AsyncEngine) -> PublishedTest:
    async with unit_of_work(engine) as uow:
        return await publish_test(uow, duration_seconds=1200)


@pytest.fixture
async def held(author: httpx.AsyncClient, made: PublishedTest, clock: TestClock) -> HeldExam:
    return await hold_exam(author, made, starts_at=clock.now(), window=4 * HOUR)


@pytest.fixture
async def entrant(candidate: httpx.AsyncClient, held: HeldExam) -> Entrant:
    entrant = await register(candidate, held)
    body_of(await entrant.enter(), 201)
    return entrant


def left(attempt: Json, clock: TestClock) -> timedelta:
    """How long it is until the deadline, to the minute: the clock runs while a test does."""
    return round((moment(attempt["deadline_at"]) - clock.now()) / MINUTE) * MINUTE


async def standing(entrant: Entrant) -> Json:
    return body_of(await entrant.client.get(f"{entrant.path}/attempt"))


class TestTimeLeft:
    async def test_a_pause_before_the_end_is_not_lost(
        self, held: HeldExam, entrant: Entrant, clock: TestClock
    ) -> None:
        clock.advance(600)  # half of the time is left
        body_of(await held.order("pause", entrant.attempt))
        clock.advance(400)
        body_of(await held.order("submit", entrant.attempt))
        clock.advance(300)
        after = body_of(await held.order("reopen", entrant.attempt, reason="by mistake"))
        assert (after["status"], left(after, clock)) == ("in_progress", 10 * MINUTE)
        assert left(await standing(entrant), clock) == 10 * MINUTE

    async def test_a_long_pause_before_a_voiding_is_not_lost(
        self, held: HeldExam, entrant: Entrant, clock: TestClock
    ) -> None:
        clock.advance(600)
        body_of(await held.order("pause", entrant.attempt))
        clock.advance(1500)
        body_of(await held.order("void", entrant.attempt, reason="by mistake"))
        after = body_of(await held.order("reopen", entrant.attempt, reason="it was"))
        assert after["status"] == "paused"
        clock.advance(60)
        after = body_of(await held.order("resume", entrant.attempt))
        assert left(after, clock) == 10 * MINUTE

    async def test_extra_time_that_was_granted_meanwhile_is_there(
        self, held: HeldExam, entrant: Entrant, clock: TestClock
    ) -> None:
        clock.advance(600)
        body_of(await held.order("void", entrant.attempt, reason="by mistake"))
        items = [{"group": "all", "extra_seconds": 600, "reason": "siren"}]
        body_of(await held.staff.put(f"{held.path}/accommodations", json={"items": items}))
        after = body_of(await held.order("reopen", entrant.attempt, reason="it was"))
        assert left(after, clock) == 20 * MINUTE


class TestDoubleClick:
    async def test_of_a_reopening_does_not_start_the_clock_of_who_had_submitted(
        self, held: HeldExam, entrant: Entrant
    ) -> None:
        body_of(await entrant.submit())
        body_of(await held.order("void", entrant.attempt, reason="copied"))
        first, second = [
            body_of(await held.order("reopen", entrant.attempt, reason="not so")) for _ in range(2)
        ]
        assert (first["status"], second["status"]) == ("submitted", "submitted")
        assert "go_on" in second["detail"]
        after = body_of(await held.order("reopen", entrant.attempt, reason="goes on", go_on=True))
        assert after["status"] == "in_progress"

    async def test_of_an_extension_adds_once(self, held: HeldExam, entrant: Entrant) -> None:
        first, second = [
            body_of(await held.order("extend", entrant.attempt, seconds=300, reason="power cut"))
            for _ in range(2)
        ]
        assert first["deadline_at"] == second["deadline_at"]
        assert first["detail"] is None
        assert "again" in second["detail"]
        more = {"seconds": 300, "reason": "power cut", "again": True}
        third = body_of(await held.order("extend", entrant.attempt, **more))
        assert moment(third["deadline_at"]) - moment(first["deadline_at"]) == timedelta(seconds=300)
        audited = body_of(await held.staff.get(f"{held.path}/audit"))["items"]
        assert [entry["action"] for entry in audited].count("extend") == 2

    async def test_of_an_extension_of_many_is_told(self, held: HeldExam, entrant: Entrant) -> None:
        body = {"attempt_ids": "all", "seconds": 60, "reason": "siren"}
        first, second = [
            body_of(await held.staff.post(f"{held.path}/attempts/extend", json=body)) for _ in range(2)
        ]
        assert (first["changed"], second["changed"], second["unchanged"]) == (1, 0, 1)
        assert [note["attempt_id"] for note in second["notes"]] == [entrant.attempt["id"]]

    async def test_the_same_extension_later_adds_again(
        self, held: HeldExam, entrant: Entrant, clock: TestClock
    ) -> None:
        for _ in range(2):
            after = body_of(await held.order("extend", entrant.attempt, seconds=300, reason="power cut"))
            assert after["detail"] is None
            clock.advance(31)
        gained = moment(after["deadline_at"]) - moment(entrant.attempt["deadline_at"])
        assert gained == timedelta(seconds=600)
