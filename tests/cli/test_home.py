"""The home folder that `IAS_HOME` names."""

import os
from pathlib import Path

import pytest

from app.cli.local.home import Home
from devservers.errors import ServerError


class TestFromEnvironment:
    def test_it_is_made_and_private(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("IAS_HOME", str(tmp_path / "new" / "home"))

        home = Home.from_environment()

        assert home.folder == tmp_path / "new" / "home"
        assert home.folder.stat().st_mode & 0o777 == 0o700

    def test_by_default_it_is_in_the_working_directory(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("IAS_HOME", raising=False)
        monkeypatch.chdir(tmp_path)

        assert Home.from_environment().folder == tmp_path / ".ias"

    def test_a_file_in_its_place_is_said(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "file").touch()
        monkeypatch.setenv("IAS_HOME", str(tmp_path / "file"))

        with pytest.raises(ServerError, match="cannot be used: File exists"):
            Home.from_environment()

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root makes a folder of somebody else")
    def test_the_home_of_another_user_is_left_alone(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "postgres").mkdir()
        os.chown(tmp_path, 65534, 65534)
        monkeypatch.setenv("IAS_HOME", str(tmp_path))

        with pytest.raises(ServerError, match="belongs to another user"):
            Home.from_environment()


class TestReadRun:
    def test_what_was_written_is_read_by_its_owner_alone(self, tmp_path: Path) -> None:
        home = Home(tmp_path)
        home.write_run({"api_url": "http://127.0.0.1:8000"})

        assert home.read_run() == {"api_url": "http://127.0.0.1:8000"}
        assert home.run_file.stat().st_mode & 0o777 == 0o600

    @pytest.mark.parametrize("text", [None, "", "{"])
    def test_no_file_or_a_damaged_one_tells_nothing(self, tmp_path: Path, text: str | None) -> None:
        home = Home(tmp_path)
        if text is not None:
            home.run_file.write_text(text)

        assert home.read_run() is None
