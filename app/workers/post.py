"""The post office of a worker: reminders that are due, and what is to be sent (loops over PostgreSQL)."""

from datetime import timedelta

import structlog

from app.services import notifications
from app.services.auth import auth_mails
from app.services.components import Components
from app.services.unit_of_work import unit_of_work

log = structlog.get_logger(__name__)

WORK_WITHIN = timedelta(seconds=10)
"""After this no other batch is begun: a round must end well before the loop loses patience."""
KEEP_ENDED = timedelta(days=30)


class Post:
    """Sends, reminds, and throws away what was sent long ago."""

    def __init__(self, parts: Components) -> None:
        self._parts = parts
        self._reminders = notifications.Reminders(parts)
        if parts.pusher is None:
            log.info("push_off", reason="FCM_SERVICE_ACCOUNT is not set")

    async def deliver(self) -> None:
        """Send what is due, batch after batch while batches are full."""
        stop_at = self._parts.clock.now() + WORK_WITHIN
        while await notifications.deliver_due(self._parts) == notifications.BATCH:
            if self._parts.clock.now() >= stop_at:
                return

    async def send_auth_mails(self) -> None:
        """Hand to the auth server what it is to mail, batch after batch while batches are full."""
        stop_at = self._parts.clock.now() + WORK_WITHIN
        while await auth_mails.send_due(self._parts) == auth_mails.BATCH:
            if self._parts.clock.now() >= stop_at:
                return

    async def remind(self) -> None:
        """Make the reminders that are due."""
        if told := await self._reminders.remind():
            log.info("reminded", count=told)

    async def forget(self) -> None:
        """Delete what was sent or dropped long ago."""
        async with unit_of_work(self._parts.engine) as uow:
            await uow.deliveries.delete_ended(self._parts.clock.now() - KEEP_ENDED)
