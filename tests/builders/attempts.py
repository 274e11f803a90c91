"""Builders of attempts, over HTTP or through the services, and their log of responses."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.attempt_scope import AttemptRef, AttemptScope
from app.models import Attempt, ResponseEvent
from app.services import attempts
from app.services.attempts import Response, SaveTarget
from app.services.components import Components
from app.services.unit_of_work import Reading, UnitOfWork, reading
from app.services.users import Principal, principal_of
from tests.builders.content import PublishedTest
from tests.builders.saves import save_uncommitted
from tests.two_connections import BLOCKING, PID, polled

Json = dict[str, Any]
TIME_TAKEN = timedelta(minutes=5)


@dataclass(frozen=True)
class AttemptClient:
    """One device's client of an attempt."""

    client: httpx.AsyncClient
    made: PublishedTest
    attempt: Json

    @property
    def id(self) -> UUID:
        return UUID(self.attempt["id"])

    def response(self, number: int, answer: Any, revision: int = 1, **more: Any) -> Json:
        """A response to the question at this place, counted from 0."""
        question_id = str(self.made.question_ids[number])
        return {"question_id": question_id, "revision": revision, "answer": answer, **more}

    async def save(self, *responses: Json, **changes: Any) -> httpx.Response:
        """Send responses; `changes` replace fields of the body."""
        body = {"attempt_id": self.attempt["id"], "lease": self.attempt["lease"], "responses": responses}
        return await self.client.post(f"{self.made.path}/responses", json=body | changes)

    async def submit(self) -> httpx.Response:
        return await self.client.post(f"{self.made.path}/submit", json={"attempt_id": self.attempt["id"]})

    async def result(self) -> Json:
        """The result of this attempt."""
        answer = await self.client.get(f"{self.made.path}/results", params={"attempt_id": self.attempt["id"]})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


async def start(client: httpx.AsyncClient, made: PublishedTest) -> AttemptClient:
    """Start an attempt, or resume the one in progress."""
    answer = await client.post(f"{made.path}/start")
    assert answer.status_code in (200, 201), answer.text
    return AttemptClient(client, made, answer.json())


async def take_test(client: httpx.AsyncClient, made: PublishedTest, answers: Mapping[int, Any]) -> Json:
    """Start, answer the questions at these places, submit, and return the result."""
    sitting = await start(client, made)
    if answers:
        saved = await sitting.save(*(sitting.response(number, given) for number, given in answers.items()))
        assert saved.status_code == 200, saved.text
    submitted = await sitting.submit()
    assert submitted.json()["status"] == "graded", submitted.text
    return await sitting.result()


async def add_candidate(uow: UnitOfWork) -> Principal:
    """A candidate with a profile, but no account of the auth server."""
    user_id = uuid4()
    await uow.users.add(user_id, f"{user_id.hex}@example.org", "Asha Rao")
    member = await uow.users.member(user_id)
    assert member is not None
    return principal_of(member.summary, "session", datetime.now(UTC))


async def start_attempt(
    uow: UnitOfWork, parts: Components, made: PublishedTest, now: datetime, candidate: Principal | None = None
) -> Attempt:
    """An attempt started through the service, by default of a new candidate."""
    candidate = candidate or await add_candidate(uow)
    return (await attempts.start(uow, parts, candidate, made.id, None, now)).attempt


async def graded_attempt(
    uow: UnitOfWork,
    parts: Components,
    candidate: Principal,
    made: PublishedTest,
    answers: Mapping[int, Any],
    now: datetime,
    *,
    time_spent_ms: int = 0,
) -> Attempt:
    """A graded attempt, started `now`, with answers to the questions at these places, each in this time."""
    attempt = await start_attempt(uow, parts, made, now, candidate)
    if answers:
        sent = [response(made, at, given, time_spent_ms=time_spent_ms) for at, given in answers.items()]
        await save_uncommitted(uow, parts, target_of(attempt), sent, now)
    return await attempts.submit(uow, parts, ref_of(attempt), now + TIME_TAKEN)


def response(made: PublishedTest, number: int, answer: Any, revision: int = 1, **more: Any) -> Response:
    """A response to the question at this place, as the service takes it."""
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
    """The response events of an attempt, late ones included."""
    statement = select(ResponseEvent).where(ResponseEvent.attempt_id == attempt_id)
    order = ResponseEvent.question_id, ResponseEvent.lease, ResponseEvent.revision
    return list((await reads.session.scalars(statement.order_by(*order))).all())


async def logged(engine: AsyncEngine, attempt_id: UUID) -> list[ResponseEvent]:
    """The committed response events of an attempt."""
    async with reading(engine) as reads:
        return await events(reads, attempt_id)


async def log_rows(engine: AsyncEngine, sitting: AttemptClient) -> list[tuple[Any, ...]]:
    """The committed response events as tuples that compare."""
    return [
        (row.question_id, row.lease, row.revision, row.answer, row.late)
        for row in await logged(engine, sitting.id)
    ]


async def until_blocking(engine: AsyncEngine, uow: UnitOfWork) -> None:
    """Return once PostgreSQL reports a transaction that waits for this one."""
    await polled(engine, BLOCKING, await uow.session.scalar(PID))
