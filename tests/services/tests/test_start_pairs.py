"""A test is archived or published again at the same moment as a candidate starts it."""

from dataclasses import dataclass
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.models import Attempt
from app.services import tests
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork, unit_of_work
from app.services.users import Principal, operator
from tests.builders.attempts import add_candidate, start_attempt
from tests.builders.content import PublishedTest, publish_test
from tests.two_connections import overlap

VERSION = text("select version from ias.papers where id = :id")


@dataclass
class Scene:
    """A published test and a candidate."""

    engine: AsyncEngine
    parts: Components
    made: PublishedTest
    candidate: Principal

    async def start(self, uow: UnitOfWork) -> Attempt:
        return await start_attempt(uow, self.parts, self.made, self.parts.clock.now(), self.candidate)

    async def archive(self, uow: UnitOfWork) -> None:
        await tests.archive(uow, operator(), self.made.id)

    async def publish(self, uow: UnitOfWork) -> None:
        await tests.publish(uow, operator(), self.made.id, self.parts.clock.now())

    async def version_of(self, paper_id: UUID) -> int:
        async with self.engine.connect() as connection:
            return int(await connection.scalar(VERSION, {"id": paper_id}) or 0)


@pytest.fixture
async def scene(engine: AsyncEngine, parts: Components) -> Scene:
    async with unit_of_work(engine) as uow:
        return Scene(engine, parts, await publish_test(uow), await add_candidate(uow))


class TestArchive:
    async def test_a_start_waits_and_is_refused(self, scene: Scene) -> None:
        both = await overlap(scene.engine, scene.archive, scene.start)
        assert (both.waited, both.first.code, both.second.code) == (True, "ok", "not_found")

    async def test_it_waits_for_a_start_that_came_first(self, scene: Scene) -> None:
        both = await overlap(scene.engine, scene.start, scene.archive)
        assert (both.waited, both.first.code, both.second.code) == (True, "ok", "ok")


class TestPublication:
    async def test_a_start_waits_and_gets_the_new_version(self, scene: Scene) -> None:
        both = await overlap(scene.engine, scene.publish, scene.start)
        assert (both.waited, both.first.code, both.second.code) == (True, "ok", "ok")
        assert await scene.version_of(both.second.result().paper_id) == 2

    async def test_it_waits_for_a_start_that_came_first_and_has_the_old_version(self, scene: Scene) -> None:
        both = await overlap(scene.engine, scene.start, scene.publish)
        assert (both.waited, both.first.code, both.second.code) == (True, "ok", "ok")
        assert await scene.version_of(both.first.result().paper_id) == 1
