"""The loops of a worker that send notifications and mails, and make reminders."""

from datetime import timedelta

import structlog

from app.services import notifications, rosters
from app.services.auth import auth_mails
from app.services.components import Components
from app.services.unit_of_work import unit_of_work

log = structlog.get_logger(__name__)

MOST_TIME = timedelta(seconds=10)
"""After this time no further batch is started, because a round that takes too long is cancelled."""
KEEP_ENDED = timedelta(days=30)


class DeliveryLoop:
    """Sends deliveries and mails that are due, makes reminders, and deletes old deliveries."""

    def __init__(self, parts: Components) -> None:
        self._parts = parts
        self._reminders = notifications.Reminders(parts)
        if parts.pusher is None:
            log.info("push_off", reason="FCM_SERVICE_ACCOUNT is not set")

    async def deliver(self) -> None:
        """Send the deliveries that are due, batch after batch while batches are full."""
        stop_at = self._parts.clock.now() + MOST_TIME
        while await notifications.deliver_due(self._parts) == notifications.BATCH:
            if self._parts.clock.now() >= stop_at:
                return

    async def send_auth_mails(self) -> None:
        """Ask the auth server for the mails that are due, batch after batch while batches are full."""
        stop_at = self._parts.clock.now() + MOST_TIME
        while await auth_mails.send_due(self._parts) == auth_mails.BATCH:
            if self._parts.clock.now() >= stop_at:
                return

    async def send_invitations(self) -> None:
        """Send the invitations that are due, batch after batch while batches are full."""
        stop_at = self._parts.clock.now() + MOST_TIME
        while await rosters.send_due_invitations(self._parts) == rosters.BATCH:
            if self._parts.clock.now() >= stop_at:
                return

    async def remind(self) -> None:
        """Make the reminders that are due."""
        if count := await self._reminders.remind():
            log.info("reminders_made", count=count)

    async def delete_old(self) -> None:
        """Delete deliveries that ended long ago."""
        async with unit_of_work(self._parts.engine) as uow:
            await uow.deliveries.delete_ended(self._parts.clock.now() - KEEP_ENDED)
