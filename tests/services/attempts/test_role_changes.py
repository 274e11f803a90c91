"""A role that changes while an attempt is submitted: the result is that of one order or the other."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.models import Attempt, Result, Role
from app.services import accounts, attempts
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork, reading, unit_of_work
from app.services.users import operator
from tests.builders.attempts import ref_of, response, start_attempt, target_of
from tests.builders.content import PublishedTest, publish_test
from tests.builders.saves import save_uncommitted
from tests.two_connections import Work, alone, overlap

NOW = datetime(2026, 6, 7, 4, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)


@pytest.fixture
async def made(engine: AsyncEngine) -> PublishedTest:
    async with unit_of_work(engine) as uow:
        return await publish_test(uow)


@pytest.fixture
async def attempt(engine: AsyncEngine, parts: Components, made: PublishedTest) -> Attempt:
    """A candidate's attempt in progress."""
    async with unit_of_work(engine) as uow:
        return await start_attempt(uow, parts, made, NOW)


def become(attempt: Attempt, role: Role) -> Work:
    user_id = ref_of(attempt).user_id
    return lambda uow: accounts.set_role(uow, operator(), user_id, role, LATER)


def submit(parts: Components, attempt: Attempt) -> Work:
    return lambda uow: attempts.submit(uow, parts, ref_of(attempt), LATER)


async def stored(engine: AsyncEngine, attempt: Attempt) -> tuple[bool, bool]:
    """Whether the attempt is practice, and whether its result is counted."""
    async with reading(engine) as reads:
        result = await reads.session.get_one(Result, attempt.id)
        return (await reads.session.get_one(Attempt, attempt.id)).practice, result.counted


class TestTwoConnections:
    async def test_a_role_that_is_not_committed_yet_comes_after_the_submit(
        self, engine: AsyncEngine, parts: Components, attempt: Attempt
    ) -> None:
        both = await overlap(engine, become(attempt, Role.AUTHOR), submit(parts, attempt))
        assert (both.first.code, both.second.code, both.waited) == ("ok", "ok", False)
        assert await stored(engine, attempt) == (False, True)

    async def test_a_role_that_is_given_during_the_submit_comes_after_it(
        self, engine: AsyncEngine, parts: Components, attempt: Attempt
    ) -> None:
        both = await overlap(engine, submit(parts, attempt), become(attempt, Role.AUTHOR))
        assert (both.first.code, both.second.code, both.waited) == ("ok", "ok", False)
        assert await stored(engine, attempt) == (False, True)

    async def test_a_role_that_is_being_taken_back_is_seen_before_and_after(
        self, engine: AsyncEngine, parts: Components, attempt: Attempt
    ) -> None:
        await alone(engine, become(attempt, Role.PROCTOR))
        both = await overlap(engine, become(attempt, Role.STUDENT), submit(parts, attempt))
        assert (both.first.code, both.second.code) == ("ok", "ok")
        assert await stored(engine, attempt) == (True, False)

    async def test_a_role_that_is_committed_while_the_submit_waits_for_a_save_is_seen(
        self, engine: AsyncEngine, parts: Components, attempt: Attempt, made: PublishedTest
    ) -> None:
        async def save(uow: UnitOfWork) -> None:
            await save_uncommitted(uow, parts, target_of(attempt), [response(made, 0, ["a"])], NOW)

        async def save_and_promote(uow: UnitOfWork) -> None:
            await save(uow)
            await alone(engine, become(attempt, Role.AUTHOR))

        both = await overlap(engine, save_and_promote, submit(parts, attempt))
        assert (both.first.code, both.second.code, both.waited) == ("ok", "ok", True)
        assert await stored(engine, attempt) == (True, False)
