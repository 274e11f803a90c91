"""Load from `wrk` for benchmarks: it sends prepared requests and checks every answer."""

import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from statistics import median
from typing import Any

from rich.box import SIMPLE
from rich.table import Table

from benchmarks.client import Server
from benchmarks.saves import cpu_of_database, memory_of
from benchmarks.stage import Stage

SCRIPT = Path(__file__).with_name("requests.lua")


@dataclass(frozen=True)
class Expected:
    """What each answer must have."""

    status: int
    part: str = ""
    """A part of the body."""
    again: bool = True
    """Whether the requests may be sent again after the last one."""


@dataclass(frozen=True)
class Run:
    """One run. Latencies are in milliseconds, and so is the CPU time of a request."""

    per_second: float
    p50: float
    p99: float
    api_cpu: float
    database_cpu: float
    memory_mb: float
    answered: int


def run(
    servers: Stage,
    server: Server,
    requests: Iterable[bytes],
    expected: Expected,
    *,
    connections: int,
    seconds: int,
) -> Run:
    """Send the requests over so many connections. Exits if an answer is not as expected."""
    file = servers.paper_file.with_name("requests")
    file.write_bytes(b"".join(request + b"\0" for request in requests))
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "20s"]
    again = "again" if expected.again else "once"
    arguments = [str(file), str(expected.status), expected.part, again]
    address = f"http://127.0.0.1:{server.port}"
    api, database = server.cpu_seconds(), cpu_of_database(servers)
    output = subprocess.run(
        [*command, "-s", str(SCRIPT), address, "--", *arguments], capture_output=True, text=True, check=True
    ).stdout
    api, database = server.cpu_seconds() - api, cpu_of_database(servers) - database
    line = output.rpartition("\n@ ")[2].split(maxsplit=8)
    micros, answered, wrong, failed, p50, p99, _, exhausted = map(int, line[:8])
    if wrong or failed or exhausted:
        ended = ", and there were too few requests" if exhausted else ""
        raise SystemExit(f"{wrong} answers are wrong, {failed} failed{ended}: {line[8:]}\n{output}")
    if not answered:
        raise SystemExit("No request was answered. Measure for longer, or on a machine with less other work.")
    return Run(
        per_second=answered / micros * 1e6,
        p50=p50 / 1000,
        p99=p99 / 1000,
        api_cpu=1000 * api / answered,
        database_cpu=1000 * database / answered,
        memory_mb=memory_of(server.pid),
        answered=answered,
    )


def summary(name: str, runs: Sequence[Run], bare: Sequence[Run] = ()) -> dict[str, Any]:
    """The medians of all rounds, and of the ratios to the baseline in the same round."""
    row: dict[str, Any] = {"name": name}
    row |= {each.name: median(getattr(one, each.name) for one in runs) for each in fields(Run)}
    pairs = zip(runs, bare, strict=True) if bare else ()
    ratios = [ours.per_second / theirs.per_second for ours, theirs in pairs]
    return row | {"of_bare": median(ratios) if ratios else None}


def table(rows: Sequence[dict[str, Any]]) -> Table:
    """The figures for people."""
    shown = Table("requests", box=SIMPLE)
    for heading in ("per second", "p50 ms", "p99 ms", "CPU ms, API", "CPU ms, PostgreSQL", "MB", "of bare"):
        shown.add_column(heading, justify="right")
    for row in rows:
        shown.add_row(
            row["name"],
            f"{row['per_second']:,.0f}",
            f"{row['p50']:,.1f}",
            f"{row['p99']:,.1f}",
            f"{row['api_cpu']:.3f}",
            f"{row['database_cpu']:.3f}",
            f"{row['memory_mb']:,.0f}",
            "" if row["of_bare"] is None else f"{row['of_bare']:.2f}",
        )
    return shown
