"""Reads XLSX as records: the cells that a user sees. Formulas, hidden and merged cells are errors."""

import re
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from datetime import date, time, timedelta
from io import BytesIO
from typing import Any

from app.sentences import Sentence
from app.sheets.archives import (
    DAMAGED_ENTRY,
    METHODS,
    ArchiveLimits,
    ArchiveRefused,
    is_encrypted,
    open_archive,
)
from app.sheets.cells import normalize_line_ends
from app.sheets.errors import UnreadableSheet
from app.sheets.limits import (
    MAX_CHARACTERS,
    MAX_COLUMNS,
    MAX_LINES,
    MAX_ROWS,
    TOO_MANY_CHARACTERS,
    TOO_MANY_COLUMNS,
    TOO_MANY_LINES,
)
from app.sheets.number_formats import NotShown, shown
from app.sheets.pictures import rows_with_pictures
from app.sheets.records import HIDDEN_COLUMN, WHOLE_ROW, Record, column_letters

LIMITS = ArchiveLimits(entries=1_000, unpacked_bytes=100_000_000)

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # an encrypted workbook, or the format before XLSX
_WORKBOOK_OF_XLS = "Workbook".encode("utf-16-le")
_OLD_FORMAT = Sentence("It is in the old format XLS. Open it in a spreadsheet and save it as XLSX.")
_PASSWORD_OR_OLD = Sentence("It has a password or is in the old format. Save it as XLSX without a password.")
_OTHER_FORMATS = {
    "content.xml": "LibreOffice (ODS)",
    "xl/workbook.bin": "Excel in the binary format (XLSB)",
    "index/document.iwa": "Numbers",
    "word/document.xml": "Word",
}
_CHUNK = 1 << 20
_FIRST_OWN_FORMAT = 164
"""The number of the first format of a workbook that is its own. The others are the spreadsheet's."""
_FormatOf = Callable[[int], str]
"""Returns the number format of a cell's style."""
_CONNECTIONS = Sentence("It has connections to other data. Remove them and save it again.")
_REFUSED_PARTS = {
    "vbaproject": Sentence("It has macros. Save it as XLSX without them."),
    "xl/externallinks/": Sentence("It has links to other files. Break them and save it again."),
    "xl/connections.xml": _CONNECTIONS,
    "xl/querytables/": _CONNECTIONS,
}
_TOO_LARGE = Sentence("Unpacked it is larger than {most:,} bytes. Split it.", most=LIMITS.unpacked_bytes)
_WHY_NOT_OPENED = {
    "damaged": Sentence("It is damaged or incomplete."),
    "entries": _TOO_LARGE,
    "size": _TOO_LARGE,
    "ratio": Sentence("It is compressed more than a spreadsheet can be."),
}
_ESCAPED = re.compile(r"_x(00(?:0[0-8BCDEF]|1[0-9A-F]|5F)|FFF[EF])_")
_LIKE_AN_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def is_xlsx(file: bytes) -> bool:
    """Return whether the file begins like XLSX, or like a format that is refused as such."""
    return file.startswith((_ZIP, _OLE))


def read_xlsx(file: bytes, sheet_name: str) -> Iterator[Record]:
    """Return the non-empty rows of the sheet with this name, else of the first one.

    Raises UnreadableSheet for a file that is not XLSX, or that has macros, links or a password.
    """
    _check_container(file)
    try:
        rows = _rows(file, sheet_name)
    except (UnreadableSheet, MemoryError):
        raise
    except Exception as error:  # A damaged part can make the library raise anything.
        raise _refused(
            Sentence("It is damaged. Open it in a spreadsheet and save it as XLSX again.")
        ) from error
    return iter(rows)


def escape_xml(text: str) -> str:
    """Write characters that XML cannot hold as spreadsheets do: `_x000B_`.

    An underscore that begins what looks like such an escape becomes `_x005F_`.
    """
    text = _LIKE_AN_ESCAPE.sub("_x005F_", text)
    return _UNWRITABLE.sub(lambda found: f"_x{ord(found.group()):04X}_", text)


def _refused(why: str) -> UnreadableSheet:
    return UnreadableSheet(Sentence.joined(Sentence("The workbook cannot be imported."), why))


