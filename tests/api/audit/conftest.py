"""The admin whose actions are recorded."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.components import Components
from tests.api.audit.scenarios import World
from tests.builders.people import People
from tests.conftest import TestClock


@pytest.fixture
async def world(people: People, engine: AsyncEngine, parts: Components, clock: TestClock) -> World:
    return World(await people.member("admin"), people, engine, parts, clock)
