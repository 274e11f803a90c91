"""Pairs beside those of the table: with the worker's loops, with claims, and with the tests of an exam."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.models import Attempt, ExamPaper, Registration, Result
from app.services import attempts, exams, tests
from app.services.components import Components
from app.services.exams import StaffAction, Steered, Verb
from app.services.unit_of_work import UnitOfWork, reading, unit_of_work
from app.services.users import operator
from tests.services.exams.pairs import Content, Scene, make_content, make_scene
from tests.two_connections import Work, alone, overlap


@pytest.fixture
async def content(engine: AsyncEngine, parts: Components) -> Content:
    return await make_content(engine, parts.clock.now())


class TestClaims:
    async def test_a_result_that_is_just_stored_is_the_claimants(
        self, engine: AsyncEngine, parts: Components, content: Content
    ) -> None:
        scene = await make_scene(engine, parts, content, "grade")
        roll_number = await unclaimed(engine, scene)
        both = await overlap(engine, scene.grade, lambda uow: claim(uow, scene, roll_number))
        assert (both.waited, both.first.code, both.second.code) == (True, "ok", "ok")
        assert await owners(engine, scene) == {scene.newcomer.id}

    async def test_who_grades_after_a_claim_sees_whose_it_is(
        self, engine: AsyncEngine, parts: Components, content: Content
    ) -> None:
        scene = await make_scene(engine, parts, content, "grade")
        roll_number = await unclaimed(engine, scene)
        both = await overlap(engine, lambda uow: claim(uow, scene, roll_number), scene.grade)
        assert (both.waited, both.first.code, both.second.code) == (True, "ok", "ok")
        assert await owners(engine, scene) == {scene.newcomer.id}


class TestOpenings:
    async def test_one_that_is_told_while_it_is_postponed_is_told_again(
        self, engine: AsyncEngine, parts: Components, content: Content
    ) -> None:
        scene = await make_scene(engine, parts, content, "postpone")
        tomorrow = scene.now + timedelta(hours=24)
        both = await overlap(engine, lambda uow: exams.announce_windows(uow, tomorrow), scene.postpone)
        assert (both.waited, both.second.code) == (True, "ok")
        async with reading(engine) as reads:
            statement = select(ExamPaper).where(ExamPaper.exam_id == scene.exam_id, ExamPaper.code == "2")
            paper = (await reads.session.scalars(statement)).one()
        assert (paper.starts_at, paper.opening_told_at) == (tomorrow + timedelta(seconds=600), None)


class TestReleases:
    async def test_waits_for_the_loop_that_ends_what_is_overdue(
        self, engine: AsyncEngine, parts: Components, content: Content
    ) -> None:
        scene = await make_scene(engine, parts, content, "extend")
        await overdue(engine, scene)
        grace = timedelta(seconds=parts.settings.grace_seconds)

        async def sweep(uow: UnitOfWork) -> None:
            await attempts.close_overdue(uow, scene.now, grace)

        both = await overlap(engine, sweep, scene.release)
        assert (both.waited, both.second.code) == (True, "ok")

    async def test_ends_what_is_overdue_in_this_exam_alone(
        self, engine: AsyncEngine, parts: Components, content: Content
    ) -> None:
        released, other = [await make_scene(engine, parts, content, "extend") for _ in range(2)]
        for scene in (released, other):
            await overdue(engine, scene)
        both = await overlap(engine, released.release, other.submit)
        assert (both.waited, both.first.code, both.second.code) == (False, "ok", "ok")


class TestSteering:
    async def test_two_reopenings_of_a_void_attempt_that_was_handed_in_start_no_clock(
        self, engine: AsyncEngine, parts: Components, content: Content
    ) -> None:
        scene = await make_scene(engine, parts, content, "release")  # it is submitted
        await alone(engine, scene.steer(Verb.VOID))
        reopen = reopening(scene)
        both = await overlap(engine, reopen, reopen)
        assert (both.waited, len(both.first.result().steps), len(both.second.result().steps)) == (True, 1, 0)
        assert "go_on" in both.second.result().notes[0].detail
        assert (await status(engine, scene)) == "submitted"

    @pytest.mark.parametrize(("first", "second"), [("submit", "pause"), ("pause", "submit")])
    async def test_a_submit_and_a_pause_lose_no_time(
        self, engine: AsyncEngine, parts: Components, content: Content, first: str, second: str
    ) -> None:
        scene = await make_scene(engine, parts, content, "extend")
        assert scene.attempt is not None
        left = scene.attempt.deadline_at - scene.now
        both = await overlap(engine, scene.act(first), scene.act(second))
        assert (both.waited, both.first.code, both.second.code) == (True, "ok", "ok")
        assert await status(engine, scene) == "submitted"
        scene.now += timedelta(seconds=300)
        (attempt,) = (await alone(engine, reopening(scene, 0))).result().changed
        assert (attempt.status, attempt.deadline_at - scene.now) == ("in_progress", left)


def reopening(scene: Scene, seconds: int = 0) -> Work:
    """Staff reopen the attempt."""

    async def reopen(uow: UnitOfWork) -> Steered:
        action = StaffAction(Verb.REOPEN, "by mistake", "all", seconds)
        return await exams.steer(uow, scene.parts, operator(), scene.exam_id, action, scene.now)

    return reopen


async def status(engine: AsyncEngine, scene: Scene) -> str:
    async with reading(engine) as reads:
        statement = select(Attempt.status).where(Attempt.exam_paper_id == scene.paper_id)
        return str(await reads.session.scalar(statement))


class TestTests:
    async def test_an_exam_pins_the_version_that_was_judged(
        self, engine: AsyncEngine, parts: Components, content: Content
    ) -> None:
        scene = await make_scene(engine, parts, content, "publish")

        async def next_version(uow: UnitOfWork) -> None:
            await tests.publish(uow, operator(), content.today.id, scene.now)

        both = await overlap(engine, next_version, scene.publish)
        assert (both.waited, both.first.code, both.second.code) == (True, "ok", "ok")
        async with reading(engine) as reads:
            test = await reads.tests.draft(operator().institute_id, content.today.id)
            paper = await reads.session.get_one(ExamPaper, scene.paper_id)
            assert paper.paper_id == await reads.tests.current_paper_id(test)


async def unclaimed(engine: AsyncEngine, scene: Scene) -> str:
    """What the candidate has sat waits for its account, under this roll number."""
    roll_number = uuid4().hex[:12]
    values = {"roll_number": roll_number, "me": scene.candidate.id}
    async with unit_of_work(engine) as uow:
        for statement in (
            "update ias.registrations set user_id = null, roll_number = :roll_number where user_id = :me",
            "update ias.attempts set user_id = null where user_id = :me",
        ):
            await uow.session.execute(text(statement), values)
    return roll_number


async def claim(uow: UnitOfWork, scene: Scene, roll_number: str) -> Registration:
    return await exams.claim(uow, operator(), scene.exam_id, roll_number, scene.newcomer.id)


async def owners(engine: AsyncEngine, scene: Scene) -> set[object]:
    async with reading(engine) as reads:
        statement = select(Attempt.user_id, Result.user_id).join(Result, Result.attempt_id == Attempt.id)
        rows = await reads.session.execute(statement.where(Attempt.exam_paper_id == scene.paper_id))
        return {user_id for row in rows for user_id in row}


async def overdue(engine: AsyncEngine, scene: Scene) -> None:
    """The attempt's deadline and grace are over, and the loop has not come to it."""
    past = scene.now - timedelta(minutes=1)
    statement = text("update ias.attempts set deadline_at = :past where exam_paper_id = :paper_id")
    async with unit_of_work(engine) as uow:
        await uow.session.execute(statement, {"past": past, "paper_id": scene.paper_id})
