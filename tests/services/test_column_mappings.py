"""Saved mappings of columns: which sheets they are for, and two imports at once."""

import re
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.models import DEFAULT_INSTITUTE_NAME, MappedSheet
from app.services import column_mappings, institutes, questions
from app.services.column_mappings import fingerprint
from app.services.unit_of_work import UnitOfWork, reading, unit_of_work
from app.services.users import operator
from app.sheets.header_row import REMARKS
from app.sheets.reports import ImportReport
from tests.two_connections import overlap

STAFF = operator()
DAY = re.compile(r"\d{4}-\d\d-\d\d")


def sheet(header: str, key: str = "b") -> bytes:
    return f"{header}\nWhich is {uuid4()}?,this,that,{key}\n".encode()


async def imported(
    uow: UnitOfWork, file: bytes, mapping: dict[str, str] | None = None, *, dry_run: bool = False
) -> ImportReport:
    return await questions.import_questions(
        uow, STAFF, file, subject="Mapped", mapping=mapping, dry_run=dry_run
    )


def said(report: ImportReport) -> list[str]:
    """What the report says of mappings, whatever the day."""
    return [DAY.sub("DATE", each.message) for each in report.warnings if each.field == "mapping"]


@pytest.mark.parametrize(
    ("cells", "is_same"),
    [
        (["KEY ", "question", "  Option   A"], True),
        (["question", "", "option a", "key", f"{REMARKS}\nF7: wrong"], True),
        (["question", "option a"], False),
        (["question", "option a", "key", "marks"], False),
    ],
)
def test_headers_in_any_order_and_form_are_the_same(cells: list[str], is_same: bool) -> None:
    assert (fingerprint(cells) == fingerprint(["Question", "Option A", "Key"])) is is_same


class TestAnImport:
    async def test_the_next_sheet_needs_no_mapping(self, uow: UnitOfWork) -> None:
        right = f"Right {uuid4().hex[:6]}"
        header, mapping = f"question,option_a,option_b,{right}", {right: "key"}
        refused = await imported(uow, sheet(header))
        assert [error.field for error in refused.errors] == [right]
        assert said(await imported(uow, sheet(header), mapping, dry_run=True)) == []
        assert (await imported(uow, sheet(header))).errors  # A dry run has saved nothing.
        first = await imported(uow, sheet(header), mapping)
        shown = f'"{right}" → key'
        assert said(first) == [f"this mapping is saved for sheets with the same headers: {shown}"]
        assert said(await imported(uow, sheet(header), mapping)) == []
        below_a_title = b"Mock test 4,,,\n" + sheet(f"question,option_a,option_b,{right.upper()}")
        second = await imported(uow, below_a_title)
        used = f"this header was read by the mapping of DATE: {shown}"
        assert (second.created, said(second)) == (1, [used])
        assert [each.cell for each in second.warnings if each.field == "mapping"] == ["2"]

    async def test_errors_of_rows_say_which_mapping_was_used(self, uow: UnitOfWork) -> None:
        right = f"Right {uuid4().hex[:6]}"
        header = f"question,option_a,option_b,{right}"
        await imported(uow, sheet(header), {right: "key"})
        wrong = await imported(uow, sheet(header, key="f"))
        assert ([error.field for error in wrong.errors], len(said(wrong))) == (["key"], 1)

    async def test_a_mapping_that_is_sent_replaces_the_saved_one(self, uow: UnitOfWork) -> None:
        right, note = f"Right {uuid4().hex[:6]}", f"Note {uuid4().hex[:6]}"
        header = f"question,option_a,option_b,{right},{note}"
        file = sheet(header, "b,nothing")
        await imported(uow, file, {right: "key", note: "ignore", "Not there": "tags"})
        report = await imported(uow, sheet(header, "b,n"), {right: "key", note: "tags"})
        new = f'"{right}" → key, "{note}" → tags; it replaces the mapping of DATE'
        assert said(report) == [f"this mapping is saved for sheets with the same headers: {new}"]
        assert (await imported(uow, sheet(header, "b,n"), {})).errors

    async def test_another_header_is_not_read_by_it(self, uow: UnitOfWork) -> None:
        right = f"Right {uuid4().hex[:6]}"
        await imported(uow, sheet(f"question,option_a,option_b,{right}"), {right: "key"})
        more = sheet(f"question,option_a,option_b,{right},tags", "b,t")
        assert [error.field for error in (await imported(uow, more)).errors] == [right]


class TestTwoAtOnce:
    async def test_the_last_mapping_stands(self, engine: AsyncEngine) -> None:
        name, kind = uuid4().hex, MappedSheet.ANSWER_SHEETS

        async def put(uow: UnitOfWork, what: str) -> None:
            institute = STAFF.institute_id
            await uow.column_mappings.put(institute, kind, name, ["candidate"], {"Candidate": what}, None)

        both = await overlap(engine, lambda uow: put(uow, "name"), lambda uow: put(uow, "roll_number"))
        assert (both.first.code, both.second.code, both.waited) == ("ok", "ok", True)
        async with reading(engine) as reads:
            newest = await reads.column_mappings.newest(STAFF.institute_id, kind)
        [saved] = [each.mapping for each in newest if each.mapping.fingerprint == name]
        assert saved.columns == {"Candidate": "roll_number"}

        both = await overlap(
            engine,
            lambda uow: column_mappings.delete(uow, STAFF, saved.id),
            lambda uow: put(uow, "name"),
        )
        assert (both.first.code, both.second.code) == ("ok", "ok")

    async def test_the_last_name_stands(self, engine: AsyncEngine) -> None:
        both = await overlap(
            engine,
            lambda uow: institutes.rename(uow, STAFF, "First"),
            lambda uow: institutes.rename(uow, STAFF, DEFAULT_INSTITUTE_NAME),
        )
        assert (both.first.code, both.second.code, both.waited) == ("ok", "ok", True)
        async with unit_of_work(engine) as uow:
            assert (await institutes.find(uow, STAFF)).name == DEFAULT_INSTITUTE_NAME
