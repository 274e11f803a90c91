"""Versions of a paper's key: which one marks what, also while one is added."""

from contextlib import suppress
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from uuid import UUID

import httpx
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.models import Attempt, KeyVersion
from app.services import attempts
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork, reading, unit_of_work
from tests.builders.attempts import (
    add_candidate,
    graded_attempt,
    ref_of,
    response,
    start_attempt,
    take_test,
    target_of,
)
from tests.builders.content import PublishedTest, publish_test
from tests.builders.exams import body_of, hold_exam, take_paper
from tests.builders.key_versions import correct
from tests.builders.people import People
from tests.builders.saves import save_uncommitted
from tests.conftest import TestClock
from tests.two_connections import overlap

NOW = datetime(2026, 6, 7, 4, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
MINUTE = timedelta(minutes=1)
SHARD = text("select pg_backend_pid() % 8")
"""The shard in which a connection counts outcomes (docs/decisions/0075)."""


async def marked(uow: UnitOfWork, attempt: Attempt) -> tuple[int, str]:
    """By which number of the key an attempt was marked, and what came of it."""
    result = await uow.attempts.result(attempt.id)
    assert result is not None
    return (await uow.keys.find(result.key_id)).number, result.outcomes


async def answered(uow: UnitOfWork, parts: Components, made: PublishedTest) -> Attempt:
    """An attempt in progress that has answered the first question with b; a is right in the first version."""
    attempt = await start_attempt(uow, parts, made, NOW)
    await save_uncommitted(uow, parts, target_of(attempt), [response(made, 0, ["b"])], NOW)
    return attempt


class TestAddNext:
    async def test_numbers_count_up_and_older_versions_stay(self, uow: UnitOfWork, parts: Components) -> None:
        made, candidate = await publish_test(uow), await add_candidate(uow)
        attempt = await graded_attempt(uow, parts, candidate, made, {0: ["a"]}, NOW)
        first = deepcopy((await uow.keys.current(attempt.paper_id)).key)
        numbers = [
            (await correct(uow, attempt.paper_id, made.question_ids[0], letter)).number for letter in "bc"
        ]
        assert numbers == [2, 3]
        statement = select(KeyVersion).where(KeyVersion.paper_id == attempt.paper_id)
        versions = (await uow.session.scalars(statement.order_by(KeyVersion.number))).all()
        assert [version.reason for version in versions] == [None, "a misprint", "a misprint"]
        assert versions[0].key == first
        assert (await uow.keys.current(attempt.paper_id)).number == 3

    async def test_two_at_once_get_two_numbers(self, engine: AsyncEngine, parts: Components) -> None:
        async with unit_of_work(engine) as uow:
            made = await publish_test(uow)
            attempt = await start_attempt(uow, parts, made, NOW)

        async def add(uow: UnitOfWork) -> int:
            return (await correct(uow, attempt.paper_id, made.question_ids[0], "b")).number

        both = await overlap(engine, add, add)
        assert (both.waited, both.first.result(), both.second.result()) == (True, 2, 3)


class TestGrading:
    async def test_the_current_version_marks_and_earlier_results_keep_theirs(
        self, uow: UnitOfWork, parts: Components
    ) -> None:
        made = await publish_test(uow)
        before, after = await answered(uow, parts, made), await answered(uow, parts, made)
        await attempts.submit(uow, parts, ref_of(before), LATER)
        await correct(uow, before.paper_id, made.question_ids[0], "b")
        await attempts.submit(uow, parts, ref_of(after), LATER)
        assert await marked(uow, before) == (1, "iuu")
        assert await marked(uow, after) == (2, "cuu")
        newer = (await uow.keys.current(before.paper_id)).cohort_id
        assert await uow.attempts.histogram(made.id) == {Fraction(-2, 3): 1}
        assert await uow.attempts.histogram(newer) == {Fraction(2): 1}

    async def test_a_result_is_shown_by_its_own_version(
        self, engine: AsyncEngine, parts: Components, people: People
    ) -> None:
        async with unit_of_work(engine) as uow:
            made = await publish_test(uow)
        candidate = await people.candidate()
        before = await take_test(candidate, made, {0: ["a"], 1: ["a"]})
        async with unit_of_work(engine) as uow:
            attempt = await uow.session.get_one(Attempt, UUID(before["attempt"]["id"]))
            await correct(uow, attempt.paper_id, made.question_ids[0], "d")
        assert body_of(await candidate.get(f"{made.path}/results")) == before

    async def test_a_version_that_is_being_added_marks_what_a_job_grades_after_it(
        self, engine: AsyncEngine, parts: Components
    ) -> None:
        async with unit_of_work(engine) as uow:
            made = await publish_test(uow)
            attempt = await answered(uow, parts, made)

        async def add(uow: UnitOfWork) -> int:
            return (await correct(uow, attempt.paper_id, made.question_ids[0], "b")).number

        async def submit(uow: UnitOfWork) -> str:
            return (await attempts.submit(uow, parts, ref_of(attempt), LATER)).status

        both = await overlap(engine, add, submit)
        assert (both.waited, both.second.result()) == (False, "submitted")
        async with unit_of_work(engine) as uow:
            await attempts.grade_batch(uow, parts, [attempt.id], LATER)
            assert await marked(uow, attempt) == (2, "cuu")

    async def test_a_version_waits_for_a_grading_that_has_begun(
        self, engine: AsyncEngine, parts: Components
    ) -> None:
        """So whoever regrades after it finds every result that names an older version."""
        async with unit_of_work(engine) as uow:
            made = await publish_test(uow)
            attempt = await answered(uow, parts, made)

        async def submit(uow: UnitOfWork) -> None:
            await attempts.submit(uow, parts, ref_of(attempt), LATER)

        async def add(uow: UnitOfWork) -> tuple[int, str]:
            await correct(uow, attempt.paper_id, made.question_ids[0], "b")
            return await marked(uow, attempt)

        both = await overlap(engine, submit, add)
        assert (both.waited, both.second.result()) == (True, (1, "iuu"))

    async def test_two_gradings_wait_for_each_other_only_if_they_count_in_one_shard(
        self, engine: AsyncEngine, parts: Components
    ) -> None:
        async with unit_of_work(engine) as uow:
            made = await publish_test(uow)
            attempt, other = await answered(uow, parts, made), await start_attempt(uow, parts, made, NOW)
        shards: list[int] = []

        async def submit(uow: UnitOfWork, attempt: Attempt) -> None:
            shards.append(await uow.session.scalar(SHARD) or 0)
            await attempts.submit(uow, parts, ref_of(attempt), LATER)

        both = await overlap(engine, lambda uow: submit(uow, attempt), lambda uow: submit(uow, other))
        assert (both.waited, both.second.code) == (shards[0] == shards[1], "ok")

    async def test_a_version_that_was_rolled_back_marks_nothing(
        self, engine: AsyncEngine, parts: Components
    ) -> None:
        """Two versions have had the number 2; the memory of the process tells them apart."""
        async with unit_of_work(engine) as uow:
            made = await publish_test(uow)
            attempt = await answered(uow, parts, made)
        with suppress(ConnectionError):
            async with unit_of_work(engine) as uow:
                version = await correct(uow, attempt.paper_id, made.question_ids[0], "b")
                await parts.papers.key(uow, version.id)
                raise ConnectionError
        async with unit_of_work(engine) as uow:
            await correct(uow, attempt.paper_id, made.question_ids[0], "c")
        async with unit_of_work(engine) as uow:
            await attempts.submit(uow, parts, ref_of(attempt), LATER)
        async with reading(engine) as reads:
            result = await reads.attempts.result(attempt.id)
            assert result is not None
            assert result.outcomes == "iuu"


class TestRelease:
    async def test_ranks_everybody_by_the_current_version(
        self,
        engine: AsyncEngine,
        parts: Components,
        people: People,
        author: httpx.AsyncClient,
        clock: TestClock,
    ) -> None:
        async with unit_of_work(engine) as uow:
            made = await publish_test(uow)
        held = await hold_exam(author, made, starts_at=clock.now() - MINUTE)
        sheets = [await take_paper(await people.candidate(), held, {0: ["b"]}) for _ in range(2)]
        early, late = [UUID(entrant.attempt["id"]) for entrant in sheets]
        async with unit_of_work(engine) as uow:
            assert await attempts.grade_batch(uow, parts, [early], clock.now()) == 1
        async with unit_of_work(engine) as uow:
            attempt = await uow.session.get_one(Attempt, early)
            await correct(uow, attempt.paper_id, made.question_ids[0], "b")
        body_of(await held.staff.post(f"{held.paper_path()}/close", json={}))
        await held.release()
        async with reading(engine) as reads:
            results = [await reads.attempts.result(each) for each in (early, late)]
            histogram = await reads.attempts.histogram(UUID(held.papers[0]["id"]))
        assert [result.outcomes for result in results if result is not None] == ["cuu", "cuu"]
        assert histogram == {Fraction(2): 2}
        merit = body_of(await held.staff.get(f"{held.path}/merit-list"))
        assert [(row["rank"], row["total"]) for row in merit["items"]] == [(1, "2.00"), (1, "2.00")]
