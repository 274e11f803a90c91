"""The home folder of a local installation (`IAS_HOME`): data, secrets, logs, and run.json."""

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from devservers.errors import ServerError
from devservers.files import make_private_folder, read_or_create_secret, write_private

_DEFAULT = ".ias"


@dataclass(frozen=True)
class Home:
    folder: Path

    @classmethod
    def from_environment(cls) -> Self:
        """The folder that `IAS_HOME` names; it is made if it does not exist."""
        folder = Path(os.environ.get("IAS_HOME") or _DEFAULT).expanduser().absolute()
        try:
            make_private_folder(folder)
        except OSError as error:
            raise ServerError(f"IAS_HOME ({folder}) cannot be used: {error.strerror}.") from None
        if folder.stat().st_uid != os.geteuid() and any(folder.iterdir()):
            raise ServerError(f"IAS_HOME ({folder}) belongs to another user. Choose another folder.")
        return cls(folder)

    @property
    def has_data(self) -> bool:
        """Whether the folder has a database of an earlier run."""
        return (self.folder / "postgres").exists()

    @property
    def lock(self) -> Path:
        return self.folder / "lock"

    @property
    def run_file(self) -> Path:
        return self.folder / "run.json"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def mail(self) -> Path:
        return self.folder / "mail"

    @property
    def media(self) -> Path:
        return self.folder / "media"

    @property
    def worker_ready(self) -> Path:
        """The file that the worker makes when it is ready."""
        return self.folder / "pids" / "worker-ready"

    def secret(self, name: str) -> str:
        return read_or_create_secret(self.folder / "secrets" / name)

    def write_run(self, run: dict[str, Any]) -> None:
        write_private(self.run_file, json.dumps(run, indent=2) + "\n")

    def read_run(self) -> dict[str, Any] | None:
        """The content of run.json, which a running `ias up` writes; None if there is no such file."""
        with suppress(FileNotFoundError, ValueError):
            run: dict[str, Any] = json.loads(self.run_file.read_text())
            return run
        return None
