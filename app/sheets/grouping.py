"""Completes the report of an import: names of cells, and one line for one cause in many cells."""

import re
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from app.sheets.reports import MAX_REPORTED, ImportReport, Message, RowError, RowWarning

_MIN_GROUPED = 4
"""Fewer messages of one cause are reported one by one."""
_MAX_LISTED = 5
_VALUE = re.compile(r'"[^"]*"|\([^()]*\)')
"""What a cell has stands in quotation marks or in brackets: the cause is the same without it."""
_CELL = re.compile(r"(?P<column>(?:.*!)?[A-Z]+)(?P<row>[0-9]+)")


class Locates(Protocol):
    """Knows the names of the cells of an import."""

    @property
    def header_names(self) -> Sequence[Sequence[str]]:
        """The headers of the sheets of each file, as the spreadsheet names them."""

    def located(self, messages: Iterable[Message]) -> Iterable[Message]:
        """Return errors or warnings with the names of their cells."""


def completed(report: ImportReport, sheet: Locates) -> ImportReport:
    """Return the report with the names of cells, and its errors and warnings grouped."""
    errors, warnings = list(sheet.located(report.errors)), list(sheet.located(report.warnings))
    return replace(
        report,
        errors=_first(grouped(errors)),
        warnings=grouped(warnings),
        remarks=[*errors, *warnings],
        headers=sheet.header_names,
    )


def _first(errors: Sequence[RowError]) -> list[RowError]:
    """Return the first errors by row, and the number of the others as a last error."""
    shown = sorted(errors, key=_place)[:MAX_REPORTED]
    if len(errors) > len(shown):
        more = len(errors) - len(shown)
        last = f"there are {more:,} more errors after these"
        shown.append(RowError(shown[-1].row, "file", last, sheet=shown[-1].sheet))
    return shown


def grouped(messages: Iterable[Message]) -> list[Message]:
    """Return errors or warnings; of those with one cause the first one, which counts and names the others.

    A warning that refers to an item of its own stays alone.
    """
    by_cause: dict[Hashable, list[Message]] = {}
    for place, message in enumerate(messages):
        alone = place if getattr(message, "related_id", None) is not None else None
        cause = (message.file, _VALUE.sub("", message.message), alone)
        by_cause.setdefault(cause, []).append(message)
    return [
        message
        for same in by_cause.values()
        for message in (same if len(same) < _MIN_GROUPED else [_with_others(*sorted(same, key=_place))])
    ]


def _with_others(first: Message, *others: Message) -> Message:
    ranges = list(_ranges(others))
    named = ", ".join(map(str, ranges[:_MAX_LISTED]))
    more = " …" if len(ranges) > _MAX_LISTED else ""
    is_same = all(other.message == first.message for other in others)
    also = f"{'The same' if is_same else 'Something like it'} in {len(others)} more cells: {named}{more}"
    return replace(first, message=f"{first.message.removesuffix('.')}. {also}")


@dataclass(slots=True)
class _Range:
    """Cells below each other: `G5:G9`."""

    column: str
    first: int
    last: int

    def __str__(self) -> str:
        if self.last == self.first:
            return f"{self.column}{self.first}"
        return f"{self.column}{self.first}:{self.column.rpartition('!')[2]}{self.last}"


def _ranges(messages: Sequence[Message]) -> Iterator[_Range | str]:
    """Return the cells, those of neighboring rows of a column together; rows and columns without cells."""
    cells: list[tuple[str, int]] = []
    for message in messages:
        cell = _CELL.fullmatch(message.cell or "")
        if cell is None:
            yield message.cell or f"{message.field} in row {message.row}"
        else:
            cells.append((cell["column"], int(cell["row"])))
    ranges: list[_Range] = []
    latest: dict[str, _Range] = {}
    for column, row in sorted(set(cells), key=lambda cell: cell[1]):
        if (one := latest.get(column)) is not None and one.last == row - 1:
            one.last = row
        else:
            latest[column] = _Range(column, row, row)
            ranges.append(latest[column])
    yield from ranges


def _place(message: RowError | RowWarning) -> tuple[int, int, int]:
    return message.file, message.sheet, message.row
