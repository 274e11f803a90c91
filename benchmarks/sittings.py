"""`python -m benchmarks sittings`: starts and downloads of the paper by thousands of different candidates.

*bare* is Starlette with asyncpg: the same rows without any check, or the same bytes from memory. It takes
turns with the product. `wrk` sends the requests; `apt install wrk`. Each answer is checked, and everything
that was acknowledged must be in the database afterwards.
"""

import itertools
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import orjson
import typer
import uvloop
from rich.console import Console

from benchmarks import load
from benchmarks.client import encode, herd
from benchmarks.content import Content, make_content
from benchmarks.load import Expected, Run
from benchmarks.stage import Stage, stage

console = Console(highlight=False, width=120)


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    connections: int
    seconds: int
    rounds: int
    herd: int
    a_second: int
    """How many starts a second are prepared."""

    @property
    def of_a_run(self) -> int:
        """The candidates of one run of starts."""
        return self.seconds * self.a_second + self.connections


def main(
    connections: Annotated[int, typer.Option(min=1)] = 64,
    seconds: Annotated[int, typer.Option(min=1, max=60, help="Length of one measurement.")] = 3,
    rounds: Annotated[int, typer.Option(min=1, max=20)] = 3,
    herd_size: Annotated[int, typer.Option("--herd", help="Candidates who start at once.")] = 5_000,
    a_second: Annotated[int, typer.Option(help="Starts of a second that are prepared.")] = 4_000,
    pool_size: Annotated[int, typer.Option(min=1, help="Connections to PostgreSQL.")] = 20,
    folder: Annotated[Path | None, typer.Option(help="The folder for the database, on a real disk.")] = None,
    json: Annotated[Path | None, typer.Option(help="A file to which the figures are written too.")] = None,
) -> None:
    """Measure starts and papers."""
    if not shutil.which("wrk"):
        raise SystemExit("This benchmark needs the program wrk: apt install wrk")
    plan = Plan(connections, seconds, rounds, herd_size, a_second)
    with stage(folder, pool_size) as servers:
        people = plan.of_a_run * (plan.rounds + 1) + plan.herd
        content = uvloop.run(make_content(servers.database_url, people))
        candidates = iter(content.candidates)
        rows = starts(servers, content, candidates, plan)
        console.print(load.table(rows))
        console.print(uvloop.run(at_once(servers, content, candidates, plan)))
    if json:
        json.write_bytes(orjson.dumps(rows, option=orjson.OPT_INDENT_2) + b"\n")


def starts(servers: Stage, content: Content, candidates: Iterator[UUID], plan: Plan) -> list[dict[str, Any]]:
    """Starts of a test, each by another candidate, in turns with the bare server."""
    path = f"/v1/tests/{content.test_id}/start"
    bare = {"test_id": str(content.test_id), "paper_id": str(content.test_id)}

    def ours(connections: int, seconds: int) -> Run:
        people = list(itertools.islice(candidates, plan.of_a_run))
        requests = [encode("POST", path, servers.access_token(user_id), {}) for user_id in people]
        expected = Expected(201, '"status":"in_progress"', again=False)
        before = uvloop.run(count(servers, "ias.attempt_leases"))
        done = load.run(servers, servers.api, requests, expected, connections=connections, seconds=seconds)
        check(done, uvloop.run(count(servers, "ias.attempt_leases")) - before, connections)
        return done

    def theirs(connections: int, seconds: int) -> Run:
        requests = [
            encode("POST", "/start", "", {**bare, "user_id": str(user_id)})
            for user_id in itertools.islice(content.candidates, 1_000)
        ]
        before = uvloop.run(count(servers, "bare_leases"))
        expected = Expected(201, '"id":')
        done = load.run(servers, servers.bare, requests, expected, connections=connections, seconds=seconds)
        check(done, uvloop.run(count(servers, "bare_leases")) - before, connections)
        return done

    product, baseline = in_turns(plan, ours, theirs)
    return [load.summary("start", product, baseline), load.summary("bare start", baseline)]


def in_turns(
    plan: Plan, ours: Callable[[int, int], Run], theirs: Callable[[int, int], Run]
) -> tuple[list[Run], list[Run]]:
    """The runs of the product and of the baseline, after a shorter one of each."""
    for each in (ours, theirs):
        each(plan.connections, 1)
    pairs = [[each(plan.connections, plan.seconds) for each in (ours, theirs)] for _ in range(plan.rounds)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


async def at_once(servers: Stage, content: Content, candidates: Iterator[UUID], plan: Plan) -> str:
    """Starts of different candidates at the same moment, each over a connection of its own."""
    people = list(itertools.islice(candidates, plan.herd))
    path = f"/v1/tests/{content.test_id}/start"
    requests = [encode("POST", path, servers.access_token(user_id), {}) for user_id in people]
    before = await count(servers, "ias.attempt_leases")
    sample, bodies = await herd(servers.api, requests)
    new = await count(servers, "ias.attempt_leases") - before
    refused = sum(sample.refused.values())
    if len({orjson.loads(body)["id"] for body in bodies}) != len(people) or new != len(people):
        raise SystemExit(f"{len(people)} started, {refused} were refused, {new} are in the database")
    return (
        f"{len(people):,} starts at once: {refused} refused, {sample.per_second:,.0f} a second, p50"
        f" {sample.percentile(50):,.0f} ms, the last {sample.percentile(100):,.0f} ms, {sample.cpu_ms:.2f} ms"
        " of CPU of the API each"
    )


async def count(servers: Stage, name: str) -> int:
    """The rows of a table."""
    connection = await asyncpg.connect(servers.database_url)
    found = int(await connection.fetchval(f"select count(*) from {name}"))
    await connection.close()
    return found


def check(done: Run, new: int, connections: int) -> None:
    """Exit unless what was acknowledged is stored. wrk leaves its last requests without their answers."""
    if not done.answered <= new <= done.answered + 2 * connections:
        raise SystemExit(f"{done.answered} were acknowledged, {new} are in the database")


if __name__ == "__main__":
    typer.run(main)
