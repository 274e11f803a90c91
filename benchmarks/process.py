"""`python -m benchmarks process`: what the import of the application costs, and the memory of an API process.

The import runs in new processes, in turns with that of FastAPI, SQLAlchemy and asyncpg alone. The API is
started with production's settings, as `ias serve` does, and beside it with the OpenAPI document, and as four
processes that are forks of one.
"""

import os
import resource
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.client import Server
from benchmarks.stage import Stage, api_with, stage

LIBRARIES = "import fastapi, sqlalchemy.ext.asyncio, asyncpg"
PRODUCT = "import app.main"
MEMORY = "; print(*(line.split()[1] for line in open('/proc/self/smaps_rollup') if line.startswith('Rss')))"

FORKS = 4

PRODUCTION = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": "only for this benchmark, with digits: 0123456789",
    "SUPABASE_URL": "https://auth.example.org",
    "SUPABASE_ANON_KEY": "anon",
    "SUPABASE_SERVICE_KEY": "service",
    "SMTP_URL": "smtp://127.0.0.1:1",
    "MAIL_FROM": "exams@example.org",
    "API_URL": "https://api.example.org",
    "APP_URL": "https://app.example.org",
}

console = Console(highlight=False)


def main(
    rounds: Annotated[int, typer.Option(min=1, max=50, help="Imports of each kind.")] = 7,
    folder: Annotated[Path | None, typer.Option(help="The folder for the database.")] = None,
) -> None:
    """Measure the import and the memory."""
    _imports(rounds)
    with console.status("Starting servers …"), stage(folder, 5) as servers, ExitStack() as stack:
        media = {"MEDIA_URL": servers.paper_file.parent.as_uri()}
        api = stack.enter_context(api_with(servers, {**PRODUCTION, **media}))
        documented = stack.enter_context(api_with(servers, {**PRODUCTION, **media, "PUBLIC_DOCS": "true"}))
        forked = stack.enter_context(api_with(servers, {**PRODUCTION, **media, "API_WORKERS": str(FORKS)}))
        _processes(servers, api, documented, forked)


def _imports(rounds: int) -> None:
    found: dict[str, list[tuple[float, float]]] = {LIBRARIES: [], PRODUCT: []}
    for _ in range(rounds + 1):
        for statement, rows in found.items():
            rows.append(_imported(statement))
    table = Table("import", "CPU s, median", "least", "MB")
    least = {}
    for statement, (_, *rows) in found.items():  # The first run writes what Python has compiled.
        seconds = [row[0] for row in rows]
        least[statement] = min(seconds)
        megabytes = statistics.median(row[1] for row in rows)
        table.add_row(
            statement, f"{statistics.median(seconds):.2f}", f"{min(seconds):.2f}", f"{megabytes:.0f}"
        )
    console.print(table)
    console.print(
        f"The product takes {least[PRODUCT] / least[LIBRARIES]:.1f} times the least of the libraries."
    )


def _imported(statement: str) -> tuple[float, float]:
    """CPU seconds and resident megabytes of a process that imports this."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-c", statement + MEMORY]
    output = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, int(output) / 1024


def _processes(servers: Stage, api: Server, documented: Server, forked: Server) -> None:
    table = Table("process after its start", "resident MB", "proportional MB")
    rows = {"bare": servers.bare, "API": api, "API with its OpenAPI document": documented}
    for name, server in rows.items():
        table.add_row(name, *(f"{size:.0f}" for size in _memory(server.pid)))
    forks = [_memory(pid) for pid in _forks(forked)]
    parent = _memory(forked.pid)
    mean = [statistics.mean(sizes) for sizes in zip(*forks, strict=True)]
    table.add_row(f"each of {FORKS} forks", *(f"{size:.0f}" for size in mean))
    table.add_row("their parent", *(f"{size:.0f}" for size in parent))
    console.print(table)


def _forks(parent: Server) -> list[int]:
    """The processes that answer requests, once the last of them has started."""
    children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children")
    pids = list(map(int, children.read_text().split()))
    time.sleep(5)  # The first one answers before the others have started.
    return pids


def _memory(pid: int) -> tuple[float, float]:
    """Resident and proportional megabytes."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    sizes = {line.split()[0]: int(line.split()[1]) / 1024 for line in lines[1:]}
    return sizes["Rss:"], sizes["Pss:"]


if __name__ == "__main__":
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    typer.run(main)
