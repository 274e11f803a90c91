"""One cause in many cells is one line of the report."""

from uuid import uuid4

from app.sheets.grouping import grouped
from app.sheets.reports import RowError, RowWarning


def test_many_errors_of_one_message_are_one() -> None:
    errors = [RowError(row, "Q1", 'There is no option "x".', f"answers!B{row}") for row in range(9, 1, -1)]
    (one,) = grouped([*errors, RowError(12, "Q1", 'There is no option "x".', "answers!B12")])
    assert (one.row, one.field, one.cell) == (2, "Q1", "answers!B2")
    assert one.message == ('There is no option "x". The same in 8 more cells: answers!B3:B9, answers!B12')


def test_what_a_cell_has_is_not_the_cause() -> None:
    messages = [f'there is no passage "{name}"' for name in "pqrs"]
    (one,) = grouped([RowError(row, "passage_id", each, f"H{row}") for row, each in enumerate(messages, 2)])
    assert one.message == 'there is no passage "p". Something like it in 3 more cells: H3:H5'


def test_a_row_without_a_cell_is_named_by_its_column() -> None:
    (one,) = grouped([RowError(row, "Q1", "a") for row in range(8)])
    named = "Q1 in row 1, Q1 in row 2, Q1 in row 3, Q1 in row 4, Q1 in row 5 …"
    assert one.message == f"a. The same in 7 more cells: {named}"


def test_few_errors_and_other_causes_stay() -> None:
    errors = [
        *(RowError(row, "Q1", "a") for row in range(3)),
        *(RowError(row, "Q1", f"the same question as in row {row}") for row in range(9)),
    ]
    assert grouped(errors) == errors


def test_warnings_about_items_of_the_bank_stay() -> None:
    warnings = [RowWarning(row, "key", "the key changes", uuid4()) for row in range(9)]
    assert grouped(warnings) == warnings
    assert len(grouped(RowWarning(row, "key", "the key changes") for row in range(9))) == 1
