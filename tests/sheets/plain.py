"""A plain table for tests of the toolkit: every row is read as its cells."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from app.sheets.errors import UnreadableSheet
from app.sheets.files import read_records
from app.sheets.parsing import ParsedSheet, cell_errors, errors_without_header, parse_rows
from app.sheets.records import Record, check_header, column_name
from app.sheets.reports import RowError


@dataclass(frozen=True, slots=True)
class Columns:
    """All columns, by the header."""

    names: Sequence[str]

    def name_at(self, position: int) -> str:
        return column_name(self.names, position)

    def is_read(self, position: int) -> bool:
        return True

    def position_in(self, name: str) -> int | None:
        return self.names.index(name) if name in self.names else None


@dataclass(frozen=True, slots=True)
class Row:
    """A row without errors."""

    row: int
    cells: Sequence[str]


Table = ParsedSheet[Columns, Row]


def read_table(file: bytes | str) -> Table:
    """Read a file whose first row is the header; a cell `wrong` is an error."""
    records = read_records(file.encode() if isinstance(file, str) else file, "questions")
    header = next(records)
    check_header(header)
    layout = Columns([cell.strip() for cell in header.cells])
    table = Table(layout, errors=cell_errors(header, layout))

    def parse(record: Record, errors: list[RowError]) -> Row:
        errors += (
            RowError(record.row, layout.name_at(position), "the cell is wrong")
            for position, cell in enumerate(record.cells)
            if cell == "wrong"
        )
        errors += errors_without_header(record, range(len(layout.names), len(record.cells)))
        return Row(record.row, record.cells)

    if not table.errors:
        parse_rows(table, records, parse, noun="rows")
    return table


def reported(table: Table) -> list[tuple[int, str]]:
    """The places of all errors."""
    assert all(error.message for error in table.errors)
    return [(error.row, error.field) for error in table.errors]


def refusal(file: bytes | str) -> str:
    """Why the file is not read at all."""
    with pytest.raises(UnreadableSheet) as refused:
        read_table(file)
    return str(refused.value)
