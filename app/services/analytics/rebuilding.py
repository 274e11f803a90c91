"""Everything that analytics keep, made again from results and logs (docs/decisions/0066)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

from app.services.analytics import figures, refreshing, taking_in
from app.services.components import Components
from app.services.unit_of_work import reading, unit_of_work

BATCH = 200
FIRST = UUID(int=0)


@dataclass(frozen=True, slots=True)
class RebuildPlan:
    """How much there is to do."""

    results: int
    """After the id from which the rebuild begins."""
    missing: int
    """Those of them that have no figures."""


async def plan(parts: Components, after: UUID = FIRST) -> RebuildPlan:
    """Count the results after an attempt."""
    async with reading(parts.engine) as reads:
        return RebuildPlan(*await reads.figures.count_after(after))


async def rebuild_figures(
    parts: Components, after: UUID = FIRST, *, only_missing: bool = False
) -> AsyncIterator[tuple[int, UUID]]:
    """Compute the figures of all results, in the order of their attempts, each batch in a transaction.

    Yields after each batch how many were computed and the last attempt. Killed, it continues after that one.
    """
    last = after
    while True:
        async with unit_of_work(parts.engine) as uow:
            some = await uow.figures.graded_after(last, BATCH, only_missing=only_missing)
            if not some:
                return
            count = await figures.calculate(uow, parts, some)
        last = some[-1]
        yield count, last


async def request_statistics(parts: Components) -> int:
    """Add jobs that refresh the statistics of all tests with results; how many tests these are."""
    async with unit_of_work(parts.engine) as uow:
        test_ids = await uow.figures.tests_with_results()
        for test_id in test_ids:
            await refreshing.request_refresh(uow, test_id, parts.clock.now())
    return len(test_ids)


async def replay_ratings(parts: Components) -> tuple[int, int]:
    """Make ratings and review cards again, and take in what they have left out; how many attempts each.

    The replay is one transaction: killed, it has changed nothing.
    """
    async with unit_of_work(parts.engine) as uow:
        replayed = await taking_in.replay(uow, parts)
    added = 0
    while True:
        async with unit_of_work(parts.engine) as uow:
            left_out = await uow.ratings.left_out(taking_in.BATCH)
            taken = await taking_in.take_in(uow, parts, left_out)
        if not taken:
            return replayed, added
        added += taken
