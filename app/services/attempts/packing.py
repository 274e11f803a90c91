"""Packing the logs of closed attempts that began a week ago or earlier (docs/decisions/0093)."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.unit_of_work import UnitOfWork, unit_of_work

PACKED_AFTER = timedelta(days=7)
"""So long after the start of an attempt its log is packed. Answers that come later are refused."""
BATCH = 200
_FIRST = UUID(int=0)


async def pack_old_logs(engine: AsyncEngine, now: datetime) -> int:
    """Pack the logs of old attempts, a batch in each transaction; how many attempts these were.

    It may be stopped at any time. Then it drops the partitions that have become empty.
    """
    before = now - PACKED_AFTER
    after: UUID | None = _FIRST
    packed = 0
    while after is not None:
        async with unit_of_work(engine) as uow:
            count, after = await pack_batch(uow, after, before)
        packed += count
    await _drop_partitions(engine, before)
    return packed


async def pack_batch(uow: UnitOfWork, after: UUID, before: datetime) -> tuple[int, UUID | None]:
    """Pack the next attempts; how many, and after which attempt to go on, or None at the end.

    Attempts that are not graded, and those of an exam that is not released, are left for later.
    """
    logged = await uow.packed_logs.next_logged(after, before, BATCH)
    closed = await uow.packed_logs.lock_closed(logged)
    if closed:
        await uow.packed_logs.pack(closed)
    return len(closed), logged[-1] if logged else None


async def _drop_partitions(engine: AsyncEngine, before: datetime) -> None:
    async with unit_of_work(engine) as uow:
        partitions = await uow.packed_logs.partitions()
    for name in partitions:
        if name < f"response_events_{before:%Y_%m}":
            async with unit_of_work(engine) as uow:
                await uow.packed_logs.drop_if_empty(name)
