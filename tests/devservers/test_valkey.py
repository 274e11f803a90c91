"""Valkey in a home folder: its data, its door, and its healing."""

import os
import signal
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from devservers.processes import processes_in, wait_for
from devservers.valkey import Valkey
from tests.waiting import PATIENCE

ANY_NAME = "my home, घर-häuschen, 'x', " + "long" * 50


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """A running server for the tests that leave it as it is."""
    server = Valkey(tmp_path_factory.mktemp("valkey") / ANY_NAME)
    server.start()
    yield server
    server.stop()


def client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, decode_responses=True)


class TestStart:
    def test_the_data_survive_a_stop_and_a_second_start(self, home: Path, valkey: Valkey) -> None:
        with client(valkey.start()) as connection:
            connection.set("kept", "42")
        valkey.stop()

        with client(valkey.start()) as connection:
            assert connection.get("kept") == "42"

    def test_it_appends_to_a_file_every_second(self, shared: Valkey) -> None:
        with client(shared.url) as connection:
            assert connection.config_get("append*") | connection.config_get("bind") == {
                "appendonly": "yes",
                "appendfsync": "everysec",
                "appendfilename": "appendonly.aof",
                "appenddirname": "appendonlydir",
                "bind": "127.0.0.1",
            }

    @pytest.mark.parametrize("password", ["", ":wrong@"])
    def test_it_demands_the_password(self, shared: Valkey, password: str) -> None:
        address = shared.url.partition("@")[2]

        with client(f"redis://{password}{address}") as connection, pytest.raises(redis.AuthenticationError):
            connection.ping()

    def test_the_password_is_in_no_command_line(self, shared: Valkey) -> None:
        assert shared.child is not None

        assert shared.secret.read_text().strip() not in Path(f"/proc/{shared.child.pid}/cmdline").read_text()
        assert stat.S_IMODE(shared.secret.stat().st_mode) == 0o600

    def test_the_home_may_have_any_name(self, shared: Valkey) -> None:
        assert shared.home.name == ANY_NAME
        with client(shared.url) as connection:
            connection.set("kept", "42")
        assert list((shared.home / "valkey").glob("appendonlydir/*.aof"))

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root starts servers as another user")
    def test_for_root_it_does_not_run_as_root(self, shared: Valkey) -> None:
        assert shared.child is not None

        assert Path(f"/proc/{shared.child.pid}").stat().st_uid != 0


class TestHealing:
    def test_a_killed_server_is_started_again_with_its_port_and_data(self, valkey: Valkey) -> None:
        before = valkey.start()
        assert valkey.child is not None
        child = valkey.child
        with client(before) as connection:
            connection.set("kept", "42")
        os.kill(child.pid or 0, signal.SIGKILL)
        assert wait_for(lambda: not child.running, timeout=PATIENCE)

        after = valkey.start()

        assert after == before
        with client(after) as connection:
            assert connection.get("kept") == "42"

    def test_the_server_of_a_killed_supervisor_is_replaced(
        self, home: Path, valkey: Valkey, in_another_process: Callable[[str], subprocess.Popen[str]]
    ) -> None:
        supervisor = in_another_process(
            "import time\nfrom pathlib import Path\nfrom devservers.valkey import Valkey\n"
            f"Valkey(Path({str(home)!r})).start()\nprint('ready', flush=True)\ntime.sleep(60)"
        )
        [left] = processes_in(home / "valkey", "valkey-server")
        supervisor.kill()
        supervisor.wait()
        assert left.alive

        with client(valkey.start()) as connection:
            assert connection.ping()
        assert not left.alive
