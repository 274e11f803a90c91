"""One run of `ias up`: servers, migration, worker and API."""

import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from types import FrameType
from typing import Any

import typer
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from app.cli.local.home import Home
from app.cli.local.programs import GatedProgram, get, program
from app.cli.local.servers import SHARED, Servers
from devservers.errors import HomeInUse, ServerError
from devservers.files import hold
from devservers.network import port_is_free
from devservers.processes import wait_for
from devservers.supervisor import Supervisor

_START_SECONDS = 120.0
_PREPARE_SECONDS = 600.0
_RETRY = 1.0
_DEMO_LOADED = "The demo content was loaded."  # `ias demo load` prints this.
_DEMO_ACCOUNTS = (
    "admin@example.com, author@example.com,",
    "candidate1@example.com, candidate2@example.com;",
    "the password is testpassword",
)
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 -- compared, not bound

console = Console(highlight=False)


class Interrupted(Exception):
    """A stop was requested during the start."""


class StopRequest:
    """Records Ctrl-C, SIGTERM and the loss of the terminal, so that the stop happens at a safe point."""

    def __init__(self) -> None:
        # A threading.Event would deadlock if the signal handler interrupted its wait().
        self._requested = False
        self._terminal = select.poll()
        if sys.stdin and sys.stdin.isatty():
            self._terminal.register(sys.stdin, select.POLLHUP)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # `nohup` ignores it.
                signal.signal(number, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._requested = True

    def wait(self, seconds: float) -> bool:
        return wait_for(self._is_requested, seconds, interval=0.1)

    def unless(self, condition: Callable[[], bool]) -> Callable[[], bool]:
        """The same condition, but it raises Interrupted after a stop request."""

        def checked() -> bool:
            if self._is_requested():
                raise Interrupted
            return condition()

        return checked

    def _is_requested(self) -> bool:
        # Only the leader of the session gets SIGHUP, and `make` does not forward it.
        return self._requested or bool(self._terminal.poll(0))


class Installation:
    """One run: the servers, the migration, the worker, and then the API."""

    def __init__(self, home: Home, host: str, port: int, stop: StopRequest, stack: ExitStack) -> None:
        self._home = home
        self._stop = stop
        self._supervisor = Supervisor(report)
        stack.callback(self._supervisor.stop)
        self._servers = Servers(home, self._supervisor)
        self._servers.stop_leftovers()
        if not port_is_free(host, port):
            raise ServerError(
                f"Port {port} is in use by another program. Choose another one: PORT={port + 1} make run"
            )
        self.url = f"http://{_in_url(_EVERYWHERE.get(host, host))}:{port}"
        # Links in mails lead to the API. An address in the environment replaces ours.
        given = self._servers.environment
        self.environment = {"API_URL": self.url} | given | {"HOST": host, "PORT": str(port)}
        self._ready_file = home.worker_ready
        stack.callback(self._ready_file.unlink, missing_ok=True)
        self._preparation = self._gated("prepare", "The preparation of the database", "migrate + demo load")
        self._worker = self._gated("worker", "The worker", "worker")
        self._api = self._gated("api", "The API", "serve")
        for each in (self._preparation, self._worker, self._api):
            stack.callback(each.stop)

    def start(self, before_api: Callable[[], None]) -> None:
        """Start everything. `before_api` is called when all is ready and the API's port is not open yet."""
        # Imports take longest, so that all programs import their modules at the same time.
        for each in (self._preparation, self._worker, self._api):
            each.start()
        self._servers.start()
        self._servers.wait_for_auth(self._stop.unless)
        self._prepare()
        self._ready_file.unlink(missing_ok=True)
        self._open(self._worker, self._ready_file.exists)
        before_api()
        self._open(self._api, self._api_ready)

    def watch(self, after_check: Callable[[], None]) -> None:
        """Supervise the servers until a stop request. Calls `after_check` after each check."""
        while not self._stop.wait(0.2):
            self._supervisor.check()
            after_check()

    @property
    def demo_loaded(self) -> bool:
        """Whether this run or an earlier one has loaded the demo content."""
        return _DEMO_LOADED in self._preparation.child.log.read_text(errors="replace")

    def pids(self) -> dict[str, int | None]:
        return {child.log.stem: child.pid for child in self._supervisor.children}

    def _gated(self, name: str, title: str, commands: str) -> GatedProgram:
        environment = self.environment | {"IAS_READY_FILE": str(self._ready_file)}
        arguments = ["-m", "app.cli.gate", *commands.split()]
        return GatedProgram(program(self._home, name, title, arguments, environment))

    def _prepare(self) -> None:
        child = self._preparation.child
        self._preparation.open_gate()
        child.finish(_PREPARE_SECONDS, self._stop.unless)

    def _open(self, server: GatedProgram, ready: Callable[[], bool]) -> None:
        server.open_gate()
        server.child.wait_until(self._stop.unless(ready), _START_SECONDS)
        self._supervisor.watch(server)

    def _api_ready(self) -> bool:
        body = get(f"{self.url}/v1/health/ready")
        return body is not None and json.loads(body)["status"] == "ready"


def run() -> None:
    """Run the installation until a stop request. Raises typer.Exit(1) if it cannot be started."""
    try:
        _up(Home.from_environment(), *_listen_address(), StopRequest())
    except Interrupted:
        report("Stopped.")
    except (ServerError, OSError) as error:
        with suppress(OSError):
            console.print(str(error), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1) from None


class RunFile:
    """Keeps run.json up to date. A failure to write is reported once, and writing is tried again."""

    def __init__(self, home: Home, current: Callable[[], dict[str, Any]]) -> None:
        self._home = home
        self._current = current
        self._written: dict[str, Any] | None = None
        self._try_at = 0.0
        self._failing = False

    def keep(self) -> None:
        """Write run.json if its content has changed; call it a few times a second."""
        run = self._current()
        if run == self._written or time.monotonic() < self._try_at:
            return
        try:
            self._home.write_run(run)
        except OSError as error:
            self._try_at = time.monotonic() + _RETRY
            if not self._failing:
                report(f"{self._home.run_file} could not be written ({error.strerror}). It is tried again.")
            self._failing = True
            return
        if self._failing:
            report(f"{self._home.run_file} is written again.")
        self._written, self._failing = run, False


def report(sentence: str) -> None:
    with suppress(OSError):  # Without a terminal the servers must still be stopped.
        console.print(sentence, markup=False, soft_wrap=True)


def _up(home: Home, host: str, port: int, stop: StopRequest) -> None:
    began = time.monotonic()
    with ExitStack() as stack:
        _hold(home, stack)
        home.run_file.unlink(missing_ok=True)  # Left by a run that was killed.
        stack.callback(home.run_file.unlink, missing_ok=True)
        report(f"Starting in {home.folder}")
        installation = Installation(home, host, port, stop, stack)
        run_file = RunFile(home, lambda: _run(installation))
        installation.start(before_api=run_file.keep)
        run_file.keep()  # Now with the process id of the API.
        with suppress(OSError):
            _announce(home, installation, time.monotonic() - began)
        installation.watch(run_file.keep)
        report("Stopping.")
    report("Stopped.")


def _hold(home: Home, stack: ExitStack) -> None:
    try:
        stack.enter_context(hold(home.lock))
    except HomeInUse as error:
        run = home.read_run()
        where = f" An `ias up` is running there: {run['api_url']}." if run else ""
        raise ServerError(f"{error}{where} Stop it first, or choose another IAS_HOME.") from None


def _listen_address() -> tuple[str, int]:
    host, port = os.environ.get("HOST") or "127.0.0.1", os.environ.get("PORT") or "8000"
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise ServerError(f"PORT must be a number from 1 to 65535, not {port!r}.")
    return host, int(port)


def _run(installation: Installation) -> dict[str, Any]:
    shared = {name.lower(): installation.environment.get(name) for name in SHARED}
    return {"api_url": installation.url, **shared, "pids": {"up": os.getpid()} | installation.pids()}


def _announce(home: Home, installation: Installation, seconds: float) -> None:
    rows = {
        "API": f"{installation.url}/v1",
        "Documentation": f"{installation.url}/docs",
        "Auth server": installation.environment["SUPABASE_URL"],
        "Mail": installation.environment.get("MAIL_FOLDER", "by SMTP"),
        "Logs": str(home.logs),
        "Addresses": str(home.run_file),
    }
    if installation.demo_loaded:
        rows["Demo accounts"] = "\n".join(_DEMO_ACCOUNTS)
    table = Table.grid(padding=(0, 2))
    for name, value in rows.items():
        table.add_row(name, value)
    console.print(Panel(table, title=f"Ready in {seconds:.1f} s", title_align="left", expand=False))
    report("Ctrl-C stops everything.")


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
