"""A sheet of questions (CSV or XLSX): bytes in, questions and errors out. Nothing here knows the database."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from app.core.errors import Invalid, TooLarge
from app.services.questions.cells import one_line_end
from app.services.questions.columns import Columns, read_header
from app.services.questions.limits import (
    LONGEST_ROW,
    MOST_BYTES,
    MOST_COLUMNS,
    MOST_ERRORS_FOUND,
    MOST_LINES,
    MOST_ROWS,
    NOTHING_MORE_READ,
    TOO_LONG_ROW,
    TOO_MANY_COLUMNS,
    TOO_MANY_LINES,
)
from app.services.questions.progress import Progress, Stage, unwatched
from app.services.questions.rows import EmptyKey, RowError, RowReader, SheetRow
from app.services.questions.workbooks import SHEET, SheetCells, is_workbook, read_workbook

_TOLD_EVERY = 100
_SENT_AT_ONCE = 100


@dataclass(slots=True)
class Sheet:
    """What was read; where there are errors, `rows` are those without."""

    columns: Columns
    rows: list[SheetRow] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)


def read_sheet(
    file: bytes, *, empty_key: EmptyKey, needs_subject: bool, progress: Progress = unwatched
) -> Sheet:
    """Read a sheet and find everything that is wrong with it. One with a header alone is fine, and empty.

    Raises Invalid for what is no sheet of questions in XLSX or CSV UTF-8 at all, TooLarge beyond 25 MB.
    """
    records = records_of(file)
    sheet = _begun(next(records), needs_subject=needs_subject)
    if sheet.errors:
        return sheet
    count = 0
    for count, record in enumerate(filled(records), start=1):
        if count > MOST_ROWS:
            raise Invalid.field("file", f"a sheet may have {MOST_ROWS:,} questions; split it")
        if len(sheet.errors) > MOST_ERRORS_FOUND:
            sheet.errors.append(RowError(record.row, "file", NOTHING_MORE_READ))
            break
        if count % _TOLD_EVERY == 0:
            progress(Stage.READING, count, None)
        if record.broken:
            sheet.errors.append(RowError(record.row, "file", record.broken))
        else:
            _add(sheet, record, RowReader(sheet.columns, record.row, record.cells, empty_key, needs_subject))
    progress(Stage.READING, count, count)
    return sheet


def sheet_in_pieces(file: bytes, empty_key: EmptyKey, needs_subject: bool) -> Iterator[Sheet]:
    """What `read_sheet` gives, a hundred rows at a time: for a child process, see `joined`."""
    sheet = read_sheet(file, empty_key=empty_key, needs_subject=needs_subject)
    yield Sheet(sheet.columns, errors=sheet.errors)
    for start in range(0, len(sheet.rows), _SENT_AT_ONCE):
        yield Sheet(sheet.columns, rows=sheet.rows[start : start + _SENT_AT_ONCE])


def joined(pieces: Sequence[Sheet]) -> Sheet:
    """The sheet of which these are the pieces."""
    rows = [row for piece in pieces for row in piece.rows]
    return Sheet(pieces[0].columns, rows, pieces[0].errors)


def records_of(file: bytes, sheet: str = SHEET) -> Iterator[SheetCells]:
    """The rows of any XLSX or CSV in UTF-8, the header first; of a workbook, those of `sheet`, or its first.

    Raises Invalid for what is neither, TooLarge beyond 25 MB.
    """
    if len(file) > MOST_BYTES:
        raise TooLarge(MOST_BYTES)
    return read_workbook(file, sheet) if is_workbook(file) else _records(_decoded(file))


def filled(records: Iterator[SheetCells]) -> Iterator[SheetCells]:
    """Rows in which something stands, or is wrong."""
    return (
        record
        for record in records
        if record.broken or record.wrong or any(cell.strip() for cell in record.cells)
    )


def check_header(header: SheetCells) -> None:
    """Raises Invalid where the first row cannot be read at all."""
    if header.broken:
        raise Invalid.field("file", f"the header cannot be read: {header.broken}")


def _begun(header: SheetCells, *, needs_subject: bool) -> Sheet:
    check_header(header)
    columns, problems = read_header(header.cells, needs_subject=needs_subject)
    if not columns:
        example = 'such as "question,option_a,option_b,key"'
        hint = "; separate the columns by commas" if len(header.cells) == 1 else ""
        raise Invalid.field("file", f"the first row is no header of a sheet of questions, {example}{hint}")
    errors = _cell_errors(header, columns)
    return Sheet(
        columns, errors=errors or [RowError(header.row, error.column, error.message) for error in problems]
    )


def _add(sheet: Sheet, record: SheetCells, reader: RowReader) -> None:
    wrong = _cell_errors(record, sheet.columns)
    reader.errors += wrong
    question = reader.read()
    if question is not None:
        sheet.rows.append(question)
    told = {error.field for error in wrong}
    sheet.errors += wrong
    sheet.errors += (error for error in reader.errors if error.field not in told)


def _cell_errors(record: SheetCells, columns: Columns) -> list[RowError]:
    """What is wrong with cells before anybody asks what they mean."""
    return [
        RowError(record.row, columns.name_at(place), message)
        for place, message in sorted(record.wrong.items())
    ]


def _decoded(file: bytes) -> str:
    """The text of the file, with one kind of line end."""
    if file.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Invalid.field("file", "the file is in UTF-16; save the sheet as CSV UTF-8")
    try:
        text = file.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = file.count(b"\n", 0, error.start) + 1
        raise Invalid.field(
            "file", f"the file is not in UTF-8 (see its line {line}); save the sheet as CSV UTF-8"
        ) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise Invalid.field("file", f"the file has a NUL character in its line {line}; it is no CSV")
    if not text.strip():
        raise Invalid.field("file", "the file is empty")
    return one_line_end(text)


def _records(text: str) -> Iterator[SheetCells]:
    """Records with the numbers that a spreadsheet gives them: one may span several lines of the file."""
    lines = _Lines(text)
    reader = csv.reader(lines, strict=True)
    row = 0
    while True:
        row += 1
        if row > MOST_LINES:
            raise Invalid.field("file", TOO_MANY_LINES)
        lines.begin_row()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield SheetCells(row, [], broken=f"the row cannot be read, see its quotation marks ({error})")
            return
        except _TooLongRow:
            yield SheetCells(row, [], broken=TOO_LONG_ROW)
            return
        if len(cells) > MOST_COLUMNS:
            yield SheetCells(row, [], broken=TOO_MANY_COLUMNS)
            return
        yield SheetCells(row, cells)


class _TooLongRow(Exception):
    """The lines of one row are longer than any row is."""


class _Lines:
    """The lines of a text, for a reader that takes as many of them as belong to one row."""

    def __init__(self, text: str) -> None:
        self._text = io.StringIO(text, newline="")
        self._left = LONGEST_ROW

    def begin_row(self) -> None:
        """The next line begins a row."""
        self._left = LONGEST_ROW

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._text.readline(self._left + 1)
        self._left -= len(line)
        if not line:
            raise StopIteration
        if self._left < 0:
            raise _TooLongRow
        return line
