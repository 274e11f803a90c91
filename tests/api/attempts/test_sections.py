"""Timed sections over HTTP: they run in order from the start, and a locked one closes."""

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.tests import SectionDraft
from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import AttemptClient, log_rows, start
from tests.builders.content import PublishedTest, add_questions, publish_test
from tests.conftest import TestClock


class TestTimedSections:
    @pytest.fixture
    async def timed(self, engine: AsyncEngine, candidate: httpx.AsyncClient) -> AttemptClient:
        """Two sections of 100 s each, the second one not locked, and one without a time."""
        async with unit_of_work(engine) as uow:
            ids = await add_questions(uow, [["a"], ["b"], ["c"]])
            sections = [
                SectionDraft({"en": "Reasoning"}, ids[:1], duration_seconds=100),
                SectionDraft({"en": "Comprehension"}, ids[1:2], duration_seconds=100, locked=False),
                SectionDraft({"en": "Feedback"}, ids[2:]),
            ]
            published = await publish_test(uow, sections=sections)
        return await start(candidate, PublishedTest(published.id, ids))

    async def test_windows_follow_each_other(self, timed: AttemptClient) -> None:
        first, second = timed.attempt["section_times"]
        assert first["opens_at"] == timed.attempt["started_at"]
        assert first["deadline_at"] == second["opens_at"]

    @pytest.mark.parametrize(
        ("seconds", "number", "status"),
        [(0, 0, 200), (105, 0, 200), (115, 0, 409), (0, 1, 200), (250, 1, 200), (0, 2, 200), (599, 2, 200)],
    )
    async def test_a_locked_section_takes_answers_in_its_window(
        self,
        engine: AsyncEngine,
        timed: AttemptClient,
        clock: TestClock,
        seconds: int,
        number: int,
        status: int,
    ) -> None:
        clock.advance(seconds)
        saved = await timed.save(timed.response(number, ["a"]))
        assert saved.status_code == status, saved.text
        assert len(await log_rows(engine, timed)) == (status == 200)

    async def test_one_closed_section_refuses_all(
        self, engine: AsyncEngine, timed: AttemptClient, clock: TestClock
    ) -> None:
        clock.advance(150)
        refused = await timed.save(timed.response(1, ["a"]), timed.response(0, ["a"]))
        problem = refused.json()
        assert (refused.status_code, problem["code"]) == (409, "section_closed")
        assert problem["section_id"] == timed.attempt["section_times"][0]["id"]
        assert problem["at"] == timed.attempt["section_times"][0]["deadline_at"]
        assert await log_rows(engine, timed) == []

    async def test_too_early(
        self, engine: AsyncEngine, candidate: httpx.AsyncClient, clock: TestClock
    ) -> None:
        async with unit_of_work(engine) as uow:
            ids = await add_questions(uow, [["a"], ["b"]])
            sections = [
                SectionDraft({"en": name}, [ids[n]], duration_seconds=300) for n, name in enumerate("AB")
            ]
            published = await publish_test(uow, sections=sections)
        sitting = await start(candidate, PublishedTest(published.id, ids))
        early = await sitting.save(sitting.response(1, ["b"]))
        assert (early.status_code, early.json()["code"]) == (409, "section_closed")
        assert "not started" in early.json()["detail"]
        clock.advance(301)
        assert (await sitting.save(sitting.response(1, ["b"]))).status_code == 200
        clock.advance(310)
        late = await sitting.save(sitting.response(0, ["a"]), sitting.response(1, ["c"], 2))
        assert (late.json()["code"], late.json()["recorded"]) == ("deadline_passed", True)
        assert len(await log_rows(engine, sitting)) == 3

    async def test_an_attempt_that_has_ended_says_so(
        self, engine: AsyncEngine, timed: AttemptClient, clock: TestClock
    ) -> None:
        await timed.submit()
        clock.advance(150)
        refused = await timed.save(timed.response(0, ["a"]))
        assert (refused.status_code, refused.json()["code"]) == (409, "attempt_not_in_progress")
