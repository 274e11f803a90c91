"""Cells that are merged over several rows: what they say is said of each of these rows."""

from collections.abc import Iterable, Iterator

from app.services.questions.columns import Columns
from app.sheets.records import Record

_OF_SEVERAL = ("passage_id", "section", "subject", "chapter", "source")
"""The columns that several questions have in common. A merged cell of any other column is an error."""


def filled_down(columns: Columns, records: Iterable[Record]) -> Iterator[Record]:
    """Yield the records, with the text of each merged cell of such a column in all of its rows."""
    shared = {
        *(columns.plain[name] for name in _OF_SEVERAL if name in columns.plain),
        *columns.texts.get("passage", {}).values(),
    }
    open_cells: dict[int, tuple[int, str]] = {}
    for record in records:
        for position, last_row in record.merged_down:
            if position in shared:
                record.cell_errors.pop(position, None)
                open_cells[position] = last_row, record.cell(position)
        for position, (last, text) in open_cells.items():
            if record.row <= last and any(map(str.strip, record.cells)):
                record.cells += [""] * (position + 1 - len(record.cells))
                record.cells[position] = text
        yield record
