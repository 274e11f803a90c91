"""PostgreSQL in a home folder: its data, its doors, and its healing."""

import asyncio
import os
import pwd
import signal
import stat
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import asyncpg
import pytest

from devservers.binaries import postgres_program
from devservers.errors import ServerError
from devservers.postgres import Postgres, PostgresAddress
from devservers.processes import ProcessIdentity, processes_in, wait_for
from tests.waiting import PATIENCE

InAnotherProcess = Callable[[str], subprocess.Popen[str]]

ANY_NAME = "my home, घर-häuschen, 'x', " + "long" * 50
BUSY = "SELECT count(*) FROM generate_series(1, 100000000000)"


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Postgres:
    """A server that has been started once, in a folder that was not there."""
    folder = tmp_path_factory.mktemp("postgres")
    folder.chmod(0o750)
    server = Postgres(folder / "outer" / ANY_NAME, durable=False)
    server.start()
    server.stop()
    return server


@pytest.fixture(scope="module")
def shared(stopped: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A running server for the tests that leave it as it is."""
    server = Postgres(tmp_path_factory.mktemp("shared") / ANY_NAME, durable=False)
    copy_data(stopped.home, server.home)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def prepared(stopped: Postgres, home: Path) -> None:
    """The home of the test has the data of a server that has run. Initializing them takes a second."""
    copy_data(stopped.home, home)


def copy_data(source: Path, target: Path) -> None:
    """Copy data and password; ports and process ids are those of a server alone. `-a` keeps the owner."""
    target.mkdir(mode=0o700)
    subprocess.run(["cp", "-a", source / "postgres", source / "secrets", target], check=True)


def address_of(server: Postgres) -> PostgresAddress:
    assert server.address is not None
    return server.address


def query(url: str, statement: str) -> object:
    async def run() -> object:
        connection = await asyncpg.connect(url, ssl=False)
        try:
            *before, last = statement.split("; ")
            for each in before:
                await connection.execute(each)
            return await connection.fetchval(last)
        finally:
            await connection.close()

    return asyncio.run(run())


def connect(address: PostgresAddress, host: str, password: str | None) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(
            host=host, port=address.port, user="postgres", password=password, database="postgres", ssl=False
        )
        await connection.close()

    asyncio.run(run())


def postmaster(server: Postgres) -> ProcessIdentity:
    assert server.child is not None
    identity = ProcessIdentity.of(server.child.pid or 0)
    assert identity is not None
    return identity


class TestStart:
    @pytest.mark.usefixtures("prepared")
    def test_the_data_survive_a_stop_and_a_second_start(self, home: Path, postgres: Postgres) -> None:
        postgres.start()
        postgres.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        postgres.stop()

        again = Postgres(home, durable=False)
        again.start()
        answer = again.execute("SELECT answer FROM kept")
        again.stop()

        assert answer.strip() == "42"

    def test_the_home_may_have_any_name(self, stopped: Postgres, shared: Postgres) -> None:
        assert {stopped.home.name, shared.home.name} == {ANY_NAME}
        assert shared.execute("SELECT 1").strip() == "1"

    def test_an_interrupted_first_start_begins_anew(self, home: Path, postgres: Postgres) -> None:
        unfinished = home / "postgres.unfinished"
        unfinished.mkdir(parents=True)
        (unfinished / "PG_VERSION").write_text("18\n")

        postgres.start()

        assert postgres.execute("SELECT 1").strip() == "1"
        assert not unfinished.exists()

    def test_a_lost_password_is_said(self, home: Path, postgres: Postgres) -> None:
        (home / "postgres").mkdir(parents=True)
        (home / "postgres" / "PG_VERSION").write_text("18\n")

        with pytest.raises(ServerError, match="lost its superuser's password"):
            postgres.start()

    @pytest.mark.usefixtures("prepared")
    def test_by_default_it_is_durable(self, home: Path) -> None:
        server = Postgres(home)
        try:
            server.start()
            assert server.execute("SHOW fsync; SHOW synchronous_commit").split() == ["on", "on"]
        finally:
            server.stop()

    def test_folders_are_private_and_existing_ones_keep_their_mode(self, stopped: Postgres) -> None:
        home = stopped.home
        assert {mode(path) for path in (home, home / "postgres", home / "secrets", home / "logs")} == {0o700}
        assert {mode(path) for path in (stopped.secret, stopped.log)} == {0o600}
        assert mode(home.parent.parent) == 0o750
        assert home.stat().st_uid == os.geteuid()

    def test_its_settings_are_for_utc_and_unicode(self, shared: Postgres) -> None:
        settings = shared.execute("SHOW timezone; SHOW server_encoding; SELECT lower('ÄÉ')").split()

        assert settings == ["UTC", "UTF8", "äé"]

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root starts servers as another user")
    def test_for_root_it_runs_as_nobody(self, shared: Postgres) -> None:
        users: list[int] = []
        for process in processes_in(shared.data, "postgres"):
            with suppress(FileNotFoundError):  # It has ended, as a worker of autovacuum does.
                users.append(Path(f"/proc/{process.pid}").stat().st_uid)
        assert len(users) > 1
        assert set(users) == {pwd.getpwnam("nobody").pw_uid}


class TestDoors:
    @pytest.mark.parametrize("password", ["wrong", "", None])
    def test_tcp_demands_the_password(self, shared: Postgres, password: str | None) -> None:
        with pytest.raises(asyncpg.InvalidPasswordError):
            connect(address_of(shared), "127.0.0.1", password)

    @pytest.mark.parametrize("password", ["wrong", "", None])
    def test_the_socket_demands_the_password(self, shared: Postgres, password: str | None) -> None:
        address = address_of(shared)
        with pytest.raises(asyncpg.InvalidPasswordError):
            connect(address, str(address.socket_folder), password)

    def test_the_right_password_opens_both(self, shared: Postgres) -> None:
        address = address_of(shared)
        connect(address, "127.0.0.1", address.password)
        connect(address, str(address.socket_folder), address.password)

    def test_every_rule_is_scram(self, shared: Postgres) -> None:
        methods = shared.execute("SELECT DISTINCT auth_method FROM pg_hba_file_rules").split()

        assert methods == ["scram-sha-256"]

    def test_it_listens_on_the_loopback_interface_alone(self, shared: Postgres) -> None:
        assert shared.execute("SHOW listen_addresses").strip() == "127.0.0.1"
        assert mode(address_of(shared).socket_folder) == 0o700


class TestEnsureDatabase:
    def test_its_owner_works_in_it_and_is_no_superuser(self, shared: Postgres) -> None:
        url = shared.ensure_database("ensured", "ensured_owner", "p@ss/word'%")

        query(url, "CREATE TABLE own ()")
        assert (
            query(url, "SELECT rolsuper OR rolcreatedb OR rolcreaterole FROM pg_roles WHERE rolname = user")
            is False
        )

    def test_a_second_call_changes_only_the_password(self, shared: Postgres) -> None:
        old = shared.ensure_database("twice", "twice_owner", "old")
        query(old, "CREATE TABLE kept ()")
        new = shared.ensure_database("twice", "twice_owner", "new")

        assert query(new, "SELECT to_regclass('kept') IS NOT NULL") is True
        with pytest.raises(asyncpg.InvalidPasswordError):
            query(old, "SELECT 1")

    def test_other_roles_may_not_enter(self, shared: Postgres) -> None:
        url = shared.ensure_database("private", "private_owner", "secret")
        shared.ensure_role("stranger", "secret")

        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            query(url.replace("private_owner", "stranger"), "SELECT 1")


class TestEnsureSchema:
    def test_neither_role_reads_what_the_other_owns(self, shared: Postgres) -> None:
        ours = shared.ensure_database("house", "house_owner", "a")
        theirs = shared.ensure_schema("house", "auth", "guest", "b")
        query(ours, "CREATE SCHEMA ias; CREATE TABLE ias.answers AS SELECT 1 AS n")
        query(theirs, "CREATE TABLE auth.accounts AS SELECT 1 AS n")

        assert query(ours, "SELECT n FROM ias.answers") == 1
        assert query(theirs, "SELECT n FROM auth.accounts") == 1
        for url, table in [(ours, "auth.accounts"), (theirs, "ias.answers")]:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                query(url, f"SELECT n FROM {table}")


@pytest.mark.usefixtures("prepared")
class TestHealing:
    def test_a_killed_postmaster_is_started_again_on_its_port(self, postgres: Postgres) -> None:
        before = postgres.start()
        postgres.execute("CREATE TABLE kept (); CHECKPOINT")
        os.kill(postmaster(postgres).pid, signal.SIGKILL)
        assert postgres.child is not None
        assert wait_for(lambda: not postgres.child.running, timeout=PATIENCE)  # type: ignore[union-attr]

        after = postgres.start()

        assert (after.port, after.password) == (before.port, before.password)
        assert postgres.execute("SELECT to_regclass('kept')").strip() == "kept"
        assert not before.socket_folder.exists()

    def test_backends_of_a_killed_postmaster_do_not_stop_the_next(self, postgres: Postgres) -> None:
        address = postgres.start()
        busy_client = subprocess.Popen(
            [postgres_program("psql"), address.url("postgres"), "-c", BUSY],
            stderr=subprocess.DEVNULL,
        )
        busy = f"SELECT count(*) FROM pg_stat_activity WHERE query = '{BUSY}'"
        assert wait_for(lambda: postgres.execute(busy).strip() == "1", timeout=PATIENCE)
        orphans = list(processes_in(postgres.data, "postgres"))
        os.kill(postmaster(postgres).pid, signal.SIGKILL)

        postgres.start()

        assert postgres.execute("SELECT 1").strip() == "1"
        assert not any(orphan.alive for orphan in orphans)
        assert busy_client.wait(timeout=PATIENCE) != 0

    def test_the_server_of_a_killed_supervisor_is_replaced(
        self, home: Path, postgres: Postgres, in_another_process: InAnotherProcess
    ) -> None:
        supervisor = in_another_process(supervisor_program(home))
        left = list(processes_in(home / "postgres", "postgres"))
        sockets = (home / "postgres" / "postmaster.pid").read_text().splitlines()[4]
        supervisor.kill()
        supervisor.wait()
        assert left
        assert all(process.alive for process in left)

        postgres.start()

        assert not any(process.alive for process in left)
        assert not Path(sockets).exists()
        assert postgres.execute("SELECT 1").strip() == "1"

    def test_a_recycled_pid_is_left_alone(
        self, home: Path, postgres: Postgres, in_another_process: InAnotherProcess
    ) -> None:
        postgres.start()
        postgres.stop()
        stranger = in_another_process("print('ready', flush=True); import time; time.sleep(60)")
        ProcessIdentity(stranger.pid, "another boot/123").write(home / "pids" / "postgres.json")
        (home / "postgres" / "postmaster.pid").write_text(
            f"{stranger.pid}\n/proc/self/cwd\n1\n5432\n\n\n\nready\n"
        )

        postgres.start()

        assert stranger.poll() is None
        assert postgres.execute("SELECT 1").strip() == "1"


def supervisor_program(home: Path) -> str:
    return (
        "import time\nfrom pathlib import Path\nfrom devservers.postgres import Postgres\n"
        f"Postgres(Path({str(home)!r}), durable=False).start()\nprint('ready', flush=True)\ntime.sleep(60)"
    )


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
