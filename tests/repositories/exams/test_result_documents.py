"""The results that documents are made from: all of them in batches, each read by its key."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest
from sqlalchemy import event, text

from app.repositories.exams import WantedResults
from app.services.unit_of_work import UnitOfWork
from tests.builders.content import publish_test
from tests.builders.exams import add_exam
from tests.repositories.plan_nodes import Node, literal, nodes

NOW = datetime(2026, 6, 7, 4, 0, tzinfo=UTC)
CROWD = 3_000
FILL = """
with places as (
  insert into ias.registrations (id, exam_id, roll_number, name, category)
  select gen_random_uuid(), :exam_id, number::text, 'Crowd', case when number % 3 = 0 then 'sc' else 'obc' end
  from generate_series(1, :crowd) number returning id, roll_number
)
insert into ias.exam_results (exam_id, version, registration_id, roll_number, outcome, qualified, papers)
select :exam_id, version, id, roll_number, 'ranked', true, '[]'
from places cross join generate_series(1, 2) version
"""


@pytest.fixture
async def exam_id(uow: UnitOfWork) -> UUID:
    """An exam with two releases, of which the planner knows nothing."""
    made = await publish_test(uow)
    paper = await add_exam(uow, made.id, NOW)
    for version in (1, 2):
        values = {"exam_id": paper.exam_id, "version": version}
        statement = (
            "insert into ias.exam_releases (exam_id, version, participants) values (:exam_id, :version, 1)"
        )
        await uow.session.execute(text(statement), values)
    await uow.session.execute(text(FILL), {"exam_id": paper.exam_id, "crowd": CROWD})
    return paper.exam_id


async def test_batches_have_each_wanted_candidate_once(uow: UnitOfWork, exam_id: UUID) -> None:
    for wanted, count in ((WantedResults(), CROWD), (WantedResults(categories=("sc",)), CROWD // 3)):
        assert await uow.result_documents.count(exam_id, 2, wanted) == count
        seen: list[UUID] = []
        last = None
        while batch := await uow.result_documents.after(exam_id, 2, wanted, last, 700):
            seen += [each.result.registration_id for each in batch]
            assert all(each.previous is not None and each.previous.version == 1 for each in batch)
            last = seen[-1]
        assert len(set(seen)) == len(seen) == count


async def test_a_batch_reads_few_rows(uow: UnitOfWork, exam_id: UUID) -> None:
    seen: list[tuple[str, Any]] = []

    def keep(_connection: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
        seen.append((statement, values))

    connection = await uow.session.connection()
    engine = connection.engine.sync_engine
    batch = await uow.result_documents.after(exam_id, 2, WantedResults(), None, 50)
    event.listen(engine, "before_cursor_execute", keep)
    await uow.result_documents.after(exam_id, 2, WantedResults(), batch[-1].result.registration_id, 50)
    event.remove(engine, "before_cursor_execute", keep)
    [(statement, values)] = seen
    await connection.exec_driver_sql(f"prepare planned as {statement}")
    explained = await connection.exec_driver_sql(
        f"explain (analyze, timing off, format json) execute planned({', '.join(map(literal, values))})"
    )
    [[answer]] = explained.all()
    plan: Node = (orjson.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"]
    read = [node["Actual Rows"] * node["Actual Loops"] for node in nodes(plan) if "Relation Name" in node]
    assert max(read) <= 200, plan
