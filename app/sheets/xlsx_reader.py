"""Reads XLSX as records: the cells that a user sees. Formulas, hidden and merged cells are errors."""

import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, time, timedelta
from io import BytesIO
from itertools import islice
from typing import Any, overload

from app.sentences import Sentence
from app.sheets.cells import normalize_line_ends
from app.sheets.embedded_images import IMAGE_HERE, EmbeddedImage, images_of
from app.sheets.errors import UnreadableSheet
from app.sheets.header_row import LOOKED_AT
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
from app.sheets.records import HIDDEN_COLUMN, WHOLE_ROW, Record, column_letters
from app.sheets.worksheets import IsWanted, NotRead, Worksheet
from app.sheets.xlsx_container import check_container, refused_workbook

_FIRST_OWN_FORMAT = 164
"""The number of the first format of a workbook that is its own. The others are the spreadsheet's."""
_FormatOf = Callable[[int], str]
"""Returns the number format of a cell's style."""
_ESCAPED = re.compile(r"_x(00(?:0[0-8BCDEF]|1[0-9A-F]|5F)|FFF[EF])_")
_LIKE_AN_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def read_xlsx(file: bytes, sheet_name: str) -> Iterator[Record]:
    """Return the non-empty rows of the sheet with this name, else of the first one.

    Raises UnreadableSheet for a file that is not XLSX, or that has macros, links or a password.
    """
    with _opened(file) as book:
        sheets = [sheet for sheet in book.sheets() if sheet.path is not None]
        called = [sheet for sheet in sheets if sheet.title.lower() == sheet_name]
        return iter(book.records((called or sheets)[0]))


def read_worksheets(file: bytes, sheet_name: str, is_wanted: IsWanted) -> list[Worksheet]:
    """Return all sheets of a workbook, those with rows that are read and why each of the others is not.

    If there is a sheet with this name, it alone is read; otherwise those of which `is_wanted` returns true
    for the first rows. If there is none, the first sheet with rows is read. Raises UnreadableSheet.
    """
    with _opened(file) as book:
        sheets = book.sheets()
        called = [sheet for sheet in sheets if sheet.title.lower() == sheet_name and sheet.is_visible]
        found = [book.worksheet(sheet, is_wanted) for sheet in called or sheets]
        if not any(sheet.records for sheet in found):
            for place in _to_be_read_anyway(found):
                found[place] = Worksheet(found[place].title, book.records((called or sheets)[place]))
        others = [sheet for sheet in sheets if called and sheet not in called]
        return [*found, *(Worksheet(sheet.title, why_not=NotRead.OTHER) for sheet in others)]


def _to_be_read_anyway(found: Sequence[Worksheet]) -> Sequence[int]:
    """The place of the sheet whose header is reported as an error: the first one with rows."""
    reasons = (NotRead.NO_HEADER, NotRead.EMPTY)
    return [at for why in reasons for at, sheet in enumerate(found) if sheet.why_not is why][:1]


