"""Entry to an exam: who starts while staff decide about it comes before the decision, or obeys it."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from app.core.errors import EntryClosed, NotAvailable, PaperNotOpen
from app.models import Attempt, AttemptStatus, Registration
from app.services import attempts, exams, tests
from app.services.exams import ExamUpdate, StartPaper
from app.services.unit_of_work import UnitOfWork, reading, unit_of_work
from app.services.users import Principal
from tests.builders.attempts import add_candidate
from tests.services.exams.open_exam import HOUR, MakeScene, Scene, extra_times, make_scene
from tests.two_connections import Work, alone, overlap, until_waiting

__all__ = ["make_scene"]


@pytest.fixture
async def scene(make_scene: MakeScene) -> Scene:
    return await make_scene()


async def new_version(scene: Scene) -> None:
    async with unit_of_work(scene.engine) as uow:
        await tests.publish(uow, scene.staff, scene.made.id, scene.now)


class TestPublishingAgain:
    """One paper has one version: what is pinned and what is sat are the same."""

    async def test_waits_for_who_is_just_starting_and_pins_nothing_new(self, scene: Scene) -> None:
        before = await scene.pinned()
        await new_version(scene)
        both = await overlap(scene.engine, scene.start, scene.publish)
        assert (both.waited, both.first.code, both.second.code) == (True, "ok", "ok")
        assert both.second.result().unchanged.outdated == ["GS"]
        assert await scene.pinned() == before
        assert {attempt.paper_id for attempt in await scene.attempts()} == {before}

    async def test_who_starts_meanwhile_waits_and_sits_the_new_version(self, scene: Scene) -> None:
        before = await scene.pinned()
        await new_version(scene)
        both = await overlap(scene.engine, scene.publish, scene.start)
        after = await scene.pinned()
        assert (both.waited, both.second.code) == (True, "ok")
        assert after != before
        assert {attempt.paper_id for attempt in await scene.attempts()} == {after}


class TestStartsThatWait:
    """A start that has waited reads the exam again: as it is, and not as it was."""

    async def test_for_a_cancellation_are_refused(self, scene: Scene) -> None:
        both = await overlap(scene.engine, scene.cancel, scene.start)
        assert both.waited
        with pytest.raises(NotAvailable):
            both.second.result()
        assert await scene.attempts() == []

    async def test_for_a_closing_are_refused(self, scene: Scene) -> None:
        both = await overlap(scene.engine, scene.close, scene.start)
        assert both.waited
        with pytest.raises(EntryClosed):
            both.second.result()
        assert await scene.attempts() == []

    async def test_for_a_release_are_practice(self, scene: Scene) -> None:
        """The request arrived while entry was open, and is treated as one that comes after the release."""
        both = await overlap(scene.engine, scene.release, scene.start)
        assert both.waited
        assert both.second.result().practice

    async def test_for_a_postponement_are_told_the_new_time(self, make_scene: MakeScene) -> None:
        scene = await make_scene(opens_in=HOUR)

        async def postpone(uow: UnitOfWork) -> Any:
            return await exams.postpone(uow, scene.staff, scene.exam_id, 3600, "rain", scene.now)

        async def start_later(uow: UnitOfWork) -> Any:
            at = scene.now + HOUR + timedelta(seconds=1)
            request = StartPaper(scene.exam_id, scene.paper_id, None, at, at)
            return await exams.start(uow, scene.parts, scene.candidate, request)

        both = await overlap(scene.engine, postpone, start_later)
        assert both.waited
        with pytest.raises(PaperNotOpen):
            both.second.result()


class TestExtraTime:
    """A start and a change of the grants at the same time: whichever is first, the grants decide."""

    @pytest.mark.parametrize("holder", ["person", "group"])
    async def test_a_start_that_waits_has_it(self, scene: Scene, holder: str) -> None:
        both = await overlap(scene.engine, scene.granting(holder, 600), scene.start)
        assert (both.waited, both.second.code) == (True, "ok")
        assert await extra_times(scene) == [600]

    @pytest.mark.parametrize("holder", ["person", "group"])
    async def test_a_start_that_is_just_committing_gets_it(self, scene: Scene, holder: str) -> None:
        both = await overlap(scene.engine, scene.start, scene.granting(holder, 600))
        assert (both.waited, both.second.code) == (True, "ok")
        assert await extra_times(scene) == [600]

    @pytest.mark.parametrize("starts_first", [True, False])
    async def test_one_that_is_taken_back_leaves_the_groups(self, scene: Scene, starts_first: bool) -> None:
        for holder, seconds in (("group", 300), ("person", 600)):
            assert (await alone(scene.engine, scene.granting(holder, seconds))).code == "ok"
        calls = [scene.start, scene.granting("person", 0)]
        both = await overlap(scene.engine, *(calls if starts_first else calls[::-1]))
        assert (both.waited, both.second.code) == (True, "ok")
        assert await extra_times(scene) == [300]

    async def test_a_start_that_registers_its_candidate_gets_it(self, scene: Scene) -> None:
        """Where registration is open, the grant comes before the place of the one who starts."""
        await set_registration(scene, "open")
        late = await candidate_of(scene)
        both = await overlap(scene.engine, lambda uow: scene.start(uow, late), scene.granting("group", 600))
        assert (both.waited, both.second.code) == (True, "ok")
        assert await extra_times(scene) == [600]


async def set_registration(scene: Scene, registration: str) -> None:
    async with unit_of_work(scene.engine) as uow:
        await exams.change(uow, scene.staff, scene.exam_id, ExamUpdate(registration=registration), scene.now)


class TestRules:
    async def test_who_may_enter_is_not_changed_while_somebody_starts(self, scene: Scene) -> None:
        """The start that registers its candidate comes before the change, or is refused by it."""
        await set_registration(scene, "open")
        late = await candidate_of(scene)

        async def require_registration(uow: UnitOfWork) -> None:
            await exams.change(
                uow, scene.staff, scene.exam_id, ExamUpdate(registration="required"), scene.now
            )

        both = await overlap(scene.engine, lambda uow: scene.start(uow, late), require_registration)
        assert (both.waited, both.second.code) == (True, "ok")
        another = await candidate_of(scene)
        assert (await alone(scene.engine, lambda uow: scene.start(uow, another))).code == "not_registered"

    async def test_a_start_that_waits_for_the_change_obeys_it(self, scene: Scene) -> None:
        await set_registration(scene, "open")
        late = await candidate_of(scene)

        async def require_registration(uow: UnitOfWork) -> None:
            await exams.change(
                uow, scene.staff, scene.exam_id, ExamUpdate(registration="required"), scene.now
            )

        both = await overlap(scene.engine, require_registration, lambda uow: scene.start(uow, late))
        assert (both.waited, both.second.code) == (True, "not_registered")


class TestRegistering:
    async def test_while_the_results_are_released_waits_and_is_refused(self, scene: Scene) -> None:
        """Whoever has a place has a result: nobody may get one behind the release."""
        late = await candidate_of(scene)
        both = await overlap(scene.engine, scene.release, lambda uow: scene.register(uow, late))
        assert both.waited
        with pytest.raises(EntryClosed):
            both.second.result()

    async def test_a_release_waits_for_who_is_just_registering(self, scene: Scene) -> None:
        late = await candidate_of(scene)
        both = await overlap(scene.engine, lambda uow: scene.register(uow, late), scene.release)
        assert both.waited
        released = both.second.result()
        async with reading(scene.engine) as reads:
            place = await reads.registrations.of(scene.exam_id, late.id)
            assert place is not None
            assert await reads.exam_results.result(released.exam, place.id) is not None

    async def test_while_the_exam_is_cancelled_waits_and_is_refused(self, scene: Scene) -> None:
        late = await candidate_of(scene)
        both = await overlap(scene.engine, scene.cancel, lambda uow: scene.register(uow, late))
        assert both.waited
        with pytest.raises(NotAvailable):
            both.second.result()


class TestManyStarts:
    async def test_do_not_wait_for_each_other(self, scene: Scene) -> None:
        late = await candidate_of(scene)
        await alone(scene.engine, lambda uow: scene.register(uow, late))
        both = await overlap(scene.engine, scene.start, lambda uow: scene.start(uow, late))
        assert (both.waited, both.second.code) == (False, "ok")

    async def test_do_not_overtake_staff_who_wait(self, scene: Scene) -> None:
        """In the minute when thousands start, there is always somebody inside: staff get their turn."""
        late = await candidate_of(scene)
        await alone(scene.engine, lambda uow: scene.register(uow, late))
        async with unit_of_work(scene.engine) as starting:
            await scene.start(starting)
            cancelling = asyncio.create_task(alone(scene.engine, scene.cancel))
            await until_waiting(scene.engine, 1)
            overtaking = asyncio.create_task(alone(scene.engine, lambda uow: scene.start(uow, late)))
            await until_waiting(scene.engine, 2)
        assert (await cancelling).code == "ok"
        assert (await overtaking).code == "not_available"
        assert {attempt.status for attempt in await scene.attempts()} == {AttemptStatus.VOID}


async def candidate_of(scene: Scene) -> Principal:
    async with unit_of_work(scene.engine) as uow:
        return await add_candidate(uow)


class TestLeftOver:
    """Attempts that an earlier version let into a cancelled exam: they end without anybody's help."""

    async def test_are_voided_whatever_they_are(self, scene: Scene) -> None:
        others = [await candidate_of(scene) for _ in range(3)]
        for candidate in others:
            await alone(scene.engine, lambda uow, who=candidate: scene.register(uow, who))  # type: ignore[misc]
            await alone(scene.engine, lambda uow, who=candidate: scene.start(uow, who))  # type: ignore[misc]
        running, paused, graded = await scene.attempts()
        async with unit_of_work(scene.engine) as uow:
            await set_status(uow, paused, "paused")
            await set_status(uow, graded, "submitted")
            await attempts.grade_batch(uow, scene.parts, [graded.id], scene.now)
            exam = await uow.exams.lock(scene.staff.institute_id, scene.exam_id)
            exam.cancelled_at = scene.now
        assert (await voided(scene)) == 3
        assert {attempt.status for attempt in await scene.attempts()} == {AttemptStatus.VOID}
        async with reading(scene.engine) as reads:
            assert await reads.attempts.result(graded.id) is None
            assert await reads.attempts.histogram(scene.paper_id) == {}
        assert running.id != paused.id
        assert (await voided(scene)) == 0

    async def test_of_exams_that_go_on_are_none(self, scene: Scene) -> None:
        await alone(scene.engine, scene.start)
        await voided(scene)
        assert [attempt.status for attempt in await scene.attempts()] == [AttemptStatus.IN_PROGRESS]


