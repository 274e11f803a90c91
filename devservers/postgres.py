"""A real PostgreSQL in a home folder. It recovers from a crash, and every connection needs a password."""

import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

from devservers.binaries import make_server_folder, postgres_program, server_account
from devservers.errors import ServerError
from devservers.files import make_private_folder, read_or_create_secret
from devservers.network import LOOPBACK, remembered_port
from devservers.processes import Account, Child, processes_in, stop_leftover, terminate

_SUPERUSER = "postgres"
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
_SOCKET_PREFIX = "ias-pg-"

# The process finds its data through its working directory, so that the home may have any length and letters,
# and may be in a folder that only root may enter. Systems without /proc (macOS) use the path itself.
_DATA_BY_WORKING_DIRECTORY = "/proc/self/cwd"

_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "max_connections": "100",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_checkpoints": "off",
    "password_encryption": "scram-sha-256",
}
_INITDB_OPTIONS = [
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    f"--username={_SUPERUSER}",
    "--auth=scram-sha-256",
    "--no-instructions",
]
_FAST_SHUTDOWN = signal.SIGINT  # It does not wait for clients to disconnect.
_FOR_TESTS_ONLY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    # A vacuum between two tests would store that a table is empty, and change the plans of the second test.
    "autovacuum": "off",
    # A password of a test is hashed at each connection, by both sides, and protects nothing.
    "scram_iterations": "1",
}

_ENSURE_ROLE = r"""
\getenv role IAS_ROLE
\getenv password IAS_PASSWORD
SELECT format('CREATE ROLE %I LOGIN', :'role')
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role') \gexec
ALTER ROLE :"role" PASSWORD :'password';
"""
_ENSURE_DATABASE = r"""
\getenv database IAS_DATABASE
\getenv owner IAS_OWNER
SELECT format('CREATE DATABASE %I OWNER %I', :'database', :'owner')
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
"""
_ENSURE_SCHEMA = r"""
\getenv database IAS_DATABASE
\getenv schema IAS_SCHEMA
\getenv owner IAS_OWNER
GRANT CONNECT ON DATABASE :"database" TO :"owner";
SELECT format('CREATE SCHEMA %I AUTHORIZATION %I', :'schema', :'owner')
 WHERE NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = :'schema') \gexec
"""


@dataclass(frozen=True)
class PostgresAddress:
    """The address of the server and its superuser."""

    host: str
    port: int
    socket_folder: Path
    superuser: str
    password: str

    def url(self, database: str) -> str:
        """The address of a database for the superuser."""
        return _url(self.port, database, self.superuser, self.password)


