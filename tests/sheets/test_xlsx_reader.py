"""XLSX: read like CSV. Formulas, hidden and merged cells are errors; macros and links are refused."""

import io
import tracemalloc
import zipfile
from datetime import date, datetime, time
from typing import Any

import pytest
from openpyxl.drawing.image import Image as SheetImage
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.xml.constants import SHARED_STRINGS as SHARED_STRINGS_TYPE
from openpyxl.xml.constants import SHEET_MAIN_NS
from PIL import Image as PillowImage

from app.sheets.xlsx_reader import escape_xml
from tests.builders.workbooks import HEADER, RIVER, repacked, workbook
from tests.sheets.plain import Row, read_table, refusal, reported

SHEET_XML = "xl/worksheets/sheet1.xml"
SHARED_STRINGS = "xl/sharedStrings.xml"
ENTITY = b"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/hostname'>]>"


def with_shared_strings(file: bytes) -> bytes:
    """The workbook with a table of strings, as spreadsheets have and openpyxl does not write."""
    declared = f'<Override PartName="/{SHARED_STRINGS}" ContentType="{SHARED_STRINGS_TYPE}"/></Types>'
    types = {"[Content_Types].xml": lambda xml: xml.replace(b"</Types>", declared.encode())}
    table = f'<sst xmlns="{SHEET_MAIN_NS}"><si><t>Nile</t></si></sst>'
    return repacked(repacked(file, add={SHARED_STRINGS: table.encode()}), change=types)


def with_entity(xml: bytes) -> bytes:
    body = xml.partition(b"?>")[2] if xml.startswith(b"<?xml") else xml
    return ENTITY + body


