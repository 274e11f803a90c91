"""The attempt token: an exam outlives a login, and the token opens one attempt and nothing else."""

from uuid import uuid4

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import AttemptClient, log_rows, start
from tests.builders.content import PublishedTest, publish_test
from tests.builders.people import People
from tests.conftest import TestClock

DAY = 24 * 3600


@pytest.fixture(scope="module")
async def made(engine: AsyncEngine) -> PublishedTest:
    async with unit_of_work(engine) as uow:
        return await publish_test(uow)


@pytest.fixture
async def sitting(candidate: httpx.AsyncClient, made: PublishedTest) -> AttemptClient:
    return await start(candidate, made)


@pytest.fixture
async def device(api: httpx.AsyncClient, sitting: AttemptClient) -> AttemptClient:
    """The same sitting, held by its token alone."""
    return held(api, sitting)


def held(client: httpx.AsyncClient, sitting: AttemptClient) -> AttemptClient:
    client.headers["Authorization"] = f"Bearer {sitting.attempt['attempt_token']}"
    return AttemptClient(client, sitting.made, sitting.attempt)


class TestAttemptToken:
    async def test_it_is_enough_to_answer_and_submit(
        self, device: AttemptClient, sitting: AttemptClient
    ) -> None:
        assert (await device.client.get(f"{device.made.path}/questions")).status_code == 200
        assert (await device.save(device.response(0, ["a"]))).json()["saved"] == 1
        assert (await device.submit()).json()["status"] == "graded"
        assert (await device.submit()).json()["status"] == "graded"
        assert (await sitting.result())["score"] == "2.00"

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("POST", "{test}/start"),
            ("GET", "{test}/results"),
            ("GET", "{test}"),
            ("GET", "/tests"),
            ("GET", "/auth/me"),
            ("GET", "/users/profile"),
        ],
    )
    async def test_it_is_no_login(self, device: AttemptClient, method: str, path: str) -> None:
        answer = await device.client.request(method, path.format(test=device.made.path))
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")

    async def test_an_older_one_goes_on_under_its_lease(
        self, device: AttemptClient, sitting: AttemptClient
    ) -> None:
        newer = await start(sitting.client, sitting.made)
        assert newer.attempt["lease"] == 2
        assert (await device.save(device.response(0, ["a"]))).json()["saved"] == 1
        assert (await device.submit()).status_code == 200

    async def test_it_holds_no_later_lease(
        self, engine: AsyncEngine, device: AttemptClient, sitting: AttemptClient
    ) -> None:
        await start(sitting.client, sitting.made)
        refused = await device.save(device.response(0, ["a"]), lease=2)
        assert refused.status_code == 422
        assert [error["field"] for error in refused.json()["errors"]] == ["lease"]
        assert await log_rows(engine, sitting) == []

    async def test_a_newer_one_may_send_an_older_queue(
        self, api: httpx.AsyncClient, sitting: AttemptClient
    ) -> None:
        newer = held(api, await start(sitting.client, sitting.made))
        assert (await newer.save(newer.response(0, ["a"]), lease=1)).json()["saved"] == 1

    async def test_it_opens_no_other_attempt_at_the_test(
        self, device: AttemptClient, sitting: AttemptClient
    ) -> None:
        await sitting.submit()
        second = await start(sitting.client, sitting.made)
        for call in (
            device.save(device.response(0, ["a"]), attempt_id=str(second.id)),
            device.client.post(f"{device.made.path}/submit", json={"attempt_id": str(second.id)}),
            device.client.post(f"{device.made.path}/submit", json={"attempt_id": str(uuid4())}),
        ):
            assert (await call).status_code == 404

    async def test_it_opens_no_other_test(self, engine: AsyncEngine, device: AttemptClient) -> None:
        async with unit_of_work(engine) as uow:
            other = await publish_test(uow)
        elsewhere = AttemptClient(device.client, other, device.attempt)
        answers = [
            await device.client.get(f"{other.path}/questions"),
            await elsewhere.save(elsewhere.response(0, ["a"])),
            await elsewhere.submit(),
        ]
        assert [answer.status_code for answer in answers] == [404, 404, 404]

    async def test_it_opens_no_other_persons_attempt(
        self, engine: AsyncEngine, people: People, device: AttemptClient
    ) -> None:
        other = await start(await people.candidate(), device.made)
        assert (await device.save(device.response(0, ["a"]), attempt_id=str(other.id))).status_code == 404
        assert await log_rows(engine, other) == []

    async def test_it_is_good_for_a_day_past_the_deadline(
        self, engine: AsyncEngine, device: AttemptClient, sitting: AttemptClient, clock: TestClock
    ) -> None:
        clock.advance(600 + DAY - 60)
        late = await device.save(device.response(0, ["a"]))
        assert (late.status_code, late.json()["code"]) == (409, "deadline_passed")
        clock.advance(61)
        gone = await device.save(device.response(1, ["a"]))
        assert (gone.status_code, gone.json()["code"]) == (401, "invalid_token")
        assert len(await log_rows(engine, sitting)) == 1

    @pytest.mark.parametrize("part", [0, 1, 2])
    async def test_a_forged_one(self, device: AttemptClient, part: int) -> None:
        parts = device.attempt["attempt_token"].split(".")
        parts[part] = ("A" if parts[part][0] != "A" else "B") + parts[part][1:]
        device.client.headers["Authorization"] = f"Bearer {'.'.join(parts)}"
        refused = await device.save(device.response(0, ["a"]))
        assert (refused.status_code, refused.json()["code"]) == (401, "invalid_token")
