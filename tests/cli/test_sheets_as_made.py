"""Answer sheets and keys as scanners and institutes make them, imported by `ias import answer-sheets`."""

import re
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from app.cli import app
from tests.cli.imported_sheets import fetch, on_the_tests_database, scores

__all__ = ["on_the_tests_database"]

MARKS = ("--correct", "2", "--incorrect", "-1")
Import = Callable[..., tuple[Result, list[tuple[str, str]]]]


@pytest.fixture
def imported(tmp_path: Path, database_url: str) -> Import:
    """Imports files into a new exam: what the command said, and the score of each roll number."""

    def run(
        sheets: str | list[str], key: str | dict[str, str], *options: str
    ) -> tuple[Result, list[tuple[str, str]]]:
        title, arguments = uuid4().hex, []
        for number, text in enumerate([sheets] if isinstance(sheets, str) else sheets):
            (tmp_path / f"sheets{number}.csv").write_text(text)
            arguments.append(str(tmp_path / f"sheets{number}.csv"))
        for series, text in ({"": key} if isinstance(key, str) else key).items():
            path = tmp_path / f"key{series}.csv"
            path.write_text(text)
            arguments += ["--key", f"{series}={path}" if series else str(path)]
        command = ["import", "answer-sheets", *arguments, "--title", title, *MARKS, *options]
        result = CliRunner().invoke(app, command)
        return result, scores(database_url, title)

    return run


def words(result: Result) -> str:
    """What was said, without the lines of tables."""
    return " ".join(result.output.replace("│", " ").split())


class TestColumns:
    SHEETS = "batch,error,path,Roll,q3,q4,q1,q2,score\n1,,/a.jpg,H1,C,D,A,B,0\n"
    KEY = "key\na\nb\nc\nd\n"

    @pytest.mark.parametrize("options", [(), ("--columns", "5-8"), ("--format", "omrchecker")])
    def test_they_go_to_the_questions_of_their_number(
        self, imported: Import, options: tuple[str, ...]
    ) -> None:
        result, found = imported(self.SHEETS, self.KEY, *options)
        assert found == [("H1", "8/1")], result.output
        assert 'nothing is read from these columns: "batch", "path", "score"' in words(result)

    @pytest.mark.parametrize("options", [(), ("--columns", "2-5")])
    def test_a_number_twice_is_refused_and_what_is_missing_named(
        self, imported: Import, options: tuple[str, ...]
    ) -> None:
        result, found = imported("Roll,q4,q1,q1,q2,score\nJ1,A,B,C,D,0\n", self.KEY, *options)
        assert (result.exit_code, found) == (1, [])
        assert "question 1 is there twice: C (q1) and D (q1); no column has question 3" in words(result)

    def test_a_file_as_formscanner_writes_it(self, imported: Import) -> None:
        sheets = "File name;Question01;Question02;id1;id2;id3\nT1.jpg;A|B;B;0;4;2\nT2.jpg;A;;0;4;3\n"
        result, found = imported(sheets, "Question01;Question02\nA;B\n", "--format", "formscanner")
        assert found == [("042", "1/1"), ("043", "2/1")], result.output

    def test_other_names_by_a_mapping(self, imported: Import) -> None:
        sheets = "Candidate,First,Second,Remark\nK1,A,B,\n"
        result, found = imported(sheets, "key\na\nb\n")
        assert (result.exit_code, found) == (1, [])
        mapping = ("--map", "Candidate=roll_number", "--map", "First=q1", "--map", "Second=q2")
        assert imported(sheets, "key\na\nb\n", *mapping)[1] == [("K1", "4/1")]
        again, found = imported(sheets.replace("K1", "K2"), "key\na\nb\n")
        assert found == [("K2", "4/1")], again.output
        assert '"Candidate" → roll_number, "First" → q1, "Second" → q2' in words(again)
        listed = CliRunner().invoke(app, ["sheet", "mappings"]).output
        assert '"Candidate" → roll_number' in listed
        [own] = re.findall(r"([0-9a-f-]{36})[^\n]*First", listed)
        assert CliRunner().invoke(app, ["sheet", "mappings", "--delete", own]).output == "Deleted.\n"
        assert imported(sheets, "key\na\nb\n")[0].exit_code == 1
        assert CliRunner().invoke(app, ["sheet", "mappings", "--delete", own]).exit_code == 1

    def test_a_roll_number_in_columns_of_digits(self, imported: Import) -> None:
        sheets = "Question1,Question2,id1,id2,id3\nA,A|B,0,4,2\nA,B,0,4,\n"
        result, found = imported(sheets, "key\na\nb\n")
        assert (result.exit_code, found) == (1, [])
        assert "this digit of the roll number is blank" in words(result)
        _, found = imported(sheets.rpartition("A,B,0,4,\n")[0], "key\na\nb\n")
        assert found == [("042", "1/1")]

    def test_hindi_headers_and_letters(self, imported: Import) -> None:
        assert imported("रोल नंबर,प्रश्न १,प्रश्न २\n७,क,(ख)\n", "प्रश्न,उत्तर\n1,क\n2,ख\n")[1] == [("७", "4/1")]


