"""`python -m tests.faults.revisions --kills 50`: API and worker are killed while keys are revised.

Two tests have the same graded attempts. Each revision of one is carried out undisturbed, and the same
revision of the other while processes are killed (kill -9) at random moments of it. At the end of each,
results, histograms, ranks before and after, and counts of right answers must be the same.
"""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.config import get_settings
from app.services.components import Components
from app.services.keys import carrying_out, publication, revisions
from app.services.keys.changes import KeyChange
from app.services.keys.revisions import RevisionDraft
from app.services.unit_of_work import unit_of_work
from app.services.users import operator
from app.startup import open_components
from tests.builders.content import PublishedTest, publish_test
from tests.builders.graded_attempts import add_graded_attempts, add_people, count_scores, crowd_of
from tests.faults.servers import replaced
from tests.faults.system import System, environment_of, family, plain

QUESTIONS = 20
MAX_KILLS = 6
"""In one revision: a job is given up after 12 deliveries."""
POLL = 0.05
KILLED = ("worker", "worker", "api")
PATIENCE = 180.0

FIGURES = {
    "results": """
        select concat_ws('|', answers, outcomes, marks, marks_denominator, score_numerator, score_denominator,
          raw_numerator, raw_denominator, counted, qualification, results.cohort_id = paper_keys.cohort_id)
        from ias.attempts join ias.results on attempt_id = attempts.id
        join ias.paper_keys on paper_keys.id = key_id where test_id = :test_id
    """,
    "ranks": """
        select concat_ws('|', number, score_before, score_after, exact_before, exact_after, rank_before,
          rank_after, kept)
        from ias.revised_results join ias.key_revisions on key_revisions.id = revision_id
        where test_id = :test_id
    """,
    "histogram": """
        select concat_ws('|', numerator, denominator, candidates) from ias.score_counts
        where candidates > 0 and cohort_id in (
          select cohort_id from ias.results join ias.attempts on attempts.id = attempt_id
          where test_id = :test_id)
    """,
    "right answers": """
        select concat_ws('|', place, sum(results), sum(correct)) from (
          select cohort_id, results, place, counted.correct from ias.outcome_counts
          join ias.papers on papers.id = paper_id
          cross join unnest(outcome_counts.correct) with ordinality as counted (correct, place)
          where test_id = :test_id
        ) as by_question group by cohort_id, place having sum(results) > 0
    """,
    "revisions": """
        select concat_ws('|', number, state, regraded, to_regrade) from ias.key_revisions
        where test_id = :test_id
    """,
}
# So that the first report of the job that begins anew is noticed.
FORGET_PROGRESS = text("update ias.key_revisions set regraded = -1 where id = :id and state = 'publishing'")
IS_SILENT = text("select regraded = -1 and state = 'publishing' from ias.key_revisions where id = :id")
# As if the lease had ended: half a minute, which is not what is tested.
HURRY = text(
    """
    update ias.jobs set leased_until = now(), deliveries = 1
    where finished_at is null and task = 'publish_key_revision'
    """
)


@dataclass
class Kills:
    """What was killed, and how many revisions were in the middle of their work."""

    chance: Random
    wanted: int
    done: int = 0
    hits: list[str] = field(default_factory=list)


