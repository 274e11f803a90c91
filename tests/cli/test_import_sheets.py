"""`ias import answer-sheets`."""

import re
from pathlib import Path
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from app.cli import app
from tests.cli.imported_sheets import fetch, on_the_tests_database, scores

__all__ = ["on_the_tests_database"]


SHEETS = 'X2001,X7,X1,gender\nA,"B,D",C,0\nNA,BD,A,1\nB,D,-,NA\n'
KEY = "key\nA\nBD\nC\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three sheets to a paper of three questions, and its key."""
    (tmp_path / "sheets.csv").write_text(SHEETS)
    (tmp_path / "key.csv").write_text(KEY)
    return tmp_path


def run(folder: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["import", "answer-sheets", str(folder / "sheets.csv"), *options])


def with_key(folder: Path, title: str, *options: str) -> Result:
    return run(folder, "--key", str(folder / "key.csv"), "--title", title, "--columns", "1-3", *options)


class TestAnswerSheets:
    def test_an_exam_is_made_for_a_key(self, folder: Path, database_url: str) -> None:
        title = uuid4().hex
        result = with_key(folder, title)
        assert result.exit_code == 0, result.output
        assert "Answer sheets created: 3, updated: 0, unchanged: 0" in result.output
        assert scores(database_url, title) == [("2", "6/1"), ("3", "4/3"), ("4", "-4/3")]
        statement = """
            select e.published_at is not null as published, e.released_at is null as held, t.status,
              p.question_count, p.max_marks, x.entry_closes_at <= now() as closed,
              p.rules->'questions'->0 as one
            from ias.exams e join ias.exam_papers x on x.exam_id = e.id join ias.tests t on t.id = x.test_id
            join ias.papers p on p.id = x.paper_id where e.title->>'en' = $1
        """
        (made,) = fetch(database_url, statement, title)
        one = made.pop("one")
        assert '"type": "multiple_choice"' in one
        assert '"options": ["a", "b", "c", "d"]' in one
        assert made == {
            "published": True,
            "held": True,
            "status": "archived",
            "question_count": 3,
            "max_marks": "6",
            "closed": True,
        }

    def test_partial_credit(self, folder: Path, database_url: str) -> None:
        title = uuid4().hex
        options = ("--partial", "proportional", "--correct", "1", "--incorrect", "0")
        assert with_key(folder, title, *options).exit_code == 0
        assert scores(database_url, title) == [("2", "3/1"), ("3", "1/1"), ("4", "1/2")]

    def test_the_same_title_makes_no_second_exam(self, folder: Path) -> None:
        title = uuid4().hex
        first = with_key(folder, title)
        again = with_key(folder, title)
        assert again.exit_code == 1
        paper = re.search(r"paper ([0-9a-f-]{36})", first.output)
        assert paper is not None
        assert paper[1] in again.output
        into_it = run(folder, "--exam-paper", paper[1], "--columns", "1-3")
        assert into_it.exit_code == 0, into_it.output
        assert "created: 0, updated: 0, unchanged: 3" in into_it.output

    def test_a_dry_run_and_a_wrong_row_leave_nothing_behind(self, folder: Path, database_url: str) -> None:
        title = uuid4().hex
        dry = with_key(folder, title, "--dry-run")
        assert dry.exit_code == 0, dry.output
        assert "Would be created: 3" in dry.output
        assert "paper" not in dry.output
        (folder / "sheets.csv").write_text(SHEETS.replace("NA,BD", "x,BD"))
        wrong = with_key(folder, title)
        assert wrong.exit_code == 1
        assert 'There is no option "x"' in wrong.output
        assert "nothing was imported" in wrong.output
        assert fetch(database_url, "select 1 from ias.exams where title->>'en' = $1", title) == []
        assert fetch(database_url, "select 1 from ias.questions where source = $1", title) == []

    @pytest.mark.parametrize(
        ("key", "sentence"),
        [
            ("marked\nA\n", 'one column "key"'),
            ("key\nA\n1\nC\n", "A3"),
            ("key\nA\nX\nC\n", "A3"),
            ("key\n", "1 to 500 questions"),
            ("key\nA\nB\n", "has 2 questions, and these are 3 columns"),
            ("key\ndropped\ndropped\ndropped\n", "cannot be published"),
        ],
    )
    def test_a_key_that_is_none(self, folder: Path, key: str, sentence: str) -> None:
        (folder / "key.csv").write_text(key)
        result = with_key(folder, uuid4().hex)
        assert result.exit_code == 1
        assert sentence in result.output

    def test_a_dropped_question(self, folder: Path, database_url: str) -> None:
        (folder / "key.csv").write_text("key\nA\nB|BD\ndropped\n")
        title = uuid4().hex
        result = with_key(folder, title)
        assert result.exit_code == 0, result.output
        assert scores(database_url, title) == [("2", "6/1"), ("3", "3/1"), ("4", "-2/1")]

    def test_as_many_options_as_were_marked(self, folder: Path, database_url: str) -> None:
        (folder / "sheets.csv").write_text(SHEETS.replace("NA,BD", "E,BD"))
        title = uuid4().hex
        assert with_key(folder, title).exit_code == 0
        assert len(scores(database_url, title)) == 3

    @pytest.mark.parametrize(
        "options",
        [
            (),
            ("--title", "Mock"),
            ("--exam-paper", str(uuid4()), "--title", "Mock"),
            ("--exam-paper", "no-id"),
            ("--exam-paper", str(uuid4())),
        ],
    )
    def test_what_was_sat_must_be_said(self, folder: Path, options: tuple[str, ...]) -> None:
        result = run(folder, *options)
        assert result.exit_code != 0
        assert result.exception is None or isinstance(result.exception, SystemExit)

    def test_a_key_without_a_title(self, folder: Path) -> None:
        assert run(folder, "--key", str(folder / "key.csv")).exit_code == 2
