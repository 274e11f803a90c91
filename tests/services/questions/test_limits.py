"""The limits of sheets, counted: what lies beyond them is not read, whatever its format."""

import io
import zipfile
from collections.abc import Iterator

import pytest
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.xml.constants import SHEET_MAIN_NS

from app.core.archives import ArchiveLimits, RefusedArchive, open_archive
from app.core.errors import Invalid
from app.services.questions import EmptyKey, columns
from app.services.questions.limits import (
    LONGEST_ROW,
    MOST_CHARACTERS,
    MOST_COLUMNS,
    MOST_ERRORS_FOUND,
    MOST_LINES,
    MOST_ROWS,
)
from app.services.questions.sheets import Sheet, joined, read_sheet, records_of, sheet_in_pieces
from tests.services.questions.workbook_files import HEADER, RIVER, repacked, workbook

CSV_HEADER = ",".join(HEADER)
CSV_RIVER = "Which is a river?,Nile,Alps,a"
SHEET_XML = "xl/worksheets/sheet1.xml"
SHARED_STRINGS = "xl/sharedStrings.xml"


def read(file: bytes | str) -> Sheet:
    content = file.encode() if isinstance(file, str) else file
    return read_sheet(content, empty_key=EmptyKey.ERROR, needs_subject=False)


def refusal(file: bytes | str) -> str:
    with pytest.raises(Invalid) as refused:
        read(file)
    (error,) = refused.value.errors
    assert error.field == "file"
    return error.message


def row_xml(number: int, cells: str) -> str:
    return f'<row r="{number}">{cells}</row>'


def text_cell(text: str) -> str:
    return f'<c t="inlineStr"><is><t>{text}</t></is></c>'


def written(rows: Iterator[str], rest: str = "</sheetData></worksheet>") -> bytes:
    """A workbook whose only sheet has these rows, and then the rest."""
    xml = f'<worksheet xmlns="{SHEET_MAIN_NS}"><sheetData>{"".join(rows)}{rest}'
    return repacked(workbook(), change={SHEET_XML: lambda _: xml.encode()})


HEADER_XML = row_xml(1, "".join(map(text_cell, HEADER)))
RIVER_XML = "".join(map(text_cell, RIVER))


