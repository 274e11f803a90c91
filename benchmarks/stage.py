"""The servers of a benchmark: durable PostgreSQL, Valkey, the API (`ias serve`) and a minimal server."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from benchmarks.client import Server, answers
from devservers.network import free_port
from devservers.postgres import Postgres
from devservers.processes import wait_for
from devservers.valkey import Valkey

KEY_ID = "benchmark"
PLAIN_SECRET = "the key of the access tokens of the plain server"


@dataclass(frozen=True)
class Stage:
    """The addresses of the servers."""

    api: Server
    bare: Server
    database_url: str
    database_pid: int
    """The parent of all processes of PostgreSQL."""
    paper_file: Path
    signing_key: ec.EllipticCurvePrivateKey
    environment: Mapping[str, str]

    def access_token(self, user_id: UUID) -> str:
        """An access token like those of the auth server."""
        now = datetime.now(UTC)
        claims = {
            "iss": f"http://127.0.0.1:{self.bare.port}/auth/v1",
            "aud": "authenticated",
            "sub": str(user_id),
            "email": f"{user_id.hex}@example.org",
            "session_id": str(uuid4()),
            "iat": now,
            "exp": now + timedelta(hours=1),
        }
        return jwt.encode(claims, self.signing_key, "ES256", headers={"kid": KEY_ID})


@contextmanager
def stage(folder: Path | None, pool_size: int) -> Iterator[Stage]:
    """Start the servers in a new folder. Stop them and delete the folder afterwards."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ias-bench-", dir=folder)))
        database_url, redis_url = _stores(home, stack)
        key = ec.generate_private_key(ec.SECP256R1())
        (home / "keys.json").write_bytes(_public(key))
        bare_port, paper_file = free_port(), home / "paper.json.gz"
        environment = {
            **os.environ,
            "DATABASE_URL": database_url,
            "DATABASE_POOL_SIZE": str(pool_size),
            "REDIS_URL": redis_url,
            "SUPABASE_URL": f"http://127.0.0.1:{bare_port}",
            "BARE_SIGNING_KEYS": str(home / "keys.json"),
            "BARE_PAPER": str(paper_file),
            "BARE_SESSIONS": str(home / "sessions.json"),
            "PLAIN_SECRET": PLAIN_SECRET,
        }
        ias = [sys.executable, "-m", "app.cli"]
        subprocess.run([*ias, "migrate"], env=environment, check=True)
        uvicorn = [sys.executable, "-m", "uvicorn", "benchmarks.bare:app", "--no-access-log"]
        bare = _serve(uvicorn, bare_port, environment, home / "bare.log", stack)
        api = _serve([*ias, "serve"], free_port(), environment, home / "api.log", stack)
        database_pid = int((home / "postgres" / "postmaster.pid").read_text().split()[0])
        yield Stage(api, bare, database_url, database_pid, paper_file, key, environment)


@contextmanager
def plain_server(servers: Stage) -> Iterator[Server]:
    """The server of `benchmarks/plain.py`, beside the others."""
    with ExitStack() as stack:
        command = [sys.executable, "-m", "uvicorn", "benchmarks.plain:app", "--no-access-log"]
        log = servers.paper_file.with_name("plain.log")
        yield _serve(command, free_port(), dict(servers.environment), log, stack)


@contextmanager
def api_with(servers: Stage, changes: Mapping[str, str]) -> Iterator[Server]:
    """The API with other settings, on the same database."""
    with ExitStack() as stack:
        port = free_port()
        log = servers.paper_file.with_name(f"api-{port}.log")
        command = [sys.executable, "-m", "app.cli", "serve"]
        yield _serve(command, port, {**servers.environment, **changes}, log, stack)


@contextmanager
def other_api(servers: Stage, checkout: Path) -> Iterator[Server]:
    """The API of another checkout with its own `.venv`, on the same database."""
    with ExitStack() as stack:
        command = [str(checkout.resolve() / ".venv/bin/python"), "-P", "-m", "app.cli", "serve"]
        environment = {**servers.environment, "PYTHONPATH": str(checkout.resolve())}
        log = servers.paper_file.with_name("other.log")
        yield _serve(command, free_port(), environment, log, stack)


def _stores(home: Path, stack: ExitStack) -> tuple[str, str]:
    postgres, valkey = Postgres(home), Valkey(home)
    stack.callback(postgres.stop)
    postgres.start()
    stack.callback(valkey.stop)
    return postgres.ensure_database("ias", "ias", "benchmark"), valkey.start()


def _serve(command: list[str], port: int, environment: dict[str, str], log: Path, stack: ExitStack) -> Server:
    output = stack.enter_context(log.open("wb"))
    command = [*command, "--port", str(port)]
    process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
    stack.callback(process.wait)
    stack.callback(process.terminate)
    if not wait_for(lambda: answers(port), timeout=60):
        raise SystemExit(log.read_text())
    return Server(port, process.pid)


def _public(key: ec.EllipticCurvePrivateKey) -> bytes:
    jwk = json.loads(ECAlgorithm.to_jwk(key.public_key())) | {"kid": KEY_ID, "use": "sig", "alg": "ES256"}
    return json.dumps({"keys": [jwk]}).encode()
