"""The export of an exam: who takes part, and that a grader of its own finds the same scores and ranks."""

import json

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.components import Components
from app.services.unit_of_work import unit_of_work
from rehearsal.dispute.grader import differences
from tests.builders.content import publish_test
from tests.builders.exams import HeldExam, Json, body_of, hold_exam, register, take_paper
from tests.builders.key_revisions import revise
from tests.builders.people import People, user_id_of
from tests.builders.prelims import RIGHT
from tests.conftest import TestClock


@pytest.fixture
async def two_papers(author: httpx.AsyncClient, engine: AsyncEngine, clock: TestClock) -> HeldExam:
    created_by = await user_id_of(author)
    async with unit_of_work(engine) as uow:
        made = [await publish_test(uow, created_by=created_by) for _ in range(2)]
    return await hold_exam(author, *made, starts_at=clock.now())


async def exported(held: HeldExam) -> list[Json]:
    """The lines of the export: the exam, and its candidates."""
    answer = await held.staff.get(f"{held.path}/export")
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.content.splitlines()]


async def test_everybody_is_in_it_and_can_be_computed_again(
    people: People, two_papers: HeldExam, parts: Components
) -> None:
    outcomes = {}
    answers = {
        "ranked": ({0: ["b"]}, RIGHT),
        "best": (RIGHT, RIGHT),
        "incomplete": (RIGHT,),
        "void": (RIGHT,),
    }
    for name, sheets in answers.items():
        client = await people.candidate(name=f"Name {name}")
        for number, sheet in enumerate(sheets):
            entrant = await take_paper(client, two_papers, sheet, number)
        if name == "void":
            body_of(await two_papers.order("void", entrant.attempt, reason="phone"))
        outcomes[name] = body_of(await client.get(two_papers.path))["my_registration"]["roll_number"]
    await register(await people.candidate(), two_papers)
    early = await two_papers.staff.get(f"{two_papers.path}/export")
    assert (early.status_code, early.json()["code"]) == (409, "results_not_released")
    await two_papers.release()

    for key in (1, 2):
        exam, *rows = await exported(two_papers)
        assert list(differences(exam, rows)) == []
        by_number = {row["roll_number"]: row for row in rows}
        ranked, best = by_number[outcomes["ranked"]], by_number[outcomes["best"]]
        assert (ranked["rank"], best["rank"]) == ((2, 1) if key == 1 else (1, 2))
        assert ranked["papers"][0]["answers"] == [["b"], None, None]
        assert [sheet["key"] for sheet in ranked["papers"]] == [key, 1]
        assert sorted(row["outcome"] for row in rows) == ["absent", "incomplete", "ranked", "ranked", "void"]
        assert by_number[outcomes["void"]]["papers"] == []
        assert exam["results_version"] == key
        assert "Name" not in json.dumps(rows)
        if key == 1:
            changes = [(0, ["b"]), (1, {"dropped": True}), (2, {"dropped": True})]
            await revise(parts, two_papers.staff, two_papers.made[0], *changes)
    assert exam["papers"][0]["keys"][1]["answers"][0] == {"accepted": [["b"]]}
