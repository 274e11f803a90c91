"""`python -m benchmarks endurance`: saves at 70 % of the peak for 20 minutes. Does anything grow?

`wrk` sends the saves in pieces of a minute; `apt install wrk`. Each answer is checked, and everything that
was acknowledged must be in the database. After each piece the memory, the connections and the open files of
the API are read, and what PostgreSQL has written. The first change of a page after a checkpoint writes the
whole page to the WAL, so that the minutes before the first checkpoint of a new database are cheaper than all
others. The last column of the table therefore compares the last five pieces with the first five after the
first checkpoint, which comes after five minutes; in a shorter run, with the first five of all.
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
STATE = """
    select (select count(*) from pg_stat_activity where application_name = 'ias-api') as connections,
           w.wal_bytes::bigint as wal_bytes, w.wal_fpi as page_images,
           c.num_timed + c.num_requested as checkpoints
      from pg_stat_wal w cross join pg_stat_checkpointer c
"""

console = Console(highlight=False, width=140)


@dataclass(frozen=True)
class Piece:
    """A minute of saves, what PostgreSQL has written for them, and what the API process holds after it."""

    per_second: float
    p50_ms: float
    p99_ms: float
    api_cpu_ms: float
    wal_bytes_a_save: float
    page_images_a_save: float
    checkpoints: int
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
            figures = " ".join(f"{name} {value:,.2f}" for name, value in vars(pieces[-1]).items())
            console.print(f"{len(pieces)}: {figures}")
        console.print(table(pieces))


def piece(servers: Stage, target: Target, seconds: int, rest_ms: int) -> Piece:
    """Save for some seconds and look at the API process."""
    before = uvloop.run(_state(servers))
    done = run(servers, target, CONNECTIONS, seconds, rest_ms=rest_ms)
    after = uvloop.run(_state(servers))
    saves = done.per_second * seconds
    return Piece(
        per_second=done.per_second,
        p50_ms=done.p50,
        p99_ms=done.p99,
        api_cpu_ms=done.api_cpu,
        wal_bytes_a_save=(after["wal_bytes"] - before["wal_bytes"]) / saves,
        page_images_a_save=(after["page_images"] - before["page_images"]) / saves,
        checkpoints=after["checkpoints"] - before["checkpoints"],
        memory_mb=done.memory_mb,
        database_connections=after["connections"],
        open_files=len(list(Path(f"/proc/{target.server.pid}/fd").iterdir())),
    )


async def _state(servers: Stage) -> asyncpg.Record:
    connection = await asyncpg.connect(servers.database_url)
    state = await connection.fetchrow(STATE)
    await connection.close()
    return state


def after_first_checkpoint(pieces: Sequence[Piece]) -> Sequence[Piece]:
    """The pieces after the first one with a checkpoint, or all if fewer than two would be left."""
    first = next((number for number, each in enumerate(pieces, 1) if each.checkpoints), 0)
    return pieces[first:] if len(pieces) - first >= 2 else pieces


def table(pieces: Sequence[Piece]) -> Table:
    """The medians of the first and the last pieces, and their ratio."""
    compared = after_first_checkpoint(pieces)
    shown = Table("", box=SIMPLE)
    for heading in ("first", "last", "ratio"):
        shown.add_column(heading, justify="right")
    for name in Piece.__dataclass_fields__:
        first, last = (
            median(getattr(each, name) for each in part)
            for part in (compared[:COMPARED], compared[-COMPARED:])
        )
        ratio = f"{last / first:.2f}" if first else ""
        shown.add_row(name, f"{first:,.2f}", f"{last:,.2f}", ratio)
    return shown


if __name__ == "__main__":
    typer.run(main)
