"""Withdrawing and correcting a registration while something else happens to it, on two connections."""

from datetime import timedelta
from typing import Any

import pytest

from app.core.errors import NotPossible
from app.services import exams
from app.services.exams import Correction, Grant, StartPaper, Target
from app.services.unit_of_work import UnitOfWork, reading, unit_of_work
from tests.builders.attempts import add_candidate
from tests.services.exams.open_exam import MakeScene, Scene, extra_times, make_scene
from tests.two_connections import Work, alone, overlap

__all__ = ["make_scene"]


@pytest.fixture
async def coming(make_scene: MakeScene) -> Scene:
    """An exam that opens in a moment."""
    return await make_scene(opens_in=timedelta(seconds=1))


@pytest.fixture
async def scene(make_scene: MakeScene) -> Scene:
    return await make_scene()


def withdrawing(scene: Scene) -> Work:
    """The request arrives before the paper opens, however long it waits."""
    return lambda uow: exams.withdraw(uow, scene.candidate, scene.exam_id, scene.now)


def starting(scene: Scene) -> Work:
    at = scene.now + timedelta(seconds=1)
    request = StartPaper(scene.exam_id, scene.paper_id, None, at, at)
    return lambda uow: exams.start(uow, scene.parts, scene.candidate, request)


async def roll_number(scene: Scene) -> str:
    async with reading(scene.engine) as reads:
        place = await reads.registrations.of(scene.exam_id, scene.candidate.id)
        assert place is not None
        return place.roll_number


async def correcting(scene: Scene, **changes: Any) -> Work:
    number = await roll_number(scene)
    correction = Correction("certificate", **changes)
    return lambda uow: exams.correct(
        uow, scene.parts, scene.staff, scene.exam_id, number, correction, scene.now
    )


async def is_registered(scene: Scene) -> bool:
    async with reading(scene.engine) as reads:
        return await reads.registrations.of(scene.exam_id, scene.candidate.id) is not None


class TestWithdrawing:
    async def test_a_start_that_waits_is_not_registered(self, coming: Scene) -> None:
        both = await overlap(coming.engine, withdrawing(coming), starting(coming))
        assert (both.waited, both.second.code) == (True, "not_registered")
        assert await coming.attempts() == []

    async def test_a_start_comes_first(self, coming: Scene) -> None:
        both = await overlap(coming.engine, starting(coming), withdrawing(coming))
        assert (both.waited, both.second.code) == (True, "not_possible")
        assert len(await coming.attempts()) == 1
        assert await is_registered(coming)

    async def test_twice(self, coming: Scene) -> None:
        both = await overlap(coming.engine, withdrawing(coming), withdrawing(coming))
        assert (both.waited, both.second.code) == (True, "ok")

    async def test_and_registering_again(self, coming: Scene) -> None:
        before = await roll_number(coming)

        def register(uow: UnitOfWork) -> Any:
            return exams.register(uow, coming.candidate, coming.exam_id, coming.now)

        both = await overlap(coming.engine, withdrawing(coming), register)
        assert both.second.code == "ok"
        if not await is_registered(coming):  # The second one was done before the first one committed.
            await alone(coming.engine, register)
        assert await roll_number(coming) == before

    async def test_while_a_number_is_drawn_that_is_just_withdrawn(
        self, coming: Scene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The insert waits for the withdrawal; the number is then not free."""
        numbers = iter([int(await roll_number(coming)) - 10**7, 30_000_002])
        monkeypatch.setattr("secrets.randbelow", lambda _: next(numbers))
        async with unit_of_work(coming.engine) as uow:
            other = await add_candidate(uow)

        def register(uow: UnitOfWork) -> Any:
            return exams.register(uow, other, coming.exam_id, coming.now)

        both = await overlap(coming.engine, withdrawing(coming), register)
        registration, is_new = both.second.result()
        assert (both.waited, registration.roll_number, is_new) == (True, "40000002", True)

    async def test_a_correction_that_waits_finds_nobody(self, coming: Scene) -> None:
        both = await overlap(coming.engine, withdrawing(coming), await correcting(coming, category="obc"))
        assert (both.waited, both.second.code) == (True, "not_found")

    async def test_after_a_correction(self, coming: Scene) -> None:
        both = await overlap(coming.engine, await correcting(coming, category="obc"), withdrawing(coming))
        assert (both.waited, both.second.code) == (True, "ok")

    async def test_a_release_waits_and_has_no_result_of_the_candidate(self, coming: Scene) -> None:
        both = await overlap(coming.engine, withdrawing(coming), coming.release)
        assert (both.waited, both.second.code) == (True, "ok")

    async def test_not_behind_a_release(self, coming: Scene) -> None:
        both = await overlap(coming.engine, coming.release, withdrawing(coming))
        assert (both.waited, both.second.code) == (True, "not_possible")
        assert await is_registered(coming)


class TestCorrecting:
    async def test_a_release_waits_and_ranks_by_the_correction(self, scene: Scene) -> None:
        both = await overlap(scene.engine, await correcting(scene, category="obc"), scene.release)
        assert (both.waited, both.second.code) == (True, "ok")

    async def test_not_behind_a_release(self, scene: Scene) -> None:
        both = await overlap(scene.engine, scene.release, await correcting(scene, category="obc"))
        assert both.waited
        with pytest.raises(NotPossible):
            both.second.result()
        async with reading(scene.engine) as reads:
            place = await reads.registrations.of(scene.exam_id, scene.candidate.id)
            assert place is not None
            assert place.category == "general"

    @pytest.mark.parametrize("corrected_first", [True, False])
    async def test_and_a_grant_to_the_group(self, scene: Scene, corrected_first: bool) -> None:
        """In both orders the attempt has what the grant gives a candidate with a disability."""
        await alone(scene.engine, scene.start)
        grants = [Grant(Target(group="pwbd"), 600, "rules")]

        def grant(uow: UnitOfWork) -> Any:
            return exams.accommodate(uow, scene.parts, scene.staff, scene.exam_id, grants, scene.now)

        works = [await correcting(scene, pwbd=1), grant]
        both = await overlap(scene.engine, *(works if corrected_first else works[::-1]))
        assert (both.waited, both.second.code) == (True, "ok")
        assert await extra_times(scene) == [600]

    @pytest.mark.parametrize("corrected_first", [True, False])
    async def test_and_a_start(self, scene: Scene, corrected_first: bool) -> None:
        grants = [Grant(Target(group="pwbd"), 600, "rules")]
        await alone(
            scene.engine,
            lambda uow: exams.accommodate(uow, scene.parts, scene.staff, scene.exam_id, grants, scene.now),
        )
        works = [await correcting(scene, pwbd=1), scene.start]
        both = await overlap(scene.engine, *(works if corrected_first else works[::-1]))
        assert (both.waited, both.second.code) == (True, "ok")
        assert await extra_times(scene) == [600]
