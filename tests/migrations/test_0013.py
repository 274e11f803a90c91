"""Migration 0013 on a test that was published again with other marks: two histograms, and a way back."""

import json
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.migrations.conftest import downgrade, rows, upgrade

COUNTED = text("""
    select cohort_id, score_numerator as numerator, score_denominator as denominator, count(*) as candidates
    from ias.results where counted group by 1, 2, 3 order by 1, 2, 3
""")
PAPER = "select test_id, rules from ias.papers where id = :id"
STORED = text("""
    select cohort_id, numerator, denominator, candidates from ias.score_counts
    where candidates > 0 order by 1, 2, 3
""")
TAKEN_TWICE = """
    select attempts.paper_id from ias.attempts join ias.results on results.attempt_id = attempts.id
    where counted and exam_paper_id is null group by attempts.paper_id having count(*) > 1 limit 1
"""
AGAIN = """
    insert into ias.papers
    select (jsonb_populate_record(papers, cast(:changes as jsonb))).* from ias.papers where id = :paper_id
"""


STEPS = (
    """
    insert into ias.paper_keys (id, paper_id, number, key)
    select :key, :paper, 1, key from ias.paper_keys where paper_id = :first
    """,
    """
    update ias.attempts set paper_id = :paper where id = (
      select attempt_id from ias.results join ias.attempts on attempts.id = attempt_id
      where counted and paper_id = :first limit 1)
    """,
    """
    update ias.results set key_id = :key
    where attempt_id in (select id from ias.attempts where paper_id = :paper)
    """,
)


@pytest.fixture
async def published_again(owner: AsyncEngine) -> dict[str, str]:
    """One attempt of a test belongs to its second version, in which a right answer earns nine marks."""
    await upgrade(owner, "0012")
    ids = {"paper": "00000000-0000-7000-8000-0000000000f1", "key": "00000000-0000-7000-8000-0000000000f2"}
    async with owner.begin() as connection:
        first = await connection.scalar(text(TAKEN_TWICE))
        assert first is not None
        row = (await connection.execute(text(PAPER), {"id": first})).one()
        for question in row.rules["questions"]:
            question["marks"]["correct"] = "9"
        changes = {"id": ids["paper"], "version": 2, "rules": row.rules}
        await connection.execute(text(AGAIN), {"changes": json.dumps(changes), "paper_id": first})
        for step in STEPS:
            await connection.execute(text(step), {**ids, "first": first})
    return {**ids, "test": str(row.test_id)}


async def test_each_marking_has_its_histogram_and_the_way_back_joins_them(
    owner: AsyncEngine, published_again: dict[str, str]
) -> None:
    before = await histogram(owner)
    assert before == await histogram(owner, COUNTED)
    await upgrade(owner)
    keys = {row["id"]: row for row in await rows(owner, "paper_keys", "id")}
    mine = [
        row for row in await rows(owner, "results", "attempt_id") if row["key_id"] == published_again["key"]
    ]
    cohort_id = keys[published_again["key"]]["cohort_id"]
    assert [row["cohort_id"] for row in mine] == [cohort_id]
    assert cohort_id != published_again["test"]
    assert await histogram(owner) == await histogram(owner, COUNTED) != before
    others = {row["cohort_id"] for key_id, row in keys.items() if key_id != published_again["key"]}
    assert published_again["test"] in others
    await downgrade(owner, "0012")
    assert await histogram(owner) == before


async def histogram(engine: AsyncEngine, statement: Any = STORED) -> list[tuple[Any, ...]]:
    async with engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(statement)]
