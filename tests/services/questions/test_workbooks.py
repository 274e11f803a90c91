"""XLSX sheets: read like CSV, and refused where something could hide or run."""

import io
import tracemalloc
import zipfile
from datetime import date, datetime, time
from typing import Any

import pytest
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.xml.constants import SHARED_STRINGS as SHARED_STRINGS_TYPE
from openpyxl.xml.constants import SHEET_MAIN_NS

from app.core.errors import Invalid
from app.services.questions import EmptyKey, SheetFormat, template
from app.services.questions.limits import MOST_ROWS
from app.services.questions.sheets import Sheet, read_sheet
from app.services.questions.workbooks import is_workbook, xml_text
from tests.services.questions.workbook_files import HEADER, RIVER, repacked, workbook

SHEET_XML = "xl/worksheets/sheet1.xml"
SHARED_STRINGS = "xl/sharedStrings.xml"
ENTITY = b"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/hostname'>]>"


def read(file: bytes) -> Sheet:
    return read_sheet(file, empty_key=EmptyKey.ERROR, needs_subject=False)


def with_shared_strings(file: bytes) -> bytes:
    """The workbook with a table of strings, as spreadsheets have and openpyxl does not write."""
    declared = f'<Override PartName="/{SHARED_STRINGS}" ContentType="{SHARED_STRINGS_TYPE}"/></Types>'
    types = {"[Content_Types].xml": lambda xml: xml.replace(b"</Types>", declared.encode())}
    table = f'<sst xmlns="{SHEET_MAIN_NS}"><si><t>Nile</t></si></sst>'
    return repacked(repacked(file, add={SHARED_STRINGS: table.encode()}), change=types)


def with_entity(xml: bytes) -> bytes:
    body = xml.partition(b"?>")[2] if xml.startswith(b"<?xml") else xml
    return ENTITY + body


def complaints(sheet: Sheet) -> list[tuple[int, str]]:
    return [(error.row, error.field) for error in sheet.errors]


def refusal(file: bytes) -> str:
    with pytest.raises(Invalid) as refused:
        read(file)
    (error,) = refused.value.errors
    assert error.field == "file"
    return error.message


class TestReadWorkbook:
    def test_a_plain_sheet(self) -> None:
        sheet = read(workbook())
        assert sheet.errors == []
        (question,) = sheet.rows
        assert question.row == 2
        assert question.content.text == {"en": "Which is a river?"}
        assert question.content.key == {"accepted": [["a"]]}

    @pytest.mark.parametrize(
        ("typed", "read_as"),
        [(7, "7"), (7.0, "7"), (3.14, "3.14"), (-0.5, "-0.5"), (1e21, "1" + "0" * 21), (1e-7, "0.0000001")],
    )
    def test_numbers_are_texts(self, typed: float, read_as: str) -> None:
        (question,) = read(workbook(HEADER, ("How many?", typed, "none", "a"))).rows
        assert question.content.options[0]["text"] == {"en": read_as}

    @pytest.mark.parametrize(("typed", "key"), [(True, "true"), (False, "false"), ("TRUE", "true")])
    def test_truth_values_are_keys(self, typed: Any, key: str) -> None:
        (question,) = read(workbook(("question", "type", "key"), ("Is it?", "true_false", typed))).rows
        assert question.content.key == {"accepted": [[key]]}

    def test_rows_count_as_in_the_spreadsheet(self) -> None:
        sheet = read(workbook(HEADER, RIVER, (), ("", None, " ", ""), ("Which?", "x", "y", "e")))
        assert [row.row for row in sheet.rows] == [2]
        assert complaints(sheet) == [(5, "key")]

    def test_line_ends_and_controls_come_back(self) -> None:
        (question,) = read(workbook(HEADER, ("One\r\ntwo_x000B_three", "x", "y", "a"))).rows
        assert question.content.text == {"en": "One\ntwo\x0bthree"}

    @pytest.mark.parametrize(
        "text",
        ["_x000D_=1+1", "_x005F_x000B_", "_x003D_1", "a\x0bb", "a_x0009_b", "_x005f_x000D_"],
    )
    def test_what_is_written_comes_back_as_it_is(self, text: str) -> None:
        (question,) = read(workbook(HEADER, (xml_text(text), "x", "y", "a"))).rows
        assert question.content.text == {"en": text}

    def test_what_looks_like_an_escape_is_written_as_spreadsheets_do(self) -> None:
        assert xml_text("_x000D_=1") == "_x005F_x000D_=1"

    @pytest.mark.parametrize(("title", "before"), [("Questions", ["notes", "lists"]), ("mine", [])])
    def test_which_sheet_is_read(self, title: str, before: list[str]) -> None:
        assert len(read(workbook(HEADER, RIVER, title=title, before=before)).rows) == 1

    @pytest.mark.parametrize("sheet_format", SheetFormat)
    def test_a_template_imports_as_nothing(self, sheet_format: SheetFormat) -> None:
        file = template(sheet_format)
        assert is_workbook(file) is (sheet_format is SheetFormat.XLSX)
        sheet = read(file)
        assert (sheet.rows, sheet.errors) == ([], [])
        assert {"question", "option_f", "key", "explanation", "source"} <= {*sheet.columns.names}

    def test_a_filled_template_imports(self) -> None:
        from openpyxl import load_workbook  # noqa: PLC0415 -- only here

        book = load_workbook(io.BytesIO(template(SheetFormat.XLSX)))
        sheet = book["questions"]
        names = [cell.value for cell in sheet[1]]
        for name, value in zip(
            ("type", "question", "question_hi", "key"), ("numeric", "22/7?", "?", "22/7"), strict=True
        ):
            sheet.cell(2, names.index(name) + 1, value)
        out = io.BytesIO()
        book.save(out)
        (question,) = read(out.getvalue()).rows
        assert question.content.key == {"value": "22/7", "tolerance": "0"}