class TestCells:
    def test_words_for_blank_and_several_marks(self, imported: Import) -> None:
        sheets = "roll,q1,q2,q3\nR1,MULT,BLANK,C\nR2,*,0,A\n"
        words_said = ("--format", "remark", "--blank", "0", "--multiple", "*")
        assert imported(sheets, "key\na\nb\nc\n", *words_said)[1] == [("R1", "1/1"), ("R2", "-2/1")]

    @pytest.mark.parametrize(("first", "score"), [("0", "-2/1"), ("1", "4/1")])
    def test_numbers_need_to_be_explained(self, imported: Import, first: str, score: str) -> None:
        sheets, key = "roll,q1,q2\nR1,1,2\n", "key\na\nb\n"
        refused, found = imported(sheets, key)
        assert (refused.exit_code, found) == (1, [])
        assert "If numbers stand for options" in words(refused)
        assert imported(sheets, key, "--numbers-from", first)[1] == [("R1", score)]

    @pytest.mark.parametrize("number", ["1(23)4", "12?4", "1*34"])
    def test_doubtful_roll_numbers(self, imported: Import, number: str) -> None:
        result, found = imported(f"roll,q1\n{number},A\n", "key\na\n")
        assert (result.exit_code, found) == (1, [])
        assert f"{number} is not certain" in words(result)


class TestKeys:
    @pytest.mark.parametrize(
        "key",
        [
            "question,key\n1,a\n10,b\n2,c\n3,d\n4,a\n5,b\n6,c\n7,d\n8,a\n9,b\n",
            "q1,A\nq10,B\nq2,C\nq3,D\nq4,A\nq5,B\nq6,C\nq7,D\nq8,A\nq9,B\n",
            "q1,q10,q2,q3,q4,q5,q6,q7,q8,q9\nA,B,C,D,A,B,C,D,A,B\n",
            "Q.No.,Answer\n1,(a)\n2,C)\n3,Option D\n4,a.\n5,ख\n6,C\n7,D\n8,A\n9,B\n10,B\n",
        ],
    )
    def test_its_numbers_count(self, imported: Import, key: str) -> None:
        header = ",".join(f"q{number}" for number in range(1, 11))
        result, found = imported(f"roll,{header}\nR1,a,c,d,a,b,c,d,a,b,b\n", key)
        assert found == [("R1", "20/1")], result.output

    @pytest.mark.parametrize(
        ("key", "sentence"),
        [
            ("question,key\n1,a\n1,b\n", "B3: The key of question 1 is in B2 too."),
            ("question,key\n1,a\n3,b\n", "The key has 2 rows, but none for the question 2."),
            ("question,key\n1,a\n2,\n", "B3: The key is empty."),
            ('key\na\n"D,E"\n', '"D,E" has two meanings.'),
            ("q1,A\nq2,A,AB\n", '"A,AB" has two meanings.'),
            ("key\na\nBONUS\n", '"BONUS" is not clear. Write "dropped"'),
            ("key\na\n1\n", 'The key "1" is a number.'),
            ("key,weight\na,1\nb,2\n", "A key has no weights."),
            ("question,key\n1,a\nlast,b\n", '"last" is not the number of a question.'),
        ],
    )
    def test_what_is_not_clear_is_asked(self, imported: Import, key: str, sentence: str) -> None:
        result, found = imported("roll,q1,q2\nR1,a,b\n", key)
        assert (result.exit_code, found) == (1, [])
        assert sentence in words(result)

    def test_numbers_of_options(self, imported: Import) -> None:
        sheets = "roll,q1,q2\nR1,1,2\n"
        assert imported(sheets, "key\n1\n2\n", "--numbers-from", "1")[1] == [("R1", "4/1")]


class TestScannedTwice:
    KEY = "key\na\nb\n"

    def test_the_same_sheet_counts_once(self, imported: Import) -> None:
        result, found = imported("roll,q1,q2\nR1,a,b\nR2,a,\nR1,A,B\n", self.KEY)
        assert found == [("R1", "4/1"), ("R2", "2/1")]
        assert "row 2 has the same sheet of R1; it counts once" in words(result)

    def test_another_one_is_an_error_that_names_both_rows(self, imported: Import) -> None:
        result, found = imported("roll,q1,q2\nR1,a,b\nR1,a,c\n", self.KEY)
        assert (result.exit_code, found) == (1, [])
        assert "row 2 has another sheet of R1: 1 answer differs" in words(result)

    def test_parts_in_several_files(self, imported: Import) -> None:
        first, second = "roll,q1\nR1,a\nR2,b\n", "roll,q2\nR2,b\nR1,b\n"
        assert imported([first, second], self.KEY)[1] == [("R1", "4/1"), ("R2", "1/1")]
        result, found = imported([first, second.replace("R1", "R3")], self.KEY)
        assert (result.exit_code, found) == (1, [])
        assert "no file has the answers of R1 to the questions 2" in words(result)
        assert "no file has the answers of R3 to the questions 1" in words(result)

    def test_other_candidates_in_several_files(self, imported: Import) -> None:
        sheets = ["roll,q1,q2\nR1,a,b\n", "roll,q1,q2\nR2,a,b\n"]
        assert imported(sheets, self.KEY)[1] == [("R1", "4/1"), ("R2", "4/1")]


