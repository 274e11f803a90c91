"""Scenarios: actions one after another on what they share, each of which must be in the audit log."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.components import Components
from app.services.unit_of_work import unit_of_work
from tests.builders.content import PublishedTest, publish_test
from tests.builders.exams import Entrant, HeldExam, Json, body_of, hold_exam, register
from tests.builders.people import People, user_id_of
from tests.conftest import TestClock


@dataclass
class World:
    """An admin who does everything, and what there is to do it to."""

    admin: httpx.AsyncClient
    people: People
    engine: AsyncEngine
    parts: Components
    clock: TestClock

    async def made(self) -> PublishedTest:
        async with unit_of_work(self.engine) as uow:
            return await publish_test(uow)

    async def held(self, **changes: Any) -> HeldExam:
        return await hold_exam(self.admin, await self.made(), starts_at=self.clock.now(), **changes)

    async def person(self) -> UUID:
        """The id of a new candidate."""
        return await user_id_of(await self.people.candidate())

    async def entrant(self, held: HeldExam) -> Entrant:
        """A candidate with an attempt in progress."""
        entrant = await register(await self.people.candidate(), held)
        body_of(await entrant.enter())
        return entrant

    async def entries(self, **params: str) -> list[Json]:
        """The log, newest first."""
        return list(body_of(await self.admin.get("/audit", params={"limit": "100", **params}))["items"])


class Actor(Enum):
    """Who is recorded as the one who acted."""

    ADMIN = "the admin"
    PERSON = "the user whose account is the subject"
    NOBODY = "nobody: an operator at the command line, or the worker"


@dataclass(frozen=True)
class Done:
    """An action that must now be in the log."""

    kind: str
    action: str
    subject_id: UUID | str | None = None
    actor: Actor = Actor.ADMIN

    @property
    def subject(self) -> str:
        """The subject as the log is filtered by it."""
        return self.kind if self.subject_id is None else f"{self.kind}:{self.subject_id}"


Steps = Callable[[World], AsyncIterator[Done]]


@dataclass(frozen=True)
class Scenario:
    """Some actions, by kind and name, and the steps that do them."""

    name: str
    actions: frozenset[tuple[str, str]]
    steps: Steps


def scenario(**actions: Sequence[str]) -> Callable[[Steps], Scenario]:
    """Declare which actions a scenario does, by the kind of their subject."""

    def declare(steps: Steps) -> Scenario:
        pairs = frozenset((kind, action) for kind, names in actions.items() for action in names)
        return Scenario(steps.__name__, pairs, steps)

    return declare
