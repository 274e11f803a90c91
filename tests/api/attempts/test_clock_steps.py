"""The server's clock is stepped while somebody sits a test, as after an hour without time synchronization.

In this process, with the tests' clock: a real process's cannot be stepped without stepping the machine's.
"""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services import attempts
from app.services.components import Components
from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import AttemptClient, start
from tests.builders.content import publish_test
from tests.builders.people import People
from tests.conftest import TestClock

STEP = 300.0
"""Half of the ten minutes that the test takes."""

HOUR = 3600.0


@pytest.fixture
async def sitting(candidate: httpx.AsyncClient, engine: AsyncEngine) -> AttemptClient:
    async with unit_of_work(engine) as uow:
        made = await publish_test(uow, [["a"], ["b"]])
    return await start(candidate, made)


def by_attempt_token(people: People, sitting: AttemptClient) -> AttemptClient:
    client = people.client(sitting.attempt["attempt_token"])
    return AttemptClient(client, sitting.made, sitting.attempt)


async def sweep(engine: AsyncEngine, clock: TestClock) -> None:
    async with unit_of_work(engine) as uow:
        await attempts.close_overdue(uow, clock.now(), timedelta(seconds=10))


class TestBackward:
    @pytest.mark.parametrize("step", [STEP, HOUR])
    async def test_answers_are_taken_and_the_later_one_stands(
        self, people: People, sitting: AttemptClient, clock: TestClock, step: float
    ) -> None:
        device = by_attempt_token(people, sitting)
        assert (await device.save(device.response(0, ["b"]))).status_code == 200
        clock.advance(-step)
        saved = await device.save(device.response(0, ["a"], 2))
        submitted = await device.submit()
        await device.client.aclose()
        assert (saved.status_code, submitted.status_code) == (200, 200), (saved.text, submitted.text)
        clock.advance(step)
        assert (await sitting.result())["correct"] == 1

    async def test_a_login_of_the_time_that_is_still_to_come_waits_for_it(
        self, sitting: AttemptClient, clock: TestClock
    ) -> None:
        """A token from the future is refused; refreshing it gives one of the server's own time."""
        clock.advance(-STEP)
        refused = await sitting.save(sitting.response(0, ["a"]))
        assert (refused.status_code, refused.json()["code"]) == (401, "invalid_token")
        clock.advance(STEP)
        assert (await sitting.save(sitting.response(0, ["a"]))).status_code == 200


class TestForward:
    async def test_within_the_time_nothing_is_lost(self, sitting: AttemptClient, clock: TestClock) -> None:
        await sitting.save(sitting.response(0, ["a"]))
        clock.advance(STEP)
        assert (await sitting.save(sitting.response(1, ["b"]))).status_code == 200
        clock.advance(-STEP)
        assert (await sitting.submit()).json()["status"] == "graded"
        assert (await sitting.result())["correct"] == 2

    async def test_past_the_deadline_answers_are_kept_and_stepping_back_lets_it_go_on(
        self, sitting: AttemptClient, clock: TestClock
    ) -> None:
        clock.advance(HOUR)
        late = await sitting.save(sitting.response(0, ["a"]))
        assert (late.status_code, late.json()["recorded"]) == (409, True)
        clock.advance(-HOUR)
        assert (await sitting.save(sitting.response(1, ["b"]))).status_code == 200
        assert (await sitting.submit()).json()["status"] == "graded"

    async def test_what_was_acknowledged_before_is_graded_if_the_worker_closes_it(
        self, engine: AsyncEngine, parts: Components, sitting: AttemptClient, clock: TestClock
    ) -> None:
        await sitting.save(sitting.response(0, ["a"]))
        clock.advance(HOUR)
        await sweep(engine, clock)
        clock.advance(-HOUR)
        refused = await sitting.save(sitting.response(1, ["b"]))
        assert (refused.status_code, refused.json()["code"]) == (409, "deadline_passed")
        async with unit_of_work(engine) as uow:
            await attempts.grade_batch(uow, parts, [sitting.id], clock.now())
        assert (await sitting.result())["correct"] == 1
