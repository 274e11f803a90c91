"""Builders of deleted accounts: deleting one's own over HTTP, and what the worker does about them."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.ids import uuid7
from app.models import Job
from app.services import account_deletion, account_exports, accounts, attempts, result_documents
from app.services.components import Components
from app.services.unit_of_work import reading, unit_of_work
from tests.builders.people import PASSWORD
from tests.conftest import TestClock

Json = dict[str, Any]
DAY = timedelta(days=1)
HOLD = 30 * DAY


async def delete_account(client: httpx.AsyncClient, password: str = PASSWORD) -> httpx.Response:
    """Delete the account that the client is signed in to."""
    return await client.request("DELETE", "/users/account", json={"password": password})


@dataclass(frozen=True)
class Worker:
    """Does what a worker does, when a test says so."""

    parts: Components
    engine: AsyncEngine
    clock: TestClock
    since: UUID = field(default_factory=uuid7)

    async def do_jobs(self, *tasks: str) -> None:
        """Carry out the unfinished jobs with these names that the test has added, in their order."""
        async with reading(self.engine) as reads:
            unfinished = Job.finished_at.is_(None), Job.task.in_(tasks), Job.id > self.since
            jobs = (await reads.session.scalars(select(Job).where(*unfinished).order_by(Job.id))).all()
        for job in jobs:
            await self._do(job.task, job.arguments)
            async with unit_of_work(self.engine) as uow:
                await uow.jobs.finish(job.id, self.clock.now())

    async def _do(self, task: str, arguments: Json) -> None:
        now = self.clock.now()
        match task:
            case "inform_auth_server":
                await accounts.inform_auth_server(self.parts, UUID(arguments["user_id"]))
            case "export_account":
                async with unit_of_work(self.engine) as uow:
                    await account_exports.build(uow, self.parts, UUID(arguments["export_id"]), now)
            case "make_result_file":
                async with unit_of_work(self.engine) as uow:
                    await result_documents.build(uow, self.parts, UUID(arguments["file_id"]), now)
            case "grade_attempts":
                async with unit_of_work(self.engine) as uow:
                    ids = [UUID(each) for each in arguments["attempt_ids"]]
                    await attempts.grade_batch(uow, self.parts, ids, now)

    async def purge(self) -> None:
        """Let the legal hold pass, and take both steps of the purge. Then the time is as before."""
        for passed in (HOLD, HOLD + account_deletion.PURGED_AFTER):
            with self.clock.moved(passed.total_seconds() + 1):
                while await account_deletion.purge_due(self.parts) == account_deletion.BATCH:
                    pass
