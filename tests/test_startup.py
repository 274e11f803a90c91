"""The long-lived parts: closed whatever happens."""

from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.config import Settings
from app.services.unit_of_work import reading
from app.startup import open_components
from tests.waiting import eventually

pytestmark = pytest.mark.anyio


class TestOpenComponents:
    async def test_an_error_leaves_no_connection_open(self, settings: Settings, engine: AsyncEngine) -> None:
        name = f"components-{uuid4().hex[:8]}"

        async def gone() -> bool:
            statement = text("select count(*) from pg_stat_activity where application_name = :name")
            async with engine.connect() as connection:
                return bool(await connection.scalar(statement, {"name": name}) == 0)

        async def fail() -> None:
            async with open_components(settings, application_name=name) as parts:
                async with reading(parts.engine) as reads:
                    await reads.health.ping()
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await fail()

        await eventually(gone)
