"""Reads a roster: bytes in, rows and errors out, without the database."""

from dataclasses import dataclass

from app.core.names import MAX_ROLL_NUMBER_LENGTH
from app.sentences import Sentence
from app.services.enrolments import MAX_BATCH_NAME_LENGTH
from app.services.person_cells import PersonCells, repeated
from app.services.rosters.columns import RosterLayout, count_known, read_layout
from app.sheets.errors import UnreadableSheet
from app.sheets.files import read_records
from app.sheets.header_row import find_header, not_read
from app.sheets.parsing import ParsedSheet, cell_errors, errors_without_header, parse_rows
from app.sheets.records import Record, check_header
from app.sheets.reports import RowError

SHEET = "roster"
MAX_PEOPLE = 2_000


@dataclass(frozen=True, slots=True)
class RosterRow:
    """One candidate. None means an empty cell, which changes nothing."""

    row: int
    email: str
    name: str | None
    roll_number: str | None = None
    category: str | None = None
    pwbd: int | None = None
    batch: str | None = None


RosterFile = ParsedSheet[RosterLayout, RosterRow]


def read_roster(file: bytes) -> RosterFile:
    """Read the candidates and report all errors.

    Raises UnreadableSheet for a file that is neither XLSX nor CSV in UTF-8, SheetTooLarge beyond 25 MB.
    """
    header, above, records = find_header(read_records(file, SHEET), count_known)
    check_header(header)
    if header.is_empty:
        raise UnreadableSheet("The file has no header row. The first row must name the columns.")
    layout, errors = read_layout(header)
    sheet = ParsedSheet[RosterLayout, RosterRow](
        layout,
        errors=errors or cell_errors(header, layout),
        warnings=[*not_read(above)],
        header=header,
    )
    if sheet.errors:
        return sheet

    def parse(record: Record, errors: list[RowError]) -> RosterRow:
        return _row_of(layout, record, errors)

    parse_rows(sheet, records, parse, noun="candidates")
    if len(sheet.rows) > MAX_PEOPLE:
        raise UnreadableSheet(
            Sentence("A roster may have at most {most:,} candidates. Split it.", most=MAX_PEOPLE)
        )
    sheet.errors += repeated(sheet.rows, "each person has one row")
    return sheet


def _row_of(layout: RosterLayout, record: Record, errors: list[RowError]) -> RosterRow:
    """One candidate. The row is incomplete if there are errors."""
    errors += errors_without_header(record, range(len(layout.names), len(record.cells)))
    cells = PersonCells(record, layout, errors)
    return RosterRow(
        row=record.row,
        email=cells.email(required=True) or "",
        name=cells.text("name"),
        roll_number=cells.text("roll_number", MAX_ROLL_NUMBER_LENGTH),
        category=cells.category(),
        pwbd=cells.pwbd(),
        batch=cells.text("batch", MAX_BATCH_NAME_LENGTH),
    )
