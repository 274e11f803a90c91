"""The limits of both formats: nothing beyond them is read."""

import io
import zipfile
from collections.abc import Iterator

import pytest
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.xml.constants import SHEET_MAIN_NS

from app.sheets.archives import ArchiveLimits, ArchiveRefused, open_archive
from app.sheets.errors import UnreadableSheet
from app.sheets.files import read_records
from app.sheets.limits import (
    MAX_CHARACTERS,
    MAX_COLUMNS,
    MAX_ERRORS,
    MAX_LINES,
    MAX_ROW_CHARACTERS,
    MAX_ROWS,
)
from app.sheets.parsing import join_pieces, parse_in_pieces
from tests.builders.workbooks import HEADER, repacked, workbook
from tests.sheets.plain import read_table, refusal
from tests.thorough import count

CSV_HEADER = ",".join(HEADER)
CSV_RIVER = "Which is a river?,Nile,Alps,a"
SHEET_XML = "xl/worksheets/sheet1.xml"
SHARED_STRINGS = "xl/sharedStrings.xml"


def row_xml(number: int, cells: str) -> str:
    return f'<row r="{number}">{cells}</row>'


def text_cell(text: str) -> str:
    return f'<c t="inlineStr"><is><t>{text}</t></is></c>'


def written(rows: Iterator[str], rest: str = "</sheetData></worksheet>") -> bytes:
    """A workbook whose only sheet has these rows, and then the rest."""
    xml = f'<worksheet xmlns="{SHEET_MAIN_NS}"><sheetData>{"".join(rows)}{rest}'
    return repacked(workbook(), change={SHEET_XML: lambda _: xml.encode()})


HEADER_XML = row_xml(1, "".join(map(text_cell, HEADER)))


class TestColumns:
    @pytest.mark.parametrize("file", [CSV_HEADER + ",x" * MAX_COLUMNS, workbook(["x"] * (MAX_COLUMNS + 1))])
    def test_too_many(self, file: bytes | str) -> None:
        assert f"at most {MAX_COLUMNS} columns" in refusal(file)

    @pytest.mark.parametrize("file", [",".join(["x"] * MAX_COLUMNS), workbook(["x"] * MAX_COLUMNS)])
    def test_as_many_as_fit(self, file: bytes | str) -> None:
        assert len(read_table(file).layout.names) == MAX_COLUMNS

    def test_a_wide_row_ends_the_file(self) -> None:
        sheet = read_table("\n".join([CSV_HEADER, CSV_RIVER, "," * MAX_COLUMNS, CSV_RIVER]))
        assert [(error.row, error.field) for error in sheet.errors] == [(3, "file")]
        assert len(sheet.rows) == 1


class TestRows:
    def test_a_workbook_is_read_no_further_than_its_limit(self) -> None:
        """What stands behind is no XML at all; whoever reads that far calls the file damaged."""
        rows = (row_xml(number, '<c t="str"><v>x</v></c>') for number in range(2, MAX_ROWS + 3))
        far = "x" * 500_000 + "</nothing>"
        assert "20,000 rows" in refusal(written(iter([HEADER_XML, *rows]), rest=far))

    def test_empty_rows_count_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        most = count(1_000, thorough=MAX_LINES)
        for reader in ("csv_reader", "xlsx_reader"):
            monkeypatch.setattr(f"app.sheets.{reader}.MAX_LINES", most)
        assert read_table(CSV_HEADER + "\n" * (most - 1)).errors == []
        assert f"{MAX_LINES:,} rows, empty ones" in refusal(CSV_HEADER + "\n" * (most + 1))
        rows = (row_xml(number, "<c/>") for number in range(2, most + 3))
        assert f"{MAX_LINES:,} rows, empty ones" in refusal(written(iter([HEADER_XML, *rows])))

    def test_a_row_without_an_end(self) -> None:
        file = f"{CSV_HEADER}\n" + ("x" * 1_000 + ",") * (MAX_ROW_CHARACTERS // 1_000)
        (error,) = read_table(file).errors
        assert (error.row, error.field) == (2, "file")
        assert "quotation marks" in error.message
        assert "quotation marks" in refusal(("x" * 1_000 + ",") * (MAX_ROW_CHARACTERS // 1_000))

    def test_an_open_quotation_mark_takes_no_more_than_a_row(self) -> None:
        """Each line is short, the quoted cell is not."""
        file = f'{CSV_HEADER}\n"' + ",\n".join(["x" * 100] * 100_000)
        (error,) = read_table(file).errors
        assert "quotation marks" in error.message


class TestCharacters:
    def test_one_text_that_many_cells_name(self) -> None:
        """20,000 characters stand once in the file and 1,300 times in the sheet."""
        table = f'<sst xmlns="{SHEET_MAIN_NS}"><si><t>{"x" * 20_000}</t></si></sst>'
        cells = '<c t="s"><v>0</v></c>' * 10
        rows = (row_xml(number, cells) for number in range(1, MAX_CHARACTERS // 200_000 + 3))
        file = written(iter(rows))
        file = repacked(
            file, add={SHARED_STRINGS: table.encode()}, change={"[Content_Types].xml": with_strings}
        )
        assert len(file) < 100_000
        assert f"{MAX_CHARACTERS:,} characters" in refusal(file)


def with_strings(types: bytes) -> bytes:
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    part = f'<Override PartName="/{SHARED_STRINGS}" ContentType="{kind}"/></Types>'
    return types.replace(b"</Types>", part.encode())


class TestErrors:
    def test_reading_stops_when_nearly_everything_is_wrong(self) -> None:
        sheet = read_table("\n".join([CSV_HEADER, *["Which?,x,wrong,a"] * MAX_ROWS]))
        assert len(sheet.errors) < MAX_ERRORS + 10
        assert "were not read" in sheet.errors[-1].message
        assert sheet.errors[-1].row < MAX_ROWS // 2


class TestMemory:
    def test_too_little_is_no_damage(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The library's own error goes through: it is told as what it is."""

        def exhausted(*_: object, **__: object) -> None:
            raise MemoryError

        monkeypatch.setattr("openpyxl.reader.excel.ExcelReader", exhausted)
        with pytest.raises(MemoryError):
            read_table(workbook())


class TestPieces:
    def test_together_they_are_the_sheet(self) -> None:
        file = "\n".join([CSV_HEADER, *(f"Which {n}?,Nile,Alps,a" for n in range(250)), "Which?,,wrong,"])
        pieces = list(parse_in_pieces(read_table, file))
        assert max(len(piece.rows) for piece in pieces) == 100
        assert join_pieces(pieces) == read_table(file)

    def test_a_sheet_of_errors_alone(self) -> None:
        pieces = list(parse_in_pieces(read_table, f"{CSV_HEADER}\nwrong,,,"))
        assert len(join_pieces(pieces).errors) == 1


class TestOpenArchive:
    def test_a_large_directory_is_not_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The library makes an object of each of its entries."""
        opened: list[object] = []
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            for number in range(11):
                archive.writestr(str(number), b"")
        monkeypatch.setattr(zipfile, "ZipFile", opened.append)
        with pytest.raises(ArchiveRefused) as refused:
            open_archive(content.getvalue(), ArchiveLimits(entries=10, unpacked_bytes=1_000))
        assert refused.value.reason == "entries"
        assert opened == []


def test_a_cell_that_claims_to_be_far_out() -> None:
    def far(sheet: Worksheet) -> None:
        sheet["XFD1"] = "x"

    with pytest.raises(UnreadableSheet):
        read_table(workbook(change=far))
    assert len(list(read_records(workbook(), "questions"))) == 2
