"""`python -m benchmarks.idle_worker`: the processor time of a worker that has nothing to do.

`ias worker` runs on a durable PostgreSQL and Valkey of its own. Counted are its processes, Celery's included,
and the processes of PostgreSQL. `--against` measures another checkout in turns; its `.venv` starts it.
"""

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks.client import Server
from benchmarks.saves import cpu_of_database
from benchmarks.stage import Stage, stage
from devservers.processes import wait_for

SETTLED = 5.0
"""Seconds from the worker's readiness to the beginning of a measurement."""

console = Console(highlight=False)


def main(
    seconds: Annotated[float, typer.Option(min=1, help="Length of one measurement.")] = 30,
    rounds: Annotated[int, typer.Option(min=1, max=20)] = 3,
    folder: Annotated[Path | None, typer.Option(help="The folder for the database, on a real disk.")] = None,
    against: Annotated[Path | None, typer.Option(help="Another checkout, with a .venv.")] = None,
) -> None:
    """Measure the share of a core that an idle worker uses."""
    with console.status("Starting servers …"), stage(folder, 5) as servers:
        checkouts = {"this": Path(__file__).resolve().parent.parent}
        if against is not None:
            checkouts["other"] = against.resolve()
        servers_only = share(seconds, {"database": lambda: cpu_of_database(servers)})["database"]
        console.print(f"PostgreSQL with an idle API and no worker: {servers_only:.2f} % of a core")
        found: dict[str, list[Mapping[str, float]]] = {name: [] for name in checkouts}
        for _ in range(rounds):
            for name, checkout in checkouts.items():
                found[name].append(measure(checkout, servers, seconds))
    for name, rows in found.items():
        parts = {part: statistics.median(row[part] for row in rows) for part in rows[0]}
        console.print(name, ", ".join(f"{part} {value:.2f} %" for part, value in parts.items()))


def measure(checkout: Path, servers: Stage, seconds: float) -> Mapping[str, float]:
    """Run a worker of the checkout, and return the shares of a core."""
    ready = servers.paper_file.with_name(f"ready-{time.monotonic_ns()}")
    environment = {**servers.environment, "PYTHONPATH": str(checkout), "IAS_READY_FILE": str(ready)}
    command = [str(checkout / ".venv/bin/python"), "-P", "-m", "app.cli", "worker", "--concurrency", "1"]
    with ready.with_suffix(".log").open("wb") as log:
        worker = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        if not wait_for(ready.exists, timeout=60):
            raise SystemExit(ready.with_suffix(".log").read_text())
        time.sleep(SETTLED)
        return share(
            seconds,
            {
                "loops": Server(0, worker.pid).cpu_seconds,
                "celery": lambda: sum(Server(0, pid).cpu_seconds() for pid in below(worker.pid)),
                "database": lambda: cpu_of_database(servers),
            },
        )
    finally:
        worker.terminate()
        worker.wait()


def below(pid: int) -> Iterator[int]:
    """The processes that a process has started, and those that these have started."""
    for child in map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()):
        yield child
        yield from below(child)


def share(seconds: float, counters: Mapping[str, Callable[[], float]]) -> dict[str, float]:
    """By counter, the share of a core in percent that was used meanwhile."""
    before = {name: counter() for name, counter in counters.items()}
    time.sleep(seconds)
    return {name: 100 * (counter() - before[name]) / seconds for name, counter in counters.items()}


if __name__ == "__main__":
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    typer.run(main)
