"""Plans that must hold in the first minute of an exam, before anything is analyzed, and with a long log."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import orjson
import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, create_async_engine

from app.core.ids import uuid7
from app.models import DEFAULT_INSTITUTE_ID, Attempt
from app.repositories.attempts import NewEvent, SaveRequest
from app.repositories.tests import Viewer
from app.services.unit_of_work import UnitOfWork
from tests.builders.attempts import add_candidate, ref_of
from tests.builders.content import PublishedTest, publish_test
from tests.builders.exams import add_exam
from tests.builders.saves import save_request
from tests.conftest import cloned_database
from tests.repositories.plan_nodes import Node, literal, nodes

NOW = datetime.now(UTC)
THIS_MONTH = f"response_events_{NOW:%Y_%m}"
CROWD = 300

Mode = Literal["custom", "generic"]
Use = Callable[["Stage"], Awaitable[object]]

# Other candidates of the same test, each with an answer to its first question.
FILL = """
with people as (
  insert into ias.users (id, email, name)
  select gen_random_uuid(), 'crowd@example.org', 'Crowd' from generate_series(1, :crowd) returning id
), sittings as (
  insert into ias.attempts (id, test_id, paper_id, exam_paper_id, user_id, number, practice, seed, started_at,
    deadline_at)
  select (left(:like, 13) || substr(gen_random_uuid()::text, 14))::uuid, :test_id, :paper_id, :exam_paper_id,
    id, 1, false, 1, :now, :now
  from people returning id
), places as (
  insert into ias.registrations (id, exam_id, user_id, roll_number, name, category)
  select gen_random_uuid(), exam_papers.exam_id, people.id, people.id::text, 'Crowd', 'general'
  from people cross join ias.exam_papers where exam_papers.id = :exam_paper_id
)
insert into ias.response_events (attempt_id, question_id, lease, revision)
select id, :question_id, 1, 1 from sittings
"""


@dataclass
class Stage:
    """A crowd at one test in a transaction that is never committed, and the plans of its statements."""

    connection: AsyncConnection
    uow: UnitOfWork
    made: PublishedTest
    attempt: Attempt
    exam_id: UUID | None

    def request(self) -> SaveRequest:
        """A save of one answer."""
        sent = [NewEvent(self.made.question_ids[0], 1000, ["a"], False, 0, None, None)]
        grace = timedelta(seconds=10)
        return SaveRequest(ref_of(self.attempt), 1, sent, NOW, grace)

    async def plan(self, use: Use, mode: Mode) -> Node:
        """How PostgreSQL ran the statement: planned for its values, or as asyncpg's statements end up."""
        seen: list[tuple[str, tuple[Any, ...]]] = []

        def keep(_connection: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
            seen.append((statement, values))

        engine = self.connection.engine.sync_engine
        event.listen(engine, "before_cursor_execute", keep)
        savepoint = await self.connection.begin_nested()
        await use(self)
        await savepoint.rollback()
        event.remove(engine, "before_cursor_execute", keep)
        [(statement, values)] = [each for each in seen if "ias." in each[0]]
        return await self._explain(statement, values, mode)

    async def _explain(self, statement: str, values: tuple[Any, ...], mode: Mode) -> Node:
        run = self.connection.exec_driver_sql
        await run(f"set local plan_cache_mode = force_{mode}_plan")
        await run(f"prepare planned as {statement}")
        literals = ", ".join(map(literal, values))
        explained = await run(f"explain (analyze, timing off, format json) execute planned({literals})")
        [[answer]] = explained.all()
        await run("deallocate planned")
        document = orjson.loads(answer) if isinstance(answer, str) else answer
        plan: Node = document[0]["Plan"]
        return plan


@pytest.fixture(scope="module", params=["a test", "an exam"])
def place(request: pytest.FixtureRequest) -> str:
    """Where the crowd is."""
    return str(request.param)


@pytest.fixture(scope="module")
def fresh_url(superuser_url: str, template: str, place: str) -> Iterator[str]:
    """A database of which the planner knows nothing yet: not even the pages that another test has filled."""
    with cloned_database(superuser_url, template) as url:
        yield url


@pytest.fixture(scope="module")
def own_url(superuser_url: str, template: str, place: str) -> Iterator[str]:
    with cloned_database(superuser_url, template) as url:
        yield url


@pytest.fixture(scope="module")
async def stage(fresh_url: str, place: str) -> AsyncIterator[Stage]:
    """For tests that add no rows. What a statement under test writes is rolled back."""
    async with _opened(fresh_url, place) as stage:
        yield stage


@pytest.fixture(scope="module")
async def long_log(own_url: str, place: str) -> AsyncIterator[Stage]:
    """A stage whose attempt has a thousand events."""
    many = """
        insert into ias.response_events (attempt_id, question_id, lease, revision)
        select :attempt_id, :question_id, 1, generate_series(1, 1000)"""
    async with _opened(own_url, place) as stage:
        values = {"attempt_id": stage.attempt.id, "question_id": stage.made.question_ids[0]}
        await stage.connection.execute(text(many), values)
        yield stage


@asynccontextmanager
async def _opened(url: str, place: str) -> AsyncIterator[Stage]:
    engine = create_async_engine(url.replace("postgresql:", "postgresql+asyncpg:"))
    async with engine.connect() as connection:
        yield await _filled(connection, in_exam=place == "an exam")
        await connection.rollback()
    await engine.dispose()


async def _filled(connection: AsyncConnection, *, in_exam: bool) -> Stage:
    """A crowd in a transaction that the caller rolls back."""
    session = AsyncSession(connection, expire_on_commit=False)
    uow = UnitOfWork(session)
    made = await publish_test(uow)
    placed = await add_exam(uow, made.id, NOW) if in_exam else None
    attempt = await _attempt(uow, made, placed.id if placed else None)
    values = {
        "crowd": CROWD,
        "like": str(attempt.id),
        "test_id": made.id,
        "paper_id": attempt.paper_id,
        "exam_paper_id": attempt.exam_paper_id,
        "question_id": made.question_ids[0],
        "now": NOW,
    }
    await connection.execute(text(FILL), values)
    return Stage(connection, uow, made, attempt, placed.exam_id if placed else None)


async def _attempt(uow: UnitOfWork, made: PublishedTest, exam_paper_id: UUID | None) -> Attempt:
    test = await uow.session.scalar(
        text("select paper_version from ias.tests where id = :id"), {"id": made.id}
    )
    paper_id = await uow.session.scalar(
        text("select id from ias.papers where test_id = :id and version = :version"),
        {"id": made.id, "version": test},
    )
    attempt = Attempt(
        id=uuid7(NOW),
        test_id=made.id,
        paper_id=paper_id,
        exam_paper_id=exam_paper_id,
        user_id=(await add_candidate(uow)).id,
        number=1,
        practice=False,
        seed=1,
        lease=1,
        status="in_progress",
        started_at=NOW,
        deadline_at=NOW + timedelta(hours=2),
    )
    await uow.attempts.add(attempt)
    return attempt


def _rows_read(plan: Node, table: str) -> int:
    """How many rows of a table were looked at, those that a filter threw away too."""
    return sum(
        node["Actual Loops"] * (node["Actual Rows"] + node.get("Rows Removed by Filter", 0))
        for node in nodes(plan)
        if re.fullmatch(table, node.get("Relation Name", "")) and node["Node Type"] != "ModifyTable"
    )


def _partitions(plan: Node) -> set[str]:
    names = {node.get("Relation Name", "") for node in nodes(plan) if node["Actual Loops"]}
    return {name for name in names if name.startswith("response_events_")}


async def _save(stage: Stage) -> object:
    return await save_request(stage.uow, stage.request())


async def _running(stage: Stage) -> object:
    ref = ref_of(stage.attempt)
    return await stage.uow.attempts.running(ref.user_id, ref.scope)


async def _earlier(stage: Stage) -> object:
    ref = ref_of(stage.attempt)
    return await stage.uow.attempts.earlier(ref.user_id, ref.scope)


async def _latest(stage: Stage) -> object:
    ref = ref_of(stage.attempt)
    return await stage.uow.attempts.latest(ref.user_id, ref.scope)


async def _own(stage: Stage) -> object:
    assert stage.attempt.user_id is not None
    viewer = Viewer(stage.attempt.user_id, DEFAULT_INSTITUTE_ID, is_staff=False, enrolled=False)
    return await stage.uow.own_results.find(viewer, stage.made.id, None)


async def _place(stage: Stage) -> object:
    assert stage.exam_id is not None
    assert stage.attempt.user_id is not None
    return await stage.uow.registrations.of(stage.exam_id, stage.attempt.user_id)


async def _lock(stage: Stage) -> object:
    return await stage.uow.attempts.lock(ref_of(stage.attempt))


async def _standing(stage: Stage) -> object:
    return await stage.uow.attempts.standing(stage.attempt.id)


async def _standing_of(stage: Stage) -> object:
    return await stage.uow.attempts.standing_of([stage.attempt.id])


async def _question_logs(stage: Stage) -> object:
    return await stage.uow.attempt_reviews.question_logs([stage.attempt.id])


async def _answer_counts(stage: Stage) -> object:
    return await stage.uow.attempt_reviews.answer_counts([stage.attempt.id])


async def _with_paper(stage: Stage) -> object:
    ref = ref_of(stage.attempt)
    reviews = stage.uow.attempt_reviews
    return await reviews.with_paper(
        ref.user_id, stage.made.id, None, before_release=stage.exam_id is not None
    )


@pytest.mark.parametrize("mode", ["custom", "generic"])
class TestPlans:
    @pytest.mark.parametrize("use", [_save, _running, _earlier, _latest, _lock, _with_paper])
    async def test_nobody_reads_the_attempts_of_a_crowd(self, stage: Stage, use: Use, mode: Mode) -> None:
        assert _rows_read(await stage.plan(use, mode), "attempts") == 1

    async def test_a_result_reads_its_attempt_by_test_and_by_id(self, stage: Stage, mode: Mode) -> None:
        assert _rows_read(await stage.plan(_own, mode), "attempts") == 2

    @pytest.mark.parametrize("use", [_save, _standing, _standing_of, _question_logs, _answer_counts])
    async def test_only_the_month_of_the_attempt_is_read(self, stage: Stage, use: Use, mode: Mode) -> None:
        assert _partitions(await stage.plan(use, mode)) == {THIS_MONTH}

    async def test_a_save_reads_two_events_for_each_one_sent(self, long_log: Stage, mode: Mode) -> None:
        plan = await long_log.plan(_save, mode)
        assert _rows_read(plan, "response_events_.*") == 2

    async def test_a_save_reads_no_partition_in_a_sub_select(self, stage: Stage, mode: Mode) -> None:
        # PostgreSQL 18 can crash if it does: docs/decisions/0104.
        plan = await stage.plan(_save, mode)
        sub_selects = [
            node for node in nodes(plan) if node.get("Parent Relationship") in ("InitPlan", "SubPlan")
        ]
        read = {
            node["Relation Name"]
            for sub_select in sub_selects
            for node in nodes(sub_select)
            if "Scan" in node["Node Type"] and "Relation Name" in node
        }
        assert "LockRows" in {node["Node Type"] for node in nodes(plan)}
        assert read == {"attempts", "users", "packed_logs"}

    @pytest.mark.parametrize("place", ["an exam"], indirect=True, scope="module")
    async def test_nobody_reads_the_places_of_a_crowd(self, stage: Stage, mode: Mode) -> None:
        assert _rows_read(await stage.plan(_place, mode), "registrations") <= 1
