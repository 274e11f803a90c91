"""`python -m benchmarks sittings`: starts, papers and submits of thousands of candidates, and whole sittings.

*bare* is Starlette with asyncpg: the same rows without any check, or the same bytes from memory. It takes
turns with the product. `wrk` sends the requests; `apt install wrk`. Each answer is checked, and everything
that was acknowledged must be in the database afterwards.
"""

import asyncio
import itertools
import shutil
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import orjson
import typer
import uvloop
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from app.config import Settings
from app.core.attempt_scope import AttemptRef, AttemptScope
from app.core.clock import SystemClock
from app.core.tokens import AttemptGrant, AttemptTokens
from benchmarks import load
from benchmarks.client import Connection, encode, herd
from benchmarks.content import Content, make_content
from benchmarks.load import Expected, Run
from benchmarks.saves import cpu_of_database
from benchmarks.stage import Stage, stage

SAVES = 60
WHOLE_SITTINGS, AT_ONCE = 300, 32

# Running attempts of new candidates, with an answer to each question.
ANSWERED = """
with started as (
  insert into ias.attempts (id, test_id, paper_id, user_id, number, practice, seed, started_at, deadline_at)
  select uuidv7(), $1, $2, id, 1, false, 1, now(), now() + interval '2 hours'
  from unnest($3::uuid[]) as id
  returning id, user_id, deadline_at
), answered as (
  insert into ias.response_events (attempt_id, question_id, lease, revision, answer)
  select started.id, question_id, 1, 1, '["b"]' from started cross join unnest($4::uuid[]) as question_id
)
select * from started
"""

console = Console(highlight=False, width=120)
Measured = Callable[[int, int], Run]
"""Measures with so many connections for so many seconds."""


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    connections: int
    seconds: int
    rounds: int
    herd: int
    starts: int
    """How many starts a second are prepared."""
    submits: int
    """How many submits a second are prepared."""


@dataclass(frozen=True)
class Bench:
    """The servers, the test, and candidates who have not started."""

    servers: Stage
    content: Content
    candidates: Iterator[UUID]
    plan: Plan

    @property
    def path(self) -> str:
        return f"/v1/tests/{self.content.test_id}"

    @property
    def exam_path(self) -> str:
        exam_id, paper_id = self.content.exam_paper
        return f"/v1/exams/{exam_id}/papers/{paper_id}"

    def paper(self, name: str) -> Any:
        """A column of the paper version of the test."""
        statement = f"select {name} from ias.papers where test_id = $1"
        return self.fetch(statement, self.content.test_id)[0][0]

    def next_candidates(self, count: int) -> list[UUID]:
        return list(itertools.islice(self.candidates, count))

    def count(self, name: str) -> int:
        """The rows of a table."""
        return int(self.fetch(f"select count(*) from {name}")[0][0])

    def fetch(self, statement: str, *values: object) -> Sequence[Any]:
        async def fetched() -> Sequence[Any]:
            connection = await asyncpg.connect(self.servers.database_url)
            try:
                return list(await connection.fetch(statement, *values, timeout=300))
            finally:
                await connection.close()

        return uvloop.run(fetched())


def main(
    connections: Annotated[int, typer.Option(min=1)] = 64,
    seconds: Annotated[int, typer.Option(min=1, max=60, help="Length of one measurement.")] = 3,
    rounds: Annotated[int, typer.Option(min=1, max=20)] = 3,
    herd_size: Annotated[int, typer.Option("--herd", help="Candidates who start at once.")] = 5_000,
    starts_a_second: Annotated[int, typer.Option("--starts", help="Starts prepared for a second.")] = 4_000,
    submits_a_second: Annotated[int, typer.Option("--submits", help="Submits prepared for a second.")] = 800,
    pool_size: Annotated[int, typer.Option(min=1, help="Connections to PostgreSQL.")] = 20,
    folder: Annotated[Path | None, typer.Option(help="The folder for the database, on a real disk.")] = None,
    json: Annotated[Path | None, typer.Option(help="A file to which the figures are written too.")] = None,
) -> None:
    """Measure starts, papers, submits and whole sittings."""
    if not shutil.which("wrk"):
        raise SystemExit("This benchmark needs the program wrk: apt install wrk")
    plan = Plan(connections, seconds, rounds, herd_size, starts_a_second, submits_a_second)
    with stage(folder, pool_size) as servers:
        a_second = 2 * starts_a_second + submits_a_second
        people = (
            (seconds * rounds + 2) * a_second + herd_size + WHOLE_SITTINGS + 3 * connections * (rounds + 1)
        )
        content = uvloop.run(make_content(servers.database_url, people + 1))
        bench = Bench(servers, content, iter(content.candidates), plan)
        rows: list[dict[str, Any]] = []
        for part in (starts, starts_of_exam, papers, submits):
            rows += (of_part := part(bench))
            console.print(load.table(of_part))
        console.print(at_once(bench))
        console.print(whole_sittings(bench))
    if json:
        json.write_bytes(orjson.dumps(rows, option=orjson.OPT_INDENT_2) + b"\n")