def names_compared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names that are compared with those of our columns, as it happens."""
    compared: list[str] = []

    def compare(name: str, *_: object, **__: object) -> list[str]:
        compared.append(name)
        return []

    monkeypatch.setattr(columns, "get_close_matches", compare)
    return compared


class TestColumns:
    def test_a_hundred_thousand_unknown_ones_are_not_looked_at(self, monkeypatch: pytest.MonkeyPatch) -> None:
        compared = names_compared(monkeypatch)
        header = ",".join(f"c{number}" for number in range(100_000))
        assert f"at most {MOST_COLUMNS} columns" in refusal(header)
        assert compared == []

    def test_as_many_as_fit_are_told_one_by_one(self) -> None:
        header = [*HEADER, *(f"Column {number}" for number in range(MOST_COLUMNS - len(HEADER)))]
        for file in (",".join(header), workbook(header)):
            assert len(read(file).errors) == MOST_COLUMNS - len(HEADER)
        for file in (",".join([*header, "x"]), workbook([*header, "x"])):
            assert f"at most {MOST_COLUMNS} columns" in refusal(file)

    def test_a_long_name_is_compared_by_its_beginning(self, monkeypatch: pytest.MonkeyPatch) -> None:
        compared = names_compared(monkeypatch)
        read(f"{CSV_HEADER},{'x' * 100_000}")
        assert [len(name) for name in compared] == [50]

    def test_a_wide_row_ends_the_file(self) -> None:
        sheet = read("\n".join([CSV_HEADER, CSV_RIVER, "," * MOST_COLUMNS, CSV_RIVER]))
        assert [(error.row, error.field) for error in sheet.errors] == [(3, "file")]
        assert len(sheet.rows) == 1


class TestRows:
    def test_a_workbook_is_read_no_further_than_its_limit(self) -> None:
        """What stands behind is no XML at all; whoever reads that far calls the file damaged."""
        rows = (row_xml(number, RIVER_XML) for number in range(2, MOST_ROWS + 3))
        far = "x" * 500_000 + "</nothing>"
        assert "20,000 questions" in refusal(written(iter([HEADER_XML, *rows]), rest=far))

    def test_empty_rows_count_too(self) -> None:
        assert f"{MOST_LINES:,} rows, empty ones" in refusal(CSV_HEADER + "\n" * (MOST_LINES + 1))
        rows = (row_xml(number, "<c/>") for number in range(2, MOST_LINES + 3))
        assert f"{MOST_LINES:,} rows, empty ones" in refusal(written(iter([HEADER_XML, *rows])))

    def test_as_many_as_fit(self) -> None:
        assert read(CSV_HEADER + "\n" * (MOST_LINES - 1)).errors == []

    def test_a_row_without_an_end(self) -> None:
        file = f"{CSV_HEADER}\n" + ("x" * 1_000 + ",") * (LONGEST_ROW // 1_000)
        (error,) = read(file).errors
        assert (error.row, error.field) == (2, "file")
        assert "quotation marks" in error.message
        assert "quotation marks" in refusal(("x" * 1_000 + ",") * (LONGEST_ROW // 1_000))

    def test_an_open_quotation_mark_takes_no_more_than_a_row(self) -> None:
        """Each line is short, the quoted cell is not."""
        file = f'{CSV_HEADER}\n"' + ",\n".join(["x" * 100] * 100_000)
        (error,) = read(file).errors
        assert "quotation marks" in error.message


class TestCharacters:
    def test_one_text_that_many_cells_name(self) -> None:
        """20,000 characters stand once in the file and 1,300 times in the sheet."""
        table = f'<sst xmlns="{SHEET_MAIN_NS}"><si><t>{"x" * 20_000}</t></si></sst>'
        cells = '<c t="s"><v>0</v></c>' * 10
        rows = (row_xml(number, cells) for number in range(1, MOST_CHARACTERS // 200_000 + 3))
        file = written(iter(rows))
        file = repacked(
            file, add={SHARED_STRINGS: table.encode()}, change={"[Content_Types].xml": with_strings}
        )
        assert len(file) < 100_000
        assert f"{MOST_CHARACTERS:,} characters" in refusal(file)


def with_strings(types: bytes) -> bytes:
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    part = f'<Override PartName="/{SHARED_STRINGS}" ContentType="{kind}"/></Types>'
    return types.replace(b"</Types>", part.encode())


class TestErrors:
    def test_reading_stops_when_nearly_everything_is_wrong(self) -> None:
        sheet = read("\n".join([CSV_HEADER, *["Which?,x,,zz,1,2"] * MOST_ROWS]))
        assert len(sheet.errors) < MOST_ERRORS_FOUND + 10
        assert "nothing was read" in sheet.errors[-1].message
        assert sheet.errors[-1].row < MOST_ROWS // 2


class TestMemory:
    def test_too_little_is_no_damage(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The library's own error goes through: it is told as what it is."""

        def exhausted(*_: object, **__: object) -> None:
            raise MemoryError

        monkeypatch.setattr("app.services.questions.workbooks.ExcelReader", exhausted)
        with pytest.raises(MemoryError):
            read(workbook())


class TestPieces:
    def test_together_they_are_the_sheet(self) -> None:
        file = "\n".join([CSV_HEADER, *(f"Which {n}?,Nile,Alps,a" for n in range(250)), "Which?,,,"]).encode()
        pieces = list(sheet_in_pieces(file, EmptyKey.ERROR, False))
        assert max(len(piece.rows) for piece in pieces) == 100
        assert joined(pieces) == read_sheet(file, empty_key=EmptyKey.ERROR, needs_subject=False)

    def test_a_sheet_of_errors_alone(self) -> None:
        pieces = list(sheet_in_pieces(b"question,kye\n", EmptyKey.ERROR, False))
        assert joined(pieces).errors != []


class TestOpenArchive:
    def test_a_large_directory_is_not_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The library makes an object of each of its entries."""
        opened: list[object] = []
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            for number in range(11):
                archive.writestr(str(number), b"")
        monkeypatch.setattr(zipfile, "ZipFile", opened.append)
        with pytest.raises(RefusedArchive) as refused:
            open_archive(content.getvalue(), ArchiveLimits(entries=10, bytes_inside=1_000))
        assert refused.value.reason == "entries"
        assert opened == []


def test_a_cell_that_claims_to_be_far_out() -> None:
    def far(sheet: Worksheet) -> None:
        sheet["XFD1"] = "x"

    with pytest.raises(Invalid):
        read(workbook(change=far))
    assert len(list(records_of(workbook()))) == 2
