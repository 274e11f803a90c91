"""`ias export questions`."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from app.cli import app
from app.config import get_settings


@pytest.fixture(autouse=True)
def on_the_tests_database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "200")
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


@pytest.fixture
def subject(tmp_path: Path) -> str:
    """The name of a subject with two questions."""
    name, source, sheet = f"Polity {uuid4()}", uuid4().hex, tmp_path / "made.csv"
    rows = "".join(f"{number},{source},{uuid4()}?,This,That,a,t{number}\n" for number in (1, 2))
    sheet.write_text(f"number,source,question,option_a,option_b,key,tags\n{rows}")
    assert run("import", "questions", str(sheet), "--subject", name).exit_code == 0
    return name


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


class TestQuestions:
    @pytest.mark.parametrize("name", ["bank.csv", "bank.XLSX"])
    def test_importing_it_again_changes_nothing(self, subject: str, tmp_path: Path, name: str) -> None:
        file = str(tmp_path / name)
        result = run("export", "questions", file, "--subject", subject)
        assert result.exit_code == 0, result.output
        assert "Questions exported: 2" in result.output
        assert "unchanged: 2" in run("import", "questions", file).output

    def test_tags_narrow_it(self, subject: str, tmp_path: Path) -> None:
        result = run("export", "questions", str(tmp_path / "x.csv"), "--subject", subject, "--tag", "t1")
        assert "Questions exported: 1" in result.output

    def test_an_unknown_subject_writes_nothing(self, tmp_path: Path) -> None:
        file = tmp_path / "bank.csv"
        result = run("export", "questions", str(file), "--subject", str(uuid4()))
        assert result.exit_code == 1
        assert "no subject" in result.output
        assert not file.exists()

    def test_another_kind_of_file_is_refused(self, tmp_path: Path) -> None:
        assert run("export", "questions", str(tmp_path / "bank.ods")).exit_code == 2


class TestFormats:
    @pytest.mark.parametrize("name", ["gift", "moodle-xml"])
    def test_importing_it_again_changes_nothing(self, subject: str, tmp_path: Path, name: str) -> None:
        file = str(tmp_path / "bank.txt")
        result = run("export", "questions", file, "--format", name, "--subject", subject)
        assert result.exit_code == 0, result.output
        assert "Questions exported: 2" in result.output
        again = run("import", "questions", file)
        assert f"Format: {name}" in again.output
        assert "unchanged: 2" in again.output

    def test_what_a_format_cannot_express_is_listed(self, subject: str, tmp_path: Path) -> None:
        file = tmp_path / "bank.txt"
        options = ["export", "questions", str(file), "--format", "aiken", "--subject", subject]
        refused = run(*options)
        assert refused.exit_code == 1
        assert "Aiken has no tags" in refused.output
        assert not file.exists()
        result = run(*options, "--leave-out-unsupported")
        assert result.exit_code == 0, result.output
        assert "Not kept: question 1" in result.output

    def test_an_unknown_format_is_refused(self, tmp_path: Path) -> None:
        file = tmp_path / "bank.txt"
        file.write_text("Q {T}")
        assert run("import", "questions", str(file), "--format", "word").exit_code == 2
        result = run("import", "questions", str(file), "--format", "gift")
        assert result.exit_code == 1
        assert "Errors: 1; nothing was imported." in result.output
