"""Files of answer sheets with titles above their header, and the names of cells in their reports."""

from uuid import UUID

import pytest

from app.core.errors import Invalid
from app.services.exams.answer_sheets.joining import join_sheets
from app.services.exams.answer_sheets.keys import read_key
from app.services.exams.answer_sheets.options import AS_IT_IS, FileOptions
from app.services.exams.answer_sheets.reading import AnswerSheetFile, read_answer_sheets
from app.services.tests.papers import FrozenQuestion
from app.sheets.grouping import completed
from app.sheets.reports import ImportReport
from tests.builders.workbooks import workbook

QUESTIONS = [FrozenQuestion(UUID(int=number), "single_choice", tuple("abcd"), None) for number in range(1, 5)]
HEADER = ["Roll No.", "Name", "Q1", "Q2", "Q3", "Q4"]


def read(file: bytes, options: FileOptions = AS_IT_IS) -> AnswerSheetFile:
    return read_answer_sheets(file, QUESTIONS, options)


class TestHeader:
    def test_it_is_found_below_titles(self) -> None:
        sheet = read(workbook(["Mock 4"], [], HEADER, ["0017", "Asha", "a", "b", "", "d"]))
        assert (sheet.errors, [row.roll_number for row in sheet.rows]) == ([], ["0017"])
        (warning,) = sheet.warnings
        assert (warning.cell, warning.message[:44]) == (
            "Sheet1!1",
            "this row is above the header and is not read",
        )

    @pytest.mark.parametrize(("header", "columns"), [("1,2,3,4", None), ("w,x,y,z", "2-5")])
    def test_numbers_below_an_unknown_header_are_answers(self, header: str, columns: str | None) -> None:
        file = f"Candidate,{header}\n1001,1,2,3,4\n1002,4,3,2,1\n".encode()
        options = FileOptions(columns=columns, roll_number="Candidate", numbers_from="1")
        assert [row.roll_number for row in read(file, options).rows] == ["1001", "1002"]

    def test_a_list_of_numbers_is_a_header(self) -> None:
        numbers = ",".join(map(str, range(1, 11)))
        sheet = read(f"Mock 4\n{numbers}\n{'a,' * 9}b\n".encode(), FileOptions(columns="1-4"))
        assert [row.row for row in sheet.rows] == [3]


class TestCells:
    def test_errors_name_their_cells(self) -> None:
        file = workbook(["Mock 4"], HEADER, ["17?", "Asha", "a", "x", "", "d"])
        joined = join_sheets([read(file)], 4)
        report = completed(ImportReport(errors=joined.errors), joined)
        assert {error.cell for error in report.errors} == {"Sheet1!A3", "Sheet1!D3"}

    def test_the_second_file_has_cells_of_its_own(self) -> None:
        first, second = (b"roll,q1,q2\n1,a,b\n", b"roll,q4,q3\n1,a,x\n")
        parts = [read_answer_sheets(file, QUESTIONS, AS_IT_IS, is_part=True) for file in (first, second)]
        joined = join_sheets(parts, 4)
        (error,) = completed(ImportReport(errors=joined.errors), joined).errors
        assert (error.file, error.cell, error.message[:8]) == (2, "C2", "file 2: ")


class TestKeys:
    def test_a_key_below_a_title(self) -> None:
        assert len(read_key(b"Key of mock 4\n\nQ.No,Ans\n1,a\n2,b\n").keys) == 2

    def test_mistakes_name_their_cells(self) -> None:
        with pytest.raises(Invalid) as refused:
            read_key(workbook(["Q.No", "Ans"], [1, "a"], [2, "BONUS"], [2, "b"]))
        said = [error.message for error in refused.value.errors]
        assert said[0].startswith('Sheet1!B3: "BONUS" is not clear')
        assert said[1] == "Sheet1!B4: The key of question 2 is in Sheet1!B3 too."

    @pytest.mark.parametrize(
        ("numbers", "said"),
        [
            ("1 2 2 3", ["B4: The key of question 2 is in B3 too."]),
            (
                "1 2 2 4",
                [
                    "B4: The key of question 2 is in B3 too.",
                    "The key has 4 rows, but none for the question 3.",
                ],
            ),
        ],
    )
    def test_a_number_that_is_there_twice_does_not_make_another_missing(
        self, numbers: str, said: list[str]
    ) -> None:
        rows = "".join(f"{number},a\n" for number in numbers.split())
        with pytest.raises(Invalid) as refused:
            read_key(f"question,key\n{rows}".encode())
        assert [error.message for error in refused.value.errors] == said

    @pytest.mark.parametrize("file", [b"key\na\n\nc\n", b"Question,key\nWhich?,a\n\n\nWho?,c\n"])
    def test_an_empty_row_between_keys_without_numbers_is_a_mistake(self, file: bytes) -> None:
        with pytest.raises(Invalid) as refused:
            read_key(file)
        (error,) = refused.value.errors
        assert error.message.endswith("3: This row is empty. Delete it, or write the key of its question.")

    def test_an_empty_row_between_numbered_keys_is_none(self) -> None:
        assert len(read_key(b"Q.No,key\n1,a\n\n2,c\n").keys) == 2
