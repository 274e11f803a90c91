"""Sittings of the tests: candidates who start, answer and submit, over HTTP or through the services."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.attempt_scope import AttemptRef, AttemptScope
from app.models import Attempt, ResponseEvent
from app.services import attempts
from app.services.attempts import Response, SaveTarget
from app.services.components import Components
from app.services.unit_of_work import Reading, UnitOfWork, reading
from app.services.users import Principal, principal_of
from tests.content import Made

Json = dict[str, Any]


@dataclass(frozen=True)
class Sitting:
    """An attempt as one device holds it, over HTTP."""

    client: httpx.AsyncClient
    made: Made
    attempt: Json

    @property
    def id(self) -> UUID:
        return UUID(self.attempt["id"])

    def response(self, number: int, answer: Any, revision: int = 1, **more: Any) -> Json:
        """An answer to the question at this place, counted from 0."""
        question_id = str(self.made.question_ids[number])
        return {"question_id": question_id, "revision": revision, "answer": answer, **more}

    async def save(self, *responses: Json, **changes: Any) -> httpx.Response:
        """Send answers; `changes` replace fields of the body."""
        body = {"attempt_id": self.attempt["id"], "lease": self.attempt["lease"], "responses": responses}
        return await self.client.post(f"{self.made.path}/responses", json=body | changes)

    async def submit(self) -> httpx.Response:
        return await self.client.post(f"{self.made.path}/submit", json={"attempt_id": self.attempt["id"]})

    async def result(self) -> Json:
        """The result of this attempt."""
        answer = await self.client.get(f"{self.made.path}/results", params={"attempt_id": self.attempt["id"]})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


async def start(client: httpx.AsyncClient, made: Made) -> Sitting:
    """Start, or take up what is in progress."""
    answer = await client.post(f"{made.path}/start")
    assert answer.status_code in (200, 201), answer.text
    return Sitting(client, made, answer.json())


async def take(client: httpx.AsyncClient, made: Made, answers: Mapping[int, Any]) -> Json:
    """Start, answer the questions at these places, submit; the result."""
    sitting = await start(client, made)
    if answers:
        saved = await sitting.save(*(sitting.response(number, given) for number, given in answers.items()))
        assert saved.status_code == 200, saved.text
    submitted = await sitting.submit()
    assert submitted.json()["status"] == "graded", submitted.text
    return await sitting.result()


async def add_candidate(uow: UnitOfWork) -> Principal:
    """A candidate with a profile, and no account."""
    user_id = uuid4()
    await uow.users.add(user_id, f"{user_id.hex}@example.org", "Asha Rao")
    member = await uow.users.member(user_id)
    assert member is not None
    return principal_of(member, "session")


async def sit(
    uow: UnitOfWork, parts: Components, made: Made, now: datetime, candidate: Principal | None = None
) -> Attempt:
    """A candidate's attempt, started through the service."""
    candidate = candidate or await add_candidate(uow)
    return (await attempts.start(uow, parts, candidate, made.id, None, now)).attempt


def response(made: Made, number: int, answer: Any, revision: int = 1, **more: Any) -> Response:
    """An answer to the question at this place, as the service takes it."""
    fields = {"marked_for_review": False, "time_spent_ms": 0, "confidence": None, "language": None}
    return Response(made.question_ids[number], revision, answer, **(fields | more))


def target_of(attempt: Attempt, lease: int | None = None) -> SaveTarget:
    """Where the answers of an attempt's device go."""
    return SaveTarget(ref_of(attempt), attempt.paper_id, lease or attempt.lease)


def ref_of(attempt: Attempt) -> AttemptRef:
    """The attempt as its candidate names it."""
    assert attempt.user_id is not None
    return AttemptRef(attempt.id, attempt.user_id, AttemptScope(attempt.test_id, attempt.exam_paper_id))


async def events(reads: Reading, attempt_id: UUID) -> list[ResponseEvent]:
    """The whole log of an attempt, late ones too."""
    statement = select(ResponseEvent).where(ResponseEvent.attempt_id == attempt_id)
    order = ResponseEvent.question_id, ResponseEvent.lease, ResponseEvent.revision
    return list((await reads.session.scalars(statement.order_by(*order))).all())


async def logged(engine: AsyncEngine, attempt_id: UUID) -> list[ResponseEvent]:
    """The whole log of an attempt, as committed."""
    async with reading(engine) as reads:
        return await events(reads, attempt_id)


async def log_rows(engine: AsyncEngine, sitting: Sitting) -> list[tuple[Any, ...]]:
    """The log of a sitting, to compare."""
    return [
        (row.question_id, row.lease, row.revision, row.answer, row.late)
        for row in await logged(engine, sitting.id)
    ]


async def until_blocking(engine: AsyncEngine, uow: UnitOfWork) -> None:
    """Return when some other transaction waits for this one, as PostgreSQL sees it."""
    holder = await uow.session.scalar(text("select pg_backend_pid()"))
    waiting = text("select exists (select from pg_stat_activity where :holder = any(pg_blocking_pids(pid)))")
    async with asyncio.timeout(10), engine.connect() as observer:
        while not await observer.scalar(waiting, {"holder": holder}):
            await observer.rollback()
