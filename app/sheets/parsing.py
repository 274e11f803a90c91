"""Turns the records of a sheet into rows of the caller's type and a list of all errors."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Protocol, TypeVar

from app.sentences import Sentence
from app.sheets.errors import UnreadableSheet
from app.sheets.limits import MAX_ERRORS, MAX_ROWS, NOTHING_MORE_READ
from app.sheets.progress import ReportProgress, no_progress
from app.sheets.records import WHOLE_ROW, Record, column_letters, non_empty
from app.sheets.reports import Message, RowError, RowWarning

_REPORT_EVERY = 100
_ROWS_PER_PIECE = 100

RowT = TypeVar("RowT")
LayoutT = TypeVar("LayoutT", bound="Layout")
Parse = Callable[[Record, list[RowError]], RowT]
"""Parses one record. The list has the errors of the record's cells; the function appends its own."""


class Layout(Protocol):
    """Which columns a sheet has and what they mean."""

    def name_at(self, position: int) -> str:
        """Return the name of a column in error messages."""

    def is_read(self, position: int) -> bool:
        """Return whether anything is read from this column."""

    def position_in(self, name: str) -> int | None:
        """Return the place of the column that errors call so; None if there is none."""


@dataclass(slots=True)
class ParsedSheet(Generic[LayoutT, RowT]):
    """The rows without errors, and the errors of the others."""

    layout: LayoutT
    rows: list[RowT] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    warnings: list[RowWarning] = field(default_factory=list)
    header: Record | None = None
    """The header of a spreadsheet. Files of another kind have no cells."""
    further: list["ParsedSheet[LayoutT, RowT]"] = field(default_factory=list)
    """The other sheets of a workbook: layouts and headers. Their rows and messages are in this one."""
    images: dict[str, bytes] = field(default_factory=dict)
    """The images on the sheet that rows name, by their names."""

    @property
    def headers(self) -> Sequence[Record]:
        """The header of each sheet that is read; none of a file of another kind."""
        return [sheet.header for sheet in (self, *self.further) if sheet.header is not None]

    @property
    def header_row(self) -> int:
        """The row of the header."""
        return self.header.row if self.header is not None else 1

    @property
    def layouts(self) -> Sequence[LayoutT]:
        """The layout of each sheet that is read."""
        return [self.layout, *(sheet.layout for sheet in self.further)]

    @property
    def header_names(self) -> Sequence[Sequence[str]]:
        """The headers of the sheets as the spreadsheet names them, such as `Sheet1!3`."""
        return [[header.cell_name(WHOLE_ROW) for header in self.headers]]

    def located(self, messages: Iterable[Message]) -> Iterator[Message]:
        """Return errors or warnings with the names of their cells, where they know only row and column."""
        for each in messages:
            name = each.cell or self.cell_name(each.row, each.field, each.sheet)
            yield each if name == each.cell else replace(each, cell=name)

    def cell_name(self, row: int, column: str, sheet: int = 1) -> str | None:
        """Return the name of the cell of a column; None if the file has no cells, or no such column."""
        if sheet > 1:
            return self.further[sheet - 2].cell_name(row, column)
        position = WHOLE_ROW if column == "file" else self.layout.position_in(column)
        if self.header is None or position is None:
            return None
        return Record(row, [], sheet=self.header.sheet).cell_name(position)

    def add(self, sheet: "ParsedSheet[LayoutT, RowT]") -> None:
        """Add a further sheet of the same workbook."""
        self.further.append(ParsedSheet(sheet.layout, header=sheet.header))
        number = 1 + len(self.further)
        self.rows += sheet.rows
        self.images |= sheet.images
        self.errors += (replace(error, sheet=number) for error in sheet.errors)
        self.warnings += (replace(warning, sheet=number) for warning in sheet.warnings)


def parse_rows(
    sheet: ParsedSheet[LayoutT, RowT],
    records: Iterable[Record],
    parse: Parse[RowT],
    *,
    noun: str,
    progress: ReportProgress = no_progress,
    stage: str = "Reading rows",
) -> None:
    """Parse all records below the header into `sheet`.

    `noun` names the rows in the error for too many of them. Raises UnreadableSheet.
    """
    count = 0
    for count, record in enumerate(non_empty(records), start=1):
        if count > MAX_ROWS:
            raise UnreadableSheet(too_many_rows(noun))
        if len(sheet.errors) > MAX_ERRORS:
            sheet.errors.append(RowError(record.row, "file", NOTHING_MORE_READ))
            break
        if count % _REPORT_EVERY == 0:
            progress(stage, count, None)
        _parse_row(sheet, record, parse)
    progress(stage, count, count)


def too_many_rows(noun: str) -> Sentence:
    """Return what is wrong with a file of too many rows."""
    return Sentence("A file may have at most {most:,} {noun}. Split it.", most=MAX_ROWS, noun=Sentence(noun))


def _parse_row(sheet: ParsedSheet[LayoutT, RowT], record: Record, parse: Parse[RowT]) -> None:
    if record.unreadable:
        sheet.errors.append(RowError(record.row, "file", record.unreadable, record.cell_name(WHOLE_ROW)))
        return
    in_cells = cell_errors(record, sheet.layout)
    if in_cells and not any(map(str.strip, record.cells)):
        sheet.errors += in_cells
        return
    errors = list(in_cells)
    row = parse(record, errors)
    if not errors:
        sheet.rows.append(row)
    # A cell with an error of its own is read as empty: what follows from that is not reported too.
    reported = {error.field for error in in_cells}
    sheet.errors += in_cells
    sheet.errors += (error for error in errors[len(in_cells) :] if error.field not in reported)


def cell_errors(record: Record, layout: Layout) -> list[RowError]:
    """Return the errors that the reader found in cells, such as formulas or hidden columns."""
    return [
        RowError(record.row, layout.name_at(position), message, record.cell_name(position))
        for position, message in sorted(record.cell_errors.items())
        if position == WHOLE_ROW or layout.is_read(position)
    ]


def errors_without_header(record: Record, positions: Iterable[int]) -> Iterator[RowError]:
    """Return an error for each non-empty cell at these positions, which have no header."""
    for position in positions:
        if record.cell(position).strip():
            column = f"column {column_letters(position)}"
            message = "there is no header above this cell; name the column, or delete what is in it"
            yield RowError(record.row, column, message, record.cell_name(position))


def parse_in_pieces(
    parse: Callable[..., ParsedSheet[LayoutT, RowT]], *arguments: Any
) -> Iterator[ParsedSheet[LayoutT, RowT]]:
    """Call `parse` and return its sheet in pieces of a hundred rows, for a pipe between processes."""
    sheet = parse(*arguments)
    yield replace(sheet, rows=[])
    for start in range(0, len(sheet.rows), _ROWS_PER_PIECE):
        yield ParsedSheet(sheet.layout, rows=sheet.rows[start : start + _ROWS_PER_PIECE])


def join_pieces(pieces: Sequence[ParsedSheet[LayoutT, RowT]]) -> ParsedSheet[LayoutT, RowT]:
    """Return the sheet whose pieces these are."""
    rows = [row for piece in pieces for row in piece.rows]
    first = pieces[0]
    return replace(first, rows=rows)
