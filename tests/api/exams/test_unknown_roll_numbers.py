"""Roll numbers that nobody has on imported answer sheets: told by the dry run, and refused if so asked."""

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.unit_of_work import unit_of_work
from tests.builders.answer_sheets import bring_sheets, counts, send_sheets, sheet_file
from tests.builders.content import publish_test
from tests.builders.exams import MINUTE, HeldExam, Json, body_of, hold_exam, register
from tests.builders.people import People
from tests.conftest import TestClock


@pytest.fixture
async def held(author: httpx.AsyncClient, engine: AsyncEngine, people: People, clock: TestClock) -> HeldExam:
    """An exam with three registered candidates."""
    async with unit_of_work(engine) as uow:
        made = await publish_test(uow)
    held = await hold_exam(author, made, starts_at=clock.now() - MINUTE)
    for _ in range(3):
        await register(await people.candidate(), held)
    return held


async def roll_numbers(held: HeldExam) -> list[str]:
    listed = body_of(await held.staff.get(f"{held.path}/registrations", params={"limit": 100}))
    return sorted(row["roll_number"] for row in listed["items"])


def told(messages: list[Json]) -> list[tuple[int, str, str]]:
    return [(each["row"], each["field"], each["message"]) for each in messages]


class TestUnknown:
    async def test_the_dry_run_warns_by_row_and_names_the_nearest(self, held: HeldExam) -> None:
        first, second, third = await roll_numbers(held)
        rows = [[first, "a", "b", "c"], [third + "7", "a", "b", "c"], ["ZZZ-UNLIKE", "a", "", ""]]
        report = await bring_sheets(held, *rows, dry_run="true", unknown_roll_numbers="accept")
        assert counts(report) == (3, 0, 0)
        warnings = told(report["warnings"])
        assert [(row, field) for row, field, _ in warnings] == [(3, "roll_number"), (4, "roll_number")]
        assert f"nobody is registered as {third}7" in warnings[0][2]
        assert third in warnings[0][2].partition(";")[2]
        assert "no registered number is similar; the sheet gets a new registration" in warnings[1][2]
        assert await roll_numbers(held) == [first, second, third]

    async def test_they_are_refused_if_so_asked_and_nothing_is_imported(self, held: HeldExam) -> None:
        known = await roll_numbers(held)
        rows = [[known[0], "a", "b", "c"], [known[0].lstrip("0") + "9", "a", "b", "c"]]
        report = await bring_sheets(held, *rows, unknown_roll_numbers="error")
        assert (report["created"], report["warnings"]) == (0, [])
        assert [(row, field) for row, field, _ in told(report["errors"])] == [(3, "roll_number")]
        assert "correct the roll number, or register the candidate first" in report["errors"][0]["message"]
        assert await roll_numbers(held) == known
        assert counts(await bring_sheets(held, rows[0], unknown_roll_numbers="error")) == (1, 0, 0)

    async def test_lost_zeros_are_said_to_read_alike(self, held: HeldExam) -> None:
        accepted = {"unknown_roll_numbers": "accept"}
        assert counts(await bring_sheets(held, ["000451", "a", "b", "c"], **accepted)) == (1, 0, 0)
        report = await bring_sheets(held, ["451", "a", "b", "c"], dry_run="true", **accepted)
        assert "but 000451 reads alike" in report["warnings"][0]["message"]

    async def test_they_are_errors_unless_the_exam_takes_its_candidates_from_sheets(
        self, held: HeldExam
    ) -> None:
        (error,) = (await bring_sheets(held, ["000451", "a", "b", "c"]))["errors"]
        assert "nobody is registered as 000451" in error["message"]
        assert "or accept unknown roll numbers" in error["message"]

    async def test_two_rows_that_read_alike_are_told(self, held: HeldExam) -> None:
        rows = [["AO1", "a", "", ""], ["A01", "b", "", ""]]
        report = await bring_sheets(held, *rows, dry_run="true", unknown_roll_numbers="accept")
        last = told(report["warnings"])[-1]
        assert last == (3, "roll_number", "row 2 has AO1, which reads alike; is it the same candidate?")

    async def test_an_exam_without_registrations_takes_its_candidates_from_the_sheets(
        self, author: httpx.AsyncClient, engine: AsyncEngine, clock: TestClock
    ) -> None:
        async with unit_of_work(engine) as uow:
            made = await publish_test(uow)
        empty = await hold_exam(author, made, starts_at=clock.now() - MINUTE)
        rows = [["A1", "a", "b", "c"], ["B7", "a", "b", ""]]
        refused = await bring_sheets(empty, *rows, unknown_roll_numbers="error")
        assert [each["row"] for each in refused["errors"]] == [2, 3]
        report = await bring_sheets(empty, *rows)
        assert (counts(report), report["warnings"]) == ((2, 0, 0), [])

    async def test_another_word_is_refused(self, held: HeldExam) -> None:
        file = sheet_file(["A1", "a", "b", "c"])
        answer = await send_sheets(held.staff, held, file, unknown_roll_numbers="maybe")
        assert answer.status_code == 422
