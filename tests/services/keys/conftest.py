"""A test whose key is revised."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.components import Components
from app.services.unit_of_work import unit_of_work
from tests.builders.content import publish_test
from tests.services.keys.desk import Desk


@pytest.fixture
async def desk(engine: AsyncEngine, parts: Components) -> Desk:
    async with unit_of_work(engine) as uow:
        return Desk(engine, parts, await publish_test(uow))
