"""Enrolments over HTTP: an admin opens and closes the tests for enrolled candidates."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services import notifications
from app.services.components import Components
from app.services.unit_of_work import unit_of_work
from tests.builders.content import PublishedTest, publish_test
from tests.builders.exams import body_of
from tests.builders.people import user_id_of
from tests.conftest import TestClock


@pytest.fixture
async def made(engine: AsyncEngine) -> PublishedTest:
    async with unit_of_work(engine) as uow:
        return await publish_test(uow, access="enrolled")


async def enrol(admin: httpx.AsyncClient, candidate: httpx.AsyncClient, **body: Any) -> httpx.Response:
    path = f"/users/{await user_id_of(candidate)}/enrolment"
    return await admin.put(path, json={"enrolled": True, **body})


class TestEnrolment:
    async def test_it_opens_the_test_until_its_end(
        self,
        admin: httpx.AsyncClient,
        candidate: httpx.AsyncClient,
        made: PublishedTest,
        clock: TestClock,
    ) -> None:
        path = f"/tests/{made.id}"
        assert (await candidate.get(path)).status_code == 404
        until = clock.now() + timedelta(minutes=5)
        member = body_of(
            await enrol(admin, candidate, valid_until=until.isoformat(), batches=["2027-B", "2027-A"])
        )
        assert member["enrolment"]["enrolled"] is True
        assert member["enrolment"]["batches"] == ["2027-A", "2027-B"]
        assert (await candidate.get(path)).status_code == 200
        with clock.moved(300):
            assert (await candidate.get(path)).status_code == 404
            assert (await candidate.post(f"{path}/start")).status_code == 404

    async def test_its_end_leaves_a_running_attempt(
        self, admin: httpx.AsyncClient, candidate: httpx.AsyncClient, made: PublishedTest
    ) -> None:
        await enrol(admin, candidate)
        begun = body_of(await candidate.post(f"/tests/{made.id}/start"))
        member = body_of(await enrol(admin, candidate, enrolled=False))
        assert member["enrolment"] == {
            "enrolled": False,
            "enrolled_at": None,
            "valid_until": None,
            "batches": [],
        }
        assert body_of(await candidate.post(f"/tests/{made.id}/start"))["id"] == begun["id"]
        assert (await candidate.get(f"/tests/{made.id}/questions")).status_code == 200
        submitted = await candidate.post(f"/tests/{made.id}/submit", json={"attempt_id": begun["id"]})
        assert submitted.status_code == 200
        assert (await candidate.get(f"/tests/{made.id}/results")).status_code == 200
        assert (await candidate.post(f"/tests/{made.id}/start")).status_code == 404

    async def test_the_user_is_told_once_for_each_change(
        self, admin: httpx.AsyncClient, candidate: httpx.AsyncClient, engine: AsyncEngine, parts: Components
    ) -> None:
        for body in ({}, {}, {"batches": ["2027-A"]}, {"enrolled": False}, {"enrolled": False}):
            assert (await enrol(admin, candidate, **body)).status_code == 200
        user_id = await user_id_of(candidate)
        async with unit_of_work(engine) as uow:
            jobs = text(
                "select arguments from ias.jobs where task = 'notify_enrolment_changed'"
                " and arguments->>'user_id' = :id order by id"
            )
            told = (await uow.session.scalars(jobs, {"id": str(user_id)})).all()
            assert len(told) == 2
            await notifications.enrolment_changed(
                uow, parts, user_id, told[-1]["change_id"], parts.clock.now()
            )
        [notice] = body_of(await candidate.get("/notifications"))["items"][:1]
        assert (notice["kind"], notice["title"]["en"]) == ("enrolment_changed", "Your enrolment has ended")

    async def test_says_what_is_wrong(self, admin: httpx.AsyncClient, candidate: httpx.AsyncClient) -> None:
        wrong: list[tuple[Any, str]] = [
            ({"valid_until": "2020-01-01T00:00:00Z"}, "valid_until"),
            ({"batches": [" "]}, "batches.0"),
            ({"batches": ["a"] * 21}, "batches"),
        ]
        for body, field in wrong:
            answer = await enrol(admin, candidate, **body)
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), body

    async def test_an_ended_one_has_no_batches(
        self, admin: httpx.AsyncClient, candidate: httpx.AsyncClient
    ) -> None:
        assert (await enrol(admin, candidate, enrolled=False, batches=["A"])).status_code == 422
