"""Answer sheets as files: which column is which question, and what a cell says."""

import re
from collections.abc import Sequence
from uuid import UUID

import pytest

from app.engine.answers import Answer
from app.services.exams.answer_sheets.cells import reader_of
from app.services.exams.answer_sheets.columns import read_layout
from app.services.exams.answer_sheets.options import FileOptions
from app.services.tests.papers import FrozenQuestion

ID = UUID(int=1)


def question(
    type: str = "multiple_choice",  # noqa: A002 -- the domain's word
    options: Sequence[str] = ("a", "b", "c", "d"),
) -> FrozenQuestion:
    return FrozenQuestion(ID, type, tuple(options), None)


class TestReaderOf:
    @pytest.mark.parametrize(
        ("cell", "answer"),
        [
            ("b", ("b",)),
            (" B ", ("b",)),
            ("bd", ("b", "d")),
            ("DB", ("b", "d")),
            ("b,d", ("b", "d")),
            ("D; b", ("b", "d")),
            ("b d", ("b", "d")),
            ("", None),
            ("  ", None),
            ("NA", None),
            ("na", None),
            ("-", None),
            ("'-", None),
        ],
    )
    def test_options(self, cell: str, answer: Answer | None) -> None:
        assert reader_of(question()).read(cell) == answer

    @pytest.mark.parametrize(
        ("cell", "sentence"),
        [
            ("e", 'no option "e". The question has: a, b, c, d.'),
            ("bx", 'no option "x"'),
            ("1", '"1" is a number. If numbers stand for options'),
            ("bb", "only once"),
            ("b,b", "only once"),
            (",", "Write the marked options"),
            ("b\0", "no option"),
            ("'b", "no option"),
        ],
    )
    def test_no_options(self, cell: str, sentence: str) -> None:
        with pytest.raises(ValueError, match=sentence):
            reader_of(question()).read(cell)

    def test_two_letters_are_an_answer_to_a_single_choice_too(self) -> None:
        """A wrong one, as on the sheet (docs/decisions/0022)."""
        assert reader_of(question("single_choice")).read("ab") == ("a", "b")

    def test_ids_of_several_letters(self) -> None:
        read = reader_of(question(options=["opt1", "opt2", "x"])).read
        assert read("OPT1") == ("opt1",)
        assert read("opt2, opt1") == ("opt1", "opt2")
        assert read("x") == ("x",)

    @pytest.mark.parametrize(
        ("cell", "answer"),
        [("true", "true"), ("T", "true"), ("FALSE", "false"), ("f", "false")],
    )
    def test_true_or_false(self, cell: str, answer: str) -> None:
        assert reader_of(question("true_false", ("true", "false"))).read(cell) == (answer,)

    def test_true_and_false(self) -> None:
        read = reader_of(question("true_false", ("true", "false"))).read
        assert read("T,F") == read("TF") == ("true", "false")
        with pytest.raises(ValueError, match="no option"):
            read("yes")

    @pytest.mark.parametrize("cell", ["3.14", "-2", "22/7", ".5"])
    def test_numbers(self, cell: str) -> None:
        assert reader_of(question("numeric", ())).read(cell) == cell

    @pytest.mark.parametrize("cell", ["3,14", "about 3", "1e5", "1/0", "9" * 40])
    def test_no_numbers(self, cell: str) -> None:
        with pytest.raises(ValueError, match=r"number|fraction"):
            reader_of(question("numeric", ())).read(cell)

    def test_a_negative_number_that_no_spreadsheet_runs(self) -> None:
        assert reader_of(question("numeric", ())).read("'-2") == "-2"