class Postgres:
    """The server of one home folder. The process that starts it must hold the home's lock."""

    def __init__(self, home: Path, *, durable: bool = True) -> None:
        self.home = home
        self.data = home / "postgres"
        self.secret = home / "secrets" / "postgres-superuser"
        self.durable = durable
        self.log = home / "logs" / "postgres.log"
        self.pid_file = home / "pids" / "postgres.json"
        self.child: Child | None = None
        self.address: PostgresAddress | None = None

    @cached_property
    def port(self) -> int:
        """The port, which stays the same for this object, so that clients find a restarted server."""
        return remembered_port(self.home / "ports" / "postgres")

    def url(self, database: str, user: str, password: str) -> str:
        """The address of a database for a role; it is known before the server runs."""
        return _url(self.port, database, user, password)

    def start(self) -> PostgresAddress:
        """Stop what an earlier run has left, and start the server."""
        account = server_account()
        make_private_folder(self.home)
        self.stop_leftovers()
        password = self._password()
        if not (self.data / "PG_VERSION").exists():
            self._initialize(account, password)
        make_server_folder(self.data, account)
        folder = self._make_socket_folder(account)
        self.address = PostgresAddress(LOOPBACK, self.port, folder, _SUPERUSER, password)
        self.child = self._child("postgres", self._options(self.address), account, self.data)
        self.child.start()
        self.child.wait_until(self._ready, timeout=60)
        return self.address

    def stop_leftovers(self) -> None:
        """Stop and remove what a killed run has left: postmaster, backends, socket and lock file."""
        lines = self._postmaster_lines()
        self.stop()
        stop_leftover(self.pid_file, _FAST_SHUTDOWN, timeout=30)
        terminate(processes_in(self.data, "postgres"), signal.SIGQUIT, timeout=5)
        # PostgreSQL would take another process that has this pid now for its own postmaster. The file may be
        # removed: this process holds the home's lock, and shared memory in use still stops a second server.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        if len(lines) > 4 and Path(lines[4]).name.startswith(_SOCKET_PREFIX):
            shutil.rmtree(lines[4], ignore_errors=True)

    def stop(self) -> None:
        if self.child:
            self.child.stop()
        if self.address:
            shutil.rmtree(self.address.socket_folder, ignore_errors=True)

    def ensure_role(self, role: str, password: str) -> None:
        """Make a role without privileges that can log in with this password."""
        self.execute(_ENSURE_ROLE, IAS_ROLE=role, IAS_PASSWORD=password)

    def ensure_database(self, database: str, owner: str, password: str) -> str:
        """Make a database that only its owner and the superuser may use. Returns its address."""
        self.ensure_role(owner, password)
        self.execute(_ENSURE_DATABASE, IAS_DATABASE=database, IAS_OWNER=owner)
        return self.url(database, owner, password)

    def ensure_schema(self, database: str, schema: str, owner: str, password: str) -> str:
        """Make a role that has only a schema of its own in a database. Returns its address."""
        self.ensure_role(owner, password)
        self.execute(_ENSURE_SCHEMA, database, IAS_DATABASE=database, IAS_SCHEMA=schema, IAS_OWNER=owner)
        return self.url(database, owner, password)

    def execute(self, script: str, database: str = "postgres", **environment: str) -> str:
        """Run a psql script as the superuser. Values are passed in the environment, which `ps` hides."""
        address = self._running_address
        where = ["-h", str(address.socket_folder), "-p", str(address.port), "-U", _SUPERUSER, "-d", database]
        result = subprocess.run(  # noqa: S603 -- our own program
            [postgres_program("psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", *where],
            input=script,
            env=_ENVIRONMENT | {"PGPASSWORD": address.password, "PGCLIENTENCODING": "UTF8"} | environment,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        if result.returncode != 0:
            raise ServerError(f"PostgreSQL refused a statement: {result.stderr.strip()}")
        return result.stdout

    @property
    def _running_address(self) -> PostgresAddress:
        if self.address is None or self.child is None or not self.child.running:
            raise ServerError("PostgreSQL is not running.")
        return self.address

    def _password(self) -> str:
        if (self.data / "PG_VERSION").exists() and not self.secret.exists():
            raise ServerError(f"{self.data} has lost its superuser's password: {self.secret} is missing.")
        return read_or_create_secret(self.secret)

    def _initialize(self, account: Account | None, password: str) -> None:
        """Make the data folder; it has another name until it is complete."""
        unfinished = self.data.with_name("postgres.unfinished")
        options = [] if self.durable else ["--no-sync", "--set=scram_iterations=1"]
        shutil.rmtree(unfinished, ignore_errors=True)
        make_server_folder(unfinished, account)
        with tempfile.NamedTemporaryFile("w", dir=_short_temporary_folder()) as password_file:
            password_file.write(f"{password}\n")
            password_file.flush()
            if account:
                account.own(Path(password_file.name))
            initdb = self._child(
                "initdb",
                [*_INITDB_OPTIONS, *options, f"--pwfile={password_file.name}"],
                account,
                unfinished,
            )
            initdb.start()
            initdb.finish(timeout=120)
        unfinished.rename(self.data)

    def _make_socket_folder(self, account: Account | None) -> Path:
        # The path of a socket is limited to about 107 bytes, and the home's path may be longer.
        folder = Path(tempfile.mkdtemp(prefix=_SOCKET_PREFIX, dir=_short_temporary_folder()))
        if account:
            account.own(folder)
        return folder

    def _options(self, address: PostgresAddress) -> list[str]:
        settings = _SETTINGS | {
            "unix_socket_directories": str(address.socket_folder),
            "port": str(address.port),
        }
        if not self.durable:
            settings |= _FOR_TESTS_ONLY
        return [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]

    def _child(self, program: str, options: list[str], account: Account | None, folder: Path) -> Child:
        return Child(
            "PostgreSQL",
            [postgres_program(program), "-D", _data_argument(folder), *options],
            log=self.log,
            pid_file=self.pid_file,
            environment=_ENVIRONMENT,
            folder=folder,
            account=account,
            stop_signal=_FAST_SHUTDOWN,
            timeout=30,
        )

    def _ready(self) -> bool:
        lines = self._postmaster_lines()
        return len(lines) > 7 and lines[0] == str(self.child and self.child.pid) and lines[7] == "ready"

    def _postmaster_lines(self) -> list[str]:
        with suppress(FileNotFoundError):
            return [line.strip() for line in (self.data / "postmaster.pid").read_text().splitlines()]
        return []


def _url(port: int, database: str, user: str, password: str) -> str:
    return f"postgresql://{quote(user)}:{quote(password, safe='')}@{LOOPBACK}:{port}/{quote(database)}"


def _data_argument(folder: Path) -> str:
    return _DATA_BY_WORKING_DIRECTORY if sys.platform == "linux" else str(folder)


def _short_temporary_folder() -> Path:
    return Path("/tmp") if Path("/tmp").is_dir() else Path(tempfile.gettempdir())  # noqa: S108 -- a private folder is made in it
