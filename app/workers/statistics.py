"""The loop of a worker that has statistics refreshed."""

import structlog

from app.services.analytics import refreshing
from app.services.components import Components
from app.services.unit_of_work import unit_of_work

log = structlog.get_logger(__name__)


class StatisticsLoop:
    """Adds jobs for tests whose statistics are out of date."""

    def __init__(self, parts: Components) -> None:
        self._parts = parts

    async def request(self) -> None:
        """Add jobs for tests that have grown by a tenth, and at night for those that have changed."""
        async with unit_of_work(self._parts.engine) as uow:
            due = await refreshing.request_due(uow, self._parts.clock.now())
        if due:
            log.info("statistics_requested", tests=len(due))
