"""Many graded attempts at one test, written by COPY: each candidate answers at random, and is graded."""

import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.ids import uuid7
from app.engine.answers import answer_of
from app.services.components import Components
from app.services.tests.papers import CompiledKey
from app.services.unit_of_work import reading
from tests.builders.content import LETTERS, PublishedTest

CHUNK = 5_000
_ANSWERS = (*([letter] for letter in LETTERS), None)
_HISTOGRAM = """
    insert into ias.score_counts (cohort_id, numerator, denominator, candidates)
    select cohort_id, score_numerator, score_denominator, count(*)
    from ias.results where counted group by 1, 2, 3
    on conflict (cohort_id, numerator, denominator) do update set candidates = excluded.candidates
"""
_COLUMNS = {
    "users": ("id", "email", "name"),
    "attempts": (
        "id",
        "test_id",
        "paper_id",
        "user_id",
        "number",
        "practice",
        "status",
        "seed",
        "started_at",
        "deadline_at",
        "submitted_at",
        "closed_by",
    ),
    "results": (
        "attempt_id",
        "cohort_id",
        "user_id",
        "counted",
        "qualification",
        "key_id",
        "score_numerator",
        "score_denominator",
        "raw_numerator",
        "raw_denominator",
        "answers",
        "outcomes",
        "marks",
        "marks_denominator",
        "graded_at",
    ),
}


@dataclass(frozen=True)
class Crowd:
    """Candidates with a graded attempt each."""

    paper_id: UUID
    key: CompiledKey
    people: Sequence[UUID]
    now: datetime


async def crowd_of(parts: Components, made: PublishedTest, people: Sequence[UUID]) -> Crowd:
    """These candidates and the key of the test's only paper."""
    async with reading(parts.engine) as reads:
        paper_id = await reads.session.scalar(
            text("select id from ias.papers where test_id = :id"), {"id": made.id}
        )
        assert paper_id is not None
        key = await parts.papers.key(reads, (await reads.keys.current(paper_id)).id)
    return Crowd(paper_id, key, people, parts.clock.now())


async def add_people(engine: AsyncEngine, count: int) -> list[UUID]:
    """Users who have no account of the auth server."""
    people = [uuid4() for _ in range(count)]
    rows = [(user_id, f"{user_id.hex}@example.org", "Asha Rao") for user_id in people]
    await _copy(engine, {"users": rows})
    return people


async def add_graded_attempts(engine: AsyncEngine, made: PublishedTest, crowd: Crowd) -> AsyncIterator[int]:
    """Write an attempt and a result of each candidate. Yields how many have been written."""
    chance = random.Random(1)
    for first in range(0, len(crowd.people), CHUNK):
        people = crowd.people[first : first + CHUNK]
        rows: dict[str, list[tuple[Any, ...]]] = {"attempts": [], "results": []}
        for user_id in people:
            attempt_id = uuid7(crowd.now)
            rows["attempts"].append(_attempt(attempt_id, made, crowd, user_id))
            rows["results"].append(_result(attempt_id, crowd, user_id, chance))
        await _copy(engine, rows)
        yield first + len(people)


async def count_scores(engine: AsyncEngine) -> None:
    """Fill the histograms, and let PostgreSQL look at the tables."""
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text(_HISTOGRAM))
        await connection.execute(text("vacuum analyze"))


def _attempt(attempt_id: UUID, made: PublishedTest, crowd: Crowd, user_id: UUID) -> tuple[Any, ...]:
    begun, ended = crowd.now - timedelta(hours=3), crowd.now - timedelta(hours=1)
    place = attempt_id, made.id, crowd.paper_id, user_id, 1, False
    return *place, "graded", 1, begun, ended, ended, "candidate"


def _result(attempt_id: UUID, crowd: Crowd, user_id: UUID, chance: random.Random) -> tuple[Any, ...]:
    right = 1 + 6 * chance.random()
    weights = (right, 1, 1, 1, 1)
    answers = chance.choices(_ANSWERS, weights, k=len(crowd.key.rules.items))
    sheet = crowd.key.grader.grade([answer_of(answer) for answer in answers])
    return (
        attempt_id,
        crowd.key.cohort_id,
        user_id,
        True,
        sheet.qualification.value,
        crowd.key.id,
        sheet.score.numerator,
        sheet.score.denominator,
        sheet.raw.numerator,
        sheet.raw.denominator,
        orjson.dumps(answers).decode(),
        sheet.outcomes,
        " ".join(map(str, sheet.marks)),
        sheet.denominator,
        crowd.now,
    )


async def _copy(engine: AsyncEngine, rows: dict[str, list[tuple[Any, ...]]]) -> None:
    async with engine.begin() as connection:
        raw: Any = (await connection.get_raw_connection()).driver_connection
        for table, records in rows.items():
            await raw.copy_records_to_table(
                table, schema_name="ias", columns=_COLUMNS[table], records=records
            )