def _check_container(file: bytes) -> None:
    if file.startswith(_OLE):
        raise _refused(_OLD_FORMAT if _WORKBOOK_OF_XLS in file else _PASSWORD_OR_OLD)
    try:
        archive = open_archive(file, LIMITS)
    except ArchiveRefused as refused:
        raise _refused(_WHY_NOT_OPENED[refused.reason]) from None
    entries = archive.infolist()
    if any(map(is_encrypted, entries)):
        raise _refused(Sentence("It has a password. Save it without one."))
    names = {entry.filename.lower() for entry in entries}
    for part, program in _OTHER_FORMATS.items():
        if part in names:
            raise _refused(Sentence("It is a file of {program}. Save it as XLSX.", program=program))
    if "xl/workbook.xml" not in names:
        raise _refused(Sentence("It is a ZIP file without a workbook. Save the sheet as XLSX or CSV UTF-8."))
    for part, why in _REFUSED_PARTS.items():
        if any(part in name for name in names):
            raise _refused(why)
    _check_entries(archive, entries)


def _check_entries(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> None:
    """Check that each entry has the size that it declares, reading no more than that.

    The library reads whole entries, and `zipfile` unpacks an entry to its end before it checks the size.
    """
    for entry in entries:
        if entry.compress_type not in METHODS:
            raise _refused(
                Sentence("It is packed in an unusual way. Open it in a spreadsheet and save it again.")
            )
        try:
            with archive.open(entry) as part:
                while part.read(_CHUNK):
                    pass
        except DAMAGED_ENTRY:
            raise _refused(Sentence("It is damaged or incomplete.")) from None


def _rows(file: bytes, sheet_name: str) -> list[Record]:
    # Imported when the first workbook is read: openpyxl imports numpy, and few processes read workbooks.
    from openpyxl.reader.excel import ExcelReader  # noqa: PLC0415
    from openpyxl.styles.stylesheet import apply_stylesheet  # noqa: PLC0415
    from openpyxl.worksheet._reader import WorkSheetParser  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="openpyxl")  # about pictures and the like, which are ignored
        # Not `load_workbook`: it reads each sheet to its end to find its size.
        reader = ExcelReader(BytesIO(file), read_only=True, keep_links=False)
        reader.read_manifest()
        reader.read_strings()
        reader.read_workbook()
        apply_stylesheet(reader.archive, reader.wb)
        # The library's read-only sheet fills up to the width and height that a file declares, and omits what
        # is merged or hidden. The parser below it does neither.
        title, path = _sheet_called(reader, sheet_name)
        with reader.archive.open(path) as part:
            parser = WorkSheetParser(
                part,
                reader.shared_strings,
                epoch=reader.wb.epoch,
                date_formats=reader.wb._date_formats,  # noqa: SLF001
                timedelta_formats=reader.wb._timedelta_formats,  # noqa: SLF001
            )
            rows = _bounded(parser.parse(), _formats_of(reader.wb))
    rows = _with_pictures(rows, rows_with_pictures(reader.archive, path))
    for row in rows:
        row.sheet = title
    _mark_hidden(rows, parser)
    _mark_merged(rows, parser)
    return _with_header(rows)


def _sheet_called(reader: Any, sheet_name: str) -> tuple[str, str]:
    """Return the title and the path in the archive of the sheet with this name, else of the first one."""
    sheets = {
        sheet.name.lower(): (str(sheet.name), str(link.target))
        for sheet, link in reversed(list(reader.parser.find_sheets()))
        if link.target in reader.valid_files and "chartsheet" not in link.Type
    }
    return sheets.get(sheet_name) or list(sheets.values())[-1]


def _formats_of(workbook: Any) -> _FormatOf:
    """Returns the function that knows the number format of a style."""
    from openpyxl.styles.numbers import BUILTIN_FORMATS  # noqa: PLC0415

    styles, own = workbook._cell_styles, workbook._number_formats  # noqa: SLF001

    def format_of(style: int) -> str:
        number = styles[style].numFmtId if style < len(styles) else 0
        return str(BUILTIN_FORMATS.get(number) or own[number - _FIRST_OWN_FORMAT])

    return format_of


