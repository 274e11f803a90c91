"""Writes tables as CSV or XLSX, row by row: a file of any length takes little memory."""

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import IO, Protocol
from xml.sax.saxutils import escape, quoteattr
from zipfile import ZIP_DEFLATED, ZipFile

from app.sheets.cells import escape_formula, normalize_line_ends
from app.sheets.xlsx_reader import escape_xml

Cell = str | int | float | Decimal | None
"""A text, a number, a `Decimal` with two places, or an empty cell."""


class SheetFormat(StrEnum):
    """The formats that can be read and written."""

    CSV = "csv"
    XLSX = "xlsx"


class SheetWriter(Protocol):
    """Writes rows. The file is complete after `finish`."""

    def add(self, cells: Iterable[Cell]) -> None: ...

    def finish(self) -> None: ...


class CsvWriter:
    """CSV in UTF-8 with a byte order mark, without which Excel assumes another encoding."""

    def __init__(self, file: IO[bytes], header: Sequence[str]) -> None:
        self._text = io.TextIOWrapper(file, "utf-8-sig", newline="")
        self._csv = csv.writer(self._text)
        self.add(header)

    def add(self, cells: Iterable[Cell]) -> None:
        self._csv.writerow(
            escape_formula(normalize_line_ends(cell)) if isinstance(cell, str) else cell for cell in cells
        )

    def finish(self) -> None:
        self._text.detach()  # Flushes, and leaves the file open.


class XlsxWriter:
    """XLSX with one sheet and a frozen header.

    openpyxl, which reads such files for us, takes many times as long to write one. The rest of the file is in
    the constants below.
    """

    def __init__(self, file: IO[bytes], header: Sequence[str], sheet_name: str) -> None:
        self._zip = ZipFile(file, "w", ZIP_DEFLATED, compresslevel=1)
        for name, content in _PARTS.items():
            self._zip.writestr(name, content.replace("{sheet_name}", quoteattr(sheet_name)))
        self._sheet = self._zip.open("xl/worksheets/sheet1.xml", "w", force_zip64=True)
        self._sheet.write(_SHEET_START.encode())
        self.add(header)

    def add(self, cells: Iterable[Cell]) -> None:
        self._sheet.write(f"<row>{''.join(map(_xml_of, cells))}</row>".encode())

    def finish(self) -> None:
        self._sheet.write(_SHEET_END.encode())
        self._sheet.close()
        self._zip.close()


def open_writer(
    sheet_format: SheetFormat, file: IO[bytes], header: Sequence[str], sheet_name: str
) -> SheetWriter:
    """Return a writer that has written the header. CSV has no sheet names."""
    if sheet_format is SheetFormat.XLSX:
        return XlsxWriter(file, header, sheet_name)
    return CsvWriter(file, header)


def _xml_of(cell: Cell) -> str:
    """A cell as XML. A text is marked as such, so that no spreadsheet takes it for a formula or a number."""
    if isinstance(cell, str):
        text = escape(escape_xml(escape_formula(normalize_line_ends(cell))))
        return f'<c t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>' if text else "<c/>"
    if cell is None:
        return "<c/>"
    return f'<c s="{_TWO_PLACES}"><v>{cell}</v></c>' if isinstance(cell, Decimal) else f"<c><v>{cell}</v></c>"


_TWO_PLACES = 1
"""The number of the style in `styles.xml` below."""

_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS = {
    "[Content_Types].xml": (
        f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/></Types>'
    ),
    "_rels/.rels": (
        f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
        '<sheets><sheet name={sheet_name} sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>'
    ),
    "xl/styles.xml": (
        f'{_XML}<styleSheet xmlns="{_MAIN}">'
        '<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
        '<cellXfs count="2"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
        '<xf numFmtId="2" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
    ),
}
_SHEET_START = (
    f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
    "<sheetData>"
)
_SHEET_END = "</sheetData></worksheet>"
