"""`python -m benchmarks.similarity`: the comparison of all pairs of answer sheets of a test, over HTTP.

2,392 made sheets of 100 questions, as many as the real admission test of docs/performance.md has: 2.86
million pairs. Each candidate is right with a probability of their own and wrong by a drawn option; one has
copied another's sheet. The admin's request is sent a few times, and `GET /v1/time` meanwhile.
"""

import asyncio
import statistics
import time
from pathlib import Path
from typing import Annotated
from uuid import UUID, uuid4

import orjson
import typer
from pydantic import SecretStr
from rich.console import Console
from sqlalchemy import text

from app.config import Settings
from app.services.components import Components
from app.services.unit_of_work import unit_of_work
from app.startup import open_components
from benchmarks.client import Connection, encode
from benchmarks.insight import CROWD, RESULTS
from benchmarks.stage import Stage, stage
from tests.builders.attempts import add_candidate, graded_attempt
from tests.builders.content import publish_test

QUESTIONS = 100
EVERY = 0.02

ANSWERS = """
    update ias.results set answers = drawn.answers, outcomes = drawn.outcomes
    from (
      select attempt_id,
        json_agg(case when is_right then '["a"]'::json else wrong end order by place) as answers,
        string_agg(case when is_right then 'c' else 'i' end, '' order by place) as outcomes
      from (
        select attempt_id, place, random() < ability as is_right,
          ('["' || substr('bcd', 1 + (random() * 2.999)::int % 3, 1) || '"]')::json as wrong
        from (select attempt_id, 0.2 + 0.7 * random() as ability from ias.results) as person
        cross join generate_series(1, 100) as place
      ) as answer
      group by attempt_id
    ) as drawn
    where drawn.attempt_id = results.attempt_id
"""
COPY = """
    update ias.results set answers = model.answers, outcomes = model.outcomes
    from (select answers, outcomes from ias.results order by attempt_id limit 1) as model
    where attempt_id = (select attempt_id from ias.results order by attempt_id desc limit 1)
"""

console = Console(highlight=False, width=120)


def main(
    participants: Annotated[int, typer.Option(min=100, max=5000)] = 2392,
    rounds: Annotated[int, typer.Option(min=1, max=20)] = 3,
    folder: Annotated[Path | None, typer.Option(help="The folder for the database, on a real disk.")] = None,
) -> None:
    """Fill a database, send the requests, and print their times."""
    with console.status("Starting servers …"), stage(folder, 20) as servers:
        asyncio.run(_run(servers, participants, rounds))


async def _run(servers: Stage, participants: int, rounds: int) -> None:
    settings = Settings(database_url=SecretStr(servers.database_url))
    async with open_components(settings, application_name="ias-benchmark", pool_size=2) as parts:
        test_id, admin = await _fill(parts, participants)
    request = encode("GET", f"/v1/analytics/tests/{test_id}/similarity", servers.access_token(admin))
    for _ in range(rounds):
        probe = asyncio.create_task(_probe(servers))
        async with Connection(servers.api.port) as connection:
            began, cpu = time.perf_counter(), servers.api.cpu_seconds()
            status, body = await connection.exchange(request)
            seconds = time.perf_counter() - began
        probe.cancel()
        latencies = (await asyncio.gather(probe, return_exceptions=True))[0]
        if status != 200:
            raise SystemExit(f"{status} {body.decode(errors='replace')}")
        found = orjson.loads(body)
        own = servers.api.cpu_seconds() - cpu
        console.print(
            f"{found['pairs']:,} pairs in {seconds:.1f} s, {found['flagged']} flagged;"
            f" {own:.2f} s of CPU in the API process itself; {latencies}"
        )


async def _probe(servers: Stage) -> str:
    """Ask for the time again and again until it is cancelled; what that took."""
    latencies = [0.0]
    try:
        async with Connection(servers.api.port) as connection:
            while True:
                began = time.perf_counter()
                await connection.exchange(encode("GET", "/v1/time"))
                latencies.append(1000 * (time.perf_counter() - began))
                await asyncio.sleep(EVERY)
    except asyncio.CancelledError:
        return f"time meanwhile p50 {statistics.median(latencies):.0f} ms, slowest {max(latencies):.0f} ms"


async def _fill(parts: Components, participants: int) -> tuple[UUID, UUID]:
    async with unit_of_work(parts.engine) as uow:
        await uow.users.ensure_default_institute()
        await uow.attempts.ensure_partitions(parts.clock.now())
        made = await publish_test(uow, [["a"]] * QUESTIONS)
        answers = {place: ["a"] for place in range(QUESTIONS)}
        like = await graded_attempt(
            uow, parts, await add_candidate(uow), made, answers, parts.clock.now(), time_spent_ms=4000
        )
        admin = uuid4()
        await uow.users.add(admin, f"{admin.hex}@example.org", "Admin")
        await uow.session.execute(
            text("update ias.memberships set role = 'admin' where user_id = :id"), {"id": admin}
        )
    async with unit_of_work(parts.engine) as uow:
        await uow.session.execute(text(CROWD), {"count": participants - 1, "like": like.id})
        await uow.session.execute(text(RESULTS), {"test_id": made.id, "like": like.id})
        await uow.session.execute(text(ANSWERS))
        await uow.session.execute(text(COPY))
    return made.id, admin


if __name__ == "__main__":
    typer.run(main)