class TestFindings:
    def test_blank_sheets_crowded_ones_and_errors_of_the_scanner(self, imported: Import) -> None:
        header = "roll,error," + ",".join(f"q{number}" for number in range(1, 6))
        rows = [f"B{number},,,,,," for number in (1, 2)]
        rows += ["M1,,AB,AC,BD,AB,CD", "E1,no marker found,A,A,A,A,A"]
        rows += [f"S{number},,A,A,A,A,BC" for number in range(5)]
        result, _ = imported("\n".join([header, *rows]), "key\na\na\na\na\na\n")
        assert result.exit_code == 0, result.output
        said = words(result)
        assert "nothing is marked on 2 sheets: B1 (row 2), B2 (row 3)" in said
        assert "nearly every answer has several marks on 1 sheet: M1 (row 4)" in said
        assert 'the scanner says "no marker found" of 1 sheet: E1 (row 5)' in said
        assert "6 of 7 answers to question 5 have several marks" in said


class TestBookletSeries:
    SHEETS = "roll,Set,q1,q2,q3\nR1,A,a,b,c\nR2,Set B,c,a,b\nR3,B,c,a,a\n"
    KEY_B = "question,key,paper_question\n1,c,3\n2,a,1\n3,b,2\n"

    def test_several_are_refused_without_an_order(self, imported: Import) -> None:
        result, found = imported(self.SHEETS, "key\na\nb\nc\n")
        assert (result.exit_code, found) == (1, [])
        assert "the sheets have the booklet series A, B" in words(result)

    def test_a_column_of_another_name_that_looks_like_one(self, imported: Import) -> None:
        result, _ = imported(self.SHEETS.replace("Set,", "Form,").replace("Set B", "B"), "key\na\nb\nc\n")
        assert "the sheets have the booklet series A, B" in words(result)

    def test_an_order_puts_answers_to_the_papers_questions(
        self, imported: Import, tmp_path: Path, database_url: str
    ) -> None:
        (tmp_path / "order.csv").write_text("question,A,B\n1,1,2\n2,2,3\n3,3,1\n")
        order = ("--order", str(tmp_path / "order.csv"))
        result, found = imported(self.SHEETS, "key\na\nb\nc\n", *order)
        assert found == [("R1", "6/1"), ("R2", "6/1"), ("R3", "3/1")], result.output
        paper = result.output.rpartition("paper ")[2].strip()
        statement = """
            select e.answer, q.external_id from ias.attempts a
            join ias.registrations r on r.id = a.registration_id
            join ias.response_events e on e.attempt_id = a.id join ias.questions q on q.id = e.question_id
            where a.exam_paper_id = $1::uuid and r.roll_number = 'R3' order by q.external_id
        """
        answers = [row["answer"] for row in fetch(database_url, statement.replace("$1::uuid", f"'{paper}'"))]
        assert answers == ['["a"]', '["a"]', '["c"]']

    @pytest.mark.parametrize(
        ("table", "sentence"),
        [
            (
                "question,A,B\n1,1,2\n2,2,2\n3,3,1\n",
                'The column "B" of the order has each number from 1 to 3',
            ),
            ("A,B\n1,2\n", 'The first column of the order is "question"'),
            ("question,A\n1,1\n2,2\n3,3\n", 'There is no order of the booklet series "B"'),
        ],
    )
    def test_orders_that_are_none(self, imported: Import, tmp_path: Path, table: str, sentence: str) -> None:
        (tmp_path / "order.csv").write_text(table)
        result, found = imported(self.SHEETS, "key\na\nb\nc\n", "--order", str(tmp_path / "order.csv"))
        assert (result.exit_code, found) == (1, [])
        assert sentence in words(result)

    def test_keys_by_series(self, imported: Import) -> None:
        result, found = imported(self.SHEETS, {"A": "key\na\nb\nc\n", "B": self.KEY_B})
        assert found == [("R1", "6/1"), ("R2", "6/1"), ("R3", "3/1")], result.output
        assert "were paired" not in words(result)

    def test_keys_without_the_papers_numbers_are_paired_with_a_warning(self, imported: Import) -> None:
        result, found = imported(self.SHEETS, {"A": "key\na\nb\nc\n", "B": "key\nc\na\nb\n"})
        assert found == [("R1", "6/1"), ("R2", "6/1"), ("R3", "3/1")], result.output
        assert "The order of the questions in booklet series B was not given" in words(result)

    def test_keys_that_do_not_agree(self, imported: Import) -> None:
        result, found = imported(self.SHEETS, {"A": "key\na\nb\nc\n", "B": "key\nc\na\nd\n"})
        assert (result.exit_code, found) == (1, [])
        assert "are not the same answers in another order" in words(result)
