"""`python -m benchmarks extending`: all attempts of an exam are extended by one call while they save.

`wrk` saves over 64 connections. In turns: saves alone, and saves during which staff extend every attempt over
HTTP, in the same API process. The baseline of the call is one statement that updates each attempt once. Each
answer is checked, and so is the deadline of every attempt.
"""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated
from uuid import UUID, uuid4

import asyncpg
import orjson
import typer
from pydantic import SecretStr
from sqlalchemy import text

from app.config import Settings
from app.core.attempt_scope import AttemptRef, AttemptScope
from app.core.clock import SystemClock
from app.core.tokens import AttemptGrant, AttemptTokens
from app.models import DEFAULT_INSTITUTE_ID
from app.services.unit_of_work import unit_of_work
from app.startup import open_components
from benchmarks.client import Connection, encode
from benchmarks.content import PEOPLE
from benchmarks.exams import fill
from benchmarks.saves import Run, Target, cpu_of_database, run
from benchmarks.stage import Stage, stage

SECONDS = 60
ADMIN = text("update ias.memberships set role = 'admin' where user_id = :id")
SITTINGS = """
select id, test_id, exam_paper_id, user_id, paper_id, deadline_at from ias.attempts order by id
"""
BARE = "update ias.attempts set updated_at = now()"


@dataclass(frozen=True)
class Call:
    """One extension: milliseconds of an attempt, of it CPU of the API and of PostgreSQL, and the saves.

    `alone` is the time of one more extension, while nobody saves.
    """

    each: float
    alone: float
    api_cpu: float
    database_cpu: float
    bare: float
    saves: Run


def main(
    attempts: Annotated[int, typer.Option(min=1)] = 10_000,
    connections: Annotated[int, typer.Option(min=1)] = 64,
    rounds: Annotated[int, typer.Option(min=1)] = 3,
    folder: Annotated[Path | None, typer.Option(help="The folder for the database, on a real disk.")] = None,
) -> None:
    """Measure extensions of a whole exam."""
    with stage(folder, pool_size=20) as servers:
        exam_id, login = asyncio.run(_hall(servers, attempts))
        target = asyncio.run(_target(servers, exam_id))
        alone, calls = [], []
        for _ in range(rounds):
            alone.append(run(servers, target, connections, 4))
            calls.append(_extend(servers, target, connections, (exam_id, login, attempts)))
        asyncio.run(_check(servers, attempts, 2 * rounds))
    print(
        f"{attempts:,} attempts extended: {median(call.each for call in calls):.3f} ms each,"
        f" {median(call.each / call.bare for call in calls):.1f} x one UPDATE"
        f" ({median(call.bare for call in calls):.3f} ms);"
        f" while nobody saves {median(call.alone for call in calls):.3f} ms;"
        f" CPU with the saves beside it {median(call.api_cpu for call in calls):.3f} ms of the API,"
        f" {median(call.database_cpu for call in calls):.3f} of PostgreSQL"
    )
    _show("saves alone", alone)
    _show("saves during an extension", [call.saves for call in calls])


def _show(name: str, runs: Sequence[Run]) -> None:
    per_second, p50, p99, longest = (
        median(getattr(each, figure) for each in runs) for figure in ("per_second", "p50", "p99", "longest")
    )
    print(f"{name}: {per_second:,.0f} a second, p50 {p50:.0f}, p99 {p99:.0f}, longest {longest:.0f} ms")


async def _hall(servers: Stage, count: int) -> tuple[UUID, str]:
    """An exam in which so many candidates sit; its id, and the login of an admin."""
    staff = uuid4()
    settings = Settings(database_url=SecretStr(servers.database_url))
    async with open_components(settings, application_name="ias-benchmark", pool_size=4) as parts:
        async with unit_of_work(parts.engine) as uow:
            await uow.users.ensure_default_institute()
            await uow.attempts.ensure_partitions(parts.clock.now())
            await uow.session.execute(PEOPLE, {"ids": [staff], "institute_id": DEFAULT_INSTITUTE_ID})
            await uow.session.execute(ADMIN, {"id": staff})
        exam_id, _ = await fill(parts, count)
    return exam_id, servers.access_token(staff)


async def _target(servers: Stage, exam_id: UUID) -> Target:
    """Saves of all candidates; the numbers begin after the answers that `fill` has stored."""
    home = servers.paper_file.parent
    tokens = AttemptTokens(Settings().secret_key.get_secret_value(), SystemClock())
    connection = await asyncpg.connect(servers.database_url)
    rows = await connection.fetch(SITTINGS)
    questions = await connection.fetch("select question_id from ias.test_questions")
    await connection.close()
    (home / "questions").write_text("\n".join(str(row["question_id"]) for row in questions))
    lines = []
    for row in rows:
        ref = AttemptRef(row["id"], row["user_id"], AttemptScope(row["test_id"], row["exam_paper_id"]))
        token = tokens.issue(AttemptGrant(ref, row["paper_id"], 1, row["deadline_at"]))
        lines.append(f"{token} {row['id']} 1\n")
    (home / "candidates").write_text("".join(lines))
    path = f"/v1/exams/{exam_id}/papers/{rows[0]['exam_paper_id']}/responses"
    first = len(rows) * len(questions)
    sent = iter(range(first, 1 << 60, 100 * first))
    return Target(
        "product", servers.api, path, home / "candidates", "select count(*) from ias.response_events", sent
    )


def _extend(servers: Stage, target: Target, connections: int, hall: tuple[UUID, str, int]) -> Call:
    """Extend while candidates save, and update each row once when they have ended."""
    _, _, count = hall
    with ThreadPoolExecutor(1) as pool:
        saving = pool.submit(run, servers, target, connections, 8)
        time.sleep(2)
        api, database = servers.api.cpu_seconds(), cpu_of_database(servers)
        seconds = asyncio.run(_call(servers, hall))
        api, database = servers.api.cpu_seconds() - api, cpu_of_database(servers) - database
        saves = saving.result()
    alone, bare, each = asyncio.run(_call(servers, hall)), asyncio.run(_bare(servers)), 1000 / count
    return Call(seconds * each, alone * each, api * each, database * each, bare * each, saves)


async def _call(servers: Stage, hall: tuple[UUID, str, int]) -> float:
    exam_id, login, count = hall
    body = {"attempt_ids": "all", "seconds": SECONDS, "reason": "benchmark", "again": True}
    request = encode("POST", f"/v1/exams/{exam_id}/attempts/extend", login, body)
    async with Connection(servers.api.port) as connection:
        began = time.perf_counter()
        status, answer = await connection.exchange(request)
        seconds = time.perf_counter() - began
    if status != 200 or orjson.loads(answer)["changed"] != count:
        raise SystemExit(f"{status} {answer[:300]!r}")
    return seconds


async def _bare(servers: Stage) -> float:
    connection = await asyncpg.connect(servers.database_url)
    began = time.perf_counter()
    await connection.execute(BARE)
    seconds = time.perf_counter() - began
    await connection.close()
    return seconds


async def _check(servers: Stage, attempts: int, extensions: int) -> None:
    """Each attempt must have all extensions."""
    connection = await asyncpg.connect(servers.database_url)
    extended = "select count(*) from ias.attempts where jsonb_array_length(additions) = $1"
    found = await connection.fetchval(extended, extensions)
    await connection.close()
    if found != attempts:
        raise SystemExit(f"{found} of {attempts} attempts have {extensions} extensions")


if __name__ == "__main__":
    typer.run(main)
