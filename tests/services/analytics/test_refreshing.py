"""The refresh of a test's statistics: what is stored, when it is computed again, what an embargo keeps."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm import undefer

from app.config import Settings
from app.database import create_engine
from app.models import ItemParameters, Job, Paper, PaperStatistics
from app.services.analytics import refreshing
from app.services.components import Components
from app.services.unit_of_work import unit_of_work
from tests.builders.content import PublishedTest, publish_test
from tests.builders.exams import add_exam, set_exam
from tests.builders.results import add_results, simulated_sheets
from tests.conftest import cloned_database

NOW = datetime(2026, 6, 8, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
NIGHT = datetime(2026, 6, 8, 20, 0, tzinfo=UTC)
EVERY_TEST = 10_000
KEYS = "abcdabcdab"
TIMES = [1_000 * (position + 1) for position in range(len(KEYS))]


@pytest.fixture(scope="module")
def own_url(superuser_url: str, template: str) -> Iterator[str]:
    """A database without the results of other tests: what is due is looked for in all of them."""
    with cloned_database(superuser_url, template) as url:
        yield url


@pytest.fixture(scope="module")
async def engine(own_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(Settings(database_url=SecretStr(own_url)), pool_size=8)
    yield engine
    await engine.dispose()


@pytest.fixture(scope="module")
def parts(parts: Components, engine: AsyncEngine) -> Components:
    return replace(parts, engine=engine)


@pytest.fixture
async def made(engine: AsyncEngine) -> PublishedTest:
    async with unit_of_work(engine) as uow:
        return await publish_test(uow, [[key] for key in KEYS])


async def fill(
    engine: AsyncEngine, parts: Components, made: PublishedTest, candidates: int, **more: Any
) -> list[UUID]:
    async with unit_of_work(engine) as uow:
        return await add_results(uow, parts, made, simulated_sheets(KEYS, candidates), **more)


async def refresh(parts: Components, made: PublishedTest, now: datetime = NOW, **more: Any) -> int:
    async with unit_of_work(parts.engine) as uow:
        return await refreshing.refresh(uow, parts, made.id, now, **more)


async def stored(engine: AsyncEngine, made: PublishedTest) -> list[PaperStatistics]:
    async with unit_of_work(engine) as uow:
        statement = select(PaperStatistics).options(undefer(PaperStatistics.analysis))
        return list(await uow.session.scalars(statement.where(PaperStatistics.test_id == made.id)))


async def parameters(engine: AsyncEngine, made: PublishedTest) -> dict[UUID, ItemParameters]:
    async with unit_of_work(engine) as uow:
        return dict(await uow.test_statistics.parameters(made.question_ids))


async def due(engine: AsyncEngine, made: PublishedTest, now: datetime) -> bool:
    """Whether the loop adds a job for the test. Jobs of all tests are removed again."""
    async with unit_of_work(engine) as uow:
        found = await refreshing.request_due(uow, now, EVERY_TEST)
        await uow.session.flush()
        await uow.session.execute(delete(Job).where(Job.task == refreshing.TASK))
        return made.id in found


class TestRefresh:
    async def test_what_is_stored(self, engine: AsyncEngine, parts: Components, made: PublishedTest) -> None:
        await fill(engine, parts, made, 40, times_ms=TIMES, languages=["en", "hi"])
        assert await refresh(parts, made) == 1
        (row,) = await stored(engine, made)
        assert (row.attempts, row.participants, row.computed_at) == (40, 40, NOW)
        assert row.median_ms == TIMES
        assert [sum(counts) for counts in row.option_counts] == [40] * len(KEYS)
        assert row.alpha is not None
        assert row.standard_error is not None
        assert row.analysis["scores"]["attempts"] == 40
        assert [each["language"] for each in row.analysis["languages"]] == ["en", "hi"]
        assert row.analysis["irt"]["model"] == "1pl"
        found = await parameters(engine, made)
        assert set(found) == set(made.question_ids)
        assert {(each.model, each.answers, each.question_version) for each in found.values()} == {
            ("1pl", 40, 1)
        }
        assert all(each.difficulty_error > 0 for each in found.values())

    async def test_only_what_has_changed(
        self, engine: AsyncEngine, parts: Components, made: PublishedTest
    ) -> None:
        """A refresh that runs again computes nothing, and a killed one is repeated by the next."""
        await fill(engine, parts, made, 12)
        assert [await refresh(parts, made), await refresh(parts, made, LATER)] == [1, 0]
        assert (await stored(engine, made))[0].computed_at == NOW
        assert await refresh(parts, made, LATER, computed_before=LATER) == 1
        assert (await stored(engine, made))[0].computed_at == LATER
        attempt_ids = await fill(engine, parts, made, 1)
        assert await refresh(parts, made, LATER) == 1
        assert (await stored(engine, made))[0].attempts == 13
        async with unit_of_work(engine) as uow:
            await uow.grading.delete_results(attempt_ids)
        assert await refresh(parts, made, LATER) == 1
        assert (await stored(engine, made))[0].attempts == 12

    async def test_two_at_once(self, engine: AsyncEngine, parts: Components, made: PublishedTest) -> None:
        await fill(engine, parts, made, 12)
        assert sorted(await asyncio.gather(refresh(parts, made), refresh(parts, made))) == [0, 1]

    async def test_killed_after_the_first_of_two(
        self, engine: AsyncEngine, parts: Components, made: PublishedTest
    ) -> None:
        """What is stored stays, and the next refresh computes the rest."""
        async with unit_of_work(engine) as uow:
            paper = await add_exam(uow, made.id, NOW, released_at=NOW)
        await fill(engine, parts, made, 12)
        await fill(engine, parts, made, 12, exam_paper_id=paper.id)
        async with unit_of_work(engine) as uow:
            group, _ = await uow.test_statistics.groups(made.id)
            counts = await uow.test_statistics.counts(made.id)
        await refreshing._compute(parts, group, counts[group.cohort_id, group.paper_id], NOW)
        assert len(await stored(engine, made)) == 1
        assert await refresh(parts, made, LATER) == 1
        assert {row.computed_at for row in await stored(engine, made)} == {NOW, LATER}

    async def test_results_that_are_gone(
        self, engine: AsyncEngine, parts: Components, made: PublishedTest
    ) -> None:
        attempt_ids = await fill(engine, parts, made, 40)
        await refresh(parts, made)
        async with unit_of_work(engine) as uow:
            await uow.grading.delete_results(attempt_ids)
        assert await refresh(parts, made, LATER) == 0
        assert await stored(engine, made) == []
        assert await parameters(engine, made) == {}

    async def test_too_few(self, engine: AsyncEngine, parts: Components, made: PublishedTest) -> None:
        """Counts, and no figure that chance alone would make."""
        await fill(engine, parts, made, 3)
        await refresh(parts, made)
        (row,) = await stored(engine, made)
        assert (row.alpha, row.mean, row.median_ms) == (None, None, [None] * len(KEYS))
        assert row.analysis["items"] is None
        assert [sum(counts) for counts in row.option_counts] == [3] * len(KEYS)
        assert await parameters(engine, made) == {}

    async def test_the_embargo_keeps_parameters(
        self, engine: AsyncEngine, parts: Components, made: PublishedTest
    ) -> None:
        """Staff's figures exist before the release, parameters for candidates only after it."""
        async with unit_of_work(engine) as uow:
            paper = await add_exam(uow, made.id, NOW, published_at=NOW)
        await fill(engine, parts, made, 40, exam_paper_id=paper.id)
        assert await refresh(parts, made) == 1
        assert [row.cohort_id for row in await stored(engine, made)] == [paper.id]
        assert await parameters(engine, made) == {}
        await set_exam(engine, str(paper.exam_id), released_at=NOW)
        assert await refresh(parts, made, LATER) == 0
        assert set(await parameters(engine, made)) == set(made.question_ids)

    async def test_what_an_exam_withholds(self, engine: AsyncEngine, parts: Components) -> None:
        """Its own test, and another one with a question of its paper: both are refreshed at the release."""
        async with unit_of_work(engine) as uow:
            held = await publish_test(uow, [[key] for key in KEYS])
            sharing, unrelated = await publish_test(uow, same_as=held), await publish_test(uow)
        await fill(engine, parts, sharing, 40)
        async with unit_of_work(engine) as uow:
            placed = await add_exam(uow, held.id, NOW, published_at=NOW)
            placed.paper_id = await uow.session.scalar(select(Paper.id).where(Paper.test_id == held.id))
        await refresh(parts, sharing)
        assert await parameters(engine, sharing) == {}
        async with unit_of_work(engine) as uow:
            found = await uow.test_statistics.withheld_by(placed.exam_id)
        assert set(found) == {held.id, sharing.id}
        assert unrelated.id not in found


