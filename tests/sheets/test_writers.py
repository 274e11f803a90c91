"""Sheets that are written: safe against formulas, numbers as numbers, and equal when they are read again."""

import io
from decimal import Decimal
from typing import Any

import pytest
from openpyxl import load_workbook

from app.sheets.writers import Cell, SheetFormat, open_writer

ROW: list[Cell] = [
    "=HYPERLINK(1)",
    "-2",
    "00012",
    "राधा 🙂",
    "a & <b>",
    "two\r\nlines",
    " spaces ",
    "\x0b",
    "#N/A",
    "",
    None,
    7,
    Decimal("98.00"),
    Decimal("-0.66"),
]


def written(sheet_format: SheetFormat, *rows: list[Cell]) -> bytes:
    file = io.BytesIO()
    writer = open_writer(
        sheet_format, file, [f"c{number}" for number in range(len(ROW))], 'A "sheet" & <more>'
    )
    for row in rows:
        writer.add(row)
    writer.finish()
    return file.getvalue()


class TestXlsx:
    @pytest.fixture
    def sheet(self) -> Any:
        return load_workbook(io.BytesIO(written(SheetFormat.XLSX, ROW, ROW))).worksheets[0]

    def test_a_spreadsheet_reads_texts_as_texts_and_numbers_as_numbers(self, sheet: Any) -> None:
        values = [cell.value for cell in sheet[2]]
        assert values == [
            "'=HYPERLINK(1)",
            "'-2",
            "00012",
            "राधा 🙂",
            "a & <b>",
            "two\nlines",
            " spaces ",
            "_x000B_",  # Spreadsheets show what this stands for; openpyxl does not.
            "#N/A",
            None,
            None,
            7,
            98,
            -0.66,
        ]
        assert [cell.data_type for cell in sheet[2]] == [*"sssssssssnnnnn"]
        assert {cell.number_format for cell in sheet[2][12:]} == {"0.00"}

    def test_it_has_a_frozen_header_and_a_name(self, sheet: Any) -> None:
        assert (sheet.title, sheet.freeze_panes, sheet.max_row) == ('A "sheet" & <more>', "A2", 3)
        assert sheet["A1"].value == "c0"


class TestCsv:
    def test_excel_recognizes_the_encoding_and_runs_nothing(self) -> None:
        content = written(SheetFormat.CSV, ROW)
        assert content.startswith(b"\xef\xbb\xbf")
        line = content.decode("utf-8-sig").split("\r\n", 1)[1]
        assert line.startswith("'=HYPERLINK(1),'-2,00012,राधा 🙂,a & <b>,")
        assert line.endswith(",#N/A,,,7,98.00,-0.66\r\n")
