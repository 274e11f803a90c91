"""Private files, kept secrets, and the lock of a home folder."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from devservers.errors import HomeInUse
from devservers.files import hold, read_or_create_secret, write_private


class TestWritePrivate:
    def test_it_replaces_a_file_in_one_step(self, tmp_path: Path) -> None:
        path = tmp_path / "folder" / "run.json"
        write_private(path, "old")
        write_private(path, "new")

        assert path.read_text() == "new"
        assert path.stat().st_mode & 0o777 == 0o600
        assert [each.name for each in path.parent.iterdir()] == ["run.json"]


class TestKeptSecret:
    def test_it_is_made_once(self, tmp_path: Path) -> None:
        secret = read_or_create_secret(tmp_path / "secret")

        assert re.fullmatch(r"[\w-]{43}", secret)
        assert read_or_create_secret(tmp_path / "secret") == secret
        assert read_or_create_secret(tmp_path / "other") != secret


class TestHold:
    def test_a_second_holder_is_refused_with_the_name_of_the_first(
        self, tmp_path: Path, in_another_process: Callable[[str], subprocess.Popen[str]]
    ) -> None:
        holder = in_another_process(holding(tmp_path / "lock"))

        with pytest.raises(HomeInUse, match=f"in use by process {holder.pid}"), hold(tmp_path / "lock"):
            pytest.fail("The lock was given twice.")

    def test_it_dies_with_its_holder(
        self, tmp_path: Path, in_another_process: Callable[[str], subprocess.Popen[str]]
    ) -> None:
        holder = in_another_process(holding(tmp_path / "lock"))
        holder.kill()
        holder.wait()

        with hold(tmp_path / "lock"):
            assert (tmp_path / "lock").read_text() != f"{holder.pid}\n"


def holding(path: Path) -> str:
    return (
        "import time\nfrom pathlib import Path\nfrom devservers.files import hold\n"
        f"with hold(Path({str(path)!r})):\n    print('ready', flush=True)\n    time.sleep(60)"
    )
