"""Response logs that fail or wait in one place, for tests of the batches that save into them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NoReturn, cast

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from app.models import Attempt
from app.repositories.attempts import SaveOutcome, SaveRequest
from app.repositories.attempts.response_log import ResponseLog


class TogetherOnly(ResponseLog):
    """A log that refuses to save a request by itself."""

    async def save_single(
        self, request: SaveRequest, outcome_in_batch: SaveOutcome | None
    ) -> SaveOutcome | None:
        raise AssertionError(f"saved by itself: {request}, {outcome_in_batch}")


class SlowWith(ResponseLog):
    """A log that saves batches of one attempt when the test says so."""

    def __init__(self, engine: AsyncEngine, attempt: Attempt) -> None:
        super().__init__(engine, pooled=False)
        self._attempt = attempt
        self.may_save = asyncio.Event()

    async def save_skipping_locked(
        self, connection: asyncpg.Connection, requests: Sequence[SaveRequest]
    ) -> list[SaveOutcome | None]:
        if any(request.attempt.id == self._attempt.id for request in requests):
            await self.may_save.wait()
        return await super().save_skipping_locked(connection, requests)


class WithoutOutcomes(ResponseLog):
    """A log whose batches end with something that cannot be judged, and the requests that it saves alone."""

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(engine, pooled=False)
        self.alone: list[SaveRequest] = []

    async def save_single(
        self, request: SaveRequest, outcome_in_batch: SaveOutcome | None
    ) -> SaveOutcome | None:
        self.alone.append(request)
        return await super().save_single(request, outcome_in_batch)

    async def save_skipping_locked(
        self, connection: asyncpg.Connection, requests: Sequence[SaveRequest]
    ) -> list[SaveOutcome | None]:
        return [None, cast("SaveOutcome", object())]


class WithFullDisk(WithoutOutcomes):
    """A log whose host has made PostgreSQL read-only."""

    async def save_skipping_locked(
        self, connection: asyncpg.Connection, requests: Sequence[SaveRequest]
    ) -> list[SaveOutcome | None]:
        async with connection.transaction(readonly=True):
            return await ResponseLog.save_skipping_locked(self, connection, requests)


class SlowToGiveBack(ResponseLog):
    """A log whose connections are given back when the test says so."""

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(engine, pooled=False)
        self.may_give_back = asyncio.Event()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        async with super().connection() as connection:
            yield connection
            await self.may_give_back.wait()


class WithoutConnection(ResponseLog):
    """A log that gets no connection."""

    def connection(self) -> NoReturn:
        raise ConnectionRefusedError
