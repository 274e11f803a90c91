"""`ias test revise-key`: the dry run as a table, the question, the publication."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import app
from tests.cli.exam_folder import Folder, on_the_tests_database

__all__ = ["on_the_tests_database"]  # a fixture


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """An exam day whose tests are published."""
    made = Folder(tmp_path / "exam")
    made.run("import", "questions", "csat.csv")
    made.run("exam", "create", "exam.yaml", "--publish")
    return made


def test_tries_asks_and_publishes(folder: Folder) -> None:
    revise = ["test", "revise-key", f"{folder.name}-gs1", "--reason", "Two are right."]
    changes = ["--question", "1", "--key", "a|b", "--drop", "2:full_marks_to_all"]
    refused = CliRunner().invoke(app, [*revise, *changes], input="n\n")
    assert refused.exit_code == 1
    for shown in ("a|b", "dropped: full_marks_to_all", "Graded attempts: 0", "Versions of the paper: 1."):
        assert shown in refused.output
    assert "The dry run is revision 1." in refused.output

    published = folder.run(*revise, *changes, "--keep", "higher", "--here", "--yes")
    assert "Revision 2 is published." in published

    again = CliRunner().invoke(app, [*revise, *changes, "--yes"])
    assert (again.exit_code, "have these keys already" in again.output) == (1, True)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (["--question", "99", "--key", "a"], "The paper has no question 99."),
        (["--question", "1", "--key", "f"], "changes.0.key"),
        (["--drop", "1:none"], "one of the rules"),
    ],
)
def test_says_what_is_wrong(folder: Folder, changes: list[str], sentence: str) -> None:
    revise = ["test", "revise-key", f"{folder.name}-gs1", "--reason", "Two are right.", "--yes"]
    result = CliRunner().invoke(app, [*revise, *changes])
    assert (result.exit_code, sentence in result.output) == (1, True), result.output


def test_a_key_for_each_question() -> None:
    revise = ["test", "revise-key", "any", "--reason", "x", "--question", "1"]
    assert CliRunner().invoke(app, revise).exit_code == 2
