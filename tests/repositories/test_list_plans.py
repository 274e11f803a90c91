"""No page of a list reads a large table from one end to the other.

The database has few rows for such tables, so that the test is fast. `benchmarks/lists.py` reads the same
lists with many more, and prints what they take.
"""

from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from app.repositories.base import PageRequest
from app.services.unit_of_work import UnitOfWork
from tests.builders.large_tables import LARGE, LargeTables, Sizes, fill_large_tables
from tests.conftest import cloned_database
from tests.repositories.large_lists import LISTS
from tests.repositories.plan_nodes import plan_of, rows_read, scanned_tables, seen_statements
from tests.thorough import part

SIZES = Sizes(users=6_000, questions=2_000, tests=3)
MAX_ROWS = 1_900
"""A page may read so many rows of a table: those that it shows, and what it skips on the way to them."""


@pytest.fixture(scope="module")
def own_url(superuser_url: str, template: str) -> Iterator[str]:
    with cloned_database(superuser_url, template) as url:
        yield url


@pytest.fixture(scope="module")
async def filled(own_url: str) -> AsyncIterator[tuple[UnitOfWork, LargeTables]]:
    """Large tables, analyzed, in a transaction that is never committed."""
    engine = create_async_engine(own_url.replace("postgresql:", "postgresql+asyncpg:"))
    async with engine.connect() as connection, AsyncSession(connection, expire_on_commit=False) as session:
        uow = UnitOfWork(session)
        made = await fill_large_tables(uow, SIZES)
        await session.execute(text("analyze"))
        # As expensive to read from end to end as tables with a hundred times as many rows.
        await session.execute(text("set local seq_page_cost = 100"))
        await session.execute(text("set local cpu_tuple_cost = 1"))
        yield uow, made
        await session.rollback()
    await engine.dispose()


@pytest.mark.parametrize("name", part(list(LISTS), "plans", 2))
async def test_no_large_table_is_read_from_end_to_end(
    filled: tuple[UnitOfWork, LargeTables], name: str
) -> None:
    uow, made = filled
    connection = await uow.session.connection()
    statements = await seen_statements(connection, lambda: LISTS[name](uow, made, PageRequest(20)))
    plans = [await plan_of(connection, *each) for each in statements]
    assert plans
    assert LARGE & set().union(*map(scanned_tables, plans)) == set()
    assert {table: n for plan in plans for table, n in rows_read(plan).items() if n > MAX_ROWS} == {}


@pytest.mark.parametrize("name", ["questions by words in a subject", "attempts at a test by a name"])
async def test_short_pages_of_a_search_have_what_a_long_page_has(
    filled: tuple[UnitOfWork, LargeTables], name: str
) -> None:
    """Short pages are filled from the rows that come next, a long one by the indexes of the ways to match."""
    uow, made = filled
    long = await LISTS[name](uow, made, PageRequest(10_000))
    found: list[UUID] = []
    cursor: str | None = None
    while not found or cursor is not None:
        page = await LISTS[name](uow, made, PageRequest(40, cursor))
        found += [_id_of(each) for each in page.items]
        cursor = page.next_cursor
    assert len(found) > 80
    assert found == [_id_of(each) for each in long.items]


def _id_of(listed: Any) -> UUID:
    id_: UUID = getattr(listed, "attempt", listed).id
    return id_
