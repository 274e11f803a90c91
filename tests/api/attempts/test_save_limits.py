"""Saving has bounds: beyond them nothing is stored, the answer says so, and nobody else is slowed."""

from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.engine.save_limits import CALLS_PER_SECOND, EVENTS_PER_QUESTION
from app.services.attempts.save_memory import COUNT_EVERY, SaveMemory
from app.services.components import Components
from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import AttemptClient, logged, start
from tests.builders.content import publish_test
from tests.builders.people import People
from tests.conftest import TestClock

FILL = text(
    "insert into ias.response_events (attempt_id, question_id, lease, revision, answer)"
    " select :attempt_id, :question_id, 1, 1000000 + n, '[\"a\"]' from generate_series(1, :count) as n"
)


@pytest.fixture
async def sitting(engine: AsyncEngine, candidate: httpx.AsyncClient) -> AttemptClient:
    async with unit_of_work(engine) as uow:
        made = await publish_test(uow)
    return await start(candidate, made)


def batch(sitting: AttemptClient, first: int, size: int = 200) -> list[Any]:
    return [sitting.response(0, ["a"], first + more) for more in range(size)]


@pytest.fixture
def stopped(clock: TestClock) -> TestClock:
    """A clock that stands: what is sent, is sent at one moment."""
    clock.stop_entirely()
    return clock


class TestTooFast:
    async def test_is_429_and_stores_nothing(
        self, engine: AsyncEngine, sitting: AttemptClient, stopped: TestClock
    ) -> None:
        for number in range(CALLS_PER_SECOND):
            assert (await sitting.save(sitting.response(0, ["a"], 1 + number))).status_code == 200
        refused = await sitting.save(*batch(sitting, 900_000))
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
        assert refused.headers["Retry-After"] == "1"
        assert "The request changed nothing" in refused.json()["detail"]
        assert len(await logged(engine, sitting.id)) == CALLS_PER_SECOND
        stopped.advance(seconds=1)
        assert (await sitting.save(*batch(sitting, 900_000))).json()["saved"] == 200

    async def test_many_answers_in_few_calls_are_not(
        self, sitting: AttemptClient, stopped: TestClock
    ) -> None:
        for number in range(30):
            assert (await sitting.save(*batch(sitting, 1 + 200 * number))).json()["saved"] == 200

    async def test_slows_only_whoever_does_it(
        self, sitting: AttemptClient, people: People, stopped: TestClock
    ) -> None:
        """To name another person's attempt takes nothing from them."""
        stranger = AttemptClient(await people.candidate(), sitting.made, sitting.attempt)
        for _ in range(CALLS_PER_SECOND + 1):
            assert (await stranger.save(sitting.response(0, ["a"]))).status_code == 404
        assert (await sitting.save(sitting.response(0, ["b"]))).json()["saved"] == 1


class TestTooMuch:
    async def test_is_409_and_what_was_saved_counts(
        self, engine: AsyncEngine, sitting: AttemptClient, clock: TestClock
    ) -> None:
        values = {
            "attempt_id": sitting.id,
            "question_id": sitting.made.question_ids[1],
            "count": EVENTS_PER_QUESTION,
        }
        async with unit_of_work(engine) as uow:
            await uow.session.execute(FILL, values)
        for number in range(COUNT_EVERY // 200):
            clock.advance(seconds=1)
            assert (await sitting.save(*batch(sitting, 1 + 200 * number))).status_code == 200
        for _ in range(2):
            clock.advance(seconds=1)
            refused = await sitting.save(sitting.response(0, ["b"], 900_000))
            assert (refused.status_code, refused.json()["code"]) == (409, "save_limit_reached")
        assert len(await logged(engine, sitting.id)) == EVENTS_PER_QUESTION + COUNT_EVERY
        assert (await sitting.submit()).json()["status"] == "graded"
        assert (await sitting.result())["correct"] == 1

    async def test_an_honest_log_is_counted_and_goes_on(
        self, engine: AsyncEngine, sitting: AttemptClient, clock: TestClock
    ) -> None:
        for number in range(3 * COUNT_EVERY // 200):
            clock.advance(seconds=1)
            assert (await sitting.save(*batch(sitting, 1 + 200 * number))).json()["saved"] == 200


class TestMemory:
    def test_is_bounded(self, parts: Components) -> None:
        memory, now = SaveMemory(capacity=10), parts.clock.now()
        for number in range(100):
            memory.admit(UUID(int=1), UUID(int=number), now)
        assert len(memory._attempts) == 10
