"""XLSX, read as the rows of cells that an author sees; what could hide or compute something is refused."""

import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.worksheet._reader import WorkSheetParser

from app.core.archives import METHODS, RefusedArchive, open_archive
from app.core.errors import Invalid
from app.services.questions.cells import one_line_end
from app.services.questions.limits import (
    MOST_CHARACTERS,
    MOST_COLUMNS,
    MOST_LINES,
    MOST_ROWS,
    TOO_MANY_CHARACTERS,
    TOO_MANY_COLUMNS,
    TOO_MANY_LINES,
    WORKBOOK,
)

SHEET = "questions"
WHOLE_ROW = -1

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # a workbook with a password, and the format before XLSX
_CHUNK = 1 << 20
_REFUSED_PARTS = {
    "vbaproject": "it has macros; save it as XLSX without",
    "xl/externallinks/": "it has links to other files; break them and save it again",
    "xl/connections.xml": "it has connections to other data; remove them and save it again",
    "xl/querytables/": "it has connections to other data; remove them and save it again",
}
_TOO_LARGE = f"unpacked it is larger than {WORKBOOK.bytes_inside:,} bytes; split it"
_WHY_NOT_OPENED = {
    "damaged": "it is damaged or incomplete",
    "entries": _TOO_LARGE,
    "size": _TOO_LARGE,
    "ratio": "it is packed more tightly than a sheet of questions can be",
}
_ESCAPED = re.compile(r"_x(00(?:0[0-8BCDEF]|1[0-9A-F]|5F)|FFF[EF])_")
_LIKE_AN_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@dataclass(slots=True)
class SheetCells:
    """One row as it stands in the spreadsheet, and what is wrong with single cells, by their place."""

    row: int
    cells: list[str]
    wrong: dict[int, str] = field(default_factory=dict)
    broken: str | None = None
    """Why this row and all that follow cannot be read."""


def is_workbook(file: bytes) -> bool:
    """Whether the bytes, not the name, say that this is XLSX or wants to be."""
    return file.startswith((_ZIP, _OLE))


def read_workbook(file: bytes, called: str = SHEET) -> Iterator[SheetCells]:
    """The rows of the sheet that is `called` so, else of the first one, empty ones left out.

    Raises Invalid for what is no XLSX, and for all that has no place in a sheet of questions.
    """
    _check_container(file)
    try:
        rows = _rows(file, called)
    except (Invalid, MemoryError):
        raise
    except Exception as error:  # A damaged part may make the library stumble over anything.
        raise _refused("it is damaged; open it in a spreadsheet and save it as XLSX again") from error
    return iter(rows)


def xml_text(text: str) -> str:
    """The text as spreadsheets write it: `_x000B_` for what XML cannot hold.

    An underscore that begins what looks like such an escape is `_x005F_`.
    """
    text = _LIKE_AN_ESCAPE.sub("_x005F_", text)
    return _UNWRITABLE.sub(lambda found: f"_x{ord(found.group()):04X}_", text)


def _refused(why: str) -> Invalid:
    return Invalid.field("file", f"the workbook cannot be imported: {why}")


def _check_container(file: bytes) -> None:
    if file.startswith(_OLE):
        raise _refused("it has a password or is in the old format; save it as XLSX without a password")
    try:
        archive = open_archive(file, WORKBOOK)
    except RefusedArchive as refused:
        raise _refused(_WHY_NOT_OPENED[refused.reason]) from None
    entries = archive.infolist()
    if any(entry.flag_bits & 1 for entry in entries):
        raise _refused("it has a password; save it without")
    names = {entry.filename.lower() for entry in entries}
    if "xl/workbook.xml" not in names:
        raise _refused("it is a ZIP file without a workbook; save the sheet as XLSX or CSV UTF-8")
    for part, why in _REFUSED_PARTS.items():
        if any(part in name for name in names):
            raise _refused(why)
    _check_truth(archive, entries)


def _check_truth(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> None:
    """Whether the entries hold what they say, reading no more than that.

    The library asks for whole entries, and `zipfile` then unpacks one to its end before it looks at its size.
    """
    for entry in entries:
        if entry.compress_type not in METHODS:
            raise _refused("it is packed in an unusual way; open it in a spreadsheet and save it again")
        try:
            with archive.open(entry) as part:
                while part.read(_CHUNK):
                    pass
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError):
            raise _refused("it is damaged or incomplete") from None


