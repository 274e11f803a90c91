"""Steps of a worker, which the tests of the API take themselves."""

from datetime import timedelta

from app.services import attempts
from app.services.components import Components
from app.services.unit_of_work import unit_of_work


async def sweep(parts: Components) -> None:
    """Close overdue attempts, as the worker's loop does each second."""
    grace = timedelta(seconds=parts.settings.grace_seconds)
    async with unit_of_work(parts.engine) as uow:
        await attempts.close_overdue(uow, parts.clock.now(), grace)
