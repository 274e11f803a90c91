"""Messages of services name the fields of the API; the command line says its options."""

import pytest
from click import unstyle
from typer.testing import CliRunner

from app.cli import app
from app.cli.option_names import _OPTIONS, with_options


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("leave them out with `skip_unsupported`", "leave them out with `--skip-unsupported`"),
        ("Send `unknown_roll_numbers=accept`.", "Send `--unknown-roll-numbers=accept`."),
        ("map the column to `ignore`, `roll_number` or `key`",) * 2,
    ],
)
def test_fields_become_options(message: str, said: str) -> None:
    assert with_options(message) == said


def test_each_option_exists() -> None:
    commands = (["import", "questions"], ["import", "answer-sheets"], ["export", "questions"])
    env = {"COLUMNS": "300"}
    helps = "".join(CliRunner().invoke(app, [*each, "--help"], env=env).output for each in commands)
    assert [option for option in _OPTIONS.values() if option not in unstyle(helps)] == []
