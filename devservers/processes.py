"""Child processes with sessions of their own, which a later run finds by pid and start time."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Self

from devservers.errors import ServerError
from devservers.files import make_private_folder, private, write_private

_LINUX = sys.platform == "linux"
_LOG_LIMIT = 10_000_000
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True)
class ProcessIdentity:
    """A process, distinguished by its start time from a later process with the same pid."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> Self | None:
        started = _started(pid)
        return cls(pid, started) if started else None

    @classmethod
    def read(cls, pid_file: Path) -> Self | None:
        with suppress(FileNotFoundError, ValueError, TypeError, KeyError):
            stored = json.loads(pid_file.read_text())
            return cls(int(stored["pid"]), str(stored["started"]))
        return None

    def write(self, pid_file: Path) -> None:
        write_private(pid_file, json.dumps(asdict(self)))

    @property
    def alive(self) -> bool:
        return _started(self.pid) == self.started


def _started(pid: int) -> str | None:
    """When the process started, in a form that no other process with its pid has; None if it has ended.

    Other errors are raised: a process that cannot be looked at (EMFILE) has not ended.
    """
    try:
        return _started_by_proc(pid) if _LINUX else _started_by_ps(pid)
    except (FileNotFoundError, ProcessLookupError, subprocess.SubprocessError):
        return None


def _started_by_proc(pid: int) -> str | None:
    # The name in parentheses may itself contain spaces and parentheses.
    fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    state, start_time = fields[0], fields[19]
    return (
        None
        if state in "ZX"
        else f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()}/{start_time}"
    )


def _started_by_ps(pid: int) -> str | None:
    command = ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)]
    output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=5).stdout  # noqa: S603 -- only ps
    state, _, started = output.strip().partition(" ")
    return None if state.startswith("Z") else started.strip()


def processes_in(folder: Path, name: str) -> Iterator[ProcessIdentity]:
    """The processes of a name whose working directory is `folder`; none without /proc."""
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (entry / "comm").read_text().strip() == name and (entry / "cwd").samefile(folder):
                identity = ProcessIdentity.of(int(entry.name))
                if identity is not None:
                    yield identity


def terminate(processes: Iterable[ProcessIdentity], how: signal.Signals, timeout: float) -> None:
    """Stop processes that are not our children: send a signal, wait, and kill those that remain."""
    remaining = [process for process in processes if _send(process, how)]
    wait_for(lambda: not any(process.alive for process in remaining), timeout)
    for process in remaining:
        if process.alive:
            _send(process, signal.SIGKILL)
    wait_for(lambda: not any(process.alive for process in remaining), timeout)


def stop_leftover(pid_file: Path, how: signal.Signals = signal.SIGTERM, timeout: float = 10) -> None:
    """Stop the process of an earlier run that was killed, and the processes that it started."""
    leftover = ProcessIdentity.read(pid_file)
    if leftover is not None:
        terminate([leftover], how, timeout)
    pid_file.unlink(missing_ok=True)


def _send(process: ProcessIdentity, how: signal.Signals) -> bool:
    if not process.alive:
        return False
    try:
        os.kill(process.pid, how)
    except ProcessLookupError:
        return False
    except PermissionError:
        raise ServerError(
            f"Process {process.pid} of an earlier run belongs to another user; stop it first."
        ) from None
    return True


def wait_for(condition: Callable[[], bool], timeout: float, interval: float = 0.02) -> bool:
    """Wait until the condition is true. Returns False after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(interval)
    return True


@dataclass(frozen=True)
class Account:
    """The operating system's user of a child."""

    uid: int
    gid: int

    def own(self, path: Path) -> None:
        os.chown(path, self.uid, self.gid)


