"""What statements about objections read where one test has 50,000 of them."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, create_async_engine

from app.repositories.base import PageRequest
from app.repositories.objections import ClusterFilter
from app.services.unit_of_work import UnitOfWork
from tests.builders.attempts import add_candidate
from tests.builders.content import publish_test
from tests.builders.objections import add_objection
from tests.conftest import cloned_database
from tests.repositories.plan_nodes import literal, nodes

MANY, CLUSTERS, PAGE = 50_000, 50, 20

FILL = (
    """insert into ias.objection_clusters (id, test_id, question_id, number, claim, claimed_key)
       select gen_random_uuid(), :test_id, :question_id, number, number::text, '{"dropped": true}'
       from generate_series(1, cast(:clusters as int)) as number""",
    """insert into ias.objections (id, cluster_id, test_id, explanation, sources)
       select gen_random_uuid(), objection_clusters.id, test_id, 'The Act says so.', '[]'
       from ias.objection_clusters, generate_series(1, cast(:each as int))""",
)


@dataclass
class Pile:
    """Many objections to one test, and those of one candidate, in a transaction that is never committed."""

    connection: AsyncConnection
    uow: UnitOfWork
    test_id: UUID
    user_id: UUID
    cluster_id: UUID

    async def rows(self, use: "Use") -> int:
        """How many rows or index entries of `objections` the statements of a call look at."""
        seen: list[tuple[str, tuple[Any, ...]]] = []

        def keep(_connection: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
            seen.append((statement, values))

        engine = self.connection.engine.sync_engine
        event.listen(engine, "before_cursor_execute", keep)
        await use(self)
        event.remove(engine, "before_cursor_execute", keep)
        return sum([await self._looked_at(*each) for each in seen])

    async def _looked_at(self, statement: str, values: tuple[Any, ...]) -> int:
        run = self.connection.exec_driver_sql
        await run(f"prepare planned as {statement}")
        literals = f"({', '.join(map(literal, values))})" if values else ""
        explained = await run(f"explain (analyze, timing off, format json) execute planned{literals}")
        [[answer]] = explained.all()
        await run("deallocate planned")
        plan = (orjson.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"]
        return sum(
            int(node["Actual Loops"] * (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)))
            for node in nodes(plan)
            if node.get("Relation Name") == "objections"
        )


Use = Callable[[Pile], Awaitable[object]]


@pytest.fixture(scope="module")
def fresh_url(superuser_url: str, template: str) -> Iterator[str]:
    with cloned_database(superuser_url, template) as url:
        yield url


@pytest.fixture(scope="module", params=[False, True], ids=["not analyzed", "analyzed"])
async def pile(fresh_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Pile]:
    engine = create_async_engine(fresh_url.replace("postgresql:", "postgresql+asyncpg:"))
    async with engine.connect() as connection, AsyncSession(connection, expire_on_commit=False) as session:
        uow = UnitOfWork(session)
        candidate, made = await add_candidate(uow), await publish_test(uow)
        values = {
            "test_id": made.id,
            "question_id": made.question_ids[0],
            "clusters": CLUSTERS,
            "each": MANY // CLUSTERS,
        }
        for statement in FILL:
            wanted = {name: value for name, value in values.items() if f":{name}" in statement}
            await connection.execute(text(statement), wanted)
        for option in "bcd":
            claimed = {"accepted": [[option]]}
            own = await add_objection(
                uow, made.id, made.question_ids[1], candidate.id, claimed_key=claimed, number=2
            )
        cluster_id = await session.scalar(text("select id from ias.objection_clusters where number = 7"))
        if request.param:
            await connection.execute(text("analyze ias.objections"))
        yield Pile(connection, uow, made.id, candidate.id, cluster_id or own.cluster_id)
        await session.rollback()
    await engine.dispose()


OF_ONE_CANDIDATE: dict[str, Use] = {
    "their list": lambda p: p.uow.objections.page_of_own(p.user_id, p.test_id, PageRequest(PAGE)),
    "the limit at a test": lambda p: p.uow.objections.count_own(p.user_id, p.test_id, None),
    "the limit at an exam": lambda p: p.uow.objections.count_own(p.user_id, p.test_id, p.test_id),
    "the same again": lambda p: p.uow.objections.own(p.user_id, p.cluster_id),
}


@pytest.mark.parametrize("use", OF_ONE_CANDIDATE.values(), ids=OF_ONE_CANDIDATE)
async def test_a_candidate_reads_their_own(pile: Pile, use: Use) -> None:
    assert await pile.rows(use) <= 4


async def test_a_page_of_a_cluster_reads_a_page(pile: Pile) -> None:
    page = PageRequest(PAGE)
    assert await pile.rows(lambda p: p.uow.objections.texts(p.cluster_id, page)) <= PAGE + 1
    assert await pile.rows(lambda p: p.uow.objections.objectors(p.cluster_id, None, PAGE)) <= MANY / CLUSTERS


async def test_staff_count_the_objections_of_the_page_alone(pile: Pile) -> None:
    page = await pile.uow.objections.page(pile.test_id, ClusterFilter(), PageRequest(PAGE))
    assert [each.objections for each in page.items][:1] == [MANY // CLUSTERS]
    ids = [each.cluster.id for each in page.items]
    assert await pile.rows(lambda p: p.uow.objections.counts(ids)) <= PAGE * MANY / CLUSTERS
    assert await pile.rows(lambda p: p.uow.objections.first_texts(ids, 3)) <= 6 * PAGE
    found = await pile.rows(lambda p: p.uow.objections.page(p.test_id, ClusterFilter(), PageRequest(PAGE)))
    assert found <= PAGE * MANY / CLUSTERS + 2 * CLUSTERS


async def test_undecided_clusters_are_counted_without_their_objections(pile: Pile) -> None:
    assert await pile.rows(lambda p: p.uow.objections.count_undecided([p.test_id])) <= 2 * CLUSTERS
