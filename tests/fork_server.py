"""Programs that start at once: forks of a process that has imported the application.

Importing the application takes two seconds of a processor, and tests start dozens of workers and servers. A
fork server imports it once; each program is a fork with its own environment, arguments, session and output.
Modules that read the environment when they are imported (Celery's application) are left to the forks. Tests
of the start itself and of metrics, whose library reads the environment too, use processes of their own.
"""

import gc
import os
import runpy
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Condition, Thread

MODULES = ("uvicorn", "app.main", "celery.apps.worker", "kombu.transport.redis", "httpcore", "valkey")
"""The last two are imported by httpx and limits at their first use."""


@dataclass(frozen=True)
class Program:
    """What a fork runs: `python -m module arguments`."""

    module: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    stdout: Path
    stderr: Path


class ForkedProcess:
    """A started program, with the methods of `subprocess.Popen` that tests use."""

    def __init__(self, pid: int, server: "ForkServer") -> None:
        self.pid = pid
        self._server = server

    @property
    def returncode(self) -> int | None:
        return self._server.exit_code(self.pid)

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code. Raises TimeoutExpired if the program runs for so many seconds more."""
        return self._server.wait(self.pid, timeout)

    def send_signal(self, how: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, how)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class ForkServer:
    """Starts programs through the process that forks them."""

    def __init__(self) -> None:
        self._connection, theirs = Pipe()
        command = [sys.executable, "-u", "-m", "tests.fork_server", str(theirs.fileno())]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
        theirs.close()
        self._changed = Condition()
        self._started: list[int] = []
        self._exit_codes: dict[int, int] = {}
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def close(self) -> None:
        """End the server. Its programs must have ended."""
        self._connection.send(None)
        self._process.wait()
        self._reader.join()
        self._connection.close()

    def start(self, program: Program) -> ForkedProcess:
        """Start a program. Programs are started one after another."""
        with self._changed:
            count = len(self._started)
            self._connection.send(program)
            self._changed.wait_for(lambda: len(self._started) > count or self._process.poll() is not None)
            return ForkedProcess(self._started[count], self)

    def exit_code(self, pid: int) -> int | None:
        """The exit code of a program; None while it runs."""
        with self._changed:
            return self._exit_codes.get(pid)

    def wait(self, pid: int, timeout: float | None) -> int:
        with self._changed:
            if not self._changed.wait_for(lambda: pid in self._exit_codes, timeout):
                raise subprocess.TimeoutExpired(f"process {pid}", timeout or 0)
            return self._exit_codes[pid]

    def _read(self) -> None:
        with suppress(EOFError, ConnectionResetError):
            while True:
                pid, code = self._connection.recv()
                with self._changed:
                    if code is None:
                        self._started.append(pid)
                        self._exit_codes.pop(pid, None)
                    else:
                        self._exit_codes[pid] = code
                    self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()


def serve(connection: Connection) -> Program | None:
    """Fork for each program that is asked for. Returns the program in a fork, and None at the end."""
    awake, wake = os.pipe2(os.O_NONBLOCK)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    requests = connection.fileno()
    while True:
        readable, _, _ = select.select([requests, awake], [], [])
        if awake in readable:
            os.read(awake, 512)
            report_ended(connection)
        if requests not in readable:
            continue
        program: Program | None = connection.recv()
        if program is None:
            return None
        if (pid := os.fork()) == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for descriptor in (awake, wake):
                os.close(descriptor)
            return program
        connection.send((pid, None))


def report_ended(connection: Connection) -> None:
    """Send the exit codes of the programs that have ended."""
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            connection.send((pid, os.waitstatus_to_exitcode(status)))


def run(program: Program) -> None:
    """Run the program in this fork."""
    os.setsid()
    for descriptor, path in ((1, program.stdout), (2, program.stderr)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(file, descriptor)
        os.close(file)
    os.environ.clear()
    os.environ.update(program.environment)
    sys.argv = [program.module, *program.arguments]
    runpy.run_module(program.module, run_name="__main__", alter_sys=True)


def main(descriptor: int) -> None:
    gc.disable()  # Collections during the imports would take half a second, and free nothing.
    for module in MODULES:
        import_module(module)
    gc.collect()
    gc.freeze()
    gc.enable()
    with Connection(descriptor) as connection:
        program = serve(connection)
    if program is not None:
        run(program)


if __name__ == "__main__":
    main(int(sys.argv[1]))
