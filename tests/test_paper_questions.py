"""The questions of every paper are known, with their places, also of papers that others insert."""

from collections.abc import AsyncIterator, Iterator
from uuid import UUID

import pytest
from alembic import command
from alembic.config import Config
from pydantic import SecretStr
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.config import Settings
from app.database import create_engine
from app.services.unit_of_work import unit_of_work
from tests.builders.content import PublishedTest, publish_test
from tests.conftest import ROOT, cloned_database

# Whoever inserts a paper, the trigger knows its questions.
PUBLISH_ANEW = """
    insert into ias.papers (id, test_id, version, title, duration_seconds, languages, marking, question_count,
      max_marks, document, etag, rules)
    select gen_random_uuid(), test_id, 2, title, duration_seconds, languages, marking, question_count,
      max_marks, document, etag, rules
    from ias.papers where test_id = :id
"""


@pytest.fixture
def database(superuser_url: str, template: str) -> Iterator[str]:
    with cloned_database(superuser_url, template) as url:
        yield url


@pytest.fixture
async def owner(database: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(Settings(database_url=SecretStr(database)), pool_size=1)
    yield engine
    await engine.dispose()


async def known(engine: AsyncEngine, made: PublishedTest) -> dict[int, list[UUID]]:
    """The questions of each version of a test's paper, in their places."""
    statement = """
        select papers.version, paper_questions.question_id, paper_questions.position
        from ias.papers join ias.paper_questions on paper_questions.paper_id = papers.id
        where papers.test_id = :id order by papers.version, paper_questions.position"""
    found: dict[int, list[UUID]] = {}
    async with engine.connect() as connection:
        for version, question_id, position in await connection.execute(text(statement), {"id": made.id}):
            found.setdefault(version, []).append(question_id)
            assert len(found[version]) == position
    return found


async def migrate(engine: AsyncEngine, to: str) -> None:
    def run(connection: Connection) -> None:
        config = Config(ROOT / "alembic.ini")
        config.attributes["connection"] = connection
        (command.downgrade if to == "0007" else command.upgrade)(config, to)

    async with engine.begin() as connection:
        await connection.run_sync(run)


async def test_every_paper_is_known(owner: AsyncEngine) -> None:
    async with unit_of_work(owner) as uow:
        made = await publish_test(uow)
    questions = list(made.question_ids)
    assert await known(owner, made) == {1: questions}
    await migrate(owner, "0007")
    await migrate(owner, "head")
    assert await known(owner, made) == {1: questions}
    async with owner.begin() as connection:
        await connection.execute(text(PUBLISH_ANEW), {"id": made.id})
    assert await known(owner, made) == {1: questions, 2: questions}
