"""`python -m benchmarks.growth`: what requests cost while a test grows from a thousand attempts to a million.

One test gets more and more graded attempts, written by SQL; up to `--logged` of them have events. At each
size the same candidates save, submit, read their result with its rank, and read their overview, through
the services and without HTTP. Counted is CPU time, of this process and of PostgreSQL's backends, the least of
some rounds, and beside it that of reading one's profile as the baseline: on a machine that does other things
too, everything costs more. `--plot` draws the ratios to the baseline.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from app.core.telemetry import configure_logging
from app.database import create_engine
from app.models import Attempt
from app.services import attempts, users
from app.services.analytics import figures
from app.services.analytics.overview import overview
from app.services.components import Components
from app.services.unit_of_work import reading, unit_of_work
from app.services.users import Principal
from benchmarks.exams import components
from benchmarks.insight import CHUNK, CROWD, FIGURES, HISTOGRAMS, OUTCOMES, RESULTS
from tests.builders.attempts import add_candidate, graded_attempt, ref_of, response, start_attempt, target_of
from tests.builders.content import PublishedTest, publish_test

QUESTIONS = 100
PEOPLE = 40
"""Each of them does each request once at each size, and before that once without being counted."""
SMALL_TESTS = 5
EVENTS = 10
ROUNDS = 2
REPEATED = 5
"""The baseline is short, and the CPU time of a process is counted in hundredths of a second."""
TICKS = os.sysconf("SC_CLK_TCK")
BASELINE = "profile"
NAMES = {
    BASELINE: "baseline: own profile",
    "save": "save of an answer",
    "submit": "submit",
    "rank": "result and rank",
    "overview": "overview",
}

LOGS = text(
    """
    insert into ias.response_events (attempt_id, question_id, lease, revision, answer, received_at)
    select attempts.id, question_id, 1, 1, '["a"]', started_at
    from (
      select id, paper_id, started_at from ias.attempts
      where test_id = :test_id and status = 'graded' order by id desc limit :count
    ) as attempts join ias.paper_questions using (paper_id)
    where position <= :events
    on conflict do nothing
    """
)
BACKENDS = text("select pid from pg_stat_activity where application_name like 'ias-benchmark%'")

console = Console(highlight=False, width=120)


Cost = tuple[float, float]
"""Milliseconds of CPU a request, of this process and of PostgreSQL."""
Costs = dict[str, list[Cost]]
"""By request, one for each size."""


@dataclass(frozen=True)
class Field:
    """The test that grows, the candidates who are measured, and an attempt that the others are like."""

    parts: Components
    made: PublishedTest
    people: Sequence[Principal]
    like: UUID
    now: datetime


def main(
    sizes: Annotated[str, typer.Option(help="Graded attempts at the test.")] = "1000,10000,100000,1000000",
    logged: Annotated[int, typer.Option(help="At most so many attempts get events.")] = 100_000,
    plot: Annotated[Path | None, typer.Option(help="Draw the figures into this SVG file.")] = None,
) -> None:
    """Fill a database step by step, measure, and print the table."""
    configure_logging("ERROR")
    steps = [int(size) for size in sizes.split(",")]
    costs = asyncio.run(_run(steps, logged))
    console.print(_table(steps, costs))
    if plot is not None:
        draw(steps, costs, plot)


async def _run(sizes: Sequence[int], logged: int) -> Costs:
    costs: Costs = {name: [] for name in NAMES}
    async with components() as parts:
        grown = await _begin(parts)
        size = len(grown.people) + 1
        for wanted in sizes:
            await _grow(grown, wanted - size, min(wanted, logged))
            size = wanted
            _, *rounds = [await _measure(grown) for _ in range(1 + ROUNDS)]
            for name in NAMES:
                costs[name].append(min((measured[name] for measured in rounds), key=sum))
            console.print(f"{wanted:,} attempts measured")
    return costs


async def _begin(parts: Components) -> Field:
    now = parts.clock.now()
    async with unit_of_work(parts.engine) as uow:
        made = await publish_test(uow, [["a"]] * QUESTIONS, duration_seconds=7200)
        small = [await publish_test(uow, same_as=made) for _ in range(SMALL_TESTS)]
    people, like = list[Principal](), UUID(int=0)
    for number in range(PEOPLE + 1):
        async with unit_of_work(parts.engine) as uow:
            person = await add_candidate(uow)
            for test in (made, *small):
                answers = {place: ["a" if (place + number) % 3 else "b"] for place in range(80)}
                attempt = await graded_attempt(uow, parts, person, test, answers, now, time_spent_ms=4000)
                await figures.calculate(uow, parts, [attempt.id])
                like = attempt.id if test is made else like
        people.append(person)
    return Field(parts, made, people[:PEOPLE], like, now)


async def _grow(grown: Field, count: int, logged: int) -> None:
    """Add graded attempts of others, as `benchmarks/insight.py` does."""
    like = {"like": grown.like}
    await _execute(grown, "alter table ias.results disable trigger user")
    for left in range(count, 0, -CHUNK):
        await _execute(grown, CROWD, count=min(left, CHUNK), **like)
        await _execute(grown, RESULTS, test_id=grown.made.id, **like)
    await _execute(grown, FIGURES, **like)
    await _execute(grown, "alter table ias.results enable trigger user")
    await _execute(grown, LOGS.text, test_id=grown.made.id, count=logged, events=EVENTS)
    await _execute(grown, "delete from ias.outcome_counts")
    for statement in (HISTOGRAMS, OUTCOMES, "vacuum analyze"):
        await _execute(grown, statement)


async def _measure(grown: Field) -> dict[str, Cost]:
    parts, now = grown.parts, grown.now
    running: dict[UUID, Attempt] = {}
    for person in grown.people:
        async with unit_of_work(parts.engine) as uow:
            running[person.id] = await start_attempt(uow, parts, grown.made, now, person)
        sent = [response(grown.made, place, ["a"]) for place in range(1, QUESTIONS)]
        await attempts.save_and_commit(parts, target_of(running[person.id]), sent, now)

    async def read_profile(person: Principal) -> None:
        for _ in range(REPEATED):
            async with reading(parts.engine) as reads:
                await users.profile(reads, person)

    async def save(person: Principal) -> None:
        sent = [response(grown.made, 0, ["a"])]
        await attempts.save_and_commit(parts, target_of(running[person.id]), sent, now)

    async def submit(person: Principal) -> None:
        async with unit_of_work(parts.engine) as uow:
            await attempts.submit(uow, parts, ref_of(running[person.id]), now)

    async def rank(person: Principal) -> None:
        async with reading(parts.engine) as reads:
            await attempts.result(reads, parts, person, grown.made.id, None)

    async def read_overview(person: Principal) -> None:
        async with reading(parts.engine) as reads:
            await overview(reads, parts, person, now)

    requests = {
        BASELINE: read_profile,
        "save": save,
        "submit": submit,
        "rank": rank,
        "overview": read_overview,
    }
    found = {name: await _cpu_ms(parts, grown.people, request) for name, request in requests.items()}
    ours, database = found[BASELINE]
    return found | {BASELINE: (ours / REPEATED, database / REPEATED)}


async def _cpu_ms(
    parts: Components, people: Sequence[Principal], request: Callable[[Principal], Awaitable[None]]
) -> Cost:
    database, ours = await _database_seconds(parts), time.process_time()
    for person in people:
        await request(person)
    ours = time.process_time() - ours
    database = await _database_seconds(parts) - database
    return 1000 * ours / len(people), 1000 * database / len(people)


async def _database_seconds(parts: Components) -> float:
    async with reading(parts.engine) as reads:
        pids = (await reads.session.scalars(BACKENDS)).all()
    return sum(map(_cpu_seconds, pids))


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


async def _execute(grown: Field, statement: str, **values: Any) -> None:
    engine = create_engine(grown.parts.settings, pool_size=1, statement_seconds=3600)
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text(statement), values)
    await engine.dispose()


def _table(sizes: Sequence[int], costs: Costs) -> Table:
    table = Table("CPU ms a request, ours + PostgreSQL, by the baseline", box=SIMPLE)
    for size in sizes:
        table.add_column(f"{size:,}", justify="right")
    table.add_column("last by first", justify="right")
    for name, title in NAMES.items():
        ratios = ratios_of(costs, name)
        pairs = zip(costs[name], ratios, strict=True)
        cells = [f"{ours:.2f} + {database:.2f}, {ratio:.1f}" for (ours, database), ratio in pairs]
        table.add_row(title, *cells, f"{ratios[-1] / ratios[0]:.2f}")
    return table


def ratios_of(costs: Costs, name: str) -> list[float]:
    """What a request costs at each size, by what the baseline costs there."""
    return [sum(cost) / sum(base) for cost, base in zip(costs[name], costs[BASELINE], strict=True)]


def draw(sizes: Sequence[int], costs: Costs, path: Path) -> None:
    """A line for each request: CPU by that of the baseline, over the number of attempts; logarithmic axes."""
    import matplotlib as mpl  # noqa: PLC0415 -- slow to import
    from matplotlib.figure import Figure  # noqa: PLC0415

    from app.services.reports.drawing import CURVE, DASHES, OTHERS  # noqa: PLC0415

    lines: Mapping[str, Any] = {"svg.fonttype": "none", "svg.hashsalt": "growth", "font.size": 11}
    with mpl.rc_context(lines):  # type: ignore[arg-type]
        figure = Figure(figsize=(7, 4), layout="constrained")
        axes = figure.add_subplot()
        looks = zip((CURVE, *OTHERS), ("-", *DASHES), strict=False)
        for (color, dashes), name in zip(looks, [each for each in NAMES if each != BASELINE], strict=False):
            ratios = ratios_of(costs, name)
            axes.plot(sizes, ratios, color=color, linestyle=dashes, marker="o", label=NAMES[name])
        axes.set(xscale="log", yscale="log", xlabel="graded attempts at the test")
        axes.set_ylabel("CPU, by that of reading one's profile")
        axes.set_ylim(1, 100)
        axes.grid(visible=True, linewidth=0.4)
        axes.legend(frameon=False)
        figure.savefig(path, format="svg", metadata={"Date": None})


if __name__ == "__main__":
    typer.run(main)
