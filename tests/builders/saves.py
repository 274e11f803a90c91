"""Saves in a transaction of the test: it can be rolled back, or be kept open while another one waits for it.

Requests save by `attempts.save_and_commit`. These functions do the same, except that the statement is
executed in the transaction of `uow` and not in a batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

from app.repositories.attempts import SaveOutcome, SaveRequest, save_statement
from app.services import attempts
from app.services.attempts import LateSave, SaveReport, SaveTarget, SentResponse
from app.services.attempts.save_batches import SaveBatches
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork


async def save_uncommitted(
    uow: UnitOfWork, parts: Components, target: SaveTarget, sent: Sequence[SentResponse], now: datetime
) -> SaveReport | LateSave:
    """Save responses to an attempt without timed sections, whose log is not packed.

    Of other attempts a save reads more, in a transaction of its own, which does not see those of the test.
    """
    await parts.papers.get(uow, target.paper_id)  # From now on it is in memory.
    in_transaction = cast("SaveBatches", _InTransaction(uow))
    return await attempts.save_and_commit(replace(parts, save_batches=in_transaction), target, sent, now)


async def save_request(uow: UnitOfWork, request: SaveRequest) -> SaveOutcome | None:
    """Execute the SAVE statement, as `ResponseLog.save_single` does."""
    first = await _save_once(uow, request)
    if first is None or not save_statement.has_events_of_others(request, first):
        return first
    return save_statement.merged(first, await _save_once(uow, request))


@dataclass(frozen=True)
class _InTransaction:
    """Takes the place of `SaveBatches`."""

    uow: UnitOfWork

    async def save(self, request: SaveRequest) -> SaveOutcome | None:
        return await save_request(self.uow, request)


async def _save_once(uow: UnitOfWork, request: SaveRequest) -> SaveOutcome | None:
    connection = await uow.session.connection()
    arguments = tuple(save_statement.arguments_of([request]))
    rows = await connection.exec_driver_sql(save_statement.SAVE, arguments)
    [outcome] = save_statement.outcomes_of([request], rows)
    return outcome
