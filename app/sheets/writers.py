"""Writes tables of texts as CSV or XLSX."""

import csv
import io
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import IO, Any, Protocol

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from app.sheets.cells import escape_formula, normalize_line_ends
from app.sheets.xlsx_reader import escape_xml


class SheetFormat(StrEnum):
    """The formats that can be read and written."""

    CSV = "csv"
    XLSX = "xlsx"


class SheetWriter(Protocol):
    """Writes rows. The file is complete after `finish`."""

    def add(self, cells: Iterable[str]) -> None: ...

    def finish(self) -> None: ...


class CsvWriter:
    """CSV in UTF-8 with a byte order mark, without which Excel assumes another encoding."""

    def __init__(self, file: IO[bytes], header: Sequence[str]) -> None:
        self._text = io.TextIOWrapper(file, "utf-8-sig", newline="")
        self._csv = csv.writer(self._text)
        self.add(header)

    def add(self, cells: Iterable[str]) -> None:
        self._csv.writerow(escape_formula(normalize_line_ends(cell)) for cell in cells)

    def finish(self) -> None:
        self._text.detach()  # Flushes, and leaves the file open.


class XlsxWriter:
    """XLSX with text cells only and a frozen header."""

    def __init__(self, file: IO[bytes], header: Sequence[str], sheet_name: str) -> None:
        self._file = file
        self._book = Workbook(write_only=True)
        self._sheet = self._book.create_sheet(sheet_name)
        self._sheet.freeze_panes = "A2"
        self.add(header)

    def add(self, cells: Iterable[str]) -> None:
        self._sheet.append([self._text(cell) for cell in cells])

    def finish(self) -> None:
        self._book.save(self._file)

    def _text(self, text: str) -> Any:
        """Return a text cell: openpyxl would take `=…` for a formula and `#N/A` for an error."""
        cell = WriteOnlyCell(self._sheet, escape_xml(escape_formula(normalize_line_ends(text))))
        cell.data_type = "s"
        return cell


def open_writer(
    sheet_format: SheetFormat, file: IO[bytes], header: Sequence[str], sheet_name: str
) -> SheetWriter:
    """Return a writer that has written the header. CSV has no sheet names."""
    if sheet_format is SheetFormat.XLSX:
        return XlsxWriter(file, header, sheet_name)
    return CsvWriter(file, header)
