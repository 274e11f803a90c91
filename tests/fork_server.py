"""Programs that start at once: forks of a process that has imported the application.

Importing the application takes two seconds of a processor, and tests start dozens of workers and servers. A
fork server imports it once; each program is a fork with its own environment, arguments, session and output.
Modules that read the environment when they are imported (Celery's application) are left to the forks. Tests
of the start itself and of metrics, whose library reads the environment too, use processes of their own.
"""

import atexit
import gc
import os
import runpy
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle, send_handle
from pathlib import Path
from threading import Condition, Lock, Thread
from typing import IO, NoReturn

APPLICATION = "app.main"
MODULES = (
    "uvicorn",
    "celery.apps.worker",
    "kombu.transport.redis",
    "devservers.auth.app",
    # These are imported at their first use.
    "httpcore",
    "openpyxl",
    "valkey",
)


@dataclass(frozen=True)
class Program:
    """What a fork runs: `python -m module arguments`."""

    module: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    stdout: Path
    stderr: Path
    is_piped: bool = False
    """Whether standard input and output are pipes. Otherwise input is empty, and output goes to `stdout`."""


class ForkedProcess:
    """A started program, with the methods of `subprocess.Popen` that tests use."""

    def __init__(self, pid: int, server: "ForkServer", pipes: tuple[IO[bytes], IO[bytes]] | None) -> None:
        self.pid = pid
        self.stdin: IO[bytes] | None = None
        self.stdout: IO[bytes] | None = None
        if pipes is not None:
            self.stdin, self.stdout = pipes
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
    """Starts programs through the process that forks them, which starts before the first of them."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._starting = Lock()
        self._changed = Condition()
        self._started: list[int] = []
        self._exit_codes: dict[int, int] = {}

    def close(self) -> None:
        """End the server. Its programs must have ended."""
        if self._process is not None:
            self._connection.send(None)
            self._process.wait()
            self._reader.join()
            self._connection.close()

    def start(self, program: Program) -> ForkedProcess:
        """Start a program. Programs are started one after another."""
        with self._starting:
            process = self._running()
            count = len(self._started)
            self._connection.send(program)
            pipes = self._send_pipes() if program.is_piped else None
            with self._changed:
                self._changed.wait_for(lambda: len(self._started) > count or process.poll() is not None)
            return ForkedProcess(self._started[count], self, pipes)

    def packages_of_application(self) -> set[str]:
        """The packages that the import of the application alone has imported."""
        with self._starting:
            self._running()
            return self._packages

    def _running(self) -> "subprocess.Popen[bytes]":
        return self._process or self._run()

    def _run(self) -> "subprocess.Popen[bytes]":
        self._connection, theirs = Pipe()
        command = [sys.executable, "-u", "-m", "tests.fork_server", str(theirs.fileno())]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
        theirs.close()
        self._packages: set[str] = self._connection.recv()
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()
        return self._process

    def _send_pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        """Send the program its ends of two pipes. Returns the other ends."""
        standard_input, to_program = os.pipe()
        from_program, standard_output = os.pipe()
        for descriptor in (standard_input, standard_output):
            send_handle(self._connection, descriptor, None)
            os.close(descriptor)
        return os.fdopen(to_program, "wb"), os.fdopen(from_program, "rb")

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


def serve(connection: Connection) -> tuple[Program, list[int]] | None:
    """Fork for each program that is asked for.

    Returns the program and its pipes in a fork, and None at the end.
    """
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
        pipes = [recv_handle(connection) for _ in range(2 * program.is_piped)]
        if (pid := os.fork()) == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for descriptor in (awake, wake):
                os.close(descriptor)
            return program, pipes
        for descriptor in pipes:
            os.close(descriptor)
        connection.send((pid, None))


def report_ended(connection: Connection) -> None:
    """Send the exit codes of the programs that have ended."""
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            connection.send((pid, os.waitstatus_to_exitcode(status)))


def run(program: Program, pipes: list[int]) -> None:
    """Run the program in this fork."""
    os.setsid()
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    files = pipes or [os.open(os.devnull, os.O_RDONLY), os.open(program.stdout, flags, 0o644)]
    for descriptor, file in enumerate([*files, os.open(program.stderr, flags, 0o644)]):
        os.dup2(file, descriptor)
        os.close(file)
    os.environ.clear()
    os.environ.update(program.environment)
    sys.argv = [program.module, *program.arguments]
    try:
        runpy.run_module(program.module, run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        end(ended.code)
    end(None)


def end(code: str | int | None) -> NoReturn:
    """End this fork as Python ends a program, but without clearing its modules.

    That would copy the memory which the fork shares with the server, and takes 130 ms of a processor.
    """
    threading._shutdown()  # type: ignore[attr-defined] # waits for threads, also for those of pools
    atexit._run_exitfuncs()
    if isinstance(code, str):
        print(code, file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1 if isinstance(code, str) else code or 0)


def main(descriptor: int) -> None:
    gc.disable()  # Collections during the imports would take half a second, and free nothing.
    import_module(APPLICATION)
    packages = {name.partition(".")[0] for name in sys.modules}
    for module in MODULES:
        import_module(module)
    gc.collect()
    gc.freeze()
    gc.enable()
    with Connection(descriptor) as connection:
        connection.send(packages)
        started = serve(connection)
    if started is not None:
        run(*started)


if __name__ == "__main__":
    main(int(sys.argv[1]))
