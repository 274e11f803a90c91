"""`python -m benchmarks.revisions`: a key revision of 100,000 attempts while candidates read and save.

A process of its own carries out the revision. All the time candidates ask for their results and for the
leaderboard, and others save answers. Each answer must be the one before the revision or the one after it,
byte for byte: a mixture of two keys would be neither. The exit code is 1 if there was one.
"""

import asyncio
import itertools
import json
import os
import resource
import sys
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID, uuid4

import orjson
import typer
import uvloop
from pydantic import SecretStr
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from app.cli.progress import shown_progress
from app.config import Settings
from app.services.components import Components
from app.services.keys import carrying_out, publication, revisions
from app.services.keys.changes import KeyChange
from app.services.keys.revisions import RevisionDraft
from app.services.unit_of_work import unit_of_work
from app.services.users import operator
from app.startup import open_components
from benchmarks.client import Connection, Sample, Server, encode, herd
from benchmarks.stage import Stage, stage
from tests.builders.content import PublishedTest, publish_test
from tests.builders.graded_attempts import add_graded_attempts, add_people, count_scores, crowd_of

QUESTIONS = 100
READERS, SITTERS = 40, 20
READING, SAVING = 4, 2
"""Connections."""
PAUSE = 0.2
"""Seconds between an answer and the next request of its connection."""
SLOW = 0.5
POLL = 0.2

console = Console(highlight=False, width=120)


@dataclass(frozen=True)
class Content:
    """The test, those whose results are read, and those who still sit it."""

    made: PublishedTest
    readers: Sequence[UUID]
    sitters: Sequence[UUID]


@dataclass
class Traffic:
    """The latencies of reads and saves, and the digests of the answers by request."""

    reads: Sample = field(default_factory=Sample)
    saves: Sample = field(default_factory=Sample)
    seen: dict[bytes, list[bytes]] = field(default_factory=dict)


def main(
    attempts: Annotated[int, typer.Option(min=READERS, help="Graded attempts.")] = 100_000,
    seconds: Annotated[float, typer.Option(min=1, max=600, help="Reading and saving before it.")] = 20,
    folder: Annotated[Path | None, typer.Option(help="The folder for the database, on a real disk.")] = None,
    carry_out: Annotated[str | None, typer.Option(hidden=True, help="The process that does it.")] = None,
) -> None:
    """Measure a key revision, and what candidates notice of it."""
    if carry_out is not None:
        print(json.dumps(uvloop.run(carried_out(UUID(carry_out)))))
        return
    with console.status("Starting servers …"), stage(folder, 20) as servers:
        settings = Settings(database_url=SecretStr(servers.database_url))
        is_sound = uvloop.run(run(servers, settings, attempts, seconds))
    raise typer.Exit(0 if is_sound else 1)


async def carried_out(revision_id: UUID) -> dict[str, float]:
    """Carry out the revision in this process; what it took."""
    settings = Settings(database_url=SecretStr(os.environ["DATABASE_URL"]))
    async with open_components(settings, application_name="ias-benchmark-task", pool_size=3) as parts:
        began, cpu = time.perf_counter(), time.process_time()
        await carrying_out.publish_now(parts, revision_id, parts.clock.now())
        return {
            "seconds": time.perf_counter() - began,
            "cpu_seconds": time.process_time() - cpu,
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }


async def run(servers: Stage, settings: Settings, attempts: int, seconds: float) -> bool:
    """Fill the database, measure before and during the revision, and print the figures."""
    async with open_components(settings, application_name="ias-benchmark", pool_size=2) as parts:
        content = await fill(parts, attempts)
        reads = _reads(servers, content)
        before = await answers(servers.api, reads)
        calm, busy = Traffic(), Traffic()
        saves = await _saves(servers, content)
        await traffic(servers.api, reads, saves, calm, asyncio.create_task(asyncio.sleep(seconds)))
        revision_id = await published(parts, content)
        revising = asyncio.create_task(revised(parts, servers, revision_id))
        await traffic(servers.api, reads, saves, busy, revising)
        after = await answers(servers.api, reads)
    figures = await revising
    console.print(
        f"{attempts:,} attempts × {QUESTIONS} questions regraded in {figures['seconds']:.1f} s"
        f" ({figures['cpu_seconds']:.1f} s of our CPU), at most {figures['peak_mb']:.0f} MB;"
        f" load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )
    console.print(_table({"before": calm, "during": busy}))
    return _report(before, after, (calm, busy))


async def fill(parts: Components, attempts: int) -> Content:
    """Make a test and graded attempts at it."""
    async with unit_of_work(parts.engine) as uow:
        await uow.users.ensure_default_institute()
        await uow.attempts.ensure_partitions(parts.clock.now())
        keys = [["a"]] * QUESTIONS
        made = await publish_test(uow, keys, duration_seconds=7200, review="after_submit")
    readers, sitters = await _members(parts, READERS), await _members(parts, SITTERS)
    people = [*readers, *await add_people(parts.engine, attempts - READERS)]
    crowd = await crowd_of(parts, made, people)
    with shown_progress() as progress:
        async for done in add_graded_attempts(parts.engine, made, crowd):
            progress("Graded attempts", done, attempts)
    await count_scores(parts.engine)
    return Content(made, readers, sitters)


async def published(parts: Components, content: Content) -> UUID:
    """Try a revision of two questions, and ask for its publication."""
    ids, now = content.made.question_ids, parts.clock.now()
    changes = [KeyChange(ids[79], {"accepted": [["b"]]}), KeyChange(ids[10], {"dropped": True})]
    async with unit_of_work(parts.engine) as uow:
        draft = RevisionDraft(changes, "Measured.")
        revision = (await revisions.create(uow, parts, operator(), content.made.id, draft, now)).revision
    began = time.perf_counter()
    async with unit_of_work(parts.engine) as uow:
        await revisions.compute(uow, parts, revision.id)
    console.print(f"Dry run: {time.perf_counter() - began:.1f} s")
    async with unit_of_work(parts.engine) as uow:
        await publication.publish(uow, operator(), content.made.id, revision.number, now)
    return revision.id


async def revised(parts: Components, servers: Stage, revision_id: UUID) -> dict[str, float]:
    """Carry out the revision in another process, and show its progress."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.revisions", "--carry-out", str(revision_id)),
        env={**os.environ, "DATABASE_URL": servers.database_url},
        stdout=asyncio.subprocess.PIPE,
    )
    output = asyncio.create_task(process.communicate())
    with shown_progress() as progress:
        while not output.done():
            state = await carrying_out.progress_of(parts, revision_id)
            progress("Regraded", state.done, state.total)
            await asyncio.wait([output], timeout=POLL)
    if process.returncode:
        raise SystemExit("the revision failed")
    return dict(json.loads((await output)[0]))


async def answers(server: Server, requests: Sequence[bytes]) -> Mapping[bytes, bytes]:
    """The digest of the answer to each request, one after the other."""
    found = {}
    async with Connection(server.port) as connection:
        for request in requests:
            status, body = await connection.exchange(request)
            if status != 200:
                raise SystemExit(f"{status} {body.decode(errors='replace')}")
            found[request] = _digest(body)
    return found


async def traffic(
    server: Server,
    reads: Sequence[bytes],
    saves: Iterator[bytes],
    traffic: Traffic,
    during: "asyncio.Task[Any]",
) -> None:
    """Read and save until the task is done."""
    again = itertools.cycle(reads)

    async def read(connection: Connection) -> None:
        request = next(again)
        body = await _timed(connection, request, traffic.reads)
        traffic.seen.setdefault(request, []).append(_digest(body))

    async def save(connection: Connection) -> None:
        await _timed(connection, next(saves), traffic.saves)

    async def one(act: Any) -> None:
        async with Connection(server.port) as connection:
            while not during.done():
                await act(connection)
                await asyncio.wait([during], timeout=PAUSE)

    await asyncio.gather(*(one(read) for _ in range(READING)), *(one(save) for _ in range(SAVING)))


def _reads(servers: Stage, content: Content) -> list[bytes]:
    paths = (
        f"/v1/tests/{content.made.id}/results",
        f"/v1/analytics/leaderboard?test_id={content.made.id}",
        f"/v1/analytics/leaderboard?test_id={content.made.id}&around_me=true",
    )
    tokens = [servers.access_token(person) for person in content.readers]
    return [encode("GET", path, token) for token in tokens for path in paths]


async def _saves(servers: Stage, content: Content) -> Iterator[bytes]:
    """Start the attempts of those who sit. Returns saves of one answer each, without end."""
    path = f"/v1/tests/{content.made.id}"
    starts = [encode("POST", f"{path}/start", servers.access_token(each), {}) for each in content.sitters]
    _, bodies = await herd(servers.api, starts)
    begun = [orjson.loads(_plain(body)) for body in bodies]
    return (
        encode("POST", f"{path}/responses", each["attempt_token"], _save(each, question_id, revision))
        for revision in itertools.count(1)
        for question_id in content.made.question_ids
        for each in begun
    )


def _save(attempt: Mapping[str, Any], question_id: UUID, revision: int) -> dict[str, Any]:
    response = {"question_id": str(question_id), "revision": revision, "answer": ["b"], "time_spent_ms": 5000}
    return {"attempt_id": attempt["id"], "lease": attempt["lease"], "responses": [response]}


async def _members(parts: Components, count: int) -> list[UUID]:
    people = [uuid4() for _ in range(count)]
    async with unit_of_work(parts.engine) as uow:
        for user_id in people:
            await uow.users.add(user_id, f"{user_id.hex}@example.org", "Asha Rao")
    return people


async def _timed(connection: Connection, request: bytes, sample: Sample) -> bytes:
    began = time.perf_counter()
    status, body = await connection.exchange(request)
    sample.note(status, time.perf_counter() - began)
    return body


def _plain(body: bytes) -> bytes:
    return zlib.decompress(body, wbits=31) if body[:2] == b"\x1f\x8b" else body


def _digest(body: bytes) -> bytes:
    return blake2b(_plain(body), digest_size=16).digest()


def _table(rows: Mapping[str, Traffic]) -> Table:
    table = Table("Requests", box=SIMPLE)
    for heading in ("number", "p50 ms", "p99 ms", "slowest ms", f"above {SLOW:.1f} s", "refused"):
        table.add_column(heading, justify="right")
    for when, traffic in rows.items():
        for what, sample in (("reads", traffic.reads), ("saves", traffic.saves)):
            table.add_row(
                f"{what} {when}",
                f"{len(sample.latencies):,}",
                *(f"{sample.percentile(percent):.0f}" for percent in (50, 99, 100)),
                str(sum(latency > SLOW for latency in sample.latencies)),
                str(sum(sample.refused.values()) or ""),
            )
    return table


def _report(before: Mapping[bytes, bytes], after: Mapping[bytes, bytes], seen: Sequence[Traffic]) -> bool:
    """Count the answers by the key that they show."""
    digests = [(request, digest) for each in seen for request, all_ in each.seen.items() for digest in all_]
    by_old = sum(digest == before[request] for request, digest in digests)
    by_new = sum(digest == after[request] for request, digest in digests)
    unchanged = sum(before[request] == after[request] == digest for request, digest in digests)
    mixed = len(digests) - by_old - by_new + unchanged
    console.print(
        f"Answers with the figures before the revision: {by_old:,}, after it: {by_new:,}, neither: {mixed:,}."
    )
    return mixed == 0


if __name__ == "__main__":
    typer.run(main)