def starts(bench: Bench) -> list[dict[str, Any]]:
    """Starts of a test, each by another candidate."""
    return starts_at(bench, "start", bench.path)


def starts_of_exam(bench: Bench) -> list[dict[str, Any]]:
    """Starts of an exam paper by registered candidates, answered with the key of its package."""
    return starts_at(bench, "start of an exam paper", bench.exam_path)


def starts_at(bench: Bench, name: str, path: str) -> list[dict[str, Any]]:
    servers, test_id = bench.servers, str(bench.content.test_id)

    def ours(connections: int, seconds: int) -> Run:
        people = bench.next_candidates(bench.plan.starts * seconds + connections)
        requests = [encode("POST", f"{path}/start", servers.access_token(each), {}) for each in people]
        expected = Expected(201, '"status":"in_progress"', again=False)
        before = bench.count("ias.attempt_leases")
        done = load.run(servers, servers.api, requests, expected, connections=connections, seconds=seconds)
        check(done, bench.count("ias.attempt_leases") - before, connections)
        return done

    def theirs(connections: int, seconds: int) -> Run:
        requests = [encode("POST", "/start", "", {"test_id": test_id, "paper_id": test_id})]
        before = bench.count("bare_leases")
        expected = Expected(201, '"id":')
        done = load.run(servers, servers.bare, requests, expected, connections=connections, seconds=seconds)
        check(done, bench.count("bare_leases") - before, connections)
        return done

    return rows_of(name, bench.plan, ours, theirs)


def papers(bench: Bench) -> list[dict[str, Any]]:
    """The paper with an attempt token and with a login, and the answer that it has not changed."""
    servers, path = bench.servers, f"{bench.path}/questions"
    [candidate] = bench.next_candidates(1)
    login = servers.access_token(candidate)
    [started] = uvloop.run(herd(servers.api, [encode("POST", f"{bench.path}/start", login, {})]))[1]
    token = orjson.loads(started)["attempt_token"]
    [document] = uvloop.run(herd(servers.api, [encode("GET", path, token)]))[1]
    servers.paper_file.write_bytes(document)
    etag = bench.paper("etag")
    rows: list[dict[str, Any]] = []
    for name, credentials in (("attempt token", token), ("login", login)):
        whole = encode("GET", path, credentials)
        known = whole.replace(b"\r\n", f"\r\nIf-None-Match: {etag}\r\n".encode(), 1)
        for kind, request, status, bare in (
            ("paper", whole, 200, "/paper"),
            ("paper not changed", known, 304, "/unchanged"),
        ):

            def ours(connections: int, seconds: int, request: bytes = request, status: int = status) -> Run:
                expected = Expected(status)
                return load.run(
                    servers, servers.api, [request], expected, connections=connections, seconds=seconds
                )

            def theirs(connections: int, seconds: int, bare: str = bare, status: int = status) -> Run:
                request, expected = encode("GET", bare), Expected(status)
                return load.run(
                    servers, servers.bare, [request], expected, connections=connections, seconds=seconds
                )

            rows += rows_of(f"{kind}, {name}", bench.plan, ours, theirs)
    return rows


def submits(bench: Bench) -> list[dict[str, Any]]:
    """Submits of attempts with an answer to each question. They are graded before the answer."""
    servers = bench.servers

    def ours(connections: int, seconds: int) -> Run:
        attempts = answered_attempts(bench, bench.plan.submits * seconds + connections)
        requests = [
            encode("POST", f"{bench.path}/submit", token, {"attempt_id": str(attempt_id)})
            for attempt_id, token in attempts
        ]
        before = bench.count("ias.results")
        expected = Expected(200, '"status":"graded"', again=False)
        done = load.run(servers, servers.api, requests, expected, connections=connections, seconds=seconds)
        check(done, bench.count("ias.results") - before, connections)
        return done

    ours(bench.plan.connections, 1)
    runs = [ours(bench.plan.connections, bench.plan.seconds) for _ in range(bench.plan.rounds)]
    return [load.summary("submit of 100 answers", runs)]


def answered_attempts(bench: Bench, count: int) -> list[tuple[UUID, str]]:
    """Running attempts with their tokens."""
    content = bench.content
    paper_id = bench.paper("id")
    values = content.test_id, paper_id, bench.next_candidates(count), list(content.question_ids)
    tokens = AttemptTokens(Settings().secret_key.get_secret_value(), SystemClock())
    scope = AttemptScope(content.test_id)
    return [
        (id_, tokens.issue(AttemptGrant(AttemptRef(id_, user_id, scope), paper_id, 1, deadline_at)))
        for id_, user_id, deadline_at in bench.fetch(ANSWERED, *values)
    ]


def rows_of(name: str, plan: Plan, ours: Measured, theirs: Measured) -> list[dict[str, Any]]:
    """The product and the baseline in turns, after a shorter run of each."""
    for each in (ours, theirs):
        each(plan.connections, 2)
    pairs = [[each(plan.connections, plan.seconds) for each in (ours, theirs)] for _ in range(plan.rounds)]
    product, baseline = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    return [load.summary(name, product, baseline), load.summary(f"bare {name}", baseline)]


