"""`ias signing-keys`: list, write for `ias verify`, rotate."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import app
from tests.cli.exam_folder import on_the_tests_database

__all__ = ["on_the_tests_database"]  # a fixture


def run(*arguments: str, code: int = 0, given: str | None = None) -> str:
    result = CliRunner().invoke(app, ["signing-keys", *arguments], input=given)
    assert result.exit_code == code, result.output
    return result.output


@pytest.mark.usefixtures("on_the_tests_database")
def test_the_list_is_written_and_a_rotation_is_confirmed(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    run("list", "--out", str(file))
    before = json.loads(file.read_text())["items"]
    assert before[0]["algorithm"] == "Ed25519"
    run("rotate", code=1, given="n\n")
    new = run("rotate", "--yes").strip()
    shown = run("list").splitlines()
    assert shown[0].startswith(new)
    assert shown[0].endswith("in use")
    assert len(shown) == len(before) + 1
    assert [line.split()[0] for line in shown[1:]] == [key["id"] for key in before]
    assert "until" in shown[1]
