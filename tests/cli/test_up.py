"""`ias up`, as a person at a terminal runs it."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Origin

from app.cli.demo_content import ACCOUNTS, PASSWORD
from app.cli.local.programs import get
from devservers.network import port_is_free
from devservers.processes import ProcessIdentity, wait_for
from tests.installation import Terminal, is_ready
from tests.thorough import thorough_only
from tests.waiting import PATIENCE


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path)
    yield terminal
    terminal.close()


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Terminal, dict[str, Any]]]:
    """An `ias up`, and the content of run.json when its port opened. The last test of the module ends it."""
    terminal = Terminal(tmp_path_factory.mktemp("up"))
    try:
        terminal.up()
        assert wait_for(lambda: accepts(terminal.port), PATIENCE, interval=0.02)
        yield terminal, terminal.home.read_run() or {}
    finally:
        terminal.close()


@pytest.fixture(scope="module")
def running(started: tuple[Terminal, dict[str, Any]]) -> tuple[Terminal, dict[str, Any]]:
    """The same `ias up` once everything runs."""
    terminal, _ = started
    return terminal, terminal.run_of(terminal.started[0])


def identities(run: dict[str, Any]) -> dict[str, ProcessIdentity | None]:
    return {name: ProcessIdentity.of(pid) for name, pid in run["pids"].items()}


def alive(processes: dict[str, ProcessIdentity | None]) -> list[str]:
    return [name for name, process in processes.items() if process and process.alive]


def names_the_demo_accounts(output: str) -> bool:
    return all(account in output for account in [*ACCOUNTS, PASSWORD])


def accepts(port: int) -> bool:
    """Whether a server listens on this port."""
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionError:
        return False
    return True


def close_code_of_socket(api_url: str, origin: str) -> int:
    """The code with which a socket of this page is closed."""
    url = f"{api_url.replace('http:', 'ws:')}/v1/ws/notifications"
    with connect(url, origin=Origin(origin), proxy=None) as socket, pytest.raises(ConnectionClosed) as end:
        socket.recv(timeout=PATIENCE)
    assert end.value.rcvd is not None
    return end.value.rcvd.code


class TestWhileItRuns:
    def test_it_names_the_demo_accounts(self, running: tuple[Terminal, dict[str, Any]]) -> None:
        terminal, _ = running

        assert wait_for(lambda: names_the_demo_accounts(terminal.output_of(terminal.started[0])), PATIENCE)

    def test_it_writes_where_everything_is(self, running: tuple[Terminal, dict[str, Any]]) -> None:
        terminal, run = running

        assert run["api_url"] == f"http://127.0.0.1:{terminal.port}"
        assert alive(identities(run)) == ["up", "postgres", "valkey", "auth", "worker", "api"]
        assert get(f"{run['supabase_url']}/auth/v1/health")
        assert Path(run["mail_folder"]) == terminal.home.mail
        assert terminal.home.run_file.stat().st_mode & 0o777 == 0o600
        assert is_ready(run)

    @pytest.mark.parametrize(
        ("origin", "is_allowed"),
        [
            ("http://localhost:5173", True),
            ("http://127.0.0.1:3000", True),
            ("http://[::1]:8080", True),
            ("http://localhost.attacker.example:5173", False),
            ("https://app.example.org", False),
        ],
    )
    def test_pages_of_this_machine_may_call_it(
        self, running: tuple[Terminal, dict[str, Any]], origin: str, is_allowed: bool
    ) -> None:
        _, run = running

        asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        preflight = httpx.options(f"{run['api_url']}/v1/auth/login", headers=asked)
        assert preflight.headers.get("Access-Control-Allow-Origin") == (origin if is_allowed else None)
        # Nobody has signed in: a socket of an allowed page is refused for that reason only.
        assert close_code_of_socket(run["api_url"], origin) == (4401 if is_allowed else 4403)

    def test_a_second_one_in_the_same_home_is_refused(self, running: tuple[Terminal, dict[str, Any]]) -> None:
        terminal, run = running
        second = terminal.up()
        output = terminal.end_of(second)

        assert second.returncode == 1
        assert f"in use by process {run['pids']['up']}" in output
        assert run["api_url"] in output
        assert is_ready(run)

    @thorough_only
    def test_killed_servers_come_back(self, running: tuple[Terminal, dict[str, Any]]) -> None:
        terminal, run = running
        killed = {name: ProcessIdentity.of(run["pids"][name]) for name in ("postgres", "worker", "api")}
        for name in killed:
            os.kill(run["pids"][name], signal.SIGKILL)
        assert wait_for(lambda: alive(killed) == [], PATIENCE)

        assert wait_for(lambda: is_ready(run), PATIENCE, interval=0.2)
        assert alive(identities(terminal.home.read_run() or {})) == list(run["pids"])


class TestReadiness:
    def test_the_addresses_are_written_before_the_port_opens(
        self, started: tuple[Terminal, dict[str, Any]]
    ) -> None:
        terminal, run = started
        assert run.get("api_url") == f"http://127.0.0.1:{terminal.port}"


class TestInterrupt:
    @thorough_only
    def test_ctrl_c_while_it_starts_leaves_nothing(self, terminal: Terminal) -> None:
        process = terminal.up()
        assert wait_for((terminal.home.logs / "auth.log").exists, PATIENCE)
        process.send_signal(signal.SIGINT)
        output = terminal.end_of(process)

        assert process.returncode == 0
        assert "Traceback" not in output
        assert port_is_free("127.0.0.1", terminal.port)
        assert not list((terminal.home.folder / "pids").rglob("*.json"))


class TestRefusals:
    def test_a_port_in_use_is_said_before_anything_starts(self, terminal: Terminal) -> None:
        with socket.create_server(("127.0.0.1", terminal.port)):
            process = terminal.up()
            output = terminal.end_of(process)

        assert process.returncode == 1
        assert f"Port {terminal.port} is in use" in output
        assert f"PORT={terminal.port + 1} make run" in output
        assert "Traceback" not in output
        assert not (terminal.home.folder / "postgres").exists()


class TestStop:
    """It ends the installation of the module. A later test of the module would need its own."""

    @thorough_only
    def test_a_run_after_kill_9_heals(self, running: tuple[Terminal, dict[str, Any]]) -> None:
        terminal, _ = running
        first, before = terminal.started[0], terminal.home.read_run() or {}
        left = identities(before)
        first.kill()
        first.wait()
        assert alive(left) == ["postgres", "valkey", "auth", "worker", "api"]

        second = terminal.up()
        after = terminal.run_of(second)
        assert alive(left) == []
        addresses = ("api_url", "database_url", "redis_url", "supabase_url")
        assert [after[name] for name in addresses] == [before[name] for name in addresses]
        assert wait_for(lambda: names_the_demo_accounts(terminal.output_of(second)), PATIENCE)

    def test_it_stops_in_order(self, running: tuple[Terminal, dict[str, Any]]) -> None:
        terminal, _ = running
        run = terminal.home.read_run() or {}
        (up,) = [each for each in terminal.started if each.pid == run["pids"]["up"]]
        children = identities(run)
        up.terminate()
        output = terminal.end_of(up)
        assert (up.returncode, alive(children)) == (0, [])
        assert output.endswith("Stopped.\n")
        assert not terminal.home.run_file.exists()