class TestReadXlsx:
    def test_a_plain_sheet(self) -> None:
        sheet = read_table(workbook())
        assert sheet.errors == []
        assert sheet.rows == [Row(2, list(RIVER))]

    @pytest.mark.parametrize(
        ("typed", "read_as"),
        [(7, "7"), (7.0, "7"), (3.14, "3.14"), (-0.5, "-0.5"), (999999999999999, "9" * 15)],
    )
    def test_numbers_are_texts(self, typed: float, read_as: str) -> None:
        (row,) = read_table(workbook(HEADER, ("How many?", typed, "none", "a"))).rows
        assert row.cells[1] == read_as

    @pytest.mark.parametrize(("typed", "read_as"), [(True, "TRUE"), (False, "FALSE"), ("true", "true")])
    def test_truth_values_are_texts(self, typed: Any, read_as: str) -> None:
        (row,) = read_table(workbook(HEADER, ("Is it?", "x", "y", typed))).rows
        assert row.cells[3] == read_as

    def test_numbers_are_read_as_they_are_shown(self) -> None:
        def shape(sheet: Worksheet) -> None:
            for cell, code in (("A2", "0%"), ("B2", "000000"), ("C2", '"₹"#,##,##0'), ("D2", "# ?/?")):
                sheet[cell].number_format = code

        (row,) = read_table(workbook(HEADER, (0.41, 1001, 100000, 0.5), change=shape)).rows
        assert row.cells == ["41%", "001001", "₹1,00,000", "1/2"]

    @pytest.mark.parametrize("typed", [1e15, 2600000000000017, 1e21, 1e-7, 1 / 3])
    def test_numbers_that_lose_digits_are_errors(self, typed: float) -> None:
        sheet = read_table(workbook(HEADER, ("How many?", typed, "none", "a")))
        assert reported(sheet) == [(2, "option_a")]
        assert "format the cell as text" in sheet.errors[0].message

    def test_rows_count_as_in_the_spreadsheet(self) -> None:
        sheet = read_table(workbook(HEADER, RIVER, (), ("", None, " ", ""), ("Which?", "x", "y", "wrong")))
        assert [row.row for row in sheet.rows] == [2]
        assert reported(sheet) == [(5, "key")]

    def test_line_ends_and_controls_come_back(self) -> None:
        (row,) = read_table(workbook(HEADER, ("One\r\ntwo_x000B_three", "x", "y", "a"))).rows
        assert row.cells[0] == "One\ntwo\x0bthree"

    @pytest.mark.parametrize(
        "text",
        ["_x000D_=1+1", "_x005F_x000B_", "_x003D_1", "a\x0bb", "a_x0009_b", "_x005f_x000D_"],
    )
    def test_what_is_written_comes_back_as_it_is(self, text: str) -> None:
        (row,) = read_table(workbook(HEADER, (escape_xml(text), "x", "y", "a"))).rows
        assert row.cells[0] == text

    def test_what_looks_like_an_escape_is_written_as_spreadsheets_do(self) -> None:
        assert escape_xml("_x000D_=1") == "_x005F_x000D_=1"

    @pytest.mark.parametrize(("title", "before"), [("Questions", ["notes", "lists"]), ("mine", [])])
    def test_which_sheet_is_read(self, title: str, before: list[str]) -> None:
        assert len(read_table(workbook(HEADER, RIVER, title=title, before=before)).rows) == 1


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
    @pytest.mark.parametrize("position", [0, 1, 3])
    def test_a_cell_is_named_once(self, value: Any, word: str, position: int) -> None:
        cells: list[Any] = list(RIVER)
        cells[position] = value
        sheet = read_table(workbook(HEADER, RIVER, cells))
        assert reported(sheet) == [(3, HEADER[position])]
        assert word in sheet.errors[0].message

    def test_a_formula_in_the_header(self) -> None:
        sheet = read_table(workbook((*HEADER[:3], '="key"'), RIVER))
        assert reported(sheet) == [(1, "column D")]

    def test_a_picture(self) -> None:
        def paste(sheet: Worksheet) -> None:
            for place in ("C2", "B9"):
                image_file = io.BytesIO()
                PillowImage.new("RGB", (4, 4)).save(image_file, "PNG")
                sheet.add_image(SheetImage(image_file), place)

        sheet = read_table(workbook(HEADER, RIVER, change=paste))
        assert reported(sheet) == [(2, "file"), (9, "file")]
        assert "an image stands here (at C2)" in sheet.errors[0].message

    def test_merged_cells(self) -> None:
        def merge(sheet: Worksheet) -> None:
            sheet.merge_cells("B2:C2")

        sheet = read_table(workbook(change=merge))
        assert (2, "option_a") in reported(sheet)
        assert "B2:C2 are merged" in sheet.errors[0].message

    def test_hidden_rows_and_columns(self) -> None:
        def hide(sheet: Worksheet) -> None:
            sheet.row_dimensions[3].hidden = True
            sheet.row_dimensions[9].hidden = True

        sheet = read_table(workbook(HEADER, RIVER, RIVER, change=hide))
        assert reported(sheet) == [(3, "file")]

        def hide_column(sheet: Worksheet) -> None:
            sheet.column_dimensions["C"].hidden = True

        assert reported(read_table(workbook(change=hide_column))) == [(1, "option_b")]

    def test_a_cell_without_a_header(self) -> None:
        assert reported(read_table(workbook(HEADER, (*RIVER, None, "more")))) == [(2, "column F")]

    def test_a_cell_far_out_does_no_harm(self) -> None:
        def far(sheet: Worksheet) -> None:
            sheet["XFD2"] = "x"
            sheet["A1048576"] = " "

        assert reported(read_table(workbook(change=far))) == [(2, "file")]


class TestRefused:
    def test_an_empty_first_row(self) -> None:
        assert read_table(workbook((), HEADER, RIVER)).layout.names == []

    def test_an_empty_sheet(self) -> None:
        assert read_table(workbook(())).layout.names == []

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

    def test_other_formats_are_named(self) -> None:
        old = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "Workbook".encode("utf-16-le")
        assert "old format XLS." in refusal(old)
        for part, program in (
            ("content.xml", "ODS"),
            ("xl/workbook.bin", "XLSB"),
            ("word/document.xml", "Word"),
        ):
            out = io.BytesIO()
            with zipfile.ZipFile(out, "w") as archive:
                archive.writestr(part, b"x")
            assert program in refusal(out.getvalue())

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
        assert read_table(file).errors == []
        assert "damaged" in refusal(repacked(file, change={part: with_entity}))

    def test_bombs(self) -> None:
        assert "compressed" in refusal(repacked(workbook(), add={"xl/media/a.bin": b"\0" * 20_000_000}))
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
