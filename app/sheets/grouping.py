"""Groups the errors of a report: one line for one cause in many cells."""

from collections.abc import Iterable
from dataclasses import replace

from app.sheets.reports import RowError

_FEWEST = 4
"""Fewer errors with the same message are reported one by one."""
_MOST_NAMED = 5


def grouped(errors: Iterable[RowError]) -> list[RowError]:
    """Return the errors; of those with the same message the first one, which counts and names the others."""
    by_message: dict[str, list[RowError]] = {}
    for error in errors:
        by_message.setdefault(error.message, []).append(error)
    return [
        error
        for same in by_message.values()
        for error in (same if len(same) < _FEWEST else [_with_others(*sorted(same, key=_row))])
    ]


def _with_others(first: RowError, *others: RowError) -> RowError:
    named = ", ".join(f"{other.field} in row {other.row}" for other in others[:_MOST_NAMED])
    more = " …" if len(others) > _MOST_NAMED else ""
    message = f"{first.message.removesuffix('.')}. The same in {len(others)} more cells: {named}{more}"
    return replace(first, message=message)


def _row(error: RowError) -> int:
    return error.row
