"""The tasks, done by a real worker."""

from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr

from app.config import Settings
from app.core.ids import uuid7
from app.services import attempts, users
from app.services.unit_of_work import unit_of_work
from app.startup import open_components
from devservers.valkey import Valkey
from tests.builders.content import publish_test
from tests.builders.people import new_email
from tests.waiting import eventually
from tests.workers.conftest import Database, StartWorker

pytestmark = pytest.mark.anyio


def account(email: str) -> users.Account:
    return users.Account(uuid7(), email, "Asha Rao", datetime.now(UTC))


async def overdue_attempt(database: Database, valkey: Valkey) -> UUID:
    """An attempt of a new candidate whose time was over an hour ago."""
    settings = Settings(database_url=SecretStr(database.url), redis_url=SecretStr(valkey.url))
    async with open_components(settings, application_name="ias-test", pool_size=2) as parts:
        async with unit_of_work(parts.engine) as uow:
            test = await publish_test(uow)
            member = await users.ensure_profile(uow, account(new_email()))
        candidate = users.principal_of(member.summary, "session", datetime.now(UTC))
        long_ago = datetime.now(UTC) - timedelta(hours=2)
        async with unit_of_work(parts.engine) as uow:
            return (await attempts.start(uow, parts, candidate, test.id, None, long_ago)).attempt.id


async def sent(database: Database) -> bool:
    return bool(await database.all("select 1 from ias.deliveries where status = 'sent'"))


async def attempt(database: Database, attempt_id: UUID) -> Any:
    return (await database.all("select * from ias.attempts where id = :id", id=attempt_id))[0]


class TestSendWelcomeMail:
    async def test_the_mail_arrives_once(
        self, tmp_path: Path, database: Database, start_worker: StartWorker
    ) -> None:
        async with unit_of_work(database.engine) as uow:
            await users.ensure_profile(uow, account("asha@example.org"))
        await start_worker().ready()
        job = (await database.all("select id from ias.jobs where task = 'send_welcome_mail'"))[0].id
        await eventually(lambda: database.finished(job))
        await eventually(lambda: sent(database))
        (file,) = (tmp_path / "mail").glob("*.eml")
        mail = message_from_bytes(file.read_bytes(), policy=policy.default)
        assert mail["To"] == "asha@example.org"
        assert mail["Subject"] == "Welcome to the IAS Test Series"

    async def test_an_unknown_user_gets_no_mail(
        self, tmp_path: Path, database: Database, start_worker: StartWorker
    ) -> None:
        await start_worker().ready()
        job = await database.add_job("send_welcome_mail", user_id=str(uuid4()))
        await eventually(lambda: database.finished(job))
        assert (await database.job(job)).error is None
        assert await database.all("select 1 from ias.notifications") == []
        assert not list((tmp_path / "mail").glob("*"))


class TestGradeAttempts:
    async def test_an_overdue_attempt_is_closed_and_graded(
        self, database: Database, valkey: Valkey, start_worker: StartWorker
    ) -> None:
        attempt_id = await overdue_attempt(database, valkey)
        await start_worker().ready()
        await eventually(lambda: self._graded(database, attempt_id))
        assert (await attempt(database, attempt_id)).closed_by == "deadline"
        results = await database.all("select * from ias.results where attempt_id = :id", id=attempt_id)
        assert len(results) == 1

    async def test_an_attempt_that_cannot_be_graded_does_not_stop_others(
        self, database: Database, valkey: Valkey, start_worker: StartWorker
    ) -> None:
        attempt_id = await overdue_attempt(database, valkey)
        await database.execute(
            "update ias.attempts set status = 'submitted', closed_by = 'staff', submitted_at = now()"
        )
        job = await database.add_job("grade_attempts", attempt_ids=["no id at all", str(attempt_id)])
        await start_worker().ready()
        await eventually(lambda: self._graded(database, attempt_id))
        assert not await database.finished(job)

    async def test_attempts_are_closed_on_time_without_redis(
        self, database: Database, valkey: Valkey, start_worker: StartWorker
    ) -> None:
        await start_worker().ready()
        valkey.stop()
        attempt_id = await overdue_attempt(database, valkey)
        await eventually(lambda: self._closed(database, attempt_id))
        valkey.start()
        await eventually(lambda: self._graded(database, attempt_id))

    async def _closed(self, database: Database, attempt_id: UUID) -> bool:
        return bool((await attempt(database, attempt_id)).status == "submitted")

    async def _graded(self, database: Database, attempt_id: UUID) -> bool:
        return bool((await attempt(database, attempt_id)).status == "graded")