class TestWrongCells:
    @pytest.mark.parametrize(
        ("value", "word"),
        [
            ("=A1", "formula"),
            ("=HYPERLINK(1)", "formula"),
            ("#REF!", "#REF!"),
            (date(2026, 6, 7), "date"),
            (datetime(2026, 6, 7, 9, 30), "date"),  # noqa: DTZ001 -- spreadsheets have no zones
            (time(9, 30), "date"),
        ],
    )
    @pytest.mark.parametrize("place", [0, 1, 3])
    def test_a_cell_is_named_once(self, value: Any, word: str, place: int) -> None:
        cells: list[Any] = list(RIVER)
        cells[place] = value
        sheet = read(workbook(HEADER, RIVER, cells))
        assert complaints(sheet) == [(3, HEADER[place])]
        assert word in sheet.errors[0].message

    def test_a_formula_in_the_header(self) -> None:
        sheet = read(workbook((*HEADER[:3], '="key"'), RIVER))
        assert complaints(sheet) == [(1, "column D")]

    def test_merged_cells(self) -> None:
        def merge(sheet: Worksheet) -> None:
            sheet.merge_cells("B2:C2")

        sheet = read(workbook(change=merge))
        assert (2, "option_a") in complaints(sheet)
        assert "B2:C2 are merged" in sheet.errors[0].message

    def test_hidden_rows_and_columns(self) -> None:
        def hide(sheet: Worksheet) -> None:
            sheet.row_dimensions[3].hidden = True
            sheet.row_dimensions[9].hidden = True

        sheet = read(workbook(HEADER, RIVER, RIVER, change=hide))
        assert complaints(sheet) == [(3, "file")]

        def hide_column(sheet: Worksheet) -> None:
            sheet.column_dimensions["C"].hidden = True

        assert complaints(read(workbook(change=hide_column))) == [(1, "option_b")]

    def test_a_cell_without_a_header(self) -> None:
        assert complaints(read(workbook(HEADER, (*RIVER, None, "more")))) == [(2, "column F")]

    def test_a_cell_far_out_does_no_harm(self) -> None:
        def far(sheet: Worksheet) -> None:
            sheet["XFD2"] = "x"
            sheet["A1048576"] = " "

        assert complaints(read(workbook(change=far))) == [(2, "file")]

    def test_a_sheet_has_an_end(self) -> None:
        with pytest.raises(Invalid, match="20,000 questions"):
            read(workbook(HEADER, *([RIVER] * (MOST_ROWS + 1))))


class TestRefused:
    def test_an_empty_first_row(self) -> None:
        assert "header" in refusal(workbook((), HEADER, RIVER))

    def test_an_empty_sheet(self) -> None:
        assert "header" in refusal(workbook(()))

    @pytest.mark.parametrize(
        ("part", "word"),
        [
            ("xl/vbaProject.bin", "macros"),
            ("xl/externalLinks/externalLink1.xml", "links"),
            ("xl/connections.xml", "connections"),
        ],
    )
    def test_parts_that_have_no_place_here(self, part: str, word: str) -> None:
        assert word in refusal(repacked(workbook(), add={part: b"x"}))

    def test_a_password(self) -> None:
        assert "password" in refusal(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600)
        file = bytearray(workbook())
        at = file.find(b"PK\x01\x02")
        while at >= 0:
            file[at + 8] |= 1
            at = file.find(b"PK\x01\x02", at + 4)
        assert "password" in refusal(bytes(file))

    def test_another_zip(self) -> None:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("river.png", b"x")
        assert "without a workbook" in refusal(out.getvalue())

    @pytest.mark.parametrize("length", [30, 500, -30])
    def test_half_a_file(self, length: int) -> None:
        assert "damaged" in refusal(workbook()[:length])

    def test_damaged_parts(self) -> None:
        for damage in (lambda xml: xml[:200], lambda _: b"", lambda xml: xml.replace(b't="n"', b't="s"')):
            file = repacked(workbook(HEADER, (1, 2, 3, 4)), change={SHEET_XML: damage})
            assert "damaged" in refusal(file)

    @pytest.mark.parametrize("part", [SHEET_XML, SHARED_STRINGS, "xl/workbook.xml"])
    def test_entities(self, part: str) -> None:
        file = with_shared_strings(workbook())
        assert read(file).errors == []
        assert "damaged" in refusal(repacked(file, change={part: with_entity}))

    def test_bombs(self) -> None:
        assert "tightly" in refusal(repacked(workbook(), add={"xl/media/a.bin": b"\0" * 20_000_000}))
        assert "larger" in refusal(repacked(workbook(), add={"xl/media/a.bin": b"\0" * 100_000_001}))
        many = {f"xl/media/{number}": b"" for number in range(1_001)}
        assert "larger" in refusal(repacked(workbook(), add=many))

    def test_a_part_that_lies_of_its_size_is_not_unpacked_beyond_it(self) -> None:
        bomb = bytearray(repacked(workbook(), change={"xl/workbook.xml": lambda _: b" " * 99_000_000}))
        entry = zipfile.ZipFile(io.BytesIO(bomb)).getinfo("xl/workbook.xml")
        for at in (entry.header_offset + 22, bomb.rindex(b"xl/workbook.xml") - 22):  # both directories
            bomb[at : at + 4] = (900_000).to_bytes(4, "little")
        tracemalloc.start()
        assert "damaged" in refusal(bytes(bomb))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 20_000_000
