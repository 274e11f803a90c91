"""Reads a roster: bytes in, rows and errors out, without the database."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.core.names import LONGEST_EMAIL, LONGEST_NAME, email_address, problem_of
from app.sentences import Sentence
from app.services.enrolments import LONGEST_BATCH
from app.services.rosters.columns import RosterLayout, read_layout
from app.sheets.cells import unescape_formula
from app.sheets.errors import UnreadableSheet
from app.sheets.files import read_records
from app.sheets.parsing import ParsedSheet, cell_errors, errors_without_header, parse_rows
from app.sheets.records import Record, check_header
from app.sheets.reports import RowError

SHEET = "roster"
MAX_PEOPLE = 2_000
CATEGORIES = ("general", "ews", "obc", "sc", "st")
_LONGEST_ROLL_NUMBER = 50


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
    records = read_records(file, SHEET)
    header = next(records)
    check_header(header)
    if header.is_empty:
        raise UnreadableSheet("The first row is not a header. It names the columns.")
    layout, errors = read_layout(header.cells)
    sheet = ParsedSheet[RosterLayout, RosterRow](layout, errors=errors or cell_errors(header, layout))
    if sheet.errors:
        return sheet

    def parse(record: Record, errors: list[RowError]) -> RosterRow:
        return _RowReader(layout, record, errors).read()

    parse_rows(sheet, records, parse, noun="candidates")
    if len(sheet.rows) > MAX_PEOPLE:
        raise UnreadableSheet(
            Sentence("A roster may have at most {most:,} candidates. Split it.", most=MAX_PEOPLE)
        )
    sheet.errors += _repeated(sheet.rows)
    return sheet


def _repeated(rows: Sequence[RosterRow]) -> Iterator[RowError]:
    for what in ("email", "roll_number"):
        first: dict[str, int] = {}
        for row in rows:
            value = getattr(row, what)
            if value is not None and first.setdefault(value, row.row) != row.row:
                yield RowError(row.row, what, f"row {first[value]} has this one too; each person has one row")


@dataclass(slots=True)
class _RowReader:
    """Reads the row of one candidate and adds its errors to `errors`."""

    layout: RosterLayout
    record: Record
    errors: list[RowError]

    def read(self) -> RosterRow:
        """Return the candidate. It is incomplete if there are errors."""
        width = len(self.layout.names)
        self.errors += errors_without_header(self.record, range(width, len(self.record.cells)))
        return RosterRow(
            row=self.record.row,
            email=self._email(),
            name=self._text("name", LONGEST_NAME),
            roll_number=self._text("roll_number", _LONGEST_ROLL_NUMBER),
            category=self._category(),
            pwbd=self._pwbd(),
            batch=self._text("batch", LONGEST_BATCH),
        )

    def _email(self) -> str:
        email = self._text("email", LONGEST_EMAIL)
        if email is None:
            self._wrong("email", "the address is missing")
            return ""
        try:
            return email_address(email)
        except ValueError as error:
            self._wrong("email", str(error))
            return ""

    def _category(self) -> str | None:
        category = (self._text("category", LONGEST_NAME) or "").lower()
        category = {"ur": "general", "gen": "general", "unreserved": "general"}.get(category, category)
        if category and category not in CATEGORIES:
            self._wrong("category", f"write one of: {', '.join(CATEGORIES)}")
        return category or None

    def _pwbd(self) -> int | None:
        number = self._text("pwbd", LONGEST_NAME)
        if number is None:
            return None
        if number not in ("1", "2", "3", "4", "5"):
            self._wrong("pwbd", "write the kind of benchmark disability, 1 to 5, or nothing")
            return None
        return int(number)

    def _text(self, what: str, longest: int) -> str | None:
        position = self.layout.positions.get(what)
        if position is None:
            return None
        text = " ".join(unescape_formula(self.record.cell(position).strip()).split())
        if len(text) > longest:
            self._wrong(what, f"at most {longest} characters fit")
        if text and (problem := problem_of(text)):
            self._wrong(what, problem)
        return text or None

    def _wrong(self, what: str, message: str) -> None:
        name = self.layout.name_at(self.layout.positions[what])
        self.errors.append(RowError(self.record.row, name, message))