def at_once(bench: Bench) -> str:
    """Starts of different candidates at the same moment, each over a connection of its own."""
    servers, people = bench.servers, bench.next_candidates(bench.plan.herd)
    requests = [encode("POST", f"{bench.path}/start", servers.access_token(each), {}) for each in people]
    before = bench.count("ias.attempt_leases")
    sample, bodies = uvloop.run(herd(servers.api, requests))
    new, refused = bench.count("ias.attempt_leases") - before, sum(sample.refused.values())
    if refused or len({orjson.loads(body)["id"] for body in bodies}) != len(people) or new != len(people):
        raise SystemExit(f"{len(people)} started, {refused} were refused, {new} are in the database")
    return (
        f"{len(people):,} starts at once: none refused, {sample.per_second:,.0f} a second, p50"
        f" {sample.percentile(50):,.0f} ms, the last {sample.percentile(100):,.0f} ms, {sample.cpu_ms:.2f} ms"
        " of CPU of the API each"
    )


class Sitting:
    """What one candidate does, from the start to the result."""

    def __init__(self, bench: Bench, login: str) -> None:
        self._bench = bench
        self._login = login
        self._token = ""
        self._mine: dict[str, Any] = {}

    async def start(self, connection: Connection) -> None:
        attempt = orjson.loads(await self._call(connection, "POST", "start", self._login, {}))
        self._token, self._mine = attempt["attempt_token"], {"attempt_id": attempt["id"]}

    async def paper(self, connection: Connection) -> None:
        await self._call(connection, "GET", "questions", self._token)

    async def save(self, connection: Connection) -> None:
        for question_id in self._bench.content.question_ids[:SAVES]:
            response = {
                "question_id": str(question_id),
                "revision": 1,
                "answer": ["b"],
                "time_spent_ms": 5000,
            }
            body = {**self._mine, "lease": 1, "responses": [response]}
            await self._call(connection, "POST", "responses", self._token, body)

    async def submit(self, connection: Connection) -> None:
        await self._call(connection, "POST", "submit", self._token, self._mine)

    async def result(self, connection: Connection) -> None:
        result = orjson.loads(await self._call(connection, "GET", "results", self._login))
        if result["correct"] != SAVES:
            raise SystemExit(f"{SAVES} right answers were saved, the result has {result['correct']}")

    async def _call(
        self, connection: Connection, method: str, name: str, token: str, body: object = None
    ) -> bytes:
        request = encode(method, f"{self._bench.path}/{name}", token, body)
        status, answer = await connection.exchange(request)
        if status not in (200, 201):
            raise SystemExit(f"{name} was answered {status}: {answer.decode()}")
        return answer


STEPS: Mapping[str, Callable[[Sitting, Connection], Awaitable[None]]] = {
    "start": Sitting.start,
    "paper": Sitting.paper,
    f"{SAVES} saves": Sitting.save,
    "submit": Sitting.submit,
    "result": Sitting.result,
}


def whole_sittings(bench: Bench) -> Table:
    """What each step of a sitting costs. All candidates take one step before the next."""
    servers = bench.servers
    sittings = [Sitting(bench, servers.access_token(each)) for each in bench.next_candidates(WHOLE_SITTINGS)]
    title = f"{WHOLE_SITTINGS} sittings, {AT_ONCE} at a time: ms of CPU of each"
    shown = Table("step", "API", "PostgreSQL", title=title, box=SIMPLE)
    totals = [0.0, 0.0]
    for name, step in STEPS.items():
        api, database = servers.api.cpu_seconds(), cpu_of_database(servers)
        uvloop.run(all_take(bench, sittings, step))
        api, database = servers.api.cpu_seconds() - api, cpu_of_database(servers) - database
        costs = [1000 * seconds / WHOLE_SITTINGS for seconds in (api, database)]
        totals = [total + cost for total, cost in zip(totals, costs, strict=True)]
        shown.add_row(name, *(f"{cost:.2f}" for cost in costs))
    shown.add_row(f"all: {sum(totals):.1f}", *(f"{total:.2f}" for total in totals))
    return shown


async def all_take(
    bench: Bench, sittings: Sequence[Sitting], step: Callable[[Sitting, Connection], Awaitable[None]]
) -> None:
    left = iter(sittings)

    async def take() -> None:
        async with Connection(bench.servers.api.port) as connection:
            for sitting in left:
                await step(sitting, connection)

    await asyncio.gather(*(take() for _ in range(AT_ONCE)))


def check(done: Run, new: int, connections: int) -> None:
    """Exit unless what was acknowledged is stored. wrk leaves its last requests without their answers."""
    if not done.answered <= new <= done.answered + 2 * connections:
        raise SystemExit(f"{done.answered} were acknowledged, {new} are in the database")


if __name__ == "__main__":
    typer.run(main)