class TestReadLayout:
    @pytest.mark.parametrize(
        ("header", "places"),
        [
            ("1 2 3", [0, 1, 2]),
            ("Q1 Q2 Q3", [0, 1, 2]),
            ("x1 X2 x3", [0, 1, 2]),
            ("q_01 q_02 q_03", [0, 1, 2]),
            ("Q3 Q1 Q2", [1, 2, 0]),
            ("roll_number Q1 Q2 Q3", [1, 2, 3]),
            ("Q1 Q2 Q3 Name category", [0, 1, 2]),
        ],
    )
    def test_numbered_columns_go_by_their_number(self, header: str, places: list[int]) -> None:
        layout, errors = read_layout(header.split(), 3, FileOptions())
        assert (errors, list(layout.answers)) == ([], places)

    @pytest.mark.parametrize(
        ("columns", "places"),
        [
            ("1-3", [0, 1, 2]),
            ("2-4", [1, 2, 3]),
            ("X2001-X2003", [0, 1, 2]),
            ("x2003, X2001, X2002", [2, 0, 1]),
            ("1,2,4", [0, 1, 3]),
            ("X2001 - X2002, gender", [0, 1, 4]),
        ],
    )
    def test_columns_that_are_named_go_by_name_or_place(self, columns: str, places: list[int]) -> None:
        header = ["X2001", "X2002", "X2003", "X1", "gender", "StudySuccess"]
        layout, errors = read_layout(header, 3, FileOptions(columns=columns))
        assert (errors, list(layout.answers)) == ([], places)

    def test_a_name_goes_before_a_place(self) -> None:
        layout, _ = read_layout(["roll", "1", "2", "3"], 3, FileOptions(columns="1-3"))
        assert (list(layout.answers), layout.positions) == ([1, 2, 3], {"roll_number": 0})

    def test_a_name_may_have_a_hyphen(self) -> None:
        layout, _ = read_layout(["Q-1", "Q-2", "Q-3"], 3, FileOptions(columns="Q-1,Q-2,Q-3"))
        assert list(layout.answers) == [0, 1, 2]

    @pytest.mark.parametrize(
        ("header", "roll_number", "columns", "column", "sentence"),
        [
            ("Q1 Q2", None, None, "columns", "the file has 2 numbered columns; no column has question 3"),
            ("Q1 Q2 Q3 Q4", None, None, "columns", "4 numbered columns; the paper has no question 4"),
            ("Q1 Q2 Q2 Q3", None, None, "Q2", "question 2 is there twice: B \\(Q2\\) and C \\(Q2\\)"),
            ("Q1 Q2 X3", None, None, "columns", 'no column has question 3; the unknown columns are "X3"'),
            ("Q1 Q2 Q3 gender", None, None, "roll_number", 'unknown columns are "gender"'),
            ("Q1 Q2 Q3", "Roll", None, "roll_number", 'no column "Roll"'),
            ("Q1 Q2 Q3", None, "1-4", "columns", 'no column "4"'),
            ("Q1 Q2 Q3", None, "1-2", "columns", "has 3 questions, and these are 2 columns"),
            ("Q1 Q2 Q3", None, "Q1,Q2,Q9", "columns", 'no column "Q9"'),
            ("Q1 Q2 Q3", None, "Q1,Q2,Q2", "columns", '"Q2" is named twice'),
            ("Q1 Q2 Q3", None, "Q3-Q1", "columns", "backwards"),
            ("Q1 1 Q3", None, "1-3", "columns", "different measures"),
            ("Q1 Q2 Q3", "Q1", "1-3", "columns", "is the roll number"),
            ("Q1 Q2 Q3 name name", None, None, "name", "name is there twice: D \\(name\\) and E \\(name\\)"),
            ("Q1 Q2 Q3 Q3", None, "Q1,Q2,Q3", "Q3", "there twice"),
        ],
    )
    def test_mistakes(
        self, header: str, roll_number: str | None, columns: str | None, column: str, sentence: str
    ) -> None:
        _, (error,) = read_layout(header.split(), 3, FileOptions(roll_number=roll_number, columns=columns))
        assert (error.row, error.field) == (1, column)
        assert re.search(sentence, error.message)


class TestLimits:
    def test_a_long_cell_is_not_kept(self) -> None:
        """Each question remembers thousands of cells that it has read."""
        with pytest.raises(ValueError, match="at most 100 characters"):
            reader_of(question()).read("a" * 101)

    def test_more_columns_than_there_are(self) -> None:
        names = [f"Q{number}" for number in range(1, 101)]
        _, errors = read_layout(names, 100, FileOptions(columns=",".join(["1-100"] * 3_000)))
        assert [error.field for error in errors] == ["columns"]
