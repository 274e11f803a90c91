"""Fixtures of the API's tests: its sockets, and the world of objects and identities."""

from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.api.matrix import Matrix
from tests.builders.people import People
from tests.builders.world import World, build_world
from tests.conftest import TestClock
from tests.sockets import serving


@pytest.fixture(scope="session")
async def sockets_url(app: FastAPI) -> AsyncIterator[str]:
    """The address of the application's sockets, behind a real server in this process."""
    async with serving(app) as url:
        yield url


@pytest.fixture(scope="session")
async def world(people: People, engine: AsyncEngine) -> World:
    """Objects and identities of all modules that only read them, or are refused."""
    return await build_world(people, engine)


@pytest.fixture
def matrix(app: FastAPI, world: World, clock: TestClock) -> Matrix:
    return Matrix(app, world, clock)
