"""The cells that say who a row of a sheet is about: the same in rosters and on answer sheets."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.core.names import MAX_EMAIL_LENGTH, MAX_NAME_LENGTH, email_address, problem_of
from app.sheets.cells import unescape_formula
from app.sheets.records import Record
from app.sheets.reports import RowError

CATEGORIES = ("general", "ews", "obc", "sc", "st")

_ALSO_GENERAL = {"ur", "gen", "unreserved"}
_DISABILITIES = ("1", "2", "3", "4", "5")


class PersonLayout(Protocol):
    """Where the columns of a sheet are. A column that is not there is empty in every row."""

    @property
    def positions(self) -> Mapping[str, int]: ...
    def name_at(self, position: int) -> str: ...


class PersonRow(Protocol):
    """A row that was read."""

    @property
    def row(self) -> int: ...
    @property
    def email(self) -> str | None: ...
    @property
    def roll_number(self) -> str | None: ...


@dataclass(slots=True)
class PersonCells:
    """Reads cells of one row and adds their errors to `errors`. An empty cell, or NA, is None."""

    record: Record
    layout: PersonLayout
    errors: list[RowError]

    def text(self, what: str, longest: int = MAX_NAME_LENGTH) -> str | None:
        """Return the text of a column, on one line."""
        position = self.layout.positions.get(what)
        if position is None:
            return None
        text = " ".join(unescape_formula(self.record.cell(position).strip()).split())
        if len(text) > longest:
            self.wrong(what, f"at most {longest} characters fit")
        if text and (problem := problem_of(text)):
            self.wrong(what, problem)
        return text if text and text != "NA" else None

    def email(self, *, required: bool = False) -> str | None:
        """Return the address."""
        email = self.text("email", MAX_EMAIL_LENGTH)
        if email is None:
            if required:
                self.wrong("email", "the address is missing")
            return None
        try:
            return email_address(email)
        except ValueError as error:
            self.wrong("email", str(error))
            return None

    def category(self) -> str | None:
        """Return the category. Unreserved is another word for general."""
        category = self.text("category")
        if category is None:
            return None
        word = category.lower()
        if word in _ALSO_GENERAL:
            return "general"
        if word not in CATEGORIES:
            self.wrong("category", f"write one of: {', '.join(CATEGORIES)}")
        return word

    def pwbd(self) -> int | None:
        """Return the kind of benchmark disability."""
        number = self.text("pwbd")
        if number is None:
            return None
        if number not in _DISABILITIES:
            self.wrong("pwbd", "write the kind of benchmark disability, 1 to 5, or nothing")
            return None
        return int(number)

    def wrong(self, what: str, message: str) -> None:
        """Add an error of a column that is there."""
        name = self.layout.name_at(self.layout.positions[what])
        self.errors.append(RowError(self.record.row, name, message))


def repeated(rows: Sequence[PersonRow], rule: str) -> Iterator[RowError]:
    """Return an error for each row whose address or roll number occurs before it."""
    for what in ("email", "roll_number"):
        first: dict[str, int] = {}
        for row in rows:
            value = getattr(row, what)
            if value is not None and first.setdefault(value, row.row) != row.row:
                yield RowError(row.row, what, f"row {first[value]} has this one too; {rule}")
