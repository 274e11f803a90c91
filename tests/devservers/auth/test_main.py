"""The server as a process: its start, an outage of its database, its end."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from devservers.network import free_port
from devservers.postgres import Postgres
from devservers.processes import wait_for
from tests.devservers.auth.conftest import ANON_KEY, SERVICE_KEY
from tests.fork_server import ForkedProcess, ForkServer, Program
from tests.waiting import PATIENCE

COMMAND = [sys.executable, "-m", "devservers.auth"]


def environment_for(database_url: str, folder: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "AUTH_DATABASE_URL": database_url,
        "AUTH_PORT": str(free_port()),
        "AUTH_SITE_URL": "https://app.example.org",
        "AUTH_ANON_KEY": ANON_KEY,
        "AUTH_SERVICE_KEY": SERVICE_KEY,
        "AUTH_MAIL_FOLDER": str(folder / "mails"),
    }


@contextmanager
def running(
    environment: Mapping[str, str], folder: Path, fork_server: ForkServer
) -> Iterator[tuple[ForkedProcess, httpx.Client]]:
    """A server that answers, and a client that shows the public key."""
    url = f"http://127.0.0.1:{environment['AUTH_PORT']}/auth/v1"
    log = folder / "auth.log"
    process = fork_server.start(Program("devservers.auth", [], environment, log, log))
    with httpx.Client(base_url=url, headers={"apikey": ANON_KEY}) as client:
        try:
            assert wait_for(lambda: answers(client), timeout=PATIENCE), log.read_text()
            yield process, client
        finally:
            process.kill()
            process.wait()


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/health").is_success
    except httpx.TransportError:
        return False


def sign_up(client: httpx.Client, email: str) -> httpx.Response:
    return client.post("/signup", json={"email": email, "password": "testpassword"})


def refresh(client: httpx.Client, token: str) -> httpx.Response:
    return client.post("/token?grant_type=refresh_token", json={"refresh_token": token})


class TestStart:
    def test_names_what_is_missing(self, tmp_path: Path) -> None:
        environment = environment_for("", tmp_path)
        result = subprocess.run(COMMAND, env=environment, capture_output=True, text=True, check=False)
        assert (result.returncode, result.stderr) == (1, "auth: AUTH_DATABASE_URL is not set.\n")

    @pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
    def test_ends_when_asked_to(
        self, auth_database_url: str, tmp_path: Path, fork_server: ForkServer, how: signal.Signals
    ) -> None:
        with running(environment_for(auth_database_url, tmp_path), tmp_path, fork_server) as (process, _):
            process.send_signal(how)
            assert process.wait(timeout=PATIENCE) in {0, -how}


class TestOutage:
    @pytest.fixture
    def postgres(self, tmp_path: Path) -> Iterator[Postgres]:
        """A server that the test stops itself."""
        server = Postgres(tmp_path / "postgres", durable=False)
        server.start()
        yield server
        server.stop()

    def test_of_the_database_is_503_and_heals(
        self, postgres: Postgres, tmp_path: Path, email: str, fork_server: ForkServer
    ) -> None:
        url = postgres.ensure_database("auth_outage", "auth_outage", "secret")
        with running(environment_for(url, tmp_path), tmp_path, fork_server) as (_, client):
            token = sign_up(client, email).json()["refresh_token"]
            postgres.stop()
            answers = [refresh(client, token) for _ in range(3)]
            assert {answer.status_code for answer in answers} == {503}
            assert answers[0].json()["error_code"] == "unexpected_failure"
            postgres.start()
            assert refresh(client, token).status_code == 200
