"""`python -m benchmarks.insight`: what candidates read of tests with a thousand to a million participants.

A database is filled by SQL with graded attempts at tests of several sizes. Measured candidates have an
attempt at one of them, and others at smaller tests. The same requests are measured at all tests in turn, so
that the ratio shows what the number of participants costs. They are measured twice: as apps send them, where
answers that are still true are sent again (docs/decisions/0096), with load from `wrk`; and as first reads,
where the answer of each candidate has to be built. `--against` measures another checkout in the same run; its
`.venv` starts it, and its migrations must be those of this one.
"""

import asyncio
import itertools
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from uuid import UUID, uuid4

import typer
import uvloop
from pydantic import SecretStr
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.config import Settings
from app.services.analytics import figures
from app.services.components import Components
from app.services.unit_of_work import unit_of_work
from app.startup import open_components
from benchmarks import load
from benchmarks.client import Connection, Server, encode
from benchmarks.load import Expected, Run
from benchmarks.saves import cpu_of_database, memory_of
from benchmarks.stage import Stage, other_api, stage
from tests.builders.attempts import add_candidate, graded_attempt
from tests.builders.content import PublishedTest, publish_test

QUESTIONS = 100
MEASURED = 200
"""Candidates at each of the two tests whose requests are measured."""
SMALL_TESTS = 30
"""Each measured candidate has an attempt at each of these."""
SIZES = "1000,10000,100000,1000000"
CHUNK = 100_000
FIRST = ", first read"
FORGET = "update ias.users set name = name where id = any(:people)"
"""The version of everything that these people read is another one after it (docs/decisions/0096)."""

# Copies of a graded attempt and its figures for others, with answers and scores of their own. The triggers
# that count results are off: each of these statements would count for hours.
CROWD = """
    with people as (
      insert into ias.users (id, email, name)
      select gen_random_uuid(), 'crowd@example.org', 'Asha Rao' from generate_series(1, :count) returning id
    )
    insert into ias.attempts (id, test_id, paper_id, user_id, number, practice, status, seed, started_at,
      deadline_at, submitted_at, closed_by)
    select gen_random_uuid(), test_id, paper_id, people.id, 1, false, 'graded', 1, started_at,
      deadline_at, submitted_at, closed_by
    from people cross join ias.attempts where attempts.id = :like
"""
OF_MEASURED = """
    insert into ias.attempts (id, test_id, paper_id, user_id, number, practice, status, seed, started_at,
      deadline_at, submitted_at, closed_by)
    select gen_random_uuid(), test_id, paper_id, person, 1, false, 'graded', 1, started_at,
      deadline_at, submitted_at, closed_by
    from unnest(cast(:people as uuid[])) as person cross join ias.attempts where attempts.id = :like
"""
RESULTS = """
    insert into ias.results (attempt_id, cohort_id, user_id, counted, qualification, key_id, score_numerator,
      score_denominator, raw_numerator, raw_denominator, answers, outcomes, marks, marks_denominator,
      graded_at)
    select id, cohort_id, drawn.user_id, true, 'qualified', key_id, thirds / gcd(thirds, 3),
      3 / gcd(thirds, 3),
      thirds / gcd(thirds, 3), 3 / gcd(thirds, 3),
      ('[' || rtrim(repeat('["a"],', c) || repeat('["b"],', w) || repeat('null,', b), ',') || ']')::json,
      repeat('c', c) || repeat('i', w) || repeat('u', b),
      rtrim(repeat('6 ', c) || repeat('-2 ', w) || repeat('0 ', b)), 3, graded_at
    from (
      select *, 6 * c - 2 * w as thirds, 100 - c - w as b from (
        select *, (right_share * tried)::int as c, (tried - (right_share * tried)::int)::int as w from (
          select attempts.id, attempts.user_id, (60 + 40 * random())::int as tried,
            (random() + random() + random()) / 3 as right_share
          from ias.attempts left join ias.results on results.attempt_id = attempts.id
          where test_id = :test_id and results.attempt_id is null
        ) as person
      ) as counted
    ) as drawn
    cross join (select cohort_id, key_id, graded_at from ias.results where attempt_id = :like) as old
"""
FIGURES = """
    insert into ias.attempt_figures (attempt_id, key_id, spent_ms, answered_order, confidence, language,
      right_to_wrong, wrong_to_right, wrong_to_wrong, net_marks, subject_ids, sums, denominator, applied)
    select results.attempt_id, key_id, spent_ms, answered_order, confidence, language,
      right_to_wrong, wrong_to_right, wrong_to_wrong, net_marks, subject_ids, sums, denominator, null
    from ias.results cross join (
      select spent_ms, answered_order, confidence, language, right_to_wrong, wrong_to_right, wrong_to_wrong,
        net_marks, subject_ids, sums, denominator
      from ias.attempt_figures where attempt_id = :like
    ) as old
    where cohort_id = (select cohort_id from ias.results where attempt_id = :like)
    on conflict (attempt_id) do nothing
"""
HISTOGRAMS = """
    insert into ias.score_counts (cohort_id, numerator, denominator, candidates)
    select cohort_id, score_numerator, score_denominator, count(*) from ias.results group by 1, 2, 3
    on conflict (cohort_id, numerator, denominator) do update set candidates = excluded.candidates
"""
OUTCOMES = """
    insert into ias.outcome_counts (cohort_id, paper_id, shard, results, correct)
    select cohort_id, paper_id, 0, sum(results)::int, array_agg(correct order by place) from (
      select cohort_id, paper_id, place, max(results) as results,
        coalesce(sum(people) filter (where c >= place), 0)::int as correct
      from (
        select cohort_id, paper_id, length(replace(replace(outcomes, 'i', ''), 'u', '')) as c,
          count(*) as people, sum(count(*)) over (partition by cohort_id, paper_id) as results
        from ias.results join ias.attempts on attempts.id = attempt_id group by 1, 2, 3
      ) as by_count cross join generate_series(1, 100) as place group by 1, 2, 3
    ) as by_place group by 1, 2
"""

