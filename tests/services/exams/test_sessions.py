"""Two sessions of one exam, started by one candidate at the same moment."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services import exams
from app.services.components import Components
from app.services.exams import ExamDraft, ExamPaperDraft, StartPaper
from app.services.unit_of_work import UnitOfWork, unit_of_work
from app.services.users import operator
from tests.builders.attempts import add_candidate
from tests.builders.content import publish_test
from tests.two_connections import Work, alone, overlap

HOUR = timedelta(hours=1)


@pytest.fixture
async def starts(engine: AsyncEngine, parts: Components) -> list[Work]:
    """A start of each of two sessions, by one candidate."""
    now, staff = parts.clock.now(), operator()
    async with unit_of_work(engine) as uow:
        exam = await exams.create(uow, staff, ExamDraft({"en": "Mock"}, now, now + HOUR))
        papers: list[UUID] = []
        for code in ("S1", "S2"):
            made = await publish_test(uow)
            window = (now, now + HOUR, now + HOUR)
            draft = ExamPaperDraft(code, {"en": code}, made.id, *window, session_group="GS")
            papers.append((await exams.add_paper(uow, staff, exam.id, draft)).id)
        await exams.publish(uow, staff, exam.id, now)
        candidate = await add_candidate(uow)
        await exams.register(uow, candidate, exam.id, now)

    def start_of(paper: UUID) -> Work:
        request = StartPaper(exam.id, paper, None, now, now)
        return lambda uow: exams.start(uow, parts, candidate, request)

    return [start_of(paper) for paper in papers]


async def test_the_second_start_waits_and_is_refused(engine: AsyncEngine, starts: list[Work]) -> None:
    both = await overlap(engine, *starts)
    assert (both.first.code, both.waited, both.second.code) == ("ok", True, "session_taken")


async def test_a_start_that_failed_holds_no_session(engine: AsyncEngine, starts: list[Work]) -> None:
    async def failing(uow: UnitOfWork) -> None:
        await starts[0](uow)
        raise RuntimeError

    outcomes = [await alone(engine, work) for work in (failing, starts[1], starts[0])]
    assert [outcome.code for outcome in outcomes] == ["RuntimeError", "ok", "session_taken"]
