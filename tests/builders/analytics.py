"""Builders of graded attempts with their figures, as analytics read them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from app.models import Attempt
from app.services import attempts
from app.services.analytics import figures
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal, principal_of
from tests.builders.attempts import TIME_TAKEN, ref_of, response, start_attempt, target_of
from tests.builders.content import PublishedTest
from tests.builders.people import user_id_of


@dataclass(frozen=True)
class Given:
    """One answer of an attempt."""

    answer: Any
    ms: int = 0
    confidence: str | None = None


async def sit(
    uow: UnitOfWork,
    parts: Components,
    candidate: Principal,
    made: PublishedTest,
    answers: Mapping[int, Given],
    at: datetime,
) -> Attempt:
    """A graded attempt, started `at` this time and five minutes long, with its figures."""
    attempt = await start_attempt(uow, parts, made, at, candidate)
    sent = [
        response(made, number, given.answer, time_spent_ms=given.ms, confidence=given.confidence)
        for number, given in answers.items()
    ]
    if sent:
        await attempts.save(uow, parts, target_of(attempt), sent, at)
    graded = await attempts.submit(uow, parts, ref_of(attempt), at + TIME_TAKEN)
    await figures.calculate(uow, parts, [attempt.id])
    return graded


async def principal_of_client(uow: UnitOfWork, client: httpx.AsyncClient) -> Principal:
    """The user of a client, as services take it."""
    member = await uow.users.member(await user_id_of(client))
    assert member is not None
    return principal_of(member, "session", datetime.now(UTC))
