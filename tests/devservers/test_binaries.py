"""The copy of the servers' binaries that an unprivileged user can read."""

from pathlib import Path

import pytest

from devservers import binaries
from devservers.binaries import _copy


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package as a private checkout holds it."""
    package = tmp_path / "site-packages" / "server"
    (package / "bin").mkdir(parents=True)
    (package / "bin" / "server").write_text("the program")
    (package / "bin" / "server").chmod(0o700)
    (package / "share.txt").write_text("data")
    (package / "share.txt").chmod(0o600)
    package.with_name("server.libs").mkdir()
    (package.with_name("server.libs") / "lib.so").write_text("a library")
    package.chmod(0o700)
    return package


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(binaries, "_COPIES", tmp_path / "copies")
    return tmp_path / "copies" / "server-1.0"


class TestCopy:
    def test_everybody_may_read_it(self, package: Path, target: Path) -> None:
        _copy(package, target)

        modes = {str(path.relative_to(target)): path.stat().st_mode & 0o777 for path in target.rglob("*")}
        assert modes == {
            "server": 0o755,
            "server/bin": 0o755,
            "server/bin/server": 0o755,
            "server/share.txt": 0o644,
            "server.libs": 0o755,
            "server.libs/lib.so": 0o644,
        }
        assert target.stat().st_mode & 0o777 == 0o755

    def test_a_complete_copy_is_kept(self, package: Path, target: Path) -> None:
        _copy(package, target)
        before = target.stat().st_ino

        _copy(package, target)

        assert target.stat().st_ino == before

    def test_a_damaged_copy_is_made_again(self, package: Path, target: Path) -> None:
        _copy(package, target)
        (target / "server" / "bin" / "server").write_text("the pro")
        (target.parent / f".{target.name}.half-made").mkdir()

        _copy(package, target)

        assert (target / "server" / "bin" / "server").read_text() == "the program"
        assert [path.name for path in target.parent.iterdir() if path.is_dir()] == [target.name]