console = Console(highlight=False, width=160)

Samples = dict[tuple[str, str, int, int], list[Run]]
"""By request, version of the API, connections and participants."""


@dataclass(frozen=True)
class Measured:
    """A test, and its candidates whose requests are measured."""

    made: PublishedTest
    participants: int
    people: Sequence[UUID]


def main(
    sizes: Annotated[str, typer.Option(help="Participants of each test.")] = SIZES,
    connections: Annotated[int, typer.Option(min=1)] = 32,
    seconds: Annotated[int, typer.Option(min=1, max=60, help="Length of one measurement.")] = 4,
    rounds: Annotated[int, typer.Option(min=1, max=20)] = 3,
    folder: Annotated[Path | None, typer.Option(help="The folder for the database, on a real disk.")] = None,
    against: Annotated[Path | None, typer.Option(help="Another checkout, with a .venv.")] = None,
) -> None:
    """Measure what candidates read of their results."""
    with console.status("Starting servers …"), stage(folder, 20) as servers, ExitStack() as stack:
        apis = {"this": servers.api}
        if against is not None:
            apis["other"] = stack.enter_context(other_api(servers, against))
        plan = Plan([int(size) for size in sizes.split(",")], connections, seconds, rounds)
        uvloop.run(run(servers, apis, plan))


@dataclass(frozen=True)
class Plan:
    """What is measured."""

    sizes: Sequence[int]
    connections: int
    seconds: int
    rounds: int


async def run(servers: Stage, apis: Mapping[str, Server], plan: Plan) -> None:
    """Fill the database, measure, and print the tables."""
    settings = Settings(database_url=SecretStr(servers.database_url))
    samples: Samples = {}
    async with open_components(settings, application_name="ias-benchmark", pool_size=2) as parts:
        began = time.monotonic()
        tests = await fill(parts, plan.sizes)
        console.print(f"The database was filled in {time.monotonic() - began:,.0f} s.")
        for _, users, test in itertools.product(range(plan.rounds), (1, plan.connections), tests):
            for name, requests in of_candidates(servers, test).items():
                for version, api in apis.items():
                    await check(api, name, requests)
                    sent_again = load.run(
                        servers, api, requests, Expected(200), connections=users, seconds=plan.seconds
                    )
                    await _run(parts.engine, FORGET, people=test.people)
                    first = await first_reads(servers, api, requests, users)
                    for kind, sample in (("", sent_again), (FIRST, first)):
                        samples.setdefault((name + kind, version, users, test.participants), []).append(
                            sample
                        )
    console.print(_table(samples, plan.sizes))