def escape_xml(text: str) -> str:
    """Write characters that XML cannot hold as spreadsheets do: `_x000B_`.

    An underscore that begins what looks like such an escape becomes `_x005F_`.
    """
    text = _LIKE_AN_ESCAPE.sub("_x005F_", text)
    return _UNWRITABLE.sub(lambda found: f"_x{ord(found.group()):04X}_", text)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A sheet of a workbook."""

    title: str
    path: str | None
    """Its part of the archive. A chart has none that could be read."""
    is_visible: bool


@contextmanager
def _opened(file: bytes) -> Iterator["_Workbook"]:
    """Open a workbook. Raises UnreadableSheet, also for damage that the block finds."""
    check_container(file)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="openpyxl")  # about images and the like
            yield _Workbook(file)
    except (UnreadableSheet, MemoryError):
        raise
    except Exception as error:  # A damaged part can make the library raise anything.
        raise refused_workbook(
            Sentence("It is damaged. Open it in a spreadsheet and save it as XLSX again.")
        ) from error


class _Workbook:
    """An opened workbook. All its sheets together have at most as many characters as one sheet may have."""

    def __init__(self, file: bytes) -> None:
        # Imported when the first workbook is read: openpyxl imports numpy, and few processes read workbooks.
        from openpyxl.reader.excel import ExcelReader  # noqa: PLC0415
        from openpyxl.styles.stylesheet import apply_stylesheet  # noqa: PLC0415

        # Not `load_workbook`: it reads each sheet to its end to find its size.
        self._reader = reader = ExcelReader(BytesIO(file), read_only=True, keep_links=False)
        reader.read_manifest()
        reader.read_strings()
        reader.read_workbook()
        apply_stylesheet(reader.archive, reader.wb)
        self._format_of = _formats_of(reader.wb)
        self._read = _Read()

    def sheets(self) -> list[_Sheet]:
        """Return the sheets in their order."""
        return [
            _Sheet(
                str(sheet.name),
                str(link.target)
                if link.target in self._reader.valid_files and "chartsheet" not in link.Type
                else None,
                is_visible=sheet.state == "visible",
            )
            for sheet, link in self._reader.parser.find_sheets()
        ]

    def worksheet(self, sheet: _Sheet, is_wanted: IsWanted) -> Worksheet:
        """Return a sheet with its rows, or why it is not read."""
        if not sheet.is_visible:
            return Worksheet(sheet.title, why_not=NotRead.HIDDEN)
        if sheet.path is None:
            return Worksheet(sheet.title, why_not=NotRead.CHART)
        records = self.records(sheet, is_wanted)
        if records is None:
            return Worksheet(sheet.title, why_not=NotRead.NO_HEADER)
        if not any(record.cells or record.cell_errors for record in records):
            return Worksheet(sheet.title, why_not=NotRead.EMPTY)
        return Worksheet(sheet.title, records)

    @overload
    def records(self, sheet: _Sheet) -> list[Record]: ...
    @overload
    def records(self, sheet: _Sheet, is_wanted: IsWanted) -> list[Record] | None: ...
    def records(self, sheet: _Sheet, is_wanted: IsWanted | None = None) -> list[Record] | None:
        """Return the non-empty rows of a sheet; None if its first rows are not wanted."""
        from openpyxl.worksheet._reader import WorkSheetParser  # noqa: PLC0415

        # The library's read-only sheet fills up to the width and height that a file declares, and omits what
        # is merged or hidden. The parser below it does neither.
        reader, path = self._reader, str(sheet.path)
        with reader.archive.open(path) as part:
            parser = WorkSheetParser(
                part,
                reader.shared_strings,
                epoch=reader.wb.epoch,
                date_formats=reader.wb._date_formats,  # noqa: SLF001
                timedelta_formats=reader.wb._timedelta_formats,  # noqa: SLF001
            )
            parsed = _bounded(parser.parse(), self._format_of, self._read)
            rows = list(islice(parsed, LOOKED_AT))
            if is_wanted is not None and rows and not is_wanted(rows):
                return None
            rows += parsed
        rows = _with_images(rows, images_of(reader.archive, path))
        for row in rows:
            row.sheet = sheet.title
        _mark_hidden(rows, parser)
        _mark_merged(rows, parser)
        return _with_header(rows)


def _formats_of(workbook: Any) -> _FormatOf:
    """Returns the function that knows the number format of a style."""
    from openpyxl.styles.numbers import BUILTIN_FORMATS  # noqa: PLC0415

    styles, own = workbook._cell_styles, workbook._number_formats  # noqa: SLF001

    def format_of(style: int) -> str:
        number = styles[style].numFmtId if style < len(styles) else 0
        return str(BUILTIN_FORMATS.get(number) or own[number - _FIRST_OWN_FORMAT])

    return format_of


@dataclass(slots=True)
class _Read:
    """How much of a workbook is read."""

    characters: int = 0
    lines: int = 0


def _bounded(
    parsed: Iterator[tuple[int, list[Mapping[str, Any]]]], format_of: _FormatOf, read: _Read
) -> Iterator[Record]:
    """Yield the non-empty rows, at most one more than a sheet may have. Raises UnreadableSheet."""
    rows = 0
    for number, cells in parsed:
        read.lines += 1
        if read.lines > MAX_LINES:
            raise UnreadableSheet(TOO_MANY_LINES)
        if not _has_text(cells):
            continue
        row = _row(number, cells, format_of)
        read.characters += sum(map(len, row.cells))
        if read.characters > MAX_CHARACTERS:
            raise UnreadableSheet(TOO_MANY_CHARACTERS)
        yield row
        rows += 1
        if rows > MAX_ROWS + 1:
            break


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


def _with_images(rows: list[Record], images: Iterable[EmbeddedImage]) -> list[Record]:
    """Mark the rows at which an image stands: it would be lost without a word."""
    row_at = {row.row: row for row in rows}
    for image in images:
        row = row_at.setdefault(image.row, Record(image.row, []))
        row.images = (*row.images, image)
        cell = f"{column_letters(image.column)}{image.row}"
        row.cell_errors.setdefault(
            WHOLE_ROW,
            f"{IMAGE_HERE} (at {cell}), and images on a sheet are not read; save it as a file, name the"
            " file in the column image, and send it in a ZIP of images",
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
        first_column, first_row, last_column, last_row = merged.bounds
        if first_row in row_at and first_column == last_column:
            row = row_at[first_row]
            row.merged_down = (*row.merged_down, (first_column - 1, last_row))
        if first_row in row_at:
            row_at[first_row].cell_errors[first_column - 1] = (
                f"the cells {merged.coord} are merged; split them"
            )


def _with_header(rows: list[Record]) -> list[Record]:
    """Add an empty row 1 where the sheet begins with empty rows: the header is always row 1."""
    return rows if rows and rows[0].row == 1 else [Record(1, []), *rows]