class Child:
    """One child process: its command, log, pid file, and how it is stopped."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path,
        pid_file: Path,
        environment: Mapping[str, str],
        folder: Path | None = None,
        account: Account | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        timeout: float = 10,
    ) -> None:
        self.name = name
        self.command = command
        self.log = log
        self.pid_file = pid_file
        self.environment = dict(environment)
        self.folder = folder
        self.account = account
        self.stop_signal = stop_signal
        self.timeout = timeout
        self._process: subprocess.Popen[bytes] | None = None
        self._is_recorded = False

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def running(self) -> bool:
        return self._process is not None and self._poll(self._process) is None

    @property
    def ending(self) -> str:
        """A phrase that says how the process ended."""
        if self._process is None:
            return "is not running"
        code = self._poll(self._process)
        if code is None:
            return "is running"
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"

    def start(self) -> None:
        with self._open_log() as log:
            # In its own session, the child does not get the Ctrl-C of the terminal.
            self._process = subprocess.Popen(  # noqa: S603 -- our own program
                self.command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=self.environment,
                start_new_session=True,
                user=self.account.uid if self.account else None,
                group=self.account.gid if self.account else None,
                extra_groups=[] if self.account else None,
            )
        self._is_recorded = False
        with suppress(OSError):
            self.record()

    def record(self) -> None:
        """Write the pid file, by which a later run finds the process, unless it is written.

        Raises OSError. The process runs nevertheless, and the caller tries again.
        """
        if self._is_recorded or self._process is None:
            return
        identity = ProcessIdentity.of(self._process.pid)
        if identity is not None:
            identity.write(self.pid_file)
        self._is_recorded = True

    def write_input(self, text: str) -> None:
        """Write to the standard input and close it. Nothing happens if the child has ended."""
        if self._process and self._process.stdin:
            with suppress(BrokenPipeError), self._process.stdin as pipe:
                pipe.write(text.encode())

    def stop(self) -> None:
        if self._process is None:
            return
        for how in (self.stop_signal, signal.SIGKILL):
            if self.running:
                self._process.send_signal(how)
                wait_for(lambda: not self.running, self.timeout)
        self._process = None
        self.pid_file.unlink(missing_ok=True)

    def finish(
        self,
        timeout: float,
        guarded: Callable[[Callable[[], bool]], Callable[[], bool]] = lambda condition: condition,
    ) -> None:
        """Wait until the child has ended by itself. Raises ServerError if it fails or takes too long.

        `guarded` adds a check to the condition, such as one that ends the waiting.
        """
        if not wait_for(guarded(lambda: not self.running), timeout):
            self.stop()
            raise ServerError(
                f"{self.name} has not finished after {timeout:.0f} seconds.\n{self.last_lines()}"
            )
        self.pid_file.unlink(missing_ok=True)
        if self._process and self._process.returncode != 0:
            raise ServerError(f"{self.name} {self.ending}.\n{self.last_lines()}")

    def wait_until(self, ready: Callable[[], bool], timeout: float) -> None:
        wait_for(lambda: not self.running or ready(), timeout)
        if not self.running:
            raise ServerError(f"{self.name} {self.ending} before it was ready.\n{self.last_lines()}")
        if not ready():
            raise ServerError(f"{self.name} is not ready after {timeout:.0f} seconds.\n{self.last_lines()}")

    def last_lines(self, count: int = 15) -> str:
        with suppress(FileNotFoundError):
            lines = self.log.read_text(errors="replace").splitlines()[-count:]
            return "\n".join([f"The end of {self.log}:", *(f"  {line}" for line in lines)])
        return ""

    def trim_log(self) -> None:
        """Limit the log: copy its text to `.1` and empty it, while the child goes on writing to it.

        On a full disk the text is deleted, because the databases need the space.
        """
        with suppress(FileNotFoundError):
            if self.log.stat().st_size <= _LOG_LIMIT:
                return
            older = self.log.with_name(f"{self.log.name}.1")
            try:
                shutil.copyfile(self.log, older)
            except OSError as error:
                if error.errno not in _NO_SPACE:
                    raise
                older.unlink(missing_ok=True)
            os.truncate(self.log, 0)

    def _open_log(self) -> IO[bytes]:
        """Open the log. If the disk is full and the file cannot be made, nothing is logged."""
        try:
            make_private_folder(self.log.parent)
            return open(self.log, "ab", opener=private)
        except OSError as error:
            if error.errno not in _NO_SPACE:
                raise
            return open(os.devnull, "ab")

    def _poll(self, process: subprocess.Popen[bytes]) -> int | None:
        seen_before = process.returncode is not None
        code = process.poll()
        if code is not None and not seen_before:
            # Processes that the child started must end with it. Its pid may be reused, so this is done once.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            if process.stdin:
                with suppress(BrokenPipeError):
                    process.stdin.close()
        return code
