"""`python -m benchmarks.lists`: pages of lists with 100,000 users, 50,000 questions and 1,000,000 attempts.

Each list is read at the repository, in a transaction of its own, one after the other: the first page and the
one after it. Printed are milliseconds, and the tables that PostgreSQL read from one end to the other.
"""

import asyncio
import os
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from alembic import command
from alembic.config import Config
from pydantic import SecretStr
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.config import Settings
from app.database import create_engine
from app.repositories.base import PageRequest
from app.services.unit_of_work import reading, unit_of_work
from devservers.postgres import Postgres
from tests.builders.large_tables import LARGE, LargeTables, Sizes, fill_large_tables
from tests.repositories.large_lists import LISTS, List
from tests.repositories.plan_nodes import plan_of, scanned_tables, seen_statements

SLOW_MS = 25.0
console = Console(highlight=False, width=120)


def main(
    users: Annotated[int, typer.Option(min=100)] = 100_000,
    questions: Annotated[int, typer.Option(min=100)] = 50_000,
    tests: Annotated[int, typer.Option(min=1, help="Each user has an attempt at each.")] = 10,
    rounds: Annotated[int, typer.Option(min=1)] = 20,
    only: Annotated[str, typer.Option(help="Lists whose names have this.")] = "",
    url: Annotated[str | None, typer.Option(help="A database that an earlier run has filled.")] = None,
) -> None:
    """Fill a database, read each list, and print the table."""
    with tempfile.TemporaryDirectory(prefix="ias-bench-") as folder:
        postgres = None if url else Postgres(Path(folder))
        try:
            if postgres is not None:
                postgres.start()
                url = postgres.ensure_database("ias", "ias", "benchmark")
                os.environ["DATABASE_URL"] = url
                command.upgrade(Config("alembic.ini"), "head")
            asyncio.run(_run(url or "", Sizes(users, questions, tests), rounds, only))
        finally:
            if postgres is not None:
                postgres.stop()


async def _run(url: str, sizes: Sizes, rounds: int, only: str) -> None:
    engine = create_engine(Settings(database_url=SecretStr(url)), statement_seconds=3600)
    began = time.perf_counter()
    async with unit_of_work(engine) as uow:
        made = await fill_large_tables(uow, sizes)
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text("vacuum analyze"))
    console.print(f"filled in {time.perf_counter() - began:.0f} s")
    table = Table("List", box=SIMPLE)
    for heading in ("p50 ms", "p99 ms", "over 25 ms", "read from end to end"):
        table.add_column(heading, justify="right")
    for name, read in LISTS.items():
        if only in name:
            times = sorted(await _times(engine, read, made, rounds))
            p50, p99 = times[len(times) // 2], times[len(times) * 99 // 100]
            scanned = await _scanned(engine, read, made)
            mark = "!" if p99 > SLOW_MS else ""
            table.add_row(name, f"{p50:.1f}", f"{p99:.1f}", mark, ", ".join(sorted(scanned)))
    console.print(table)
    await engine.dispose()


async def _times(engine: AsyncEngine, read: List, made: LargeTables, rounds: int) -> list[float]:
    """Milliseconds of the first two pages, after one of each that is not counted."""
    times: list[float] = []
    for _ in range(rounds + 1):
        cursor: str | None = None
        for _ in range(2):
            began = time.perf_counter()
            async with reading(engine) as reads:
                page = await read(reads, made, PageRequest(20, cursor))
            times.append(1000 * (time.perf_counter() - began))
            if (cursor := page.next_cursor) is None:
                break
    return times[2:]


async def _scanned(engine: AsyncEngine, read: List, made: LargeTables) -> set[str]:
    async with reading(engine) as reads:
        connection = await reads.session.connection()
        statements: list[tuple[str, Any]] = await seen_statements(
            connection, lambda: read(reads, made, PageRequest(20))
        )
        scanned = [scanned_tables(await plan_of(connection, *each)) for each in statements]
        return LARGE & set().union(*scanned)


if __name__ == "__main__":
    typer.run(main)
