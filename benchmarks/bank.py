"""`python -m benchmarks.bank`: how long imports and lists of duplicates take, and what they do to the API.

In the API's process an import shares the event loop with everybody's answers, so that what counts is not its
time alone but the longest time for which nothing else got a turn.
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

    what: str
    seconds: float
    held: float
    """The longest time, in seconds, for which the event loop did nothing else."""
    note: str


def word(chance: random.Random) -> str:
    """Something like a word."""
    return "".join(chance.choices(SYLLABLES, k=chance.randint(1, 4)))


def statement(chance: random.Random) -> str:
    """A sentence of a dozen words."""
    return " ".join(word(chance) for _ in range(12)).capitalize() + "."


def different(number: int, chance: random.Random) -> str:
    """A question of statements: two of these are about as much alike as two of UPSC's."""
    return f"Consider the following statements :\n1. {statement(chance)}\n2. {statement(chance)}\n"


def framed(number: int, chance: random.Random) -> str:
    """A question that is mostly frame, so that half of it is alike in all."""
    return f"Which of these statements is/are correct ?\n{statement(chance)}"


def alike(number: int, chance: random.Random) -> str:
    """A question that is like all others but for its number."""
    return f"{number}. Which of the statements about the Constitution of India given above is/are correct ?"


def equal(number: int, chance: random.Random) -> str:
    """The same question every time."""
    return "Which of the statements about the Constitution of India given above is/are correct ?"


KINDS = {"different": different, "framed": framed, "alike": alike, "equal": equal}


def sheet(rows: int, wording: Callable[[int, random.Random], str], source: str) -> bytes:
    """A sheet of so many questions."""
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
    """Collects for how long the event loop kept a task waiting that wants a turn every two milliseconds."""
    waits: list[float] = []

    async def watch() -> None:
        while True:
            asked = time.perf_counter()
            await asyncio.sleep(0.002)
            waits.append(time.perf_counter() - asked - 0.002)

    task = asyncio.create_task(watch())
    await asyncio.sleep(0.01)
    try:
        yield waits
    finally:
        task.cancel()


async def imported(engine: AsyncEngine, what: str, file: bytes) -> Figures:
    """Import a sheet into the bank that is there."""
    async with loop_watched() as waits:
        began = time.perf_counter()
        async with unit_of_work(engine) as uow:
            report = await questions.import_questions(uow, operator(), file, subject="Polity")
        seconds = time.perf_counter() - began
    if report.errors:
        raise SystemExit(f"{what}: {report.errors[0]}")
    note = (
        f"created {report.created}, unchanged {report.unchanged}, updated {report.updated},"
        f" warnings {len(report.warnings)}"
    )
    return Figures(what, seconds, max(waits), note)


async def listed(engine: AsyncEngine, what: str, limit: int) -> Figures:
    """The first pages of the duplicates; the seconds are those of the slowest."""
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
    return Figures(what, slowest, max(waits), f"slowest of {pages} pages, {pairs} pairs")


async def measured(server: Postgres, kinds: Sequence[str], sizes: Sequence[int]) -> AsyncIterator[Figures]:
    """Each bank in a database of its own."""
    for kind, rows in itertools.product(kinds, sizes):
        async with bank(server, f"{kind}_{rows}") as engine:
            file = sheet(rows, KINDS[kind], "First")
            yield await imported(engine, f"import {rows:,} that are {kind}", file)
            yield await imported(engine, "  the same again", file)
            yield await imported(engine, "  1,000 more", sheet(1_000, KINDS[kind], "Second"))
            for limit in (20, 100):
                yield await listed(engine, f"  duplicates, limit {limit}", limit)


@asynccontextmanager
async def bank(server: Postgres, name: str) -> AsyncIterator[AsyncEngine]:
    """An empty bank."""
    url = server.ensure_database(name, "ias", "benchmark")
    environment = {**os.environ, "DATABASE_URL": url}
    await asyncio.to_thread(
        subprocess.run, [sys.executable, "-m", "app.cli", "migrate"], env=environment, check=True
    )
    engine = create_engine(Settings(database_url=SecretStr(url)), pool_size=2)
    yield engine
    await engine.dispose()


async def run(server: Postgres, kinds: Sequence[str], sizes: Sequence[int]) -> None:
    """Measure, and print each line as it comes: a table would come at the end."""
    console.print(f"{'':38}{'seconds':>9}{'held ms':>9}")
    async for line in measured(server, kinds, sizes):
        console.print(f"{line.what:38}{line.seconds:9.2f}{line.held * 1000:9.0f}  {line.note}")


def main(
    kind: Annotated[list[str] | None, typer.Option(help="Only: different, framed, alike or equal.")] = None,
    rows: Annotated[list[int] | None, typer.Option(help="Of these sizes alone.")] = None,
    folder: Annotated[Path | None, typer.Option(help="On this disk.")] = None,
) -> None:
    """Imports into empty banks and full ones, and the first pages of their duplicates."""
    with tempfile.TemporaryDirectory(prefix="ias-bench-", dir=folder) as home, ExitStack() as stack:
        server = Postgres(Path(home))
        stack.callback(server.stop)
        server.start()
        uvloop.run(run(server, kind or list(KINDS), rows or (5_000, 20_000)))


if __name__ == "__main__":
    typer.run(main)
