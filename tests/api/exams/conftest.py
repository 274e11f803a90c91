"""A published test, and an exam with it that has just opened. A module may have fixtures of its own."""

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.unit_of_work import unit_of_work
from tests.builders.content import PublishedTest, publish_test
from tests.builders.exams import HOUR, HeldExam, hold_exam
from tests.conftest import TestClock


@pytest.fixture
async def made(engine: AsyncEngine) -> PublishedTest:
    async with unit_of_work(engine) as uow:
        return await publish_test(uow)


@pytest.fixture
async def held(author: httpx.AsyncClient, made: PublishedTest, clock: TestClock) -> HeldExam:
    return await hold_exam(author, made, starts_at=clock.now(), window=2 * HOUR)
