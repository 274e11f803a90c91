"""A sheet of questions (CSV): bytes in, questions and errors out. Nothing here knows the database."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field

from app.core.errors import Invalid, TooLarge
from app.services.questions.columns import Columns, read_header
from app.services.questions.rows import EmptyKey, RowError, RowReader, SheetRow

MOST_BYTES = 25_000_000
MOST_ROWS = 20_000


@dataclass(slots=True)
class Sheet:
    """What was read; where there are errors, `rows` are those without."""

    columns: Columns
    rows: list[SheetRow] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Record:
    """One line of a spreadsheet; `broken` says why it and all that follow cannot be read."""

    row: int
    cells: list[str]
    broken: str | None = None


def read_sheet(file: bytes, *, empty_key: EmptyKey, needs_subject: bool) -> Sheet:
    """Read a sheet and find everything that is wrong with it.

    Raises Invalid for what is no sheet of questions in CSV and UTF-8 at all, TooLarge beyond 25 MB.
    """
    records = _records(_decoded(file))
    sheet = _begun(next(records), needs_subject=needs_subject)
    if sheet.errors:
        return sheet
    for record in records:
        if record.broken:
            sheet.errors.append(RowError(record.row, "file", record.broken))
        elif any(cell.strip() for cell in record.cells):
            _add(sheet, RowReader(sheet.columns, record.row, record.cells, empty_key, needs_subject))
    if not sheet.rows and not sheet.errors:
        raise Invalid.field("file", "the sheet has a header and no question")
    return sheet


def _begun(header: _Record, *, needs_subject: bool) -> Sheet:
    columns, problems = read_header(header.cells, needs_subject=needs_subject)
    if header.broken or not columns:
        hint = " (columns are separated by commas)" if len(header.cells) == 1 else ""
        raise Invalid.field("file", f"the first row is no header of a sheet of questions{hint}")
    return Sheet(columns, errors=[RowError(header.row, error.column, error.message) for error in problems])


def _add(sheet: Sheet, reader: RowReader) -> None:
    question = reader.read()
    if question is not None:
        sheet.rows.append(question)
    sheet.errors += reader.errors


def _decoded(file: bytes) -> str:
    """The text of the file, with one kind of line end."""
    if len(file) > MOST_BYTES:
        raise TooLarge(MOST_BYTES)
    if file.startswith(b"PK\x03\x04"):
        raise Invalid.field("file", "XLSX is not read yet; save the sheet as CSV UTF-8")
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
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _records(text: str) -> Iterator[_Record]:
    """Records with the numbers that a spreadsheet gives them: one may span several lines of the file."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    row = 0
    while True:
        row += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield _Record(row, [], f"the row cannot be read, see its quotation marks ({error})")
            return
        if row > MOST_ROWS + 1:
            raise Invalid.field("file", f"a sheet may have {MOST_ROWS:,} questions; split it")
        yield _Record(row, cells)
