"""What the embargo's conditions cost where many papers were published: many requests ask them."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, create_async_engine

from app.models import DEFAULT_INSTITUTE_ID
from app.repositories import tests
from app.repositories.analytics.progress import AttemptFilter
from app.repositories.base import PageRequest
from app.repositories.embargo import Reader
from app.repositories.tests import TestSort, Viewer
from app.services.unit_of_work import UnitOfWork
from tests.builders.attempts import add_candidate
from tests.builders.content import PublishedTest, add_subject, publish_test
from tests.builders.exams import add_exam
from tests.conftest import cloned_database
from tests.repositories.plan_nodes import Node, literal, nodes

NOW = datetime(2026, 6, 7, 4, 0, tzinfo=UTC)
EACH, OPEN_EXAMS = 50, 11

# 400 tests of 50 questions each, every other one in an exam, of which the last ten are not released. One
# person has sat the first thirty tests.
FILL = [
    """create temp table question as
       select gen_random_uuid() as id, number from generate_series(0, 1999) as number""",
    """insert into ias.questions (id, institute_id, subject_id, fingerprint)
       select id, :institute, :subject, id::text from question""",
    """create temp table test as
       select gen_random_uuid() as id, gen_random_uuid() as exam, number
       from generate_series(0, 399) as number""",
    """insert into ias.tests (id, institute_id, title, kind, status, duration_seconds, languages, marking,
         shuffle, review, access, paper_version)
       select id, :institute, '{"en": "Old"}', 'full', 'published', 600, '{en}', '{"rounding": "upsc"}', '{}',
         'after_submit', 'free', 1 from test""",
    """insert into ias.papers (id, test_id, version, title, duration_seconds, languages, marking,
         question_count, max_marks, document, etag, rules)
       select test.id, test.id, 1, '{}', 600, '{en}', '{"rounding": "upsc"}', 50, '100', '', '',
         (select jsonb_build_object('questions', jsonb_agg(jsonb_build_object('id', question.id)))
          from question where question.number % 40 = test.number % 40)
       from test""",
    """insert into ias.exams (id, institute_id, title, opens_at, closes_at, published_at, released_at)
       select exam, :institute, '{}', :now, :later, :now,
         case when number < 380 then cast(:now as timestamptz) end
       from test where number % 2 = 0""",
    """insert into ias.exam_papers (id, exam_id, test_id, paper_id, code, title, starts_at, entry_closes_at,
         ends_at)
       select gen_random_uuid(), exam, id, id, 'GS', '{}', :now, :later, :later
       from test where number % 2 = 0""",
    """insert into ias.attempts (id, test_id, paper_id, user_id, number, practice, status, seed, started_at,
         deadline_at, submitted_at, closed_by)
       select gen_random_uuid(), id, id, :user_id, 1, false, 'graded', 1, :now, :now, :now, 'candidate'
       from test where number < 30""",
]


@dataclass
class Shelf:
    """Many papers in a transaction that is never committed, and what its statements read."""

    connection: AsyncConnection
    uow: UnitOfWork
    made: PublishedTest
    user_id: UUID
    paper_id: UUID
    question_ids: list[UUID]

    @property
    def viewer(self) -> Viewer:
        return Viewer(self.user_id, DEFAULT_INSTITUTE_ID, is_staff=False, enrolled=False)

    async def read_rows(self, use: "Use") -> int:
        """How many rows of `paper_questions` the statements of a call look at."""
        seen: list[tuple[str, tuple[Any, ...]]] = []

        def keep(_connection: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
            seen.append((statement, values))

        engine = self.connection.engine.sync_engine
        event.listen(engine, "before_cursor_execute", keep)
        await use(self)
        event.remove(engine, "before_cursor_execute", keep)
        asking = [each for each in seen if "paper_questions" in each[0]]
        assert asking
        return sum([_looked_at(await self._explain(*each), "paper_questions") for each in asking])

    async def _explain(self, statement: str, values: tuple[Any, ...]) -> Node:
        run = self.connection.exec_driver_sql
        await run(f"prepare planned as {statement}")
        literals = f"({', '.join(map(_given, values))})" if values else ""
        explained = await run(f"explain (analyze, timing off, format json) execute planned{literals}")
        [[answer]] = explained.all()
        await run("deallocate planned")
        plan: Node = (orjson.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"]
        return plan


Use = Callable[[Shelf], Awaitable[object]]


def _given(value: Any) -> str:
    if isinstance(value, list):
        return f"array[{', '.join(map(literal, value))}]::uuid[]"
    return literal(value)


def _looked_at(plan: Node, table: str) -> int:
    return int(
        sum(
            node["Actual Loops"] * (node["Actual Rows"] + node.get("Rows Removed by Filter", 0))
            for node in nodes(plan)
            if node.get("Relation Name") == table
        )
    )


@pytest.fixture(scope="module")
def fresh_url(superuser_url: str, template: str) -> Iterator[str]:
    with cloned_database(superuser_url, template) as url:
        yield url


@pytest.fixture(scope="module", params=[False, True], ids=["not analyzed", "analyzed"])
async def shelf(fresh_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Shelf]:
    engine = create_async_engine(fresh_url.replace("postgresql:", "postgresql+asyncpg:"))
    async with engine.connect() as connection, AsyncSession(connection, expire_on_commit=False) as session:
        uow = UnitOfWork(session)
        candidate, subject = await add_candidate(uow), await add_subject(uow)
        values = {
            "institute": DEFAULT_INSTITUTE_ID,
            "subject": subject.id,
            "user_id": candidate.id,
            "now": NOW,
            "later": NOW + timedelta(hours=1),
        }
        for statement in FILL:
            wanted = {name: value for name, value in values.items() if f":{name}" in statement}
            await connection.execute(text(statement), wanted)
        made = await publish_test(uow)
        await add_exam(uow, made.id, NOW, published_at=NOW)
        [paper_id] = await session.scalars(text("select id from test where number = 1"))
        question_ids = list(await session.scalars(text("select id from question where number < 100")))
        if request.param:
            await connection.execute(text("analyze"))
        yield Shelf(connection, uow, made, candidate.id, paper_id, question_ids)
        await session.rollback()
    await engine.dispose()


async def _a_result(shelf: Shelf) -> object:
    return await shelf.uow.embargo.withholds_paper(shelf.viewer.reader, shelf.paper_id)


async def _a_page_of_tests(shelf: Shelf) -> object:
    return await shelf.uow.catalog.page(shelf.viewer, NOW, tests.TestFilter(), PageRequest(20))


async def _a_page_by_title(shelf: Shelf) -> object:
    request = PageRequest(20)
    return await shelf.uow.catalog.page(shelf.viewer, NOW, tests.TestFilter(), request, TestSort.TITLE)


async def _suggestions(shelf: Shelf) -> object:
    untaken, request = tests.TestFilter(taken=False, statuses=("published",)), PageRequest(5)
    return await shelf.uow.catalog.page(shelf.viewer, NOW, untaken, request, TestSort.POPULAR)


async def _taken_tests(shelf: Shelf) -> object:
    return await shelf.uow.catalog.page(shelf.viewer, NOW, tests.TestFilter(taken=True), PageRequest(20))


async def _a_start(shelf: Shelf) -> object:
    return await shelf.uow.tests.to_start(shelf.viewer, shelf.paper_id, NOW)


async def _ones_attempts(shelf: Shelf) -> object:
    return await shelf.uow.progress.attempts(shelf.viewer, AttemptFilter(), PageRequest(20))


async def _progress_in_a_subject(shelf: Shelf) -> object:
    return await shelf.uow.progress.outcomes(shelf.viewer)


async def _a_page_of_the_bank(shelf: Shelf) -> object:
    return await shelf.uow.embargo.withheld(Reader(shelf.user_id, True, False), shelf.question_ids)


@pytest.mark.parametrize(
    ("use", "papers"),
    [
        (_a_result, 1),
        (_a_start, 1),
        (_a_page_of_tests, 40),
        (_a_page_by_title, 40),
        (_suggestions, 20),
        (_taken_tests, 50),
        (_ones_attempts, 50),
        (_progress_in_a_subject, 30),
        (_a_page_of_the_bank, 2),
    ],
)
async def test_it_reads_the_papers_in_question_and_those_of_open_exams(
    shelf: Shelf, use: Use, papers: int
) -> None:
    """Not the papers of all times: 20,000 questions stand in these."""
    assert await shelf.read_rows(use) <= (papers + OPEN_EXAMS) * EACH * 2


async def test_one_question_is_looked_for_however_many_exams_are_open(shelf: Shelf) -> None:
    """It stands in 10 of 400 papers, of which 200 have open exams here."""
    [question_id, *_] = shelf.question_ids

    async def one_question(shelf: Shelf) -> object:
        return await shelf.uow.embargo.withheld(Reader(shelf.user_id, True, False), [question_id])

    opened = await shelf.connection.begin_nested()
    await shelf.connection.execute(text("update ias.exams set released_at = null"))
    rows = await shelf.read_rows(one_question)
    await opened.rollback()
    assert rows <= 20