def main() -> int:
    """Revise and kill; 0 if the figures are the same."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.revisions", description=__doc__)
    parser.add_argument("--kills", type=int, default=6)
    parser.add_argument("--attempts", type=int, default=3_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ias-faults-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL runs as another user, if this one is root.
        kills = Kills(Random(arguments.seed), arguments.kills)
        problems = asyncio.run(_run(folder, kills, arguments.attempts))
    print(f"{kills.done} kills, {len(kills.hits)} in the middle of a revision", flush=True)
    print(*problems, sep="\n", file=sys.stderr)
    return int(bool(problems))


async def _run(folder: Path, kills: Kills, attempts: int) -> list[str]:
    problems = []
    async with plain(folder, None) as system:
        with environment_of(system):
            settings = get_settings()
            async with open_components(settings, application_name="ias-faults", pool_size=4) as parts:
                calm, disturbed = [await _filled(parts, attempts) for _ in range(2)]
                number = 0
                while kills.done < kills.wanted:
                    place, option = number % QUESTIONS, "bcd"[number // QUESTIONS % 3]
                    began = time.monotonic()
                    await carrying_out.publish_now(
                        parts, await _published(parts, calm, place, option), parts.clock.now()
                    )
                    seconds = time.monotonic() - began
                    revision_id = await _published(parts, disturbed, place, option)
                    await _disturb(system, parts, revision_id, kills, seconds)
                    number += 1
                    found = await _differences(parts, calm, disturbed)
                    problems += [f"revision {number}: {name} differ" for name in found]
                    print(f"revision {number}: {kills.done} kills, {found or 'the same figures'}", flush=True)
    return problems


async def _filled(parts: Components, attempts: int) -> PublishedTest:
    """A test with graded attempts; each has the same ones."""
    async with unit_of_work(parts.engine) as uow:
        made = await publish_test(uow, [["a"]] * QUESTIONS)
    crowd = await crowd_of(parts, made, await add_people(parts.engine, attempts))
    async for _ in add_graded_attempts(parts.engine, made, crowd):
        pass
    await count_scores(parts.engine)
    return made


async def _published(parts: Components, made: PublishedTest, position: int, option: str) -> UUID:
    draft = RevisionDraft([KeyChange(made.question_ids[position], {"accepted": [[option]]})], "Killed.")
    now = parts.clock.now()
    async with unit_of_work(parts.engine) as uow:
        revision = (await revisions.create(uow, parts, operator(), made.id, draft, now)).revision
    async with unit_of_work(parts.engine) as uow:
        await revisions.compute(uow, parts, revision.id)
    async with unit_of_work(parts.engine) as uow:
        await publication.publish(uow, operator(), made.id, revision.number, now)
    return revision.id


async def _disturb(
    system: System, parts: Components, revision_id: UUID, kills: Kills, seconds: float
) -> None:
    """Kill again and again while the revision is carried out, then let it be done."""
    here = 0
    while not await _is_published(parts, revision_id):
        if here == MAX_KILLS or kills.done == kills.wanted:
            await asyncio.sleep(POLL)
            continue
        await _execute(parts, FORGET_PROGRESS, id=revision_id)
        await _until_begun(parts, revision_id)
        await asyncio.sleep(kills.chance.uniform(0, 1.2 * seconds))
        name = kills.chance.choice(KILLED)
        before: Mapping[str, int | None] = {name: system.pid(name)}
        for pid in family(before[name] or 0):
            _kill(pid)
        here, kills.done = here + 1, kills.done + 1
        if not await _is_published(parts, revision_id):
            kills.hits.append(name)
        await replaced(system, before)
        await _execute(parts, HURRY)


async def _until_begun(parts: Components, revision_id: UUID) -> None:
    """Wait until the job has reported. One that had reported before may be done without another report."""
    async with asyncio.timeout(PATIENCE):
        while await _execute(parts, IS_SILENT, id=revision_id):  # noqa: ASYNC110 -- of another process
            await asyncio.sleep(POLL)


async def _is_published(parts: Components, revision_id: UUID) -> bool:
    return (await carrying_out.progress_of(parts, revision_id)).is_complete


async def _differences(parts: Components, *tests: PublishedTest) -> list[str]:
    """The figures that are not the same for both tests."""
    found = []
    for name, statement in FIGURES.items():
        lines = f"select md5(string_agg(line, ',' order by line)) from ({statement}) as figure (line)"
        digest = text(lines)
        values = {str(await _execute(parts, digest, test_id=made.id)) for made in tests}
        if len(values) > 1:
            found.append(name)
    return found


async def _execute(parts: Components, statement: Any, **values: object) -> Any:
    async with parts.engine.begin() as connection:
        result = await connection.execute(statement, values)
        return result.scalar() if result.returns_rows else None


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
