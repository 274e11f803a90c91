"""The system under test: a real `ias up` in a folder of its own, plain or with proxies between its parts."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from random import Random
from typing import Any

import httpx

from app.cli.local.home import Home
from app.cli.local.servers import SHARED
from app.config import get_settings
from devservers.network import LOOPBACK, free_port
from devservers.postgres import Postgres
from devservers.valkey import Valkey
from tests.conftest import ANON_KEY, SERVICE_KEY
from tests.faults.proxy import Proxy
from tests.full_disk import SmallDisk
from tests.installation import FROM_OUTSIDE

PATIENCE = 120.0
_DATABASE, _ROLE, _PASSWORD = "ias", "ias", "faults"


class System:
    """What runs, where it is, and how it is started and stopped."""

    def __init__(
        self, folder: Path, environment: Mapping[str, str] | None = None, disk: SmallDisk | None = None
    ) -> None:
        self.folder = folder
        self.home = Home(folder / "home")
        self.disk = disk
        self.proxies: dict[str, Proxy] = {}
        self._environment = dict(environment or {})
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def api_url(self) -> str:
        """Where candidates find the API: behind a proxy, where there is one."""
        proxy = self.proxies.get("api")
        return f"http://{LOOPBACK}:{proxy.port if proxy else self._port}"

    @property
    def run(self) -> dict[str, Any]:
        return self.home.read_run() or {}

    def pid(self, name: str) -> int | None:
        pid: int | None = self.run.get("pids", {}).get(name)
        return pid

    async def start(self) -> None:
        """Start it, and wait until it is ready."""
        outside = {name: value for name, value in os.environ.items() if name not in FROM_OUTSIDE}
        ours = {"IAS_HOME": str(self.home.folder), "PORT": str(self._port), "GRACE_SECONDS": "2"}
        with (self.folder / "up.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220 -- it is waited for elsewhere
                [sys.executable, "-P", "-m", "app.cli", "up"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=self.folder,
                env=outside | ours | self._environment,
            )
        up = self._process.pid
        await self.wait_until(lambda: self.pid("up") == up, "`ias up` has written run.json")
        await self.wait_until_ready()

    async def wait_until(self, condition: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
        """Raises TimeoutError, or RuntimeError where `ias up` has ended."""
        give_up_at = time.monotonic() + patience
        while not condition():
            if self._process is not None and self._process.poll() is not None:
                raise RuntimeError(f"`ias up` has ended:\n{self.said()[-2000:]}")
            if time.monotonic() > give_up_at:
                raise TimeoutError(f"not within {patience:.0f} s: {what}")
            await asyncio.sleep(0.1)

    async def wait_until_ready(self, patience: float = PATIENCE) -> None:
        give_up_at = time.monotonic() + patience
        while await self.readiness() != "ready":
            if time.monotonic() > give_up_at:
                raise TimeoutError(f"/health/ready has not said ready within {patience:.0f} s")
            await asyncio.sleep(0.1)

    async def readiness(self) -> str:
        """What /health/ready says; `no answer` where there is none. No proxy is asked."""
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=5) as http:
                answer = await http.get(f"http://{LOOPBACK}:{self._port}/v1/health/ready")
            return str(answer.json()["status"])
        except (httpx.TransportError, ValueError, KeyError):
            return "no answer"

    def said(self) -> str:
        """What `ias up` has written to its terminal."""
        return (self.folder / "up.log").read_text(errors="replace")

    def kill_everything(self) -> None:
        """As when the power fails: no process gets to clean up, the supervisor least of all."""
        if self._process is None:
            return
        for pid in family(self._process.pid):
            _send(pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    async def stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            await asyncio.to_thread(self._process.wait, PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill_everything()

    def shared(self) -> dict[str, str]:
        """The environment in which the rehearsal finds the servers."""
        run = self.run
        return {name: run[name.lower()] for name in SHARED if run.get(name.lower())}


@contextmanager
def environment_of(system: System) -> Iterator[None]:
    """Let this process's settings be those of the system."""
    before = dict(os.environ)
    for name in FROM_OUTSIDE:
        os.environ.pop(name, None)
    os.environ.update(system.shared())
    get_settings.cache_clear()
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        get_settings.cache_clear()


