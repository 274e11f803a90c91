"""Mutated sheets are read or refused: by the readers alone, and over HTTP (tests/fuzz_sheets.py)."""

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.unit_of_work import unit_of_work
from tests.builders.content import publish_test
from tests.builders.exams import MINUTE, HeldExam, hold_exam
from tests.conftest import TestClock
from tests.fuzz_sheets import bases, case, outcomes
from tests.thorough import count


@pytest.fixture
async def held(author: httpx.AsyncClient, engine: AsyncEngine, clock: TestClock) -> HeldExam:
    """An exam of six questions, which opened a minute ago."""
    async with unit_of_work(engine) as uow:
        made = await publish_test(uow, [[letter] for letter in "abcdab"])
    return await hold_exam(author, made, starts_at=clock.now() - MINUTE)


def test_readers_read_or_refuse() -> None:
    found = [each for number in range(count(40, 400)) for each in outcomes(2, number)]
    assert [each for each in found if each.is_failure] == []
    assert {each.word for each in found} == {"read", "refused"}
    assert {each.kind for each in found} == {*bases()}


async def test_no_import_is_a_server_error(held: HeldExam) -> None:
    paths = ["/questions/import", f"{held.paper_path()}/responses/import"]
    answers = []
    for number in range(count(8, 60)):
        _, file, _ = case(3, number)
        for path in paths:
            data = {"dry_run": "true"}
            sent = await held.staff.post(path, files={"file": ("sheet", file)}, data=data)
            answers.append((number, path, sent.status_code))
    assert [each for each in answers if each[2] not in (200, 413, 422)] == []
