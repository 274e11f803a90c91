"""A workbook with several sheets of questions: each is a section, and what is not read is named."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from openpyxl import Workbook, load_workbook

from app.models import Institute
from app.services import questions
from app.services.questions.reading import QuestionSheet, QuestionSheetOptions, read_questions
from app.services.questions.templates import template
from app.services.tests.from_sheets import draft_of_sheet
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal, operator
from app.sheets.parsing import join_pieces, parse_in_pieces
from app.sheets.remarks import with_remarks
from app.sheets.writers import SheetFormat
from tests.builders.content import UPSC

Sheets = Mapping[str, Sequence[Sequence[Any]]]

GS = [("Question", "A", "B", "Ans"), ("Which is a river?", "Nile", "Alps", "a")]
CSAT = [
    ("GS paper II",),
    ("Q.No", "Passage", "Question", "Option A", "Option B", "Answer"),
    (1, "A text.", "What does it say?", "This", "That", "b"),
    (2, "A text.", "What does it not say?", "More", "Less", "a"),
]


@pytest.fixture
async def author(uow: UnitOfWork) -> Principal:
    institute = Institute(slug=uuid4().hex, name="Empty")
    uow.session.add(institute)
    await uow.session.flush()
    return replace(operator(), institute_id=institute.id)


def workbook(sheets: Sheets, hidden: Sequence[str] = ()) -> bytes:
    book = Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
        sheet.sheet_state = "hidden" if title in hidden else "visible"
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def read(sheets: Sheets, hidden: Sequence[str] = ()) -> QuestionSheet:
    return read_questions(workbook(sheets, hidden), QuestionSheetOptions())


def told(sheet: QuestionSheet) -> list[str]:
    errors = [f"{error.cell}: {error.message}" for error in sheet.errors]
    return errors + [f"{warning.cell}: {warning.message}" for warning in sheet.warnings]


class TestWhichSheetsAreRead:
    def test_each_with_a_header_is_read_by_its_own_columns(self) -> None:
        sheet = read({"GS": GS, "CSAT": CSAT})
        assert [(row.title, row.row, row.in_test.section) for row in sheet.rows] == [
            ("GS", 2, "GS"),
            ("CSAT", 3, "CSAT"),
            ("CSAT", 4, "CSAT"),
        ]
        assert [row.number for row in sheet.rows] == [None, 1, 2]
        assert told(sheet) == ['CSAT!1: this row is above the header and is not read: "GS paper II"']

    def test_a_column_of_sections_is_stronger_than_the_sheet(self) -> None:
        with_section = [(*GS[0], "Section"), (*GS[1], "Part A"), ("Which is high?", "Nile", "Alps", "b", "")]
        sheet = read({"GS": with_section, "CSAT": CSAT})
        assert [row.in_test.section for row in sheet.rows[:2]] == ["Part A", "GS"]

    def test_one_sheet_is_no_section(self) -> None:
        sheet = read({"GS": GS})
        assert [(row.title, row.in_test.section) for row in sheet.rows] == [("", None)]

    def test_what_is_not_read_is_named(self) -> None:
        other: Sheets = {"Sheet2": [], "Marks": [("Roll No", "Total"), (1, 50)], "Old": CSAT}
        sheet = read({"Cover": [("Mock test 4",)], "GS": GS, **other}, hidden=["Old"])
        assert len(sheet.rows) == 1
        header = "none of its first rows has names of columns; write them above the questions if it has some"
        assert told(sheet) == [
            f'Cover!1: the sheet "Cover" is not read: {header}',
            'Sheet2!1: the sheet "Sheet2" is not read: it is empty',
            f'Marks!1: the sheet "Marks" is not read: {header}',
            'Old!1: the sheet "Old" is not read: it is hidden; show it if it has questions',
        ]

    def test_a_sheet_called_questions_is_read_alone(self) -> None:
        sheet = read({"CSAT": CSAT, "Questions": GS})
        assert [row.content.text["en"] for row in sheet.rows] == ["Which is a river?"]
        assert [warning.cell for warning in sheet.warnings] == ["CSAT!1"]
        assert "is called questions" in sheet.warnings[0].message

    def test_the_template_has_nothing_to_be_named(self) -> None:
        assert told(read_questions(template(SheetFormat.XLSX), QuestionSheetOptions())) == []

    def test_errors_name_the_sheet(self) -> None:
        wrong = [*CSAT, (3, "", "Which?", "This", "That", "z")]
        sheet = read({"GS": [*GS, ("Which?", "x", "y", "q")], "CSAT": wrong})
        assert [(error.cell, error.sheet) for error in sheet.errors] == [("GS!D3", 1), ("CSAT!F5", 2)]

    def test_a_bad_header_of_one_sheet_is_an_error_of_that_sheet(self) -> None:
        sheet = read({"GS": GS, "CSAT": [("Question", "A", "B", "Right one"), ("Which?", "x", "y", "a")]})
        assert [error.cell for error in sheet.errors] == ["CSAT!D1"]

    def test_it_passes_a_pipe_in_pieces(self) -> None:
        sheet = join_pieces(
            list(parse_in_pieces(read_questions, workbook({"GS": GS, "CSAT": CSAT}), QuestionSheetOptions()))
        )
        assert len(sheet.rows) == 3
        assert sheet.cell_name(3, "passage", 2) == "CSAT!B3"


class TestImport:
    async def test_rows_are_named_by_their_sheets(self, uow: UnitOfWork, author: Principal) -> None:
        file = workbook({"GS": GS, "CSAT": CSAT})
        report = await questions.import_questions(uow, author, file, subject="Mock")
        assert (report.created, report.passages_created, list(report.errors)) == (3, 1, [])
        assert [str(place) for place in report.item_rows] == [
            'row 2 of the sheet "GS"',
            'row 3 of the sheet "CSAT"',
            'row 4 of the sheet "CSAT"',
        ]
        assert 'the sheets "GS" and "CSAT" are read; sections by sheet' in report.warnings[1].message
        again = await questions.import_questions(uow, author, file, subject="Mock")
        assert (again.created, again.updated, again.unchanged) == (0, 0, 3)

    async def test_sheets_are_sections_of_the_test(self, uow: UnitOfWork, author: Principal) -> None:
        file = workbook({"GS": GS, "CSAT": CSAT})
        report = await questions.import_questions(uow, author, file, subject="Mock", for_test=True)
        draft = draft_of_sheet(report, title="Mock 4", kind="full", duration_seconds=60, marking=UPSC)
        assert [(section.name["en"], len(section.question_ids)) for section in draft.sections] == [
            ("GS", 1),
            ("CSAT", 2),
        ]

    async def test_a_mapping_is_saved_for_each_header(self, uow: UnitOfWork, author: Principal) -> None:
        header = ("Passage", *GS[0][:-1], "Right one")
        file = workbook({"GS": GS, "CSAT": [header, ("A text.", "What does it say?", "This", "That", "b")]})
        mapping = {"Right one": "key"}
        report = await questions.import_questions(uow, author, file, subject="Mock", mapping=mapping)
        assert report.created == 2
        assert [(w.cell, w.file) for w in report.warnings if w.field == "mapping"] == [("CSAT!1", 1)]
        again = await questions.import_questions(uow, author, file, subject="Mock")
        assert (again.unchanged, list(again.errors)) == (2, [])
        assert [(w.cell, w.file) for w in again.warnings if w.field == "mapping"] == [("CSAT!1", 1)]

    async def test_the_same_question_in_two_sheets(self, uow: UnitOfWork, author: Principal) -> None:
        report = await questions.import_questions(
            uow, author, workbook({"GS": GS, "Copy": GS}), subject="Mock"
        )
        (error,) = report.errors
        assert error.cell == "Copy!A2"
        assert 'the same question as in row 2 of the sheet "GS"; delete one' in error.message
        assert report.headers == [["GS!1", "Copy!1"]]

    async def test_the_copy_has_remarks_in_each_sheet(self, uow: UnitOfWork, author: Principal) -> None:
        file = workbook({"GS": GS, "CSAT": [*CSAT, (3, "", "Which?", "This", "That", "z")]})
        report = await questions.import_questions(uow, author, file, subject="Mock")
        [[first, *others]] = report.headers
        copy = load_workbook(BytesIO(with_remarks(file, first, report.remarks, others)))
        assert str(copy["CSAT"]["G2"].value).startswith("Remarks")
        assert "F5: " in copy["CSAT"]["G5"].value
        assert copy["GS"]["E2"].value is None
