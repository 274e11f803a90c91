"""Why the columns of a file cannot be used, in words of the file."""

from collections.abc import Sequence

from app.sheets.records import column_letters
from app.sheets.reports import RowError

_MAX_LISTED = 10


class UnusableColumns(Exception):
    """The header, or what was said about it, does not tell where everything stands."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.error = RowError(1, name, message)


def quoted(names: Sequence[str]) -> str:
    """Return names of columns in quotation marks, the first ones of many."""
    shown = ", ".join(f'"{name}"' for name in names[:_MAX_LISTED])
    return shown + (f" and {len(names) - _MAX_LISTED} more" if len(names) > _MAX_LISTED else "")


def places(names: Sequence[str], positions: Sequence[int]) -> str:
    """Return columns by letter and name: `F (q11) and Q (q11)`."""
    return " and ".join(f"{column_letters(position)} ({names[position]})" for position in positions)
