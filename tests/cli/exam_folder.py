"""A folder with the files of an exam day, and commands that read it."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from app.cli import app
from app.config import get_settings

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples" / "exam-day"
NOW = datetime.now(UTC).replace(microsecond=0)
# The times of the example, moved so that both papers run now. Entry is short: nobody enters online.
MOVED = {
    "06T08:00": -timedelta(hours=2),
    "06T18:00": timedelta(hours=5),
    "06T09:30": -timedelta(hours=1),
    "06T10:00": timedelta(minutes=30),
    "06T11:30": timedelta(hours=2),
    "06T14:30": -timedelta(minutes=50),
    "06T15:00": timedelta(minutes=30),
    "06T16:30": timedelta(hours=2),
}


@pytest.fixture(autouse=True)
def on_the_tests_database(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("MEDIA_URL", (tmp_path / "media").as_uri())
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


class Folder:
    """A copy of the examples with references and external ids of its own, and times of today."""

    def __init__(self, folder: Path) -> None:
        self.path = folder
        self.name = f"day-{uuid4().hex[:8]}"
        shutil.copytree(EXAMPLES, folder, dirs_exist_ok=True)
        for file in folder.iterdir():
            text = file.read_text(encoding="utf-8").replace("exam-day", self.name)
            for moment, shift in MOVED.items():
                text = text.replace(f"2026-12-{moment}:00+05:30", (NOW + shift).isoformat())
            file.write_text(text, encoding="utf-8")

    def change(self, file: str, old: str, new: str) -> None:
        text = (self.path / file).read_text(encoding="utf-8")
        assert old in text
        (self.path / file).write_text(text.replace(old, new, 1), encoding="utf-8")

    def run(self, *arguments: str, ends_with: int = 0) -> str:
        """Run a command. Arguments that are files of the folder get its path."""
        paths = {each.name: str(each) for each in self.path.iterdir()}
        result = CliRunner().invoke(app, [paths.get(each, each) for each in arguments])
        assert result.exit_code == ends_with, result.output
        return result.output
