"""The merit list over HTTP: as pages and as sheets, of the ranked candidates or of everybody."""

import csv
import io
from typing import Any

import httpx
import pytest
from openpyxl import load_workbook
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.builders.content import publish_for
from tests.builders.exams import HeldExam, Json, body_of, register, take_paper
from tests.builders.people import People
from tests.builders.prelims import RIGHT, hold_prelims, prelims, sit_both
from tests.conftest import TestClock

__all__ = ["prelims"]

NAMES = ["=HYPERLINK(1)", "राधा", "Meera", "Absent", "Missed", "Void", "Failed"]


async def roll_number(client: httpx.AsyncClient, held: HeldExam) -> str:
    return str(body_of(await client.get(held.path))["my_registration"]["roll_number"])


async def pages(held: HeldExam, limit: int, **params: Any) -> list[Json]:
    """The rows of all pages."""
    rows: list[Json] = []
    cursor = None
    while True:
        query = {"limit": limit, **params} | ({"cursor": cursor} if cursor else {})
        page = body_of(await held.staff.get(f"{held.path}/merit-list", params=query))
        assert len(page["items"]) <= limit
        rows += page["items"]
        if (cursor := page["next_cursor"]) is None:
            return rows


async def sheet(held: HeldExam, **params: str) -> httpx.Response:
    answer = await held.staff.get(f"{held.path}/merit-list", params=params)
    assert answer.status_code == 200, answer.text
    return answer


@pytest.fixture(scope="module")
async def released(
    people: People, author: httpx.AsyncClient, engine: AsyncEngine, shared_clock: TestClock
) -> HeldExam:
    """Three ranked candidates, two of whom share the first rank, and one of each other outcome.

    No test changes it.
    """
    held = await hold_prelims(author, await publish_for(engine), engine, shared_clock.now())
    first, second, third, absent, missed, void, failed = [await people.candidate(name=name) for name in NAMES]
    for client, gs in ((first, RIGHT), (second, RIGHT), (third, {0: ["a"], 1: ["a"]})):
        await take_paper(client, held, gs)
        await take_paper(client, held, RIGHT, 1)
    await register(absent, held)
    await take_paper(missed, held, RIGHT, 1)
    entrant = await take_paper(void, held, RIGHT)
    body_of(await held.order("void", entrant.attempt, reason="phone"))
    await take_paper(failed, held, RIGHT)
    await take_paper(failed, held, {0: ["b"]}, 1)
    await held.release()
    return held


class TestPages:
    async def test_best_first_and_page_by_page(self, people: People, prelims: HeldExam) -> None:
        for gs in ({0: ["a"]}, RIGHT, {1: ["a"]}):
            await sit_both(people, prelims, gs, RIGHT)
        held = await prelims.staff.get(f"{prelims.path}/merit-list")
        assert (held.status_code, held.json()["code"]) == (409, "results_not_released")
        await prelims.release()
        rows = await pages(prelims, 1)
        assert [(row["rank"], row["total"]) for row in rows] == [(1, "6.00"), (2, "2.00"), (3, "-0.66")]

    async def test_of_everybody_with_marks_by_paper(self, released: HeldExam) -> None:
        whole = await pages(released, 100, include="all")
        for limit in (1, 2, 3):
            assert await pages(released, limit, include="all") == whole
        assert await pages(released, 2) == whole[:3]
        assert whole == sorted(whole, key=lambda row: (row["rank"] or 99, row["roll_number"]))
        by_name = {row["name"]: row for row in whole}
        assert {name: (row["rank"], row["outcome"], row["total"]) for name, row in by_name.items()} == {
            "=HYPERLINK(1)": (1, "ranked", "6.00"),
            "राधा": (1, "ranked", "6.00"),
            "Meera": (3, "ranked", "1.34"),
            "Absent": (None, "absent", None),
            "Missed": (None, "incomplete", None),
            "Void": (None, "void", None),
            "Failed": (None, "not_qualified", "6.00"),
        }
        marks = {name: [paper["score"] for paper in row["papers"]] for name, row in by_name.items()}
        assert (marks["Meera"], marks["Missed"]) == (["6.00", "1.34"], ["6.00", None])
        assert [paper["code"] for paper in by_name["Void"]["papers"]] == ["CSAT", "GS"]

    async def test_a_strange_cursor_is_refused(self, released: HeldExam) -> None:
        path = f"{released.path}/merit-list"
        assert (await released.staff.get(path, params={"cursor": "W10"})).status_code == 422


class TestSheets:
    async def test_csv_is_read_by_excel_and_runs_nothing(self, released: HeldExam) -> None:
        answer = await sheet(released, format="csv", include="all")
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert answer.headers["Content-Disposition"] == 'attachment; filename="merit-list.csv"'
        assert answer.content.startswith(b"\xef\xbb\xbf")
        rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
        whole = await pages(released, 100, include="all")
        assert [row["roll_number"] for row in rows] == [row["roll_number"] for row in whole]
        by_name = {row["name"]: row for row in rows}
        assert by_name.keys() == {"'=HYPERLINK(1)", *NAMES[1:]}
        meera, void = by_name["Meera"], by_name["Void"]
        assert (meera["rank"], meera["total"], meera["cleared"]) == ("3", "1.34", "False")
        assert (meera["CSAT marks"], meera["GS marks"], meera["GS rank"]) == ("6.00", "1.34", "4")
        assert (void["rank"], void["outcome"], void["total"], void["GS marks"]) == ("", "void", "", "")

    async def test_xlsx_has_numbers_as_numbers(self, released: HeldExam) -> None:
        answer = await sheet(released, format="xlsx")
        table = load_workbook(io.BytesIO(answer.content), read_only=True).worksheets[0]
        header, *rows = table.iter_rows(values_only=True)
        found = [dict(zip(header, row, strict=True)) for row in rows]
        assert [(row["rank"], row["total"], row["GS marks"]) for row in found] == [
            (1, 6, 6),
            (1, 6, 6),
            (3, 1.34, 1.34),
        ]
        assert {row["name"] for row in found} == {"'=HYPERLINK(1)", "राधा", "Meera"}
        assert all(isinstance(row["roll_number"], str) for row in found)

    async def test_an_export_is_in_the_audit_log(self, released: HeldExam) -> None:
        await sheet(released, format="xlsx", include="all")
        entries = body_of(await released.staff.get(f"{released.path}/audit"))["items"]
        entry = next(entry for entry in entries if entry["action"] == "export_merit_list")
        assert entry["details"] == {"format": "xlsx", "include": "all", "version": 1, "rows": 7}
