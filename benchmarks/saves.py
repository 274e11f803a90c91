"""`python -m benchmarks saves`: saves of one answer by thousands of candidates, beside two baselines.

*bare* is Starlette and asyncpg with one insert and no checks (`benchmarks/bare.py`), *plain* is FastAPI with
SQLAlchemy's ORM (`benchmarks/plain.py`). The three take turns. `wrk` sends the requests, because a client in
Python would take more of the two cores than the servers; `apt install wrk`. Each answer is checked, and
everything that was acknowledged must be in the database afterwards.
"""

import itertools
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from math import nan
from pathlib import Path
from statistics import median
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import jwt
import orjson
import typer
import uvloop
from pydantic import SecretStr
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from app.config import Settings
from app.core.attempt_scope import AttemptRef, AttemptScope
from app.core.clock import SystemClock
from app.core.ids import uuid7
from app.core.tokens import AttemptGrant, AttemptTokens
from app.database import create_engine
from app.models import Attempt, AttemptStatus
from app.services.unit_of_work import unit_of_work
from benchmarks.client import Server
from benchmarks.content import Content, make_content
from benchmarks.stage import PLAIN_SECRET, Stage, plain_server, stage

SCRIPT = Path(__file__).with_suffix(".lua")
CLOCK_TICK = os.sysconf("SC_CLK_TCK")

console = Console(highlight=False, width=140)


@dataclass(frozen=True)
class Target:
    """A server, its path, the candidates that save there, and the statement that counts the rows stored."""

    name: str
    server: Server
    path: str
    candidates: Path
    count_statement: str
    sent: Iterator[int] = field(default_factory=lambda: itertools.count(0, 10_000_000))
    """The number of the first request of each run: no two runs send the same answer."""


@dataclass(frozen=True)
class Run:
    """One run of a target. Latencies are in milliseconds, and so is the CPU time of a save."""

    per_second: float
    p50: float
    p99: float
    longest: float
    api_cpu: float
    database_cpu: float
    memory_mb: float


@dataclass(frozen=True)
class Plan:
    """How often each server is measured, and for how long."""

    rounds: int
    seconds: int


def main(
    candidates: Annotated[int, typer.Option(min=1)] = 1_000,
    connections: Annotated[list[int] | None, typer.Option(min=1)] = None,
    seconds: Annotated[int, typer.Option(min=1, max=60, help="Length of one measurement.")] = 5,
    rounds: Annotated[int, typer.Option(min=1, max=20)] = 3,
    pool_size: Annotated[int, typer.Option(min=1, help="Connections to PostgreSQL.")] = 20,
    folder: Annotated[Path | None, typer.Option(help="The folder for the database, on a real disk.")] = None,
    json: Annotated[Path | None, typer.Option(help="A file to which the figures are written too.")] = None,
) -> None:
    """Measure saves."""
    if not shutil.which("wrk"):
        raise SystemExit("This benchmark needs the program wrk: apt install wrk")
    with stage(folder, pool_size) as servers, plain_server(servers) as plain:
        home = servers.paper_file.parent
        content, attempts = uvloop.run(made_attempts(servers, candidates))
        uvloop.run(add_plain_attempts(servers))
        targets = targets_of(servers, plain, content, attempts, home)
        plan = Plan(rounds, seconds)
        figures: list[dict[str, Any]] = []
        for count in connections or (64, 512):
            figures += measured(servers, targets, plan, count)
            console.print(table(figures))
    if json:
        json.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2) + b"\n")


async def made_attempts(servers: Stage, count: int) -> tuple[Content, Sequence[Attempt]]:
    """A test of 100 questions, and attempts of different candidates at it."""
    content = await make_content(servers.database_url, count)
    engine = create_engine(Settings(database_url=SecretStr(servers.database_url)), pool_size=1)
    now = datetime.now(UTC)
    async with unit_of_work(engine) as uow:
        paper = text("select id from ias.papers where test_id = :test_id")
        paper_id = (await uow.session.execute(paper, {"test_id": content.test_id})).scalar_one()
        attempts = [
            Attempt(
                id=uuid7(now),
                test_id=content.test_id,
                paper_id=paper_id,
                user_id=user_id,
                number=1,
                practice=False,
                seed=1,
                lease=1,
                status=AttemptStatus.IN_PROGRESS,
                started_at=now,
                deadline_at=now + timedelta(hours=2),
            )
            for user_id in content.candidates
        ]
        uow.session.add_all(attempts)
    await engine.dispose()
    return content, attempts


def targets_of(
    servers: Stage, plain: Server, content: Content, attempts: Sequence[Attempt], home: Path
) -> list[Target]:
    """The three servers, in the order in which they take turns."""
    tokens = AttemptTokens(Settings().secret_key.get_secret_value(), SystemClock())
    scope = AttemptScope(content.test_id)
    path = f"/v1/tests/{content.test_id}/responses"
    (home / "questions").write_text("\n".join(map(str, content.question_ids)))

    def issued(attempt: Attempt) -> str:
        ref = AttemptRef(attempt.id, attempt.user_id or UUID(int=0), scope)
        return tokens.issue(AttemptGrant(ref, attempt.paper_id, 1, attempt.deadline_at))

    def signed(attempt: Attempt) -> str:
        return jwt.encode({"sub": str(attempt.user_id)}, PLAIN_SECRET, "HS256")

    def candidates(name: str, token_of: Callable[[Attempt], str]) -> Path:
        file = home / name
        file.write_text("".join(f"{token_of(attempt)} {attempt.id} 1\n" for attempt in attempts))
        return file

    ours, theirs = candidates("candidates", issued), candidates("plain-candidates", signed)
    return [
        Target("product", servers.api, path, ours, "select count(*) from ias.response_events"),
        Target("bare", servers.bare, "/save", ours, "select count(*) from bare_events"),
        Target("plain", plain, "/plain", theirs, "select coalesce(sum(updates), 0) from plain_responses"),
    ]


