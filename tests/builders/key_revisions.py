"""Builders of key revisions: dry runs over HTTP, and what the worker does after the publication."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import delete

from app.models import Job
from app.services.components import Components
from app.services.unit_of_work import unit_of_work
from app.workers import tasks
from app.workers.runtime import TaskContext
from tests.builders.content import PublishedTest
from tests.builders.exams import Json, body_of

JOBS = {"publish_key_revision", "compute_key_revision", "notify_key_revised"}
FIGURES = "calculate_user_analytics"


def revision_body(made: PublishedTest, *changes: tuple[int, Any], **fields: Any) -> Json:
    """A revision of the questions at these places."""
    listed = [{"question_id": str(made.question_ids[place]), "key": key} for place, key in changes]
    return {"changes": listed, "reason": "B is right.", **fields}


async def dry_run(
    author: httpx.AsyncClient, made: PublishedTest, *changes: tuple[int, Any], **fields: Any
) -> Json:
    """A dry run of these changes."""
    answer = await author.post(f"{made.path}/key-revisions", json=revision_body(made, *changes, **fields))
    return body_of(answer, 201)


async def publish_revision(
    parts: Components, author: httpx.AsyncClient, made: PublishedTest, number: int
) -> Json:
    """Publish a dry run, carry it out, and return it as it is then."""
    path = f"{made.path}/key-revisions/{number}"
    body_of(await author.post(f"{path}/publish"), 202)
    await do_revision_jobs(parts)
    return body_of(await author.get(path))


async def revise(
    parts: Components,
    author: httpx.AsyncClient,
    made: PublishedTest,
    *changes: tuple[int, Any],
    **fields: Any,
) -> Json:
    """Try, publish and carry out a revision."""
    tried = await dry_run(author, made, *changes, **fields)
    return await publish_revision(parts, author, made, tried["number"])


async def do_revision_jobs(parts: Components) -> None:
    """What a worker does with the jobs of revisions that wait, and with those that they add."""
    now = parts.clock.now()
    async with unit_of_work(parts.engine) as uow:  # Other tests leave thousands, which are nobody's work.
        await uow.session.execute(delete(Job).where(Job.task.not_in(JOBS)))  # Also the figures of grading.
    while True:
        async with unit_of_work(parts.engine) as uow:
            leased = await uow.jobs.lease_due(now + timedelta(minutes=1), timedelta(hours=1))
            jobs = [(job.id, job.task, job.arguments) for job in leased if job.task in JOBS | {FIGURES}]
        if not leased:
            return
        for job_id, task, arguments in sorted(jobs, key=_order):
            async with unit_of_work(parts.engine) as uow:
                await getattr(tasks, task)(TaskContext(uow, now, parts), **arguments)
                await uow.jobs.finish(job_id, now)


def _order(job: tuple[UUID, str, Json]) -> UUID:
    return job[0]