def _bounded(parsed: Iterator[tuple[int, list[Mapping[str, Any]]]], format_of: _FormatOf) -> list[Record]:
    """Return the non-empty rows, at most one more than a sheet may have. Raises UnreadableSheet."""
    rows: list[Record] = []
    characters = 0
    for line, (number, cells) in enumerate(parsed, start=1):
        if line > MAX_LINES:
            raise UnreadableSheet(TOO_MANY_LINES)
        if not _has_text(cells):
            continue
        rows.append(_row(number, cells, format_of))
        characters += sum(map(len, rows[-1].cells))
        if characters > MAX_CHARACTERS:
            raise UnreadableSheet(TOO_MANY_CHARACTERS)
        if len(rows) > MAX_ROWS + 1:
            break
    return rows


def _has_text(cells: list[Mapping[str, Any]]) -> bool:
    return any(cell["value"] is not None and str(cell["value"]).strip() for cell in cells)


def _row(number: int, cells: list[Mapping[str, Any]], format_of: _FormatOf) -> Record:
    width = max(cell["column"] for cell in cells if cell["value"] is not None)
    if width > MAX_COLUMNS:
        return Record(number, [], unreadable=TOO_MANY_COLUMNS)
    row = Record(number, [""] * width)
    for cell in cells:
        place = cell["column"] - 1
        if cell["value"] is None:
            continue
        if error := _error_in(cell):
            row.cell_errors[place] = error
            continue
        try:
            row.cells[place] = _text(cell, format_of)
        except NotShown as problem:
            row.cell_errors[place] = str(problem)
    return row


def _error_in(cell: Mapping[str, Any]) -> str | None:
    if cell["data_type"] == "f":
        return "this is a formula; type the value instead"
    if cell["data_type"] == "e":
        return f"this is an error of the spreadsheet ({cell['value']}); type the value instead"
    if isinstance(value := cell["value"], date | time | timedelta):
        return (
            f"the spreadsheet has made this a date or time ({_readable(value)});"
            " format the cell as text and type it again"
        )
    return None


def _readable(value: date | time | timedelta) -> str:
    return str(value).removesuffix(" 00:00:00")


def _text(cell: Mapping[str, Any], format_of: _FormatOf) -> str:
    """Return the text that a cell shows. Raises NotShown."""
    value = cell["value"]
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return shown(value, format_of(cell["style_id"]))
    text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), str(value))
    return normalize_line_ends(text)


def _with_pictures(rows: list[Record], pictures: Mapping[int, int]) -> list[Record]:
    """Mark the rows at which a picture stands: it would be lost without a word."""
    row_at = {row.row: row for row in rows}
    for number, column in pictures.items():
        row = row_at.setdefault(number, Record(number, []))
        row.cell_errors[WHOLE_ROW] = (
            f"a picture stands here (at {column_letters(column)}{number}), and pictures on a sheet are not"
            " read; save it as a file, name the file in the column image, and send it in a ZIP of images"
        )
    return sorted(row_at.values(), key=lambda row: row.row)


def _mark_hidden(rows: list[Record], parser: Any) -> None:
    """Hidden rows and columns are errors: an author must see what is imported."""
    for row in rows:
        if _is_hidden(parser.row_dimensions.get(str(row.row), {})):
            row.cell_errors[WHOLE_ROW] = "this row is hidden; show it, or delete it"
    width = max((len(row.cells) for row in rows), default=0)
    for column in parser.column_dimensions.values():
        if not rows or not _is_hidden(column):
            continue
        for place in range(int(column["min"]) - 1, min(int(column["max"]), width)):
            rows[0].cell_errors[place] = HIDDEN_COLUMN


def _is_hidden(dimension: Mapping[str, str]) -> bool:
    return dimension.get("hidden") in ("1", "true")


def _mark_merged(rows: list[Record], parser: Any) -> None:
    row_at = {row.row: row for row in rows}
    for merged in parser.merged_cells.mergeCell if parser.merged_cells is not None else ():
        first_column, first_row, _, _ = merged.bounds
        if first_row in row_at:
            row_at[first_row].cell_errors[first_column - 1] = (
                f"the cells {merged.coord} are merged; split them"
            )


def _with_header(rows: list[Record]) -> list[Record]:
    """Add an empty row 1 where the sheet begins with empty rows: the header is always row 1."""
    return rows if rows and rows[0].row == 1 else [Record(1, []), *rows]
