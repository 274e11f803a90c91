"""`python -m benchmarks login`: what saves keep of their throughput while many sign in at the same process.

`wrk` saves on 64 connections, alone and while a second one signs in on 64 others, in turns. The auth server
is an imitation that answers after a tenth of a second, about as long as hashing a password takes: where it
runs, its processor is not the API's. Before, all 64 sign in without saves, to see whose CPU a login takes.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Annotated

import orjson
import typer
import uvloop
from rich.console import Console

from benchmarks.client import Server, encode
from benchmarks.content import Content
from benchmarks.load import SCRIPT
from benchmarks.saves import (
    Run,
    Target,
    add_plain_attempts,
    cpu_of_database,
    made_attempts,
    run,
    targets_of,
)
from benchmarks.stage import Stage, api_with, plain_server, stage

MANY = "1000000/minute"
LIMITS = {
    "LOGIN_LIMIT_PER_ACCOUNT": MANY,
    "LOGIN_LIMIT_PER_ADDRESS": MANY,
    "PUBLIC_LIMIT_PER_ADDRESS": MANY,
}

console = Console(highlight=False)


def main(
    candidates: Annotated[int, typer.Option(min=1)] = 2_000,
    connections: Annotated[int, typer.Option(min=1)] = 64,
    seconds: Annotated[int, typer.Option(min=1, max=60)] = 5,
    rounds: Annotated[int, typer.Option(min=1, max=20)] = 3,
    folder: Annotated[Path | None, typer.Option(help="The folder for the database, on a real disk.")] = None,
) -> None:
    """Measure saves with and without logins."""
    if not shutil.which("wrk"):
        raise SystemExit("This benchmark needs the program wrk: apt install wrk")
    with stage(folder, 20) as servers, plain_server(servers) as plain, api_with(servers, LIMITS) as api:
        content, attempts = uvloop.run(made_attempts(servers, candidates))
        uvloop.run(add_plain_attempts(servers))
        home = servers.paper_file.parent
        logins = _write_logins(servers, content)
        target = targets_of(servers, plain, content, attempts, home)[0]
        target = Target(target.name, api, target.path, target.candidates, target.count_statement)
        run(servers, target, connections, 2)
        _show_cpu(servers, api, logins, connections, seconds)
        pairs: list[tuple[Run, Run, float]] = []
        for _ in range(rounds):
            alone = run(servers, target, connections, seconds)
            with _signing_in(api, logins, connections, seconds + 2) as output:
                time.sleep(1)
                together = run(servers, target, connections, seconds)
            pairs.append((alone, together, _signed_in(output)))
    _show(pairs)


def _write_logins(servers: Stage, content: Content) -> Path:
    """What the imitation of the auth server answers, and the requests for `wrk`."""
    sessions = {}
    now = datetime.now(UTC)
    for user_id in content.candidates:
        email = f"{user_id.hex}@example.org"
        sessions[email] = {
            "access_token": servers.access_token(user_id),
            "refresh_token": user_id.hex,
            "expires_in": 3600,
            "token_type": "bearer",
            "user": {
                "id": str(user_id),
                "email": email,
                "user_metadata": {"name": "Asha Rao"},
                "created_at": (now - timedelta(days=1)).isoformat(),
                "email_confirmed_at": (now - timedelta(days=1)).isoformat(),
            },
        }
    Path(servers.environment["BARE_SESSIONS"]).write_bytes(orjson.dumps(sessions))
    bodies = ({"email": email, "password": "a long password"} for email in sessions)
    requests = b"".join(encode("POST", "/v1/auth/login", body=body) + b"\0" for body in bodies)
    file = servers.paper_file.with_name("logins")
    file.write_bytes(requests)
    return file


@contextmanager
def _signing_in(api: Server, logins: Path, connections: int, seconds: int) -> Iterator[list[str]]:
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "20s"]
    address = f"http://127.0.0.1:{api.port}"
    process = subprocess.Popen(
        [*command, "-s", str(SCRIPT), address, "--", str(logins), "200", "access_token", "again"],
        stdout=subprocess.PIPE,
        text=True,
    )
    output: list[str] = []
    yield output
    output.append(process.communicate()[0])


def _signed_in(output: Sequence[str]) -> float:
    """Logins a second."""
    line = output[0].rpartition("\n@ ")[2].split(maxsplit=8)
    micros, good, bad, failed = map(int, line[:4])
    if bad or failed:
        raise SystemExit(f"{bad} logins were refused, {failed} failed: {line[8:]}")
    return good / micros * 1e6


def _show_cpu(servers: Stage, api: Server, logins: Path, connections: int, seconds: int) -> None:
    def used() -> list[float]:
        return [api.cpu_seconds(), cpu_of_database(servers), servers.bare.cpu_seconds()]

    before = used()
    with _signing_in(api, logins, connections, seconds) as output:
        pass
    per_second = _signed_in(output)
    count = per_second * seconds
    parts = [1000 * (after - at_first) / count for at_first, after in zip(before, used(), strict=True)]
    console.print(
        f"without saves {per_second:.0f} logins a second; each takes {parts[0]:.2f} ms of CPU of the API, "
        f"{parts[1]:.2f} of PostgreSQL and {parts[2]:.2f} of the imitation"
    )


def _show(pairs: Sequence[tuple[Run, Run, float]]) -> None:
    def middle(values: Iterator[float]) -> float:
        return median(values)

    console.print(
        f"saves alone {middle(alone.per_second for alone, _, _ in pairs):,.0f} a second, "
        f"p99 {middle(alone.p99 for alone, _, _ in pairs):.0f} ms"
    )
    console.print(
        f"with logins {middle(both.per_second for _, both, _ in pairs):,.0f} a second, "
        f"p99 {middle(both.p99 for _, both, _ in pairs):.0f} ms; "
        f"{middle(logins for _, _, logins in pairs):.0f} logins a second"
    )
    kept = middle(both.per_second / alone.per_second for alone, both, _ in pairs)
    console.print(f"saves keep {kept:.2f} of their throughput")


if __name__ == "__main__":
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    typer.run(main)
