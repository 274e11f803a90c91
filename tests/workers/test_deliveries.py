"""Notifications through a real worker, from the job to the mail server, whoever is killed between."""

import re
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.models import User
from app.services.unit_of_work import unit_of_work
from devservers.valkey import Valkey
from tests.builders.notifications import Event, add_announced_exam, add_user, register
from tests.servers.mail import Inbox, serving
from tests.waiting import eventually
from tests.workers.conftest import Database, StartWorker

pytestmark = pytest.mark.anyio


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
async def smtp_url(inbox: Inbox) -> AsyncIterator[str]:
    async with serving(inbox) as address:
        yield f"smtp://{address}"


async def candidates(database: Database, starts_in: timedelta, **exam: Any) -> tuple[Event, list[User]]:
    """An exam with three registered candidates."""
    now = datetime.now(UTC)
    async with unit_of_work(database.engine) as uow:
        event = await add_announced_exam(uow, now + starts_in, **exam)
        users = [await add_user(uow) for _ in range(3)]
        for user in users:
            await register(uow, event, user)
    return event, users


async def states(database: Database) -> list[tuple[str, int]]:
    rows = await database.all("select status, tries from ias.deliveries order by id")
    return [(row.status, row.tries) for row in rows]


async def all_sent(database: Database, count: int) -> bool:
    return [status for status, _ in await states(database)] == ["sent"] * count


class TestJobs:
    async def test_every_kind_of_job_is_one_that_the_worker_knows(
        self, database: Database, smtp_url: str, inbox: Inbox, start_worker: StartWorker
    ) -> None:
        now = datetime.now(UTC)
        event, users = await candidates(database, timedelta(days=3), released_at=now)
        place = (await database.all("select id from ias.registrations order by id limit 1"))[0].id
        jobs = [
            await database.add_job("notify_registered", registration_id=str(place)),
            await database.add_job("notify_postponed", exam_id=str(event.exam_id)),
            await database.add_job("notify_results_released", exam_id=str(event.exam_id)),
            await database.add_job("notify_submitted", attempt_ids=[str(UUID(int=1))]),
            # as an earlier version adds it
            await database.add_job("notify_submitted", attempt_id=str(UUID(int=1))),
            await database.add_job("notify_extra_time", exam_id=str(event.exam_id), change_id="1", before=[]),
            await database.add_job("notify_cancelled", exam_id=str(event.exam_id)),
        ]
        await start_worker(SMTP_URL=smtp_url).ready()
        for job in jobs:
            await eventually(lambda job=job: database.finished(job))  # type: ignore[misc]
            assert (await database.job(job)).error is None
        await eventually(lambda: all_sent(database, 1 + 3 + 3))
        subjects = [str(mail["Subject"]).partition(":")[0] for mail in inbox.to(*(u.email for u in users))]
        assert sorted(subjects) == [
            *["Postponed"] * 3,
            *["The results are out"] * 3,
            "You are registered",
        ]

    async def test_reminders_need_neither_redis_nor_a_job(
        self,
        database: Database,
        valkey: Valkey,
        smtp_url: str,
        inbox: Inbox,
        start_worker: StartWorker,
    ) -> None:
        await start_worker(SMTP_URL=smtp_url).ready()
        await start_worker(SMTP_URL=smtp_url).ready()
        valkey.stop()
        _, users = await candidates(database, timedelta(minutes=14))
        await eventually(lambda: all_sent(database, 3))
        for user in users:
            (mail,) = inbox.to(user.email)
            assert re.fullmatch(r"All-India Mock 7 opens in \d+ minutes?", str(mail["Subject"]))


class TestKilled:
    async def _told(self, database: Database) -> None:
        event, _ = await candidates(database, timedelta(days=3), cancelled_at=datetime.now(UTC))
        await database.add_job("notify_cancelled", exam_id=str(event.exam_id))

    async def test_what_it_had_in_hand_is_sent_by_the_next_one(
        self, database: Database, smtp_url: str, inbox: Inbox, start_worker: StartWorker
    ) -> None:
        await self._told(database)
        inbox.go_on.clear()
        worker = await start_worker(SMTP_URL=smtp_url).ready()
        await inbox.begun.wait()
        worker.kill()
        inbox.go_on.set()
        assert {status for status, _ in await states(database)} == {"waiting"}
        await database.execute("update ias.deliveries set due_at = now()")  # rather than wait for its lease
        inbox.envelopes.clear()
        await start_worker(SMTP_URL=smtp_url).ready()
        await eventually(lambda: all_sent(database, 3))
        assert len(inbox.envelopes) == 3

    async def test_asked_to_stop_it_ends_the_mails_under_way(
        self, database: Database, smtp_url: str, inbox: Inbox, start_worker: StartWorker
    ) -> None:
        await self._told(database)
        inbox.go_on.clear()
        worker = await start_worker(SMTP_URL=smtp_url).ready()
        await inbox.begun.wait()
        worker.process.send_signal(signal.SIGTERM)

        async def stopping() -> bool:
            return "worker_stopping" in worker.log.read_text()

        await eventually(stopping)
        inbox.go_on.set()

        async def ended() -> bool:
            return worker.process.poll() is not None

        await eventually(ended)
        assert worker.process.returncode == 0
        sent = [status for status, _ in await states(database) if status == "sent"]
        assert len(sent) == len(inbox.envelopes) >= 1
        assert "Traceback" not in worker.log.read_text()
