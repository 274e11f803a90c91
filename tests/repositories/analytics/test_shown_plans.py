"""What analytics and bookmarks read of one person, where many others have taken the same test."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, create_async_engine

from app.models import DEFAULT_INSTITUTE_ID
from app.repositories.base import PageRequest
from app.repositories.tests import Viewer
from app.services.unit_of_work import UnitOfWork
from tests.builders.attempts import add_candidate
from tests.builders.content import publish_test
from tests.builders.exams import add_exam
from tests.conftest import cloned_database
from tests.repositories.plan_nodes import Node, literal, nodes

NOW = datetime(2026, 6, 7, 4, 0, tzinfo=UTC)
CROWD, OWN = 3_000, 30
LARGE = ("attempts", "results", "attempt_figures", "score_counts", "bookmarks")

# The crowd has an attempt each, the person thirty. The scores of the crowd are spread over 300 values.
FILL = [
    """create temp table sitting as
       select gen_random_uuid() as id, gen_random_uuid() as user_id, 1 as number
       from generate_series(1, :crowd)
       union all select gen_random_uuid(), cast(:user_id as uuid), number
       from generate_series(1, :own) as number""",
    """insert into ias.users (id, email, name)
       select user_id, 'crowd@example.org', 'Crowd' from sitting where user_id <> :user_id""",
    """insert into ias.attempts (id, test_id, paper_id, user_id, number, practice, status, seed, started_at,
         deadline_at, submitted_at, closed_by)
       select id, :test_id, :paper_id, user_id, number, number > 1, 'graded', 1, :now, :now, :now, 'candidate'
       from sitting""",
    """insert into ias.results (attempt_id, cohort_id, user_id, counted, key_id, score_numerator,
         score_denominator, raw_numerator, raw_denominator, answers, outcomes, marks, marks_denominator,
         graded_at)
       select id, :test_id, user_id, number = 1, :key_id, 2, 1, 2, 1, '[]', 'ciu', '6 -2 0', 3, :now
       from sitting""",
    """insert into ias.attempt_figures (attempt_id, key_id, confidence, right_to_wrong, wrong_to_right,
         wrong_to_wrong, net_marks, subject_ids, sums, denominator)
       select id, :key_id, '---', 0, 0, 0, 0, '{}', '', 1 from sitting""",
    """insert into ias.score_counts (cohort_id, numerator, denominator, candidates)
       select :test_id, score, 1, 10 from generate_series(1, 300) as score
       union all select gen_random_uuid(), 1, 1, 1 from generate_series(1, 3000)""",
    """insert into ias.bookmarks (id, user_id, question_id)
       select gen_random_uuid(), user_id, question_id
       from sitting cross join ias.paper_questions where number = 1 and paper_id = :paper_id""",
]


@dataclass
class Stage:
    """A transaction that is never committed, and the plans of its statements."""

    connection: AsyncConnection
    uow: UnitOfWork
    viewer: Viewer
    test_id: UUID
    attempt_ids: list[UUID]

    async def plans(self, use: Any) -> list[Node]:
        """How PostgreSQL runs the statements of a call."""
        seen: list[tuple[str, tuple[Any, ...]]] = []

        def keep(_connection: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
            seen.append((statement, values))

        engine = self.connection.engine.sync_engine
        event.listen(engine, "before_cursor_execute", keep)
        await use
        event.remove(engine, "before_cursor_execute", keep)
        return [await self._explain(*each) for each in seen]

    async def _explain(self, statement: str, values: tuple[Any, ...]) -> Node:
        run = self.connection.exec_driver_sql
        await run(f"prepare planned as {statement}")
        literals = f"({', '.join(map(literal, values))})" if values else ""
        [[answer]] = (
            await run(f"explain (analyze, timing off, format json) execute planned{literals}")
        ).all()
        await run("deallocate planned")
        plan: Node = (orjson.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"]
        return plan


@pytest.fixture(scope="module")
def fresh_url(superuser_url: str, template: str) -> Iterator[str]:
    with cloned_database(superuser_url, template) as url:
        yield url


@pytest.fixture(params=[False, True], ids=["not analyzed", "analyzed"])
async def stage(fresh_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    engine = create_async_engine(fresh_url.replace("postgresql:", "postgresql+asyncpg:"))
    async with engine.connect() as connection, AsyncSession(connection, expire_on_commit=False) as session:
        uow = UnitOfWork(session)
        candidate, made = await add_candidate(uow), await publish_test(uow)
        await add_exam(uow, (await publish_test(uow)).id, NOW, published_at=NOW)
        paper_id = await session.scalar(
            text("select id from ias.papers where test_id = :id"), {"id": made.id}
        )
        key_id = await session.scalar(
            text("select id from ias.paper_keys where paper_id = :id"), {"id": paper_id}
        )
        values = {
            "crowd": CROWD,
            "own": OWN,
            "user_id": candidate.id,
            "test_id": made.id,
            "paper_id": paper_id,
            "key_id": key_id,
            "now": NOW,
        }
        for statement in FILL:
            wanted = {name: value for name, value in values.items() if f":{name}" in statement}
            await connection.execute(text(statement), wanted)
        own = text("select id from ias.attempts where user_id = :id order by id desc")
        attempt_ids = list(await session.scalars(own, {"id": candidate.id}))
        if request.param:
            await connection.execute(text("analyze"))
        viewer = Viewer(candidate.id, DEFAULT_INSTITUTE_ID, is_staff=False, enrolled=False)
        yield Stage(connection, uow, viewer, made.id, attempt_ids)
        await session.rollback()
    await engine.dispose()


def rows_of(plan: Node, table: str) -> int:
    """How many rows of a table a plan looks at."""
    return int(
        sum(
            node["Actual Loops"] * (node["Actual Rows"] + node.get("Rows Removed by Filter", 0))
            for node in nodes(plan)
            if node.get("Relation Name") == table
        )
    )


def assert_indexed(plan: Node, most: int) -> None:
    """No large table is read from its begin to its end, and few of its rows are looked at."""
    scans = {node.get("Relation Name") for node in nodes(plan) if node["Node Type"] == "Seq Scan"}
    assert not scans & set(LARGE), scans
    assert {table: rows for table in LARGE if (rows := rows_of(plan, table)) > most} == {}


async def test_no_statement_reads_the_attempts_of_others(stage: Stage) -> None:
    [shown] = await stage.plans(stage.uow.shown.attempts(stage.viewer))
    assert_indexed(shown, OWN)
    asked = [node for node in nodes(shown) if node.get("Relation Name") == "exam_papers"]
    assert asked
    # Not at all, where it asks whether the test of a draft exam was released before.
    assert max(node["Actual Loops"] for node in asked) == 1, "the embargo is asked once"
    since, until = NOW - timedelta(days=30), NOW + timedelta(days=1)
    [series] = await stage.plans(stage.uow.shown.attempts(stage.viewer, since=since, until=until))
    assert_indexed(series, OWN)
    [standings] = await stage.plans(stage.uow.shown.standings(stage.attempt_ids[:20]))
    assert_indexed(standings, 300)
    [found] = await stage.plans(stage.uow.attempts_at_tests.find(stage.viewer, stage.test_id, None))
    assert_indexed(found, OWN + 1)
    [abilities] = await stage.plans(stage.uow.shown.abilities(stage.viewer))
    assert_indexed(abilities, OWN)
    [histogram] = await stage.plans(stage.uow.attempts.histogram(stage.test_id))
    assert_indexed(histogram, 300)
    asked_for = [(stage.viewer.user_id, None), (stage.viewer.user_id, stage.test_id)]
    [versions] = await stage.plans(stage.uow.read_versions.of(asked_for))
    assert_indexed(versions, 300)


async def test_no_statement_reads_the_bookmarks_of_others(stage: Stage) -> None:
    """Each of the three questions is looked for in the thirty attempts."""
    for page in await stage.plans(stage.uow.bookmarks.page(stage.viewer, None, PageRequest())):
        assert_indexed(page, 3 * OWN)
    question_id = await stage.uow.session.scalar(text("select question_id from ias.bookmarks limit 1"))
    [put] = await stage.plans(stage.uow.bookmarks.put(stage.viewer, question_id, "A note.", NOW))
    assert_indexed(put, OWN)
