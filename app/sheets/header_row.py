"""Finds the header of a sheet below titles and empty rows."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice

from app.sheets.records import HIDDEN_COLUMN, WHOLE_ROW, Record, non_empty
from app.sheets.reports import RowWarning

LOOKED_AT = 20
"""The non-empty rows among which the header is looked for."""

REMARKS = "Remarks / टिप्पणी"
"""What the header calls the column of remarks in a copy of a sheet, which may be corrected and sent again."""

CountKnown = Callable[[Sequence[str]], int]
"""Counts the cells of a row that are known as names of columns."""


def find_header(
    records: Iterable[Record], known: CountKnown
) -> tuple[Record, Sequence[Record], Iterator[Record]]:
    """Return the header, the rows above it and an iterator of those below it.

    The header is the first row with the most known names. Without a row with two, it is the first row.
    """
    rest = non_empty(records)
    first = list(islice(rest, LOOKED_AT))
    if not first:
        return Record(1, []), (), iter(())
    counts = [known(record.cells) for record in first]
    place = counts.index(max(counts)) if max(counts) >= 2 else 0
    header = first[place]
    # A hidden column is marked in the first row, whatever that row is.
    hidden = {at: why for at, why in first[0].cell_errors.items() if why == HIDDEN_COLUMN}
    header.cell_errors = {**hidden, **header.cell_errors}
    below = chain(first[place + 1 :], rest)
    remarks = next((at for at, cell in enumerate(header.cells) if cell.startswith(REMARKS)), None)
    if remarks is None:
        return header, first[:place], below
    header.cells[remarks] = ""
    return header, list(_without(remarks, first[:place])), _without(remarks, below)


def _without(column: int, records: Iterable[Record]) -> Iterator[Record]:
    """Return the records without what a column has."""
    for record in records:
        if column < len(record.cells):
            record.cells[column] = ""
        if not record.is_empty:
            yield record


def not_read(above: Iterable[Record]) -> Iterator[RowWarning]:
    """Return a warning for each row above the header."""
    for record in above:
        said = next((cell.strip() for cell in record.cells if cell.strip()), "")
        message = f'this row is above the header and is not read: "{said[:60]}"'
        yield RowWarning(record.row, "file", message, cell=record.cell_name(WHOLE_ROW))
