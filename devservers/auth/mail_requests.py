"""Sends requested mails after the responses, whose time must not show which accounts exist."""

import asyncio
import logging

from devservers.auth.accounts import Accounts

log = logging.getLogger(__name__)

# The work starts after a delay, so that it does not slow down the next request of the same client.
_PAUSE = 0.2
_RETRY = 1.0


class MailRequests:
    """Sends mails in the background. Requests are rows, so that none is lost when the process ends."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._one_at_a_time = asyncio.Lock()

    async def run(self) -> None:
        """Send waiting mails, and then each new one, until cancelled."""
        while True:
            self._accounts.mail_requested.clear()
            try:
                await self.send_all()
            except Exception:
                log.exception("could not send the mails that were asked for")
                await asyncio.sleep(_RETRY)
                continue
            await self._accounts.mail_requested.wait()
            await asyncio.sleep(_PAUSE)

    async def send_all(self) -> None:
        """Send all mails that were requested before this call."""
        async with self._one_at_a_time:
            while await self._accounts.send_requested_mail():
                pass
