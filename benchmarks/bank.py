"""`python -m benchmarks.bank`: measures imports of questions and lists of duplicates.

In the API, an import shares the event loop with all other requests. The benchmark therefore reports the
duration and the longest time for which the event loop was blocked.
"""

import asyncio
import csv
import io
import itertools
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from pydantic import SecretStr
from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncEngine

from app.config import Settings
from app.database import create_engine
from app.repositories.base import PageRequest
from app.services import questions
from app.services.unit_of_work import reading, unit_of_work
from app.services.users import operator
from devservers.postgres import Postgres

SYLLABLES = [
    first + vowel + last for first in "bdghjklmnprstvy" for vowel in "aeiou" for last in ("", *"dklmnrst")
]
HEADER = (
    "question",
    "option_a",
    "option_b",
    "option_c",
    "option_d",
    "key",
    "explanation",
    "source",
    "number",
)
PAGES = 20

console = Console(highlight=False, width=140)


@dataclass(frozen=True)
class Figures:
    """One line of the table."""

    name: str
    seconds: float
    blocked: float
    """The longest time in seconds for which the event loop was blocked."""
    note: str


def word(chance: random.Random) -> str:
    """A random word of one to four syllables."""
    return "".join(chance.choices(SYLLABLES, k=chance.randint(1, 4)))


def statement(chance: random.Random) -> str:
    """A sentence of twelve random words."""
    return " ".join(word(chance) for _ in range(12)).capitalize() + "."


def different(number: int, chance: random.Random) -> str:
    """A question with two statements. Two such questions are about as similar as two questions of UPSC."""
    return f"Consider the following statements :\n1. {statement(chance)}\n2. {statement(chance)}\n"


def framed(number: int, chance: random.Random) -> str:
    """A question of which half is the same text in all questions."""
    return f"Which of these statements is/are correct ?\n{statement(chance)}"


def alike(number: int, chance: random.Random) -> str:
    """A question that differs from the others only in its number."""
    return f"{number}. Which of the statements about the Constitution of India given above is/are correct ?"


def equal(number: int, chance: random.Random) -> str:
    """The same question every time."""
    return "Which of the statements about the Constitution of India given above is/are correct ?"


KINDS = {"different": different, "framed": framed, "alike": alike, "equal": equal}


def sheet(rows: int, wording: Callable[[int, random.Random], str], source: str) -> bytes:
    """A CSV file with this number of questions."""
    chance = random.Random(source)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEADER)
    for number in range(1, rows + 1):
        options = ("1 only", "2 only", "Both 1 and 2", "Neither 1 nor 2")
        writer.writerow((wording(number, chance), *options, "c", statement(chance), source, number))
    return out.getvalue().encode()


@asynccontextmanager
async def loop_watched() -> AsyncIterator[list[float]]:
    """Collect the delays of a task that sleeps for two milliseconds again and again."""
    waits: list[float] = []

    async def watch() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.002)
            waits.append(time.perf_counter() - before - 0.002)

    task = asyncio.create_task(watch())
    await asyncio.sleep(0.01)
    try:
        yield waits
    finally:
        task.cancel()


async def measure_import(engine: AsyncEngine, name: str, file: bytes) -> Figures:
    """Import a file into the bank."""
    async with loop_watched() as waits:
        began = time.perf_counter()
        async with unit_of_work(engine) as uow:
            report = await questions.import_questions(uow, operator(), file, subject="Polity")
        seconds = time.perf_counter() - began
    if report.errors:
        raise SystemExit(f"{name}: {report.errors[0]}")
    note = (
        f"created {report.created}, unchanged {report.unchanged}, updated {report.updated},"
        f" warnings {len(report.warnings)}"
    )
    return Figures(name, seconds, max(waits), note)


async def measure_duplicates(engine: AsyncEngine, name: str, limit: int) -> Figures:
    """Read the first pages of the list of duplicates. `seconds` is the time of the slowest page."""
    slowest, pages, pairs, cursor = 0.0, 0, 0, None
    async with loop_watched() as waits:
        for _ in range(PAGES):
            began = time.perf_counter()
            async with reading(engine) as reads:
                found = await questions.duplicates(reads, operator(), None, 0.8, PageRequest(limit, cursor))
            slowest = max(slowest, time.perf_counter() - began)
            pages, pairs, cursor = pages + 1, pairs + len(found.items), found.next_cursor
            if cursor is None:
                break
    return Figures(name, slowest, max(waits), f"slowest of {pages} pages, {pairs} pairs")


async def measure(server: Postgres, kinds: Sequence[str], sizes: Sequence[int]) -> AsyncIterator[Figures]:
    """Measure each kind and size with a new database."""
    for kind, rows in itertools.product(kinds, sizes):
        async with bank(server, f"{kind}_{rows}") as engine:
            file = sheet(rows, KINDS[kind], "First")
            yield await measure_import(engine, f"import {rows:,} questions: {kind}", file)
            yield await measure_import(engine, "  the same file again", file)
            yield await measure_import(engine, "  1,000 more", sheet(1_000, KINDS[kind], "Second"))
            for limit in (20, 100):
                yield await measure_duplicates(engine, f"  duplicates, limit {limit}", limit)


@asynccontextmanager
async def bank(server: Postgres, name: str) -> AsyncIterator[AsyncEngine]:
    """An engine for a new database with an empty bank."""
    url = server.ensure_database(name, "ias", "benchmark")
    environment = {**os.environ, "DATABASE_URL": url}
    await asyncio.to_thread(
        subprocess.run, [sys.executable, "-m", "app.cli", "migrate"], env=environment, check=True
    )
    engine = create_engine(Settings(database_url=SecretStr(url)), pool_size=2)
    yield engine
    await engine.dispose()


async def run(server: Postgres, kinds: Sequence[str], sizes: Sequence[int]) -> None:
    """Measure, and print each line when it is known."""
    console.print(f"{'':38}{'seconds':>9}{'blocked ms':>12}")
    async for line in measure(server, kinds, sizes):
        console.print(f"{line.name:38}{line.seconds:9.2f}{line.blocked * 1000:12.0f}  {line.note}")


def main(
    kind: Annotated[list[str] | None, typer.Option(help="different, framed, alike or equal.")] = None,
    rows: Annotated[list[int] | None, typer.Option(help="The number of questions in the bank.")] = None,
    folder: Annotated[Path | None, typer.Option(help="The folder for the database.")] = None,
) -> None:
    """Measure imports into empty and filled banks, and the first pages of their duplicates."""
    with tempfile.TemporaryDirectory(prefix="ias-bench-", dir=folder) as home, ExitStack() as stack:
        server = Postgres(Path(home))
        stack.callback(server.stop)
        server.start()
        uvloop.run(run(server, kind or list(KINDS), rows or (5_000, 20_000)))


if __name__ == "__main__":
    typer.run(main)
