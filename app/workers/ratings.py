"""The loop of a worker that keeps ratings complete."""

import structlog

from app.services.analytics import abilities, taking_in
from app.services.components import Components
from app.services.unit_of_work import unit_of_work

log = structlog.get_logger(__name__)


class RatingsLoop:
    """Adds jobs for attempts that ratings have left out, and for ratings that are stale."""

    def __init__(self, parts: Components) -> None:
        self._parts = parts

    async def take_in_left_out(self) -> None:
        """Add jobs for attempts that were withheld when they were graded and are shown now."""
        async with unit_of_work(self._parts.engine) as uow:
            left_out = await taking_in.request_left_out(uow)
        if left_out:
            log.info("attempts_taken_in_later", count=left_out)

    async def estimate_abilities(self) -> None:
        """Add a job that estimates the abilities of candidates with new attempts."""
        async with unit_of_work(self._parts.engine) as uow:
            is_requested = await abilities.request_estimates(uow)
        if is_requested:
            log.info("abilities_requested")

    async def replay_stale(self) -> None:
        """Add a job that makes ratings again if a result that they rest on was withdrawn."""
        async with unit_of_work(self._parts.engine) as uow:
            is_stale = await taking_in.request_replay(uow)
        if is_stale:
            log.info("ratings_replay_requested")
