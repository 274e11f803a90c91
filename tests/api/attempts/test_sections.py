"""Timed sections over HTTP: they run in order from the start, and a locked one closes."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.saving_errors import SectionClosed
from app.models import Attempt
from app.services.attempts import SaveReport, save_and_commit
from app.services.components import Components
from app.services.tests import SectionDraft
from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import AttemptClient, log_rows, response, start, start_attempt, target_of
from tests.builders.content import PublishedTest, add_questions, publish_test
from tests.conftest import TestClock

NOW = datetime(2026, 6, 7, 4, 0, tzinfo=UTC)


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

    async def test_a_closed_section_does_not_refuse_the_next(
        self, engine: AsyncEngine, timed: AttemptClient, clock: TestClock
    ) -> None:
        clock.advance(150)
        saved = await timed.save(timed.response(1, ["a"]), timed.response(0, ["a"]))
        assert saved.status_code == 200, saved.text
        body = saved.json()
        closed = {
            "question_id": str(timed.made.question_ids[0]),
            "section_id": timed.attempt["section_times"][0]["id"],
        }
        assert (body["saved"], body["known"], body["closed"]) == (1, 0, [closed])
        assert [row[0] for row in await log_rows(engine, timed)] == [timed.made.question_ids[1]]

    async def test_each_response_has_one_outcome(
        self, engine: AsyncEngine, timed: AttemptClient, clock: TestClock
    ) -> None:
        """Responses to a closed section: known and conflicts are in the log; the others are closed."""
        await timed.save(timed.response(0, ["a"], 2), timed.response(1, ["b"], 2))
        clock.advance(150)
        before = await log_rows(engine, timed)
        saved = await timed.save(
            timed.response(0, ["a"], 2),  # known
            timed.response(0, ["b"], 2),  # a conflict
            timed.response(0, ["a"], 1),  # closed; in an open section it would be superseded
            timed.response(0, ["a"], 3),  # closed
            timed.response(0, ["a"], 3),  # closed, and not known because of the response before it
            timed.response(1, ["b"], 2),  # known
            timed.response(1, ["c"], 1),  # superseded
            timed.response(2, ["c"], 1),  # saved
        )
        body = saved.json()
        assert (body["saved"], body["known"]) == (1, 2)
        assert [len(body[name]) for name in ("superseded", "conflicts", "closed")] == [1, 1, 3]
        assert len(await log_rows(engine, timed)) == len(before) + 2

    async def test_all_closed(self, engine: AsyncEngine, timed: AttemptClient, clock: TestClock) -> None:
        clock.advance(150)
        refused = await timed.save(timed.response(0, ["a"]), timed.response(0, ["b"], 2))
        problem = refused.json()
        assert (refused.status_code, problem["code"]) == (409, "section_closed")
        section = timed.attempt["section_times"][0]
        assert (problem["section_id"], problem["at"]) == (section["id"], section["deadline_at"])
        closed = {"question_id": str(timed.made.question_ids[0]), "section_id": section["id"]}
        assert problem["closed"] == [closed, closed]
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


class TestSavesWithoutReading:
    """What a process has read of an attempt serves all its saves, until staff give it more time."""

    @pytest.fixture
    async def timed(self, engine: AsyncEngine, parts: Components) -> tuple[PublishedTest, Attempt]:
        async with unit_of_work(engine) as uow:
            ids = await add_questions(uow, [["a"], ["b"]])
            sections = [
                SectionDraft({"en": name}, [ids[n]], duration_seconds=200) for n, name in enumerate("AB")
            ]
            made = PublishedTest((await publish_test(uow, sections=sections)).id, ids)
            return made, await start_attempt(uow, parts, made, NOW)

    async def test_only_the_first_save_reads_the_attempt(
        self, parts: Components, timed: tuple[PublishedTest, Attempt]
    ) -> None:
        made, attempt = timed
        await save_and_commit(parts, target_of(attempt), [response(made, 0, ["a"])], NOW)
        with statements_of(parts.engine) as statements:
            report = await save_and_commit(parts, target_of(attempt), [response(made, 0, ["b"], 2)], NOW)
        assert isinstance(report, SaveReport)
        assert (report.saved, statements) == (1, [])

    @pytest.mark.parametrize("given", ["additions", "accommodation_seconds"])
    async def test_time_that_was_given_meanwhile_is_seen(
        self, engine: AsyncEngine, parts: Components, timed: tuple[PublishedTest, Attempt], given: str
    ) -> None:
        made, attempt = timed
        over = NOW + timedelta(seconds=220)
        with pytest.raises(SectionClosed):
            await save_and_commit(parts, target_of(attempt), [response(made, 0, ["a"])], over)
        async with unit_of_work(engine) as uow:
            found = await uow.session.get_one(Attempt, attempt.id)
            if given == "additions":
                found.additions = [{"at": NOW.isoformat(), "seconds": 100}]
            else:
                found.accommodation_seconds = 100
        early = [response(made, 0, ["a"]), response(made, 1, ["b"])]
        report = await save_and_commit(parts, target_of(attempt), early, over)
        assert isinstance(report, SaveReport)
        assert (report.saved, [each.question_id for each in report.closed]) == (1, [made.question_ids[1]])


@contextmanager
def statements_of(engine: AsyncEngine) -> Iterator[list[str]]:
    """The statements that the block executes by SQLAlchemy."""
    statements: list[str] = []

    def keep(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    event.listen(engine.sync_engine, "before_cursor_execute", keep)
    yield statements
    event.remove(engine.sync_engine, "before_cursor_execute", keep)
