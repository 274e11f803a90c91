"""The backlog that Prometheus is shown."""

from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from app.config import Settings
from app.core.telemetry import measured_payload
from app.database import create_engine
from app.models import Kind
from app.services import backlog
from app.services.components import Components
from app.services.notifications.creating import build_notice
from app.services.unit_of_work import unit_of_work
from tests.builders.notifications import add_user
from tests.conftest import TestClock

pytestmark = pytest.mark.anyio


async def measured(parts: Components) -> dict[str, float]:
    """By name and labels."""
    readings = await backlog.measure(parts)
    return {",".join([each.name, *each.labels.values()]): float(each.value) for each in readings}


class TestMeasure:
    async def test_it_counts_what_waits_and_for_how_long(
        self, parts: Components, engine: AsyncEngine, clock: TestClock
    ) -> None:
        before = await measured(parts)
        now = parts.clock.now()
        async with unit_of_work(engine) as uow:
            user = await add_user(uow)
            notice = build_notice(Kind.WELCOME, "", {})
            await uow.notifications.create([(user.id, notice)], now - timedelta(days=900), push=True)
            uow.jobs.add("send_welcome_mail", user_id=str(user.id))
        after = await measured(parts)
        for name in ("ias_jobs_waiting", "ias_messages_unpublished", "ias_deliveries_waiting,email"):
            assert after[name] == before[name] + 1, name
        assert after["ias_deliveries_oldest_due_seconds,email"] >= timedelta(days=900).total_seconds()
        assert after["ias_deliveries_waiting,push"] == before["ias_deliveries_waiting,push"]
        clock.advance(1000)
        assert (await measured(parts))["ias_jobs_oldest_due_seconds"] > 900
        async with unit_of_work(engine) as uow:
            taken = await uow.deliveries.lease_due(now, timedelta(days=1), 1000)
            for each in taken:
                await uow.deliveries.mark_dropped(each, "of a test")

    async def test_what_does_not_answer_is_missing_and_is_said_to_be(self, parts: Components) -> None:
        nobody = Settings(database_url=SecretStr("postgresql://nobody@127.0.0.1:1/none"))
        engine, redis = create_engine(nobody), Redis.from_url("redis://127.0.0.1:1/0")
        values = await measured(replace(parts, engine=engine, redis=redis))
        await redis.aclose()
        await engine.dispose()
        assert values == {"ias_backlog_known,database": 0, "ias_backlog_known,redis": 0}


class TestPayload:
    async def test_it_is_a_page_for_prometheus(self, parts: Components) -> None:
        page = measured_payload(await backlog.measure(parts)).decode()
        assert "# TYPE ias_jobs_waiting gauge" in page
        assert 'ias_backlog_known{part="redis"} 1.0' in page
        assert 'ias_deliveries_waiting{channel="email"}' in page
