"""One cause in many cells is one line of the report."""

from app.sheets.grouping import grouped
from app.sheets.reports import RowError


def test_many_errors_of_one_message_are_one() -> None:
    errors = [RowError(row, "Q1", 'There is no option "x".') for row in range(9, 1, -1)]
    (one,) = grouped(errors)
    assert (one.row, one.field) == (2, "Q1")
    assert one.message == (
        'There is no option "x". The same in 7 more cells: Q1 in row 3, Q1 in row 4, Q1 in row 5,'
        " Q1 in row 6, Q1 in row 7 …"
    )


def test_few_errors_and_other_messages_stay() -> None:
    errors = [
        *(RowError(row, "Q1", "a") for row in range(3)),
        *(RowError(row, "Q1", str(row)) for row in range(9)),
    ]
    assert grouped(errors) == errors
