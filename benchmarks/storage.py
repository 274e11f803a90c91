"""`python -m benchmarks.storage`: bytes that a closed attempt takes, by table, indexes included.

Candidates take a test of 100 questions and answer each of them once, with a time, a language and mostly a
confidence. Their attempts are graded, and their figures computed, as a worker does it. It shows how
much each table has grown, before and after the logs are packed.
"""

import asyncio
import random
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from app.core.telemetry import configure_logging
from app.services import attempts
from app.services.analytics import figures
from app.services.attempts import Response
from app.services.attempts.packing import PACKED_AFTER
from app.services.components import Components
from app.services.unit_of_work import unit_of_work
from benchmarks.exams import components
from tests.builders.attempts import add_candidate, ref_of, response, start_attempt, target_of
from tests.builders.content import PublishedTest, publish_test

QUESTIONS = 100
SAVES = 10
"""The answers come in so many saves, which is how clients send them after a short loss of the network."""
MIN_BYTES = 16
"""Bytes an attempt under which a table is left out."""

SIZES = text(
    """
    select coalesce(pg_partition_root(oid)::regclass, oid::regclass)::text as name,
      sum(pg_total_relation_size(oid))::bigint as size
    from pg_class
    where relkind = 'r' and relnamespace = 'ias'::regnamespace group by 1
    """
)

console = Console(highlight=False, width=120)
Sizes = Mapping[str, int]


def main(count: Annotated[int, typer.Argument(min=1, help="How many attempts.")] = 1000) -> None:
    """Fill a database and print the table."""
    configure_logging("ERROR")
    asyncio.run(_run(count))


async def _run(count: int) -> None:
    draw = random.Random(1)
    async with components() as parts:
        async with unit_of_work(parts.engine) as uow:
            made = await publish_test(uow, [["a"]] * QUESTIONS, duration_seconds=7200)
        await _take(parts, made, draw)  # tables have their first pages then
        before = await _sizes(parts)
        for _ in range(count):
            await _take(parts, made, draw)
        columns = {"closed": await _sizes(parts)}
        await attempts.pack_old_logs(parts.engine, parts.clock.now() + 2 * PACKED_AFTER)
        columns["packed"] = await _sizes(parts)
        console.print(_table(count, before, columns))


async def _take(parts: Components, made: PublishedTest, draw: random.Random) -> None:
    """One attempt: started, answered, submitted, graded, and its figures computed."""
    now = parts.clock.now()
    places = draw.sample(range(QUESTIONS), QUESTIONS)
    async with unit_of_work(parts.engine) as uow:
        attempt = await start_attempt(uow, parts, made, now, await add_candidate(uow))
    for first in range(0, QUESTIONS, QUESTIONS // SAVES):
        sent = [_drawn(made, place, draw) for place in places[first : first + QUESTIONS // SAVES]]
        now += timedelta(seconds=draw.randrange(300, 700), microseconds=draw.randrange(1_000_000))
        await attempts.save_and_commit(parts, target_of(attempt), sent, now)
    async with unit_of_work(parts.engine) as uow:
        await attempts.submit(uow, parts, ref_of(attempt), now)
        await figures.calculate(uow, parts, [attempt.id])


def _drawn(made: PublishedTest, place: int, draw: random.Random) -> Response:
    return response(
        made,
        place,
        [draw.choice("aaabcd")],
        time_spent_ms=draw.randrange(5_000, 120_000),
        confidence=draw.choice(["sure", "sure", "doubtful", "guess", None]),
        language="en",
        marked_for_review=draw.random() < 0.1,
    )


async def _sizes(parts: Components) -> Sizes:
    async with parts.engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text("vacuum analyze"))
        return {row.name: row.size for row in await connection.execute(SIZES)}


def _table(count: int, before: Sizes, columns: Mapping[str, Sizes]) -> Table:
    table = Table(f"Bytes an attempt, {count:,} attempts", box=SIMPLE)
    grown = {
        column: {name: (size - before.get(name, 0)) / count for name, size in sizes.items()}
        for column, sizes in columns.items()
    }
    for column in grown:
        table.add_column(column, justify="right")
    for name in sorted(before):
        row = [sizes.get(name, 0) for sizes in grown.values()]
        if max(row) >= MIN_BYTES:
            table.add_row(name, *(f"{size:,.0f}" for size in row))
    table.add_row("all", *(f"{sum(sizes.values()):,.0f}" for sizes in grown.values()))
    return table


if __name__ == "__main__":
    typer.run(main)
