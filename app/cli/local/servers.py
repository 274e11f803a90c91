"""PostgreSQL, Valkey and the auth server of a home folder, unless the environment names others."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import typer

from app.cli.local.home import Home
from app.cli.local.programs import get, program, stop_leftovers
from app.cli.servers import read_settings
from app.core.origins import LOCALHOST_ORIGINS
from devservers.errors import HomeInUse, ServerError
from devservers.files import hold
from devservers.network import LOOPBACK, remembered_port
from devservers.postgres import Postgres
from devservers.processes import wait_for
from devservers.supervisor import Program, Server, Supervisor
from devservers.switches import read_switch
from devservers.valkey import Valkey

Condition = Callable[[], bool]

_DATABASE = "ias"
_OWNER = "ias"
_AUTH_ROLE = "ias_auth"
_AUTH_SCHEMA = "auth"

# The variables that `ias up` writes into run.json.
SHARED = (
    "DATABASE_URL",
    "REDIS_URL",
    "SUPABASE_URL",
    "SUPABASE_ANON_KEY",
    "SUPABASE_SERVICE_KEY",
    "SECRET_KEY",
    "MAIL_FOLDER",
    "MEDIA_URL",
)

# In production, at least one variable of each group must be set.
REQUIRED_IN_PRODUCTION = (
    ("DATABASE_URL",),
    ("REDIS_URL", "REDIS_HOST"),
    ("SUPABASE_URL",),
    ("SMTP_URL",),
    ("MEDIA_URL",),
    ("SECRET_KEY",),
)
# All rehearsal candidates share this machine's address, so the limits per address are raised.
_LIMIT_PER_ADDRESS = "60000/minute"


class Servers:
    """The servers that the API needs. `environment` has their addresses for child processes."""

    def __init__(self, home: Home, supervisor: Supervisor) -> None:
        self._home = home
        self._supervisor = supervisor
        self._settings = settings = read_settings()
        refuse_in_production(settings)
        self._postgres = None if settings.get("DATABASE_URL") else Postgres(home.folder)
        self._valkey = (
            None if settings.get("REDIS_URL") or settings.get("REDIS_HOST") else Valkey(home.folder)
        )

    def stop_leftovers(self) -> None:
        """Stop what an earlier run has left, which may hold our ports. Call it before ports are checked."""
        stop_leftovers(self._home)
        if self._postgres:
            self._postgres.stop_leftovers()
        if self._valkey:
            self._valkey.stop_leftovers()

    def start(self) -> None:
        """Start PostgreSQL and Valkey and wait for them; start the auth server without waiting."""
        for store in self._stores:
            self._supervisor.watch(store)
        with ThreadPoolExecutor() as threads:
            list(threads.map(lambda store: store.start(), self._stores))
        self._ensure_databases()
        if self._auth:
            self._supervisor.watch(self._auth)
            self._auth.start()

    def wait_for_auth(
        self, unless_stopped: Callable[[Condition], Condition] = lambda condition: condition
    ) -> None:
        if self._auth:
            self._auth.child.wait_until(unless_stopped(self._auth_ready), timeout=60)

    def _auth_ready(self) -> bool:
        return get(f"{self.environment['SUPABASE_URL']}/auth/v1/health") is not None

    @property
    def _stores(self) -> list[Server]:
        return [store for store in (self._postgres, self._valkey) if store]

    def _ensure_databases(self) -> None:
        if self._postgres:
            secret = self._home.secret
            self._postgres.ensure_database(_DATABASE, _OWNER, secret("database"))
            self._postgres.ensure_schema(_DATABASE, _AUTH_SCHEMA, _AUTH_ROLE, secret("auth-database"))

    @cached_property
    def environment(self) -> dict[str, str]:
        """The addresses, with ports that are chosen when this is read first."""
        settings, secret = self._settings, self._home.secret
        defaults = {"ENVIRONMENT": "development", "SECRET_KEY": secret("secret-key")}
        environment = {**defaults, **settings, "IAS_HOME": str(self._home.folder)}
        if environment["ENVIRONMENT"] in ("", "development"):
            environment.setdefault("CORS_ORIGINS", ",".join(LOCALHOST_ORIGINS))
            environment.setdefault("PUBLIC_LIMIT_PER_ADDRESS", _LIMIT_PER_ADDRESS)
            environment.setdefault("LOGIN_LIMIT_PER_ADDRESS", _LIMIT_PER_ADDRESS)
        if not environment.get("SMTP_URL"):
            environment.setdefault("MAIL_FOLDER", str(self._home.mail))
        if not environment.get("MEDIA_URL"):
            environment["MEDIA_URL"] = self._home.media.as_uri()
        if self._postgres:
            environment["DATABASE_URL"] = self._postgres.url(_DATABASE, _OWNER, secret("database"))
        if self._valkey:
            environment["REDIS_URL"] = self._valkey.url
        if not environment.get("SUPABASE_URL"):
            port = remembered_port(self._home.folder / "ports" / "auth")
            environment["SUPABASE_URL"] = f"http://{LOOPBACK}:{port}"
            environment["SUPABASE_ANON_KEY"] = secret("anon-key")
            environment["SUPABASE_SERVICE_KEY"] = secret("service-key")
        return environment

    @cached_property
    def _auth(self) -> Program | None:
        if self._settings.get("SUPABASE_URL"):
            return None
        given = self.environment
        environment = {
            "AUTH_DATABASE_URL": self._auth_database(),
            "AUTH_HOST": LOOPBACK,
            "AUTH_PORT": str(urlsplit(given["SUPABASE_URL"]).port),
            "AUTH_SITE_URL": given.get("APP_URL", "http://localhost:3000"),
            "AUTH_ANON_KEY": given["SUPABASE_ANON_KEY"],
            "AUTH_SERVICE_KEY": given["SUPABASE_SERVICE_KEY"],
            "AUTH_MAIL_FOLDER": given.get("MAIL_FOLDER", ""),
            "AUTH_SMTP_URL": given.get("SMTP_URL", ""),
        }
        arguments = ["-m", "devservers.auth"]
        return Program(program(self._home, "auth", "The auth server", arguments, environment | given))

    def _auth_database(self) -> str:
        if self._postgres:
            return self._postgres.url(_DATABASE, _AUTH_ROLE, self._home.secret("auth-database"))
        return self.environment["DATABASE_URL"]


def refuse_in_production(settings: Mapping[str, str]) -> None:
    """Raise ServerError if production misses a required setting, unless embedded servers are allowed."""
    if settings.get("ENVIRONMENT") != "production" or read_switch(settings, "ALLOW_EMBEDDED_SERVERS"):
        return
    groups = REQUIRED_IN_PRODUCTION
    if missing := [" or ".join(names) for names in groups if not any(map(settings.get, names))]:
        raise ServerError(
            f"In production the embedded servers are not started. Set {', '.join(missing)};"
            " or ALLOW_EMBEDDED_SERVERS=true, for a trial on one machine."
        )


@contextmanager
def home_servers(*, migrated: bool) -> Iterator[dict[str, str]]:
    """The addresses of a running `ias up`, or of servers that run during the block.

    Raises ServerError.
    """
    refuse_in_production(read_settings())
    with ExitStack() as stack:
        home = Home.from_environment()
        run = _running(home, stack)
        yield _shared(run) if run else stack.enter_context(_own_servers(home, migrated=migrated))


def _running(home: Home, stack: ExitStack) -> dict[str, Any] | None:
    """The run.json of a running `ias up`; None if none runs, and then this process holds the lock."""

    def free() -> bool:
        try:
            stack.enter_context(hold(home.lock))
        except HomeInUse:
            return False
        home.run_file.unlink(missing_ok=True)  # Left by a run that was killed.
        return True

    # Another command may hold the home for a short time, and `ias up` takes some seconds to start.
    if wait_for(lambda: free() or home.read_run() is not None, timeout=30, interval=0.2):
        return home.read_run()
    raise HomeInUse(
        f"Another command has been using {home.folder} for half a minute. Try again when it has ended."
    )


def _shared(run: Mapping[str, Any]) -> dict[str, str]:
    return {name: run[name.lower()] for name in SHARED if run.get(name.lower())}


@contextmanager
def _own_servers(home: Home, *, migrated: bool) -> Iterator[dict[str, str]]:
    supervisor = Supervisor(report=print)
    is_new = not home.has_data and not read_settings().get("DATABASE_URL")
    with_data = "creating a new database there" if is_new else "using its data"
    typer.echo(
        f"`ias up` is not running in {home.folder}. This command starts its own servers, {with_data}."
        " Set IAS_HOME to use another folder.",
        err=True,
    )
    try:
        servers = Servers(home, supervisor)
        servers.stop_leftovers()
        servers.start()
        if migrated:
            migrate = program(
                home, "migrate", "The migration", ["-m", "app.cli", "migrate"], servers.environment
            )
            migrate.start()
            migrate.finish(timeout=300)
        servers.wait_for_auth()
        yield servers.environment
    finally:
        supervisor.stop()
