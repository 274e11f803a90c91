"""The bank as a sheet, and the sheet in the bank again: unchanged."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from openpyxl import load_workbook

from app.core.ids import uuid7
from app.models import Chapter, Institute, Passage, Subject
from app.repositories.questions import QuestionFilter
from app.services import questions
from app.services.questions import Content, Place
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal, operator
from app.sheets.writers import SheetFormat
from tests.thorough import THOROUGH

EVERYTHING = QuestionFilter()


@pytest.fixture
async def author(uow: UnitOfWork) -> Principal:
    """An author of an institute whose bank is empty."""
    institute = Institute(slug=uuid4().hex, name="Empty")
    uow.session.add(institute)
    await uow.session.flush()
    return replace(operator(), institute_id=institute.id)


async def subject(uow: UnitOfWork, author: Principal, slug: str = "polity", name: str = "Polity") -> UUID:
    row = Subject(id=uuid7(), institute_id=author.institute_id, slug=slug, name={"en": name})
    uow.subjects.add(row)
    await uow.subjects.flush()
    return row.id


def content(**changes: Any) -> Content:
    """A choice of four that no other is like."""
    name = uuid4().hex
    options = [{"id": letter, "text": {"en": f"{letter} of {name}"}} for letter in "abcd"]
    given = {"type": "single_choice", "text": {"en": f"Which is {name}?"}, "options": options}
    return Content(**(given | {"key": {"accepted": [["b"]]}} | changes))


async def exported(
    uow: UnitOfWork, author: Principal, sheet_format: SheetFormat, wanted: QuestionFilter = EVERYTHING
) -> bytes:
    export = await questions.export(uow, author, wanted, sheet_format)
    with export.file:
        return export.file.read()


def rows_of_csv(file: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.decode("utf-8-sig"), newline="")))


def rows_of_xlsx(file: bytes) -> list[dict[str, str]]:
    header, *rows = load_workbook(io.BytesIO(file)).worksheets[0].iter_rows(values_only=True)
    return [{name: cell or "" for name, cell in zip(header, row, strict=True)} for row in rows]


ROWS: dict[SheetFormat, Callable[[bytes], list[dict[str, str]]]] = {
    SheetFormat.CSV: rows_of_csv,
    SheetFormat.XLSX: rows_of_xlsx,
}

# Whatever an author may write through the API.
CONTENTS: dict[str, Content] = {
    "two languages": content(
        text={"en": "Which house?", "hi": "कौन सा सदन?"},
        options=[{"id": "a", "text": {"en": "x", "hi": "क"}}, {"id": "b", "text": {"en": "y", "hi": "ख"}}],
        explanation={"en": "Because.", "hi": "क्योंकि।"},
    ),
    "Hindi alone": content(text={"hi": "कौन सी नदी?"}, explanation={"hi": "यह।"}),
    "both options": content(type="multiple_choice", key={"accepted": [["b", "d"]]}),
    "one option of a multiple choice": content(type="multiple_choice", key={"accepted": [["b"]]}),
    "either option": content(key={"accepted": [["b"], ["d"]]}),
    "numeric": content(type="numeric", options=[], key={"value": "3.14", "tolerance": "0.01"}),
    "a negative number": content(type="numeric", options=[], key={"value": "-22/7", "tolerance": "0"}),
    "true or false": content(type="true_false", options=[], key={"accepted": [["true"]]}),
    "descriptive": content(type="descriptive", options=[], key={"accepted": []}),
    "dropped": content(key={"dropped": True}),
    "dropped by a rule": content(key={"dropped": True, "rule": "full_marks_to_all"}),
    "dropped and numeric": content(type="numeric", options=[], key={"dropped": True}),
    "line breaks": content(text={"en": "One\ntwo\r\nthree\rfour\n\n| a | b |\n| --- | --- |"}),
    "formulas": content(
        text={"en": "=1+1"},
        options=[
            {"id": letter, "text": {"en": text}}
            for letter, text in zip("abcd", ("+1", "-1", "@x", "'=1"), strict=True)
        ],
        explanation={"en": '=HYPERLINK("x")'},
    ),
    "apostrophes and zeros": content(
        text={"en": "'tis so"},
        options=[
            {"id": letter, "text": {"en": text}}
            for letter, text in zip("abcd", ("007", "'007", "1.0", "TRUE"), strict=True)
        ],
    ),
    "what spreadsheets change": content(
        options=[
            {"id": letter, "text": {"en": text}}
            for letter, text in zip("abcd", ("#N/A", "1/2", "2026-06-07", "1e3"), strict=True)
        ],
    ),
    "quotation marks and separators": content(text={"en": 'He said: "a, b"; <&> \u2028 👍'}),
    "tags": content(tags=["a, b", "c|d", "e\\", "=f", "ग"], difficulty="hard"),
}


ALONE = CONTENTS if THOROUGH else ("Hindi alone", "numeric", "descriptive")
BANKS: dict[str, Sequence[str]] = {"all": tuple(CONTENTS), **{name: (name,) for name in ALONE}}
"""What is in a bank. One question alone has a sheet with fewer columns."""


@pytest.mark.parametrize("sheet_format", SheetFormat)
class TestRoundTrip:
    @pytest.mark.parametrize("names", BANKS.values(), ids=BANKS)
    async def test_importing_it_again_changes_nothing(
        self, uow: UnitOfWork, author: Principal, sheet_format: SheetFormat, names: Sequence[str]
    ) -> None:
        place = Place(await subject(uow, author))
        made = {name: await questions.create(uow, author, place, CONTENTS[name]) for name in names}
        file = await exported(uow, author, sheet_format)
        report = await questions.import_questions(uow, author, file)
        assert list(report.errors) == []
        assert (report.created, report.updated, report.unchanged) == (0, 0, len(names))
        for name, shown in made.items():
            again = await questions.find(uow, author, shown.question.id)
            assert again.question.version.text == CONTENTS[name].text, name

    @pytest.mark.parametrize("names", BANKS.values(), ids=BANKS)
    async def test_another_bank_gets_the_same(
        self, uow: UnitOfWork, author: Principal, sheet_format: SheetFormat, names: Sequence[str]
    ) -> None:
        subject_id = await subject(uow, author)
        for number, name in enumerate(names, start=7):
            place = Place(subject_id, external_id=f"{number:03}")
            await questions.create(uow, author, place, CONTENTS[name])
        first = await exported(uow, author, sheet_format)
        elsewhere = Institute(slug=uuid4().hex, name="Elsewhere")
        uow.session.add(elsewhere)
        await uow.session.flush()
        other = replace(author, institute_id=elsewhere.id)
        report = await questions.import_questions(uow, other, first)
        assert (report.created, list(report.errors)) == (len(names), [])
        rows = ROWS[sheet_format]
        assert rows(await exported(uow, other, sheet_format)) == rows(first)

    async def test_places_and_states(
        self, uow: UnitOfWork, author: Principal, sheet_format: SheetFormat
    ) -> None:
        polity = await subject(uow, author)
        twin = await subject(uow, author, slug="polity-2")
        chapters = [
            Chapter(id=uuid7(), subject_id=polity, slug=slug, name={"en": "Basics"})
            for slug in ("one", "two")
        ]
        uow.subjects.add(*chapters)
        passage = Passage(id=uuid7(), institute_id=author.institute_id)
        named = Passage(id=uuid7(), institute_id=author.institute_id, external_id="-P")
        uow.session.add_all([passage, named])
        await uow.session.flush()
        drafts = content(key={"accepted": []})
        for place, said in (
            (Place(polity, chapters[0].id, "Mock", "=1"), content()),
            (Place(polity, chapters[1].id, "Mock"), content(passage_id=passage.id)),
            (Place(twin), content(passage_id=named.id)),
            (Place(twin, status="draft"), drafts),
            (Place(twin, status="draft"), content()),
        ):
            made = await questions.create(uow, author, place, said)
        await questions.retire(uow, author, made.question.id)
        keyless = await questions.create(
            uow, author, Place(twin, status="draft"), content(key={"accepted": []})
        )
        await questions.retire(uow, author, keyless.question.id)
        file = await exported(uow, author, sheet_format)
        report = await questions.import_questions(uow, author, file)
        assert list(report.errors) == []
        assert (report.created, report.updated, report.unchanged) == (0, 0, 6)

    async def test_numbers_of_an_import(
        self, uow: UnitOfWork, author: Principal, sheet_format: SheetFormat
    ) -> None:
        sheet = b"number,source,subject,question,option_a,option_b,key\n3,Mock,Polity,Which?,007,'x,b\n"
        await questions.import_questions(uow, author, sheet)
        file = await exported(uow, author, sheet_format)
        (row,) = ROWS[sheet_format](file)
        assert (row["number"], row["source"], row["option_a"], row["option_b"]) == ("3", "Mock", "007", "'x")
        report = await questions.import_questions(uow, author, file)
        assert (report.created, report.updated, report.unchanged) == (0, 0, 1)

    async def test_nothing_is_an_empty_sheet(
        self, uow: UnitOfWork, author: Principal, sheet_format: SheetFormat
    ) -> None:
        file = await exported(uow, author, sheet_format)
        report = await questions.import_questions(uow, author, file)
        assert (report.created, list(report.errors)) == (0, [])
        assert [warning.message for warning in report.warnings] == ["the sheet has a header and no questions"]


class TestExport:
    @pytest.mark.parametrize("sheet_format", SheetFormat)
    async def test_no_cell_is_run(
        self, uow: UnitOfWork, author: Principal, sheet_format: SheetFormat
    ) -> None:
        place = Place(await subject(uow, author, name="=Polity"), source="@x", external_id="+1")
        await questions.create(uow, author, place, CONTENTS["formulas"])
        (row,) = ROWS[sheet_format](await exported(uow, author, sheet_format))
        assert (row["question"], row["option_b"], row["external_id"]) == ("'=1+1", "'-1", "'+1")
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row.values())

    async def test_xlsx_has_texts_alone(self, uow: UnitOfWork, author: Principal) -> None:
        place = Place(await subject(uow, author))
        for name in ("formulas", "what spreadsheets change", "numeric"):
            await questions.create(uow, author, place, CONTENTS[name])
        book = load_workbook(io.BytesIO(await exported(uow, author, SheetFormat.XLSX)))
        (sheet,) = book.worksheets
        kinds = {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value}
        assert (sheet.title, sheet.freeze_panes, kinds) == ("questions", "A2", {"s"})

    async def test_filters_narrow_it(self, uow: UnitOfWork, author: Principal) -> None:
        polity, economy = await subject(uow, author), await subject(uow, author, "economy", "Economy")
        for subject_id in (polity, economy):
            await questions.create(uow, author, Place(subject_id), content(tags=["x"]))
        file = await exported(uow, author, SheetFormat.CSV, QuestionFilter(subject_id=economy, tags=["x"]))
        assert [row["subject"] for row in rows_of_csv(file)] == ["Economy"]

    async def test_what_no_sheet_can_hold_is_left_out(self, uow: UnitOfWork, author: Principal) -> None:
        place = Place(await subject(uow, author))
        for letters in ("ab", "ba", "ac", "xy", "abcdefg"):
            options = [{"id": letter, "text": {"en": letter}} for letter in letters]
            said = content(options=options, key={"accepted": [[letters[0]]]})
            await questions.create(uow, author, place, said)
        export = await questions.export(uow, author, EVERYTHING, SheetFormat.CSV)
        with export.file:
            assert (export.questions, export.left_out) == (1, 4)