async def add_plain_attempts(servers: Stage) -> None:
    """The attempts as the plain server stores them."""
    connection = await asyncpg.connect(servers.database_url)
    await connection.execute("insert into plain_attempts select id, user_id, 'in_progress' from ias.attempts")
    await connection.close()


def measured(servers: Stage, targets: Sequence[Target], plan: Plan, connections: int) -> list[dict[str, Any]]:
    """The medians of all rounds of each server, and the ratios to the baselines."""
    runs: dict[str, list[Run]] = {target.name: [] for target in targets}
    for target in targets:
        run(servers, target, connections, 2)
    for _ in range(plan.rounds):
        for target in targets:
            runs[target.name].append(run(servers, target, connections, plan.seconds))
    rows = []
    for name, of_name in runs.items():
        figures = {each.name: median(getattr(one, each.name) for one in of_name) for each in fields(Run)}
        for baseline in ("bare", "plain"):
            pairs = zip(of_name, runs[baseline], strict=True)
            ratio = median(ours.per_second / theirs.per_second for ours, theirs in pairs)
            figures[f"of_{baseline}"] = ratio
        rows.append({"connections": connections, "name": name, **figures})
    return rows


def run(servers: Stage, target: Target, connections: int, seconds: int, *, rest_ms: int = 0) -> Run:
    """Send saves for some seconds, and check that the database has what was acknowledged.

    Each connection rests before each request, for `rest_ms` in the mean.
    """
    address = f"http://127.0.0.1:{target.server.port}"
    questions = target.candidates.with_name("questions")
    command = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{seconds}s",
        "--latency",
        "--timeout",
        "20s",
        "-s",
        str(SCRIPT),
        address,
    ]
    arguments = [target.path, str(target.candidates), str(questions), str(next(target.sent)), str(rest_ms)]
    stored = uvloop.run(_count(servers, target))
    api, database = target.server.cpu_seconds(), cpu_of_database(servers)
    output = subprocess.run([*command, "--", *arguments], capture_output=True, text=True, check=True).stdout
    api, database = target.server.cpu_seconds() - api, cpu_of_database(servers) - database
    line = output.rpartition("\n@ ")[2].split(maxsplit=8)
    micros, saved, refused, failed, p50, p99, longest, _ = map(int, line[:8])
    if refused or failed:
        raise SystemExit(f"{target.name}: {refused} answers are wrong, {failed} failed: {line[8:]}\n{output}")
    new = uvloop.run(_count(servers, target)) - stored
    # wrk leaves requests without reading their answers, at the end of this run and of the one before.
    if not saved <= new <= saved + 2 * connections:
        raise SystemExit(f"{target.name}: {saved} saves were acknowledged, {new} are in the database")
    # No save was acknowledged, as can happen to the plain server on a busy machine. Count one, so that ratios
    # to it stay finite.
    if not saved:
        return Run(1e6 / micros, seconds * 1000, seconds * 1000, seconds * 1000, nan, nan, nan)
    return Run(
        per_second=saved / micros * 1e6,
        p50=p50 / 1000,
        p99=p99 / 1000,
        longest=longest / 1000,
        api_cpu=1000 * api / new,
        database_cpu=1000 * database / new,
        memory_mb=memory_of(target.server.pid),
    )


async def _count(servers: Stage, target: Target) -> int:
    connection = await asyncpg.connect(servers.database_url)
    count = int(await connection.fetchval(target.count_statement))
    await connection.close()
    return count


def cpu_of_database(servers: Stage) -> float:
    """The CPU seconds of all processes of PostgreSQL, those that have ended included."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            fields_of = stat.read_text().rpartition(")")[2].split()
            if int(stat.parent.name) == servers.database_pid:
                ticks += sum(map(int, fields_of[11:15]))
            elif int(fields_of[1]) == servers.database_pid:
                ticks += sum(map(int, fields_of[11:13]))
    return ticks / CLOCK_TICK


def memory_of(pid: int) -> float:
    """The resident memory of a process in megabytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1000


def table(figures: Sequence[dict[str, Any]]) -> Table:
    """The figures for people."""
    headings = ("per second", "p50 ms", "p99 ms", "longest ms", "CPU ms, API", "CPU ms, PostgreSQL", "MB")
    shown = Table("connections", "server", box=SIMPLE)
    for heading in (*headings, "of bare", "of plain"):
        shown.add_column(heading, justify="right")
    for row in figures:
        cells = [
            f"{row[each.name]:,.{0 if index in (0, 6) else 3 if index in (4, 5) else 1}f}"
            for index, each in enumerate(fields(Run))
        ]
        shown.add_row(
            str(row["connections"]), row["name"], *cells, f"{row['of_bare']:.2f}", f"{row['of_plain']:.2f}"
        )
    return shown


if __name__ == "__main__":
    typer.run(main)
