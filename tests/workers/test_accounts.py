"""Exports and purges of accounts, done by a real worker."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.core.ids import uuid7
from app.models import AccountDeletion
from app.services import account_exports, users
from app.services.unit_of_work import unit_of_work
from tests.builders.people import new_email
from tests.servers.auth import serving
from tests.waiting import eventually
from tests.workers.conftest import Database, StartWorker

pytestmark = pytest.mark.anyio


async def test_a_worker_makes_an_export_and_purges_an_account_whose_hold_is_over(
    tmp_path: Path, database: Database, start_worker: StartWorker
) -> None:
    now = datetime.now(UTC)
    async with unit_of_work(database.engine) as uow:
        one, two = [
            await users.ensure_profile(uow, users.Account(uuid7(), new_email(), "Asha Rao", now))
            for _ in range(2)
        ]
        export = await account_exports.request(uow, users.principal_of(one.summary, "session", now), now)
        long_ago = now - timedelta(days=31)
        gone = AccountDeletion(user_id=two.user.id, requested_at=long_ago, due_at=long_ago)
        await uow.deletions.add(gone)
    job = (await database.all("select id from ias.jobs where task = 'export_account'"))[0].id
    async with serving() as auth:
        files = (tmp_path / "media").as_uri()
        await start_worker(SUPABASE_URL=auth.url, SUPABASE_SERVICE_KEY="service", MEDIA_URL=files).ready()
        await eventually(lambda: database.finished(job))

        async def left_the_auth_server() -> bool:
            rows = await database.all("select auth_deleted_at from ias.account_deletions")
            return rows[0].auth_deleted_at is not None

        await eventually(left_the_auth_server)
        asked = [each for each in auth.asked if str(two.user.id).encode() in each]
    assert asked == [f"/auth/v1/admin/users/{two.user.id}".encode() + b' {"should_soft_delete":false}']
    assert (tmp_path / "media" / "exports" / f"{export.id}.zip").is_file()
    (row,) = await database.all("select status from ias.account_exports")
    assert row.status == "ready"
