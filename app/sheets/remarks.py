"""A copy of a sheet in which a last column has the remarks of an import: its errors and warnings by row."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from app.sheets.csv_reader import read_csv
from app.sheets.header_row import REMARKS
from app.sheets.limits import MAX_COLUMNS
from app.sheets.reports import RowError, RowWarning
from app.sheets.xlsx_container import is_xlsx
from app.sheets.xlsx_reader import escape_xml

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.cell import Cell
    from openpyxl.worksheet.worksheet import Worksheet

_CELL = re.compile(r"(?:(?P<sheet>.*)!)?(?P<column>[A-Z]*)(?P<row>[0-9]+)", re.DOTALL)
_ERROR, _WARNING = "FFC7CE", "FFEB9C"
"""The colors in which spreadsheets show a bad and a neutral cell."""
_MAX_CELL_LENGTH = 32_000
"""Characters of a cell; a spreadsheet reads 32,767."""
_WIDTH = 70


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a remark belongs. Without a column, it is about the whole row."""

    sheet: str
    column: str
    row: int


def with_remarks(
    file: bytes,
    header: str,
    remarks: Sequence[RowError | RowWarning],
    further_headers: Sequence[str] = (),
) -> bytes:
    """Return the file as a workbook with the remarks, everything else as it is. CSV becomes XLSX.

    `header` names the row of the header, such as `Sheet1!3`. The file was read before, so that it is known to
    be a sheet within the limits.
    """
    book = _opened(file)
    first = _place_of(header, 1)
    headers = {place.sheet: place.row for place in (first, *(_place_of(name, 1) for name in further_headers))}
    by_sheet: dict[str, list[tuple[_Place, RowError | RowWarning]]] = {title: [] for title in headers}
    for remark in remarks:
        place = _place_of(remark.cell, remark.row) if remark.cell else _Place(first.sheet, "", remark.row)
        by_sheet.setdefault(place.sheet, []).append((place, remark))
    for title, found in by_sheet.items():
        sheet = book[title] if title in book.sheetnames else book.worksheets[0]
        _add(sheet, headers.get(title, 1), found)
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def _opened(file: bytes) -> "Workbook":
    # Imported here: openpyxl imports numpy, and few processes write a copy.
    from openpyxl import Workbook, load_workbook  # noqa: PLC0415

    if is_xlsx(file):
        return load_workbook(BytesIO(file), rich_text=True)
    book = Workbook()
    sheet = book.worksheets[0]
    for record in read_csv(file):
        for column, text in enumerate(record.cells, start=1):
            cell = sheet.cell(record.row, column)
            # As text, or a spreadsheet would calculate a formula and shorten 001.
            cell.number_format = "@"
            cell.value = escape_xml(text) or None
            cell.data_type = "s" if text else "n"
    return book


def _place_of(cell: str, row: int) -> _Place:
    found = _CELL.fullmatch(cell)
    if found is None:
        return _Place("", "", row)
    return _Place(found["sheet"] or "", found["column"], int(found["row"]))


def _add(sheet: "Worksheet", header: int, found: Sequence[tuple[_Place, RowError | RowWarning]]) -> None:
    """Write the remarks beside their rows, and color their cells."""
    from openpyxl.styles import Alignment, Font, PatternFill  # noqa: PLC0415

    column = _column(sheet, header)
    rows: dict[int, list[str]] = {header: []}
    colors: dict[str, str] = {}
    for place, remark in found:
        name = f"{place.column}{place.row}: " if place.column else ""
        rows.setdefault(place.row, []).append(f"{name}{remark.message}")
        if place.column and colors.get(cell := f"{place.column}{place.row}") != _ERROR:
            colors[cell] = _ERROR if isinstance(remark, RowError) else _WARNING
    for name, color in colors.items():
        sheet[name].fill = PatternFill("solid", fgColor=color)
    for row, lines in rows.items():
        cell = _own(sheet, row, column)
        text = "\n".join([REMARKS, *lines] if row == header else lines)
        cell.value = escape_xml(text[:_MAX_CELL_LENGTH])
        cell.data_type = "s"
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        cell.font = Font(bold=row == header)
    letter = sheet.cell(header, column).column_letter
    sheet.column_dimensions[letter].width = _WIDTH
    sheet.column_dimensions[letter].hidden = False


def _column(sheet: "Worksheet", header: int) -> int:
    """The column of the remarks: the one of an earlier copy, else the first behind all others."""
    for cell in sheet[header]:
        if str(cell.value or "").startswith(REMARKS):
            for old in sheet.iter_rows(min_col=cell.column, max_col=cell.column):
                old[0].value = None
            return int(cell.column)
    return max(_filled(sheet), default=0) + 1


def _filled(sheet: "Worksheet") -> Iterator[int]:
    """The columns that have a text or belong to a merged title."""
    yield from (cell.column for row in sheet.iter_rows() for cell in row if cell.value is not None)
    yield from (area.max_col for area in sheet.merged_cells.ranges if area.max_col <= MAX_COLUMNS)


def _own(sheet: "Worksheet", row: int, column: int) -> "Cell":
    """A cell that can have a text. One that is a part of others is split from them."""
    areas = [
        area.coord
        for area in sheet.merged_cells.ranges
        if area.min_row <= row <= area.max_row and area.min_col <= column <= area.max_col
    ]
    for area in areas:
        sheet.unmerge_cells(area)
    return sheet.cell(row, column)
