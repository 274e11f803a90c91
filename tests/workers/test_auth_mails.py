"""Requests for mails of the auth server, through a real worker."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.services.auth import auth_mails
from app.services.unit_of_work import unit_of_work
from devservers.valkey import Valkey
from tests.builders.people import new_email
from tests.servers.auth import serving
from tests.waiting import eventually
from tests.workers.conftest import Database, StartWorker

pytestmark = pytest.mark.anyio


async def waiting(database: Database) -> list[Any]:
    return await database.all("select * from ias.auth_mails")


async def test_the_worker_asks_the_auth_server_without_redis_too(
    database: Database, valkey: Valkey, start_worker: StartWorker
) -> None:
    async with serving() as auth:
        await start_worker(SUPABASE_URL=auth.url).ready()
        valkey.stop()
        email = new_email()
        async with unit_of_work(database.engine) as uow:
            auth_mails.request(uow, "recovery", email, None, datetime.now(UTC))

        async def handed_over() -> bool:
            return not await waiting(database)

        await eventually(handed_over)
        (asked,) = auth.asked
    assert asked.startswith(b"/auth/v1/recover")
    assert email.encode() in asked


async def test_a_request_outlives_a_worker(
    database: Database, valkey: Valkey, start_worker: StartWorker
) -> None:
    async with serving() as auth:
        auth.status = 503
        worker = await start_worker(SUPABASE_URL=auth.url).ready()
        async with unit_of_work(database.engine) as uow:
            auth_mails.request(uow, "recovery", new_email(), None, datetime.now(UTC))

        async def tried() -> bool:
            return bool(auth.asked)

        await eventually(tried)
        worker.kill()
        auth.status = 200
        await database.execute("update ias.auth_mails set due_at = now()")
        await start_worker(SUPABASE_URL=auth.url).ready()

        async def handed_over() -> bool:
            return not await waiting(database)

        await eventually(handed_over)