class TestParameters:
    async def test_the_newest_version_and_the_most_answers_win(
        self, engine: AsyncEngine, parts: Components, made: PublishedTest
    ) -> None:
        """In whichever order tests with the same questions are refreshed."""
        async with unit_of_work(engine) as uow:
            other = await publish_test(uow, same_as=made)
        await fill(engine, parts, made, 40)
        await fill(engine, parts, other, 60)
        for order in ((made, other), (other, made)):
            for each in order:
                await refresh(parts, each)
            answers = {found.answers for found in (await parameters(engine, made)).values()}
            assert answers == {60}


class TestDue:
    async def test_growth_and_nights(
        self, engine: AsyncEngine, parts: Components, made: PublishedTest
    ) -> None:
        await fill(engine, parts, made, 9)
        assert not await due(engine, made, NOW)
        assert await due(engine, made, NIGHT), "results that nobody has computed"
        await fill(engine, parts, made, 11)
        assert await due(engine, made, NOW), "enough for the first time"
        await refresh(parts, made)
        assert not await due(engine, made, NOW)
        assert not await due(engine, made, NIGHT), "nothing has changed"
        await fill(engine, parts, made, 1)
        assert not await due(engine, made, NOW)
        assert await due(engine, made, NIGHT)
        await fill(engine, parts, made, 1)
        assert await due(engine, made, NOW), "a tenth more"

    async def test_not_under_embargo(
        self, engine: AsyncEngine, parts: Components, made: PublishedTest
    ) -> None:
        """An exam in which papers are being submitted is not read again and again."""
        await fill(engine, parts, made, 20)
        async with unit_of_work(engine) as uow:
            paper = await add_exam(uow, made.id, NOW)
        assert not await due(engine, made, NOW)
        await set_exam(engine, str(paper.exam_id), released_at=NOW)
        assert await due(engine, made, NOW)

    async def test_not_twice(self, engine: AsyncEngine, parts: Components, made: PublishedTest) -> None:
        await fill(engine, parts, made, 20)
        async with unit_of_work(engine) as uow:
            first = await refreshing.request_refresh(uow, made.id, NOW)
            again = await refreshing.request_refresh(uow, made.id, NOW)
            assert (first.is_new, again.is_new, again.job_id) == (True, False, first.job_id)
            assert made.id not in await refreshing.request_due(uow, NOW, EVERY_TEST)
            await uow.session.execute(delete(Job).where(Job.task == refreshing.TASK))

    async def test_two_requests_at_once(
        self, engine: AsyncEngine, parts: Components, made: PublishedTest
    ) -> None:
        async def request() -> UUID:
            async with unit_of_work(engine) as uow:
                return (await refreshing.request_refresh(uow, made.id, NOW)).job_id

        assert len(set(await asyncio.gather(*(request() for _ in range(4))))) == 1