def _rows(file: bytes, called: str) -> list[SheetCells]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="openpyxl")  # about pictures and the like, which we drop
        # Not `load_workbook`: it reads each sheet from end to end, to see how large it is.
        reader = ExcelReader(BytesIO(file), read_only=True, keep_links=False)
        reader.read_manifest()
        reader.read_strings()
        reader.read_workbook()
        apply_stylesheet(reader.archive, reader.wb)
        # The library's own read-only sheet fills up to the width and height that a file claims to have, and
        # forgets what is merged or hidden. The parser below it does neither.
        with reader.archive.open(_path_of_sheet(reader, called)) as part:
            parser = WorkSheetParser(
                part,
                reader.shared_strings,
                epoch=reader.wb.epoch,
                date_formats=reader.wb._date_formats,  # noqa: SLF001
                timedelta_formats=reader.wb._timedelta_formats,  # noqa: SLF001
            )
            rows = _bounded(parser.parse())
    _note_hidden(rows, parser)
    _note_merged(rows, parser)
    return _with_header(rows)


def _path_of_sheet(reader: Any, called: str) -> str:
    """Where the sheet of this name is in the archive, or else the first one."""
    paths = {
        sheet.name.lower(): str(link.target)
        for sheet, link in reversed(list(reader.parser.find_sheets()))
        if link.target in reader.valid_files and "chartsheet" not in link.Type
    }
    return paths.get(called) or list(paths.values())[-1]


def _bounded(parsed: Iterator[tuple[int, list[Mapping[str, Any]]]]) -> list[SheetCells]:
    """The rows in which something stands, up to one more than a sheet may have. Raises Invalid."""
    rows: list[SheetCells] = []
    characters = 0
    for line, (number, cells) in enumerate(parsed, start=1):
        if line > MOST_LINES:
            raise Invalid.field("file", TOO_MANY_LINES)
        if not _says_something(cells):
            continue
        rows.append(_row(number, cells))
        characters += sum(map(len, rows[-1].cells))
        if characters > MOST_CHARACTERS:
            raise Invalid.field("file", TOO_MANY_CHARACTERS)
        if len(rows) > MOST_ROWS + 1:
            break
    return rows


def _says_something(cells: list[Mapping[str, Any]]) -> bool:
    return any(cell["value"] is not None and str(cell["value"]).strip() for cell in cells)


def _row(number: int, cells: list[Mapping[str, Any]]) -> SheetCells:
    width = max(cell["column"] for cell in cells if cell["value"] is not None)
    if width > MOST_COLUMNS:
        return SheetCells(number, [], broken=TOO_MANY_COLUMNS)
    row = SheetCells(number, [""] * width)
    for cell in cells:
        place = cell["column"] - 1
        if cell["value"] is None:
            continue
        if complaint := _complaint(cell):
            row.wrong[place] = complaint
        else:
            row.cells[place] = _text(cell["value"])
    return row


def _complaint(cell: Mapping[str, Any]) -> str | None:
    if cell["data_type"] == "f":
        return "this is a formula; type the value instead"
    if cell["data_type"] == "e":
        return f"this is an error of the spreadsheet ({cell['value']}); type the value instead"
    if isinstance(cell["value"], date | time | timedelta):
        return "this is a date or time; format the cell as text and type it again"
    return None


def _text(value: object) -> str:
    """A cell as a text: what was typed as `1` or `TRUE` is `1` and `true`."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else format(Decimal(repr(value)), "f")
    text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), str(value))
    return one_line_end(text)


def _note_hidden(rows: list[SheetCells], parser: Any) -> None:
    """What an author does not see is not imported behind their back."""
    for row in rows:
        if _is_hidden(parser.row_dimensions.get(str(row.row), {})):
            row.wrong[WHOLE_ROW] = "this row is hidden; show it, or delete it"
    for column in parser.column_dimensions.values():
        if not rows or not _is_hidden(column):
            continue
        for place in range(int(column["min"]) - 1, min(int(column["max"]), len(rows[0].cells))):
            rows[0].wrong[place] = "this column is hidden; show it, or delete it"


def _is_hidden(dimension: Mapping[str, str]) -> bool:
    return dimension.get("hidden") in ("1", "true")


def _note_merged(rows: list[SheetCells], parser: Any) -> None:
    row_at = {row.row: row for row in rows}
    for merged in parser.merged_cells.mergeCell if parser.merged_cells is not None else ():
        first_column, first_row, _, _ = merged.bounds
        if first_row in row_at:
            row_at[first_row].wrong[first_column - 1] = f"the cells {merged.coord} are merged; split them"


def _with_header(rows: list[SheetCells]) -> list[SheetCells]:
    """A sheet that begins with empty rows has no header in row 1."""
    return rows if rows and rows[0].row == 1 else [SheetCells(1, []), *rows]