async def first_reads(servers: Stage, api: Server, requests: Sequence[bytes], connections: int) -> Run:
    """Send each request once, over so many connections."""
    left, latencies = iter(requests), list[float]()

    async def read() -> None:
        async with Connection(api.port) as connection:
            for request in left:
                began = time.perf_counter()
                status, body = await connection.exchange(request)
                if status != 200:
                    raise SystemExit(f"{status} {body.decode(errors='replace')}")
                latencies.append(1000 * (time.perf_counter() - began))

    api_cpu, database_cpu, began = api.cpu_seconds(), cpu_of_database(servers), time.perf_counter()
    await asyncio.gather(*(read() for _ in range(connections)))
    seconds, answered = time.perf_counter() - began, len(latencies)
    latencies.sort()
    return Run(
        per_second=answered / seconds,
        p50=latencies[answered // 2],
        p99=latencies[answered * 99 // 100],
        api_cpu=1000 * (api.cpu_seconds() - api_cpu) / answered,
        database_cpu=1000 * (cpu_of_database(servers) - database_cpu) / answered,
        memory_mb=memory_of(api.pid),
        answered=answered,
    )


async def check(api: Server, name: str, requests: Sequence[bytes]) -> None:
    """Send each request once, so that the process has what it keeps; a refused one ends the benchmark."""
    async with Connection(api.port) as connection:
        for request in requests:
            status, body = await connection.exchange(request)
            if status != 200:
                raise SystemExit(f"{name}: {status} {body.decode(errors='replace')}")


async def fill(parts: Components, sizes: Sequence[int]) -> list[Measured]:
    """Make the tests, with so many participants each, and the small ones."""
    async with unit_of_work(parts.engine) as uow:
        await uow.users.ensure_default_institute()
        await uow.attempts.ensure_partitions(parts.clock.now())
        first = await publish_test(uow, [["a"]] * QUESTIONS)
        tests = [
            first,
            *[await publish_test(uow, same_as=first) for _ in range(SMALL_TESTS + len(sizes) - 1)],
        ]
        likes = []
        for made in tests:
            answers = {place: ["a" if place % 3 else "b"] for place in range(80)}
            person = await add_candidate(uow)
            now = parts.clock.now()
            likes.append(await graded_attempt(uow, parts, person, made, answers, now, time_spent_ms=4000))
        await figures.calculate(uow, parts, [attempt.id for attempt in likes])
    measured = []
    await _run(parts.engine, "alter table ias.results disable trigger user")
    for number, made in enumerate(tests):
        like = {"like": likes[number].id}
        if number < len(sizes):
            people = await _people(parts, MEASURED)
            await _run(parts.engine, OF_MEASURED, people=people, **like)
            for left in range(sizes[number] - MEASURED - 1, 0, -CHUNK):
                await _run(parts.engine, CROWD, count=min(left, CHUNK), **like)
                await _run(parts.engine, RESULTS, test_id=made.id, **like)
            measured.append(Measured(made, sizes[number], people))
        else:
            everybody = [person for test in measured for person in test.people]
            await _run(parts.engine, OF_MEASURED, people=everybody, **like)
            await _run(parts.engine, RESULTS, test_id=made.id, **like)
        await _run(parts.engine, FIGURES, **like)
    await _run(parts.engine, "alter table ias.results enable trigger user")
    await _run(parts.engine, "delete from ias.outcome_counts")
    for statement in (HISTOGRAMS, OUTCOMES, "vacuum analyze"):
        await _run(parts.engine, statement)
    return measured


def of_candidates(servers: Stage, test: Measured) -> dict[str, Sequence[bytes]]:
    """Requests of the measured candidates by what is asked for."""
    tokens = [servers.access_token(person) for person in test.people]
    paths = {
        "overview": "/v1/analytics/overview",
        "analysis of the test": f"/v1/analytics/test/{test.made.id}",
        "result and rank": f"/v1/tests/{test.made.id}/results",
        "leaderboard, best 10": f"/v1/analytics/leaderboard?test_id={test.made.id}",
        "leaderboard around me": f"/v1/analytics/leaderboard?test_id={test.made.id}&around_me=true",
    }
    return {name: [encode("GET", path, token) for token in tokens] for name, path in paths.items()}


async def _people(parts: Components, count: int) -> list[UUID]:
    people = [uuid4() for _ in range(count)]
    async with unit_of_work(parts.engine) as uow:
        for user_id in people:
            await uow.users.add(user_id, f"{user_id.hex}@example.org", "Asha Rao")
    return people


async def _run(engine: AsyncEngine, statement: str, **values: object) -> None:
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text(statement), values)


def _table(samples: Samples, sizes: Sequence[int]) -> Table:
    table = Table("Requests, medians of the rounds", box=SIMPLE)
    headings = [f"{percentile} ms, {size:,}" for size in sizes for percentile in ("p50", "p99")]
    for heading in (
        "version",
        "connections",
        "per second",
        "CPU ms",
        "PostgreSQL",
        *headings,
        "last by first",
    ):
        table.add_column(heading, justify="right")
    for name, version, users in dict.fromkeys(key[:3] for key in samples):
        rows = [load.summary(name, samples[name, version, users, size]) for size in sizes]
        table.add_row(
            name,
            version,
            str(users),
            f"{rows[-1]['per_second']:,.0f}",
            f"{rows[-1]['api_cpu']:.2f}",
            f"{rows[-1]['database_cpu']:.2f}",
            *(f"{row[percentile]:,.1f}" for row in rows for percentile in ("p50", "p99")),
            f"{rows[-1]['p50'] / rows[0]['p50']:.2f}",
        )
    return table


if __name__ == "__main__":
    typer.run(main)
