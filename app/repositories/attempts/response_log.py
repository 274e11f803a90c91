"""Saves in transactions of their own, on connections of their own."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from app.database import driver_connection, run_and_commit
from app.repositories.attempts.save_statement import (
    SAVE,
    SAVE_SKIP_LOCKED,
    SaveOutcome,
    SaveRequest,
    arguments_of,
    has_events_of_others,
    merged,
    outcomes_of,
)


class ResponseLog:
    """The log of responses, for requests that have no transaction. `pooled`: through a transaction pooler."""

    def __init__(self, engine: AsyncEngine, *, pooled: bool) -> None:
        self._engine = engine
        self._pooled = pooled

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection for any number of statements, one after the other."""
        async with driver_connection(self._engine) as connection:
            yield connection

    async def save_skipping_locked(
        self, connection: asyncpg.Connection, requests: Sequence[SaveRequest]
    ) -> list[SaveOutcome | None]:
        """Save for different attempts in one transaction, which waits for nobody who changes an attempt.

        None where the attempt is locked, or not this person's. `save_single` finds out.
        """
        rows = await run_and_commit(connection, SAVE_SKIP_LOCKED, arguments_of(requests), pooled=self._pooled)
        return outcomes_of(requests, rows)

    async def save_single(
        self, request: SaveRequest, outcome_in_batch: SaveOutcome | None
    ) -> SaveOutcome | None:
        """Save for one attempt, after whoever changes it. None where it is not this person's.

        `outcome_in_batch` is None if the attempt was locked, or not found. If it is given, some event was
        stored by another request at the same moment, and only the rest is missing.
        """
        async with self.connection() as connection:
            first = outcome_in_batch or await self._save_once(connection, request)
            if first is None or not has_events_of_others(request, first):
                return first
            return merged(first, await self._save_once(connection, request))

    async def _save_once(self, connection: asyncpg.Connection, request: SaveRequest) -> SaveOutcome | None:
        rows = await run_and_commit(connection, SAVE, arguments_of([request]), pooled=self._pooled)
        [outcome] = outcomes_of([request], rows)
        return outcome
