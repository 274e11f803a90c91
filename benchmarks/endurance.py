"""`python -m benchmarks endurance`: saves at 70 % of the peak for 20 minutes. Does anything grow?

`wrk` sends the saves in pieces of a minute; `apt install wrk`. Each answer is checked, and everything that
was acknowledged must be in the database. After each piece the memory, the connections and the open files of
the API are read. The last column of the table compares the last five pieces with the first five.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated

import asyncpg
import typer
import uvloop
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from benchmarks.saves import Target, made_attempts, run, targets_of
from benchmarks.stage import Stage, stage

CONNECTIONS = 256
COMPARED = 5
CONNECTIONS_OF_API = "select count(*) from pg_stat_activity where application_name = 'ias-api'"

console = Console(highlight=False, width=140)


@dataclass(frozen=True)
class Piece:
    """A minute of saves, and what the API process holds after it."""

    per_second: float
    p50_ms: float
    p99_ms: float
    api_cpu_ms: float
    memory_mb: float
    database_connections: int
    open_files: int


def main(
    minutes: Annotated[int, typer.Option(min=2)] = 20,
    share: Annotated[float, typer.Option(min=0.1, max=0.95, help="Of the peak.")] = 0.7,
    candidates: Annotated[int, typer.Option(min=CONNECTIONS)] = 5_000,
    seconds: Annotated[int, typer.Option(min=5, max=60, help="Length of a piece.")] = 60,
) -> None:
    """Save for a long time."""
    if not shutil.which("wrk"):
        raise SystemExit("This benchmark needs the program wrk: apt install wrk")
    with stage(None, 20) as servers:
        content, attempts = uvloop.run(made_attempts(servers, candidates))
        target = targets_of(servers, servers.api, content, attempts, servers.paper_file.parent)[0]
        run(servers, target, CONNECTIONS, 5)
        peak = run(servers, target, CONNECTIONS, 15)
        rest_ms = round(1000 * CONNECTIONS / (share * peak.per_second))
        console.print(f"peak {peak.per_second:,.0f} a second; each connection sends every {rest_ms} ms")
        pieces = []
        for _ in range(minutes * 60 // seconds):
            pieces.append(piece(servers, target, seconds, rest_ms))
            figures = " ".join(f"{name} {value:,.1f}" for name, value in vars(pieces[-1]).items())
            console.print(f"{len(pieces)}: {figures}")
        console.print(table(pieces))


def piece(servers: Stage, target: Target, seconds: int, rest_ms: int) -> Piece:
    """Save for some seconds and look at the API process."""
    done = run(servers, target, CONNECTIONS, seconds, rest_ms=rest_ms)
    return Piece(
        per_second=done.per_second,
        p50_ms=done.p50,
        p99_ms=done.p99,
        api_cpu_ms=done.api_cpu,
        memory_mb=done.memory_mb,
        database_connections=uvloop.run(_connections(servers)),
        open_files=len(list(Path(f"/proc/{target.server.pid}/fd").iterdir())),
    )


async def _connections(servers: Stage) -> int:
    connection = await asyncpg.connect(servers.database_url)
    count = await connection.fetchval(
        "select count(*) from pg_stat_activity where application_name = 'ias-api'"
    )
    await connection.close()
    return int(count)


def table(pieces: Sequence[Piece]) -> Table:
    """The medians of the first and the last pieces, and their ratio."""
    shown = Table("", box=SIMPLE)
    for heading in ("first", "last", "ratio"):
        shown.add_column(heading, justify="right")
    for name in Piece.__dataclass_fields__:
        first, last = (
            median(getattr(each, name) for each in part) for part in (pieces[:COMPARED], pieces[-COMPARED:])
        )
        shown.add_row(name, f"{first:,.2f}", f"{last:,.2f}", f"{last / first:.2f}")
    return shown


if __name__ == "__main__":
    typer.run(main)
