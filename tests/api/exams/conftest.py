"""A published test, and an exam with it that has just opened. A module may have fixtures of its own."""

from dataclasses import replace

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services import exams
from app.services.exams import ExamDraft, ExamPaperDraft
from app.services.unit_of_work import unit_of_work
from app.services.users import operator
from tests.builders.content import PublishedTest, publish_test
from tests.builders.exams import HOUR, HeldExam
from tests.builders.people import user_id_of
from tests.conftest import TestClock


@pytest.fixture
async def made(engine: AsyncEngine) -> PublishedTest:
    async with unit_of_work(engine) as uow:
        return await publish_test(uow)


@pytest.fixture
async def held(
    engine: AsyncEngine, author: httpx.AsyncClient, made: PublishedTest, clock: TestClock
) -> HeldExam:
    """Made by the services, in one transaction: how it is made over HTTP is tested in `test_composing.py`."""
    staff, now = replace(operator(), id=await user_id_of(author)), clock.now()
    closes = now + 2 * HOUR
    async with unit_of_work(engine) as uow:
        exam = await exams.create(uow, staff, ExamDraft({"en": "All-India mock"}, now, closes))
        draft = ExamPaperDraft("GS1", {"en": "Paper 1"}, made.id, now, closes, closes)
        paper = await exams.add_paper(uow, staff, exam.id, draft)
        await exams.publish(uow, staff, exam.id, now)
    return HeldExam(author, {"id": str(exam.id)}, [{"id": str(paper.id)}], [made])
