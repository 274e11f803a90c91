"""An answer that was sent in time is in time, whatever the server waits for before it looks at it."""

import asyncio
from datetime import datetime

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import start
from tests.builders.content import publish_test
from tests.conftest import TestClock
from tests.two_connections import until_waiting

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("bearer", ["access token", "attempt token"])
async def test_a_database_that_hangs_makes_no_answer_late(
    engine: AsyncEngine, candidate: httpx.AsyncClient, clock: TestClock, bearer: str
) -> None:
    async with unit_of_work(engine) as uow:
        made = await publish_test(uow, [["a"]], duration_seconds=600)
    sitting = await start(candidate, made)
    deadline = datetime.fromisoformat(sitting.attempt["deadline_at"])
    given = sitting.attempt["attempt_token"] if bearer == "attempt token" else None
    headers = {"Authorization": f"Bearer {given}"} if given else {}
    body = {"attempt_id": sitting.attempt["id"], "lease": 1, "responses": [sitting.response(0, ["a"])]}
    clock.advance((deadline - clock.now()).total_seconds() - 5)
    async with engine.begin() as connection:
        # Whoever authenticates by login reads the first table; a save waits for the second.
        await connection.execute(text("lock table ias.users, ias.attempts in access exclusive mode"))
        saving = asyncio.create_task(candidate.post(f"{made.path}/responses", json=body, headers=headers))
        await until_waiting(engine, 1)
        clock.advance(60)
    answer = await saving
    assert answer.status_code == 200, answer.text
    assert answer.json()["saved"] == 1
