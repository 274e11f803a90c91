"""Answer sheets of the tests: files as a scanner writes them, and their import over HTTP."""

import csv
import io
from collections.abc import Sequence
from typing import Any

import httpx

from tests.builders.exams import HeldExam, Json, body_of


def sheet_file(*rows: Sequence[Any], header: Sequence[str] = ()) -> bytes:
    """A CSV; by default with a roll number and a column for each question, `Q1`, `Q2` …"""
    names = header or ["roll_number", *(f"Q{number}" for number in range(1, len(rows[0])))]
    text = io.StringIO()
    csv.writer(text).writerows([names, *rows])
    return text.getvalue().encode()


async def send_sheets(
    client: httpx.AsyncClient, held: HeldExam, file: bytes, **fields: str
) -> httpx.Response:
    """The answer to an import into the first paper."""
    path = f"{held.paper_path()}/responses/import"
    return await client.post(path, files={"file": ("sheets.csv", file)}, data=fields)


async def bring_sheets(
    held: HeldExam, *rows: Sequence[Any], header: Sequence[str] = (), **fields: str
) -> Json:
    """The report of an import by the exam's staff."""
    return body_of(await send_sheets(held.staff, held, sheet_file(*rows, header=header), **fields), 200)


def counts(report: Json) -> tuple[int, int, int]:
    """Created, updated, unchanged, of an import without errors."""
    assert report["errors"] == []
    return report["created"], report["updated"], report["unchanged"]
