"""`python -m benchmarks exam_scale`: every row of the table of targets in docs/performance.md.

The rows are benchmarks with fixed options, which run one after the other and print their own tables. All take
about 40 minutes on two cores, on which nothing else should run: the load of the machine is printed before
each.
"""

import os
import subprocess
import sys
from typing import Annotated

import typer
from rich.console import Console

ROWS = {
    "saves": "--candidates 5000 --seconds 4 --rounds 2",
    "sittings": "--rounds 2 --seconds 3 --starts 2000 --submits 1000",
    "insight": "--sizes 10000,1000000 --rounds 1 --seconds 2",
    "lists": "",
    "login": "--candidates 300",
    "grading": "",
    "extending": "--attempts 10000 --rounds 1",
    "sockets": "--sockets 10000 --broadcasts 8",
    "process": "--rounds 3",
    "idle_worker": "--seconds 20 --rounds 2",
    "storage": "300",
    "growth": "",
}

console = Console(highlight=False)


def main(
    rows: Annotated[list[str] | None, typer.Argument(help="Only these, in the order of the table.")] = None,
) -> None:
    """Run the benchmarks of the table. The exit code is 1 if one of them failed."""
    if unknown := set(rows or ()) - ROWS.keys():
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: the rows are {', '.join(ROWS)}")
    failed = []
    for name in (name for name in ROWS if not rows or name in rows):
        console.rule(f"{name} {ROWS[name]} · load {os.getloadavg()[0]:.1f}")
        command = [sys.executable, "-m", "benchmarks", name, *ROWS[name].split()]
        if subprocess.run(command, check=False).returncode:
            failed.append(name)
    if failed:
        raise SystemExit(f"Failed: {', '.join(failed)}")


if __name__ == "__main__":
    typer.run(main)
