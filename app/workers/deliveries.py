"""The loops of a worker that send notifications and mails, and make reminders."""

from datetime import timedelta

import structlog

from app.core.repeating import repeat_full_batches
from app.services import notifications, rosters
from app.services.auth import auth_mails
from app.services.components import Components
from app.services.unit_of_work import unit_of_work

log = structlog.get_logger(__name__)

KEEP_ENDED = timedelta(days=30)


class DeliveryLoop:
    """Sends deliveries and mails that are due, makes reminders, and deletes old deliveries."""

    def __init__(self, parts: Components) -> None:
        self._parts = parts
        self._reminders = notifications.Reminders(parts)
        if parts.pusher is None:
            log.info("push_off", reason="FCM_SERVICE_ACCOUNT is not set")

    async def deliver(self) -> None:
        """Send the deliveries that are due."""
        await repeat_full_batches(
            self._parts.clock, lambda: notifications.deliver_due(self._parts), notifications.BATCH
        )

    async def send_auth_mails(self) -> None:
        """Ask the auth server for the mails that are due."""
        await repeat_full_batches(
            self._parts.clock, lambda: auth_mails.send_due(self._parts), auth_mails.BATCH
        )

    async def send_invitations(self) -> None:
        """Send the invitations that are due."""
        await repeat_full_batches(
            self._parts.clock, lambda: rosters.send_due_invitations(self._parts), rosters.BATCH
        )

    async def remind(self) -> None:
        """Make the reminders that are due."""
        if count := await self._reminders.remind():
            log.info("reminders_made", count=count)

    async def delete_old(self) -> None:
        """Delete deliveries that ended long ago."""
        async with unit_of_work(self._parts.engine) as uow:
            await uow.deliveries.delete_ended(self._parts.clock.now() - KEEP_ENDED)
