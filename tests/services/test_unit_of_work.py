"""A unit of work commits when its block ends, and rolls back whatever is raised."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.errors import Invalid, NotFound, SessionRevoked, TooManyRequests, Unavailable
from app.core.saving_errors import DeadlinePassed, SectionClosed
from app.services.unit_of_work import UnitOfWork, reading, unit_of_work

NOON = datetime(2026, 5, 24, 12, tzinfo=UTC)


async def add_person(uow: UnitOfWork, user_id: UUID) -> None:
    await uow.users.add(user_id, f"{user_id.hex}@example.org", "Asha Rao")


async def add_and_raise(engine: AsyncEngine, user_id: UUID, error: Exception) -> None:
    async with unit_of_work(engine) as uow:
        await add_person(uow, user_id)
        raise error


async def is_stored(engine: AsyncEngine, user_id: UUID) -> bool:
    async with reading(engine) as reads:
        return await reads.users.member(user_id) is not None


class TestCommit:
    async def test_what_was_written_is_there_after_the_block(self, engine: AsyncEngine) -> None:
        user_id = uuid4()
        async with unit_of_work(engine) as uow:
            await add_person(uow, user_id)
        assert await is_stored(engine, user_id)


class TestRaising:
    @pytest.mark.parametrize(
        "error",
        [
            DeadlinePassed(NOON, recorded=True, known=1),
            DeadlinePassed(NOON, recorded=False),
            Invalid("No."),
            NotFound("attempt"),
            SectionClosed(uuid4(), NOON),
            SessionRevoked(),
            TooManyRequests(1),
            Unavailable(),
            RuntimeError("a bug"),
        ],
        ids=lambda error: type(error).__name__,
    )
    async def test_an_error_rolls_everything_back(self, engine: AsyncEngine, error: Exception) -> None:
        user_id = uuid4()
        with pytest.raises(type(error)):
            await add_and_raise(engine, user_id, error)
        assert not await is_stored(engine, user_id)