async def set_status(uow: UnitOfWork, attempt: Attempt, status: str) -> None:
    statement = text("update ias.attempts set status = :status, submitted_at = now() where id = :id")
    await uow.session.execute(statement, {"status": status, "id": attempt.id})


async def voided(scene: Scene) -> int:
    """What the worker's loop does, until there is nothing left; other tests may have left something."""
    mine = 0
    while True:
        before = {attempt.id for attempt in await scene.attempts() if attempt.status == AttemptStatus.VOID}
        async with unit_of_work(scene.engine) as uow:
            count = await exams.void_left_over(uow, scene.now)
        after = {attempt.id for attempt in await scene.attempts() if attempt.status == AttemptStatus.VOID}
        mine += len(after - before)
        if count == 0:
            return mine


class TestPeople:
    async def test_who_is_banned_while_they_start_does_not(self, scene: Scene) -> None:
        async def ban(uow: UnitOfWork) -> None:
            await uow.users.change(scene.candidate.id, {"active": False})

        both = await overlap(scene.engine, ban, scene.start)
        assert (both.waited, both.second.code) == (True, "session_revoked")
        assert await scene.attempts() == []

    async def test_a_roll_number_is_not_claimed_for_who_is_just_registering(self, scene: Scene) -> None:
        late = await candidate_of(scene)
        both = await overlap(
            scene.engine, lambda uow: scene.register(uow, late), await claim_for(scene, late)
        )
        assert (both.waited, both.second.code) == (True, "conflict")

    async def test_who_registers_while_a_roll_number_is_claimed_for_them_gets_it(self, scene: Scene) -> None:
        late = await candidate_of(scene)
        both = await overlap(
            scene.engine, await claim_for(scene, late), lambda uow: scene.register(uow, late)
        )
        registration, is_new = both.second.result()
        assert both.waited
        assert (registration.id, is_new) == (both.first.value.id, False)


async def claim_for(scene: Scene, person: Principal) -> Work:
    """A place that waits for its account, and the order that gives it to this person."""
    roll_number = uuid4().hex[:12]
    async with unit_of_work(scene.engine) as uow:
        place = {"exam_id": scene.exam_id, "roll_number": roll_number, "name": "Asha", "category": "general"}
        uow.session.add(Registration(**place))
    return lambda uow: exams.claim(uow, scene.staff, scene.exam_id, roll_number, person.id)
