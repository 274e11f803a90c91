"""The columns of a roster: what each header means, in English and Hindi."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from app.sheets.records import WHOLE_ROW, Record, column_letters, column_name
from app.sheets.reports import RowError

_HEADERS = {
    "email": ("email", "e_mail", "email_address", "email_id", "e_mail_id", "mail", "ई_मेल", "ईमेल"),
    "name": ("name", "full_name", "candidate_name", "student_name", "नाम", "अभ्यर्थी_का_नाम"),
    "roll_number": ("roll_number", "roll_no", "rollnumber", "rollno", "roll", "रोल_नंबर", "अनुक्रमांक"),
    "category": ("category", "श्रेणी", "वर्ग"),
    "pwbd": ("pwbd", "pwd", "disability", "दिव्यांगता"),
    "batch": ("batch", "बैच"),
}
_MEANING = {header: what for what, headers in _HEADERS.items() for header in headers}
_REQUIRED = ("email", "name")


@dataclass(frozen=True, slots=True)
class RosterLayout:
    """Where each column is."""

    names: Sequence[str]
    positions: Mapping[str, int] = field(default_factory=dict)

    def name_at(self, position: int) -> str:
        """Return the name of a column in error messages."""
        return column_name(self.names, position)

    def is_read(self, position: int) -> bool:
        """Return whether anything is read from this column."""
        return position in self.positions.values()

    def position_in(self, name: str) -> int | None:
        """Return a column's position, by field name or header."""
        if name in self.positions:
            return self.positions[name]
        return next((place for place in range(len(self.names)) if self.name_at(place) == name), None)


def count_known(cells: Sequence[str]) -> int:
    """Count the cells that name a column of a roster."""
    return len({_MEANING[name] for cell in cells if (name := _plain(cell)) in _MEANING})


def read_layout(header: Record) -> tuple[RosterLayout, list[RowError]]:
    """What the header's cells mean, or what is wrong with them. Unknown columns are errors."""
    names = [" ".join(cell.split())[:50] for cell in header.cells]
    positions: dict[str, int] = {}
    errors: list[RowError] = []
    for position, name in enumerate(names):
        if not name:
            continue
        what = _MEANING.get(_plain(name))
        if what is None:
            message = f"unknown column; delete it or rename it to one of: {', '.join(_HEADERS)}"
            errors.append(RowError(header.row, name, message, header.cell_name(position)))
        elif positions.setdefault(what, position) != position:
            first = column_letters(positions[what])
            message = f"column {first} has the {what.replace('_', ' ')} too; delete one of the two"
            errors.append(RowError(header.row, name, message, header.cell_name(position)))
    return RosterLayout(names, positions), errors or list(_missing(positions, header))


def _plain(name: str) -> str:
    return "_".join(name.casefold().replace(".", " ").replace("-", " ").replace("_", " ").split())


def _missing(positions: Mapping[str, int], header: Record) -> Iterator[RowError]:
    for what in _REQUIRED:
        if what not in positions:
            message = f"there is no column {what}; add it"
            yield RowError(header.row, what, message, header.cell_name(WHOLE_ROW))
