"""What a graded attempt costs: `python -m benchmarks.grading [attempts] [--against CHECKOUT]`.

On a durable PostgreSQL of its own, with 100 answers of each candidate: bytes of a result; milliseconds to
grade one attempt alone in a transaction, and one of many in a transaction; of these, the CPU time of our
process. With `--against`, the folder of another version is measured in the same run, and the two take turns;
the ratios are what counts.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from uuid import UUID

from sqlalchemy import text

from app.core.telemetry import configure_logging
from app.services import attempts
from app.services.components import Components
from app.services.unit_of_work import unit_of_work
from benchmarks.exams import HOUR, components, fill

ROUNDS = 3
SINGLES = 100
"""So many are graded one by one; the rest together."""

Figures = Mapping[str, float]

BYTES = text("select avg(pg_column_size(results.*)) from ias.results")
OVER = text(
    "update ias.attempts set status = 'submitted', closed_by = 'deadline', submitted_at = deadline_at"
)
IDS = text("select id from ias.attempts order by id")


async def measure(count: int) -> Figures:
    """The figures of this checkout."""
    configure_logging("ERROR")
    async with components() as parts:
        await fill(parts, count + SINGLES)
        async with unit_of_work(parts.engine) as uow:
            await uow.session.execute(OVER)
            ids = (await uow.session.scalars(IDS)).all()
        await grade(parts, ids[:1])  # the paper is read into memory
        single = await timed(parts, [[attempt_id] for attempt_id in ids[1:SINGLES]])
        batch = await timed(parts, [ids[SINGLES:]])
        async with unit_of_work(parts.engine) as uow:
            size = await uow.session.scalar(BYTES)
    named = {f"single_{name}": value for name, value in single.items()}
    named |= {f"batch_{name}": value for name, value in batch.items()}
    return {"bytes": float(size or 0), **named}


async def timed(parts: Components, batches: Sequence[Sequence[UUID]]) -> Figures:
    """Milliseconds an attempt, and how many of them this process computed."""
    begin, cpu = time.perf_counter(), time.process_time()
    for batch in batches:
        await grade(parts, batch)
    each = 1000 / sum(map(len, batches))
    return {"ms": (time.perf_counter() - begin) * each, "cpu_ms": (time.process_time() - cpu) * each}


async def grade(parts: Components, ids: Sequence[UUID]) -> None:
    """One transaction. Older versions grade a single attempt by `grade_closed`, as their submit did."""
    one = getattr(attempts, "grade_closed", None)
    async with unit_of_work(parts.engine) as uow:
        if one is not None and len(ids) == 1:
            await one(uow, parts, ids[0], parts.clock.now() + 4 * HOUR)
        else:
            await attempts.grade_batch(uow, parts, ids, parts.clock.now() + 4 * HOUR)


def apart(checkout: Path, count: int) -> Figures:
    """The same in a process of its own, with the code of a checkout."""
    command = [sys.executable, "-P", str(Path(__file__).resolve()), str(count), "--here"]
    environment = {"PYTHONPATH": str(checkout), "PATH": "/usr/bin:/bin"}
    run = subprocess.run(command, cwd=checkout, env=environment, check=True, capture_output=True, text=True)
    return dict(json.loads(run.stdout))


def show(name: str, rounds: list[Figures]) -> Figures:
    """Print the median of each figure."""
    middle = {figure: median(each[figure] for each in rounds) for figure in rounds[0]}
    print(f"{name}: " + ", ".join(f"{figure} {value:.2f}" for figure, value in middle.items()))
    return middle


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", nargs="?", type=int, default=2_000)
    parser.add_argument("--against", type=Path)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.here:
        print(json.dumps(asyncio.run(measure(given.count))))
        return
    ours: list[Figures] = []
    theirs: list[Figures] = []
    for _ in range(ROUNDS):
        ours.append(apart(Path(__file__).resolve().parent.parent, given.count))
        if given.against:
            theirs.append(apart(given.against.resolve(), given.count))
    now = show("this version", ours)
    if theirs:
        before = show("the other", theirs)
        ratios = ", ".join(f"{figure} {before[figure] / now[figure]:.1f}" for figure in now)
        print(f"the other by this one: {ratios}")


if __name__ == "__main__":
    main()