@asynccontextmanager
async def plain(folder: Path, disk: SmallDisk | None) -> AsyncIterator[System]:
    """Everything supervised by `ias up`; on a disk that can be filled, where one could be mounted."""
    system = System(disk.folder if disk else folder, disk=disk)
    try:
        await system.start()
        yield system
    finally:
        await system.stop()


@asynccontextmanager
async def proxied(folder: Path, seed: int) -> AsyncIterator[System]:
    """PostgreSQL, Valkey and the auth server stand outside, each behind a proxy; so does the API."""
    with ExitStack() as stack:
        postgres, valkey = Postgres(folder / "outside"), Valkey(folder / "outside")
        stack.callback(postgres.stop)
        stack.callback(valkey.stop)
        await asyncio.to_thread(postgres.start)
        await asyncio.to_thread(valkey.start)
        database_url = postgres.ensure_database(_DATABASE, _ROLE, _PASSWORD)
        auth_url = postgres.ensure_schema(_DATABASE, "auth", "auth", _PASSWORD)
        system, auth_port = System(folder), free_port()
        async with _proxies(system, seed, postgres.port, valkey.port, auth_port):
            port = {name: proxy.port for name, proxy in system.proxies.items()}
            supabase_url = f"http://{LOOPBACK}:{port['auth']}"
            stack.enter_context(_auth_server(folder, auth_url, auth_port, supabase_url))
            system._environment |= {
                "DATABASE_URL": database_url.replace(str(postgres.port), str(port["postgres"])),
                "REDIS_URL": valkey.url.replace(str(valkey.port), str(port["valkey"])),
                "SUPABASE_URL": supabase_url,
                "SUPABASE_ANON_KEY": ANON_KEY,
                "SUPABASE_SERVICE_KEY": SERVICE_KEY,
            }
            try:
                await system.start()
                yield system
            finally:
                await system.stop()


@asynccontextmanager
async def _proxies(system: System, seed: int, postgres: int, valkey: int, auth: int) -> AsyncIterator[None]:
    targets = {"postgres": postgres, "valkey": valkey, "auth": auth, "api": system._port}
    proxies = {name: Proxy(port, Random(f"{name} {seed}")) for name, port in targets.items()}
    async with (
        proxies["postgres"].serving(),
        proxies["valkey"].serving(),
        proxies["auth"].serving(),
        proxies["api"].serving(),
    ):
        system.proxies = proxies
        yield


@contextmanager
def _auth_server(folder: Path, database_url: str, port: int, public_url: str) -> Iterator[None]:
    environment = {
        "PATH": os.environ["PATH"],
        "AUTH_DATABASE_URL": database_url,
        "AUTH_PORT": str(port),
        "AUTH_PUBLIC_URL": public_url,
        "AUTH_SITE_URL": "https://app.example.org",
        "AUTH_ANON_KEY": ANON_KEY,
        "AUTH_SERVICE_KEY": SERVICE_KEY,
        "AUTH_MAIL_FOLDER": str(folder / "auth-mail"),
    }
    with (folder / "auth.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "devservers.auth"], env=environment, stdout=log, stderr=log
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def family(pid: int) -> list[int]:
    """A process and everything below it, parents first."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text(errors="replace").rpartition(")")[2].split()[1])
        except OSError:
            continue
        children.setdefault(parent, []).append(int(stat.parent.name))
    found = [pid]
    for each in found:
        found += children.get(each, [])
    return found


def _send(pid: int, how: signal.Signals) -> None:
    try:
        os.kill(pid, how)
    except ProcessLookupError:
        return


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """A process and its children that neither work nor end (SIGSTOP), and go on afterwards."""
    pids = family(pid)
    for each in pids:
        _send(each, signal.SIGSTOP)
    try:
        yield
    finally:
        for each in pids:
            _send(each, signal.SIGCONT)
