"""Sending the mails that were asked for, behind the answers: their time must not tell who has an account."""

import asyncio
import logging

from devservers.auth.accounts import Accounts

log = logging.getLogger(__name__)

# The work of one request must not be noticed in the time of the next one, so it does not begin at once.
_PAUSE = 0.2
_RETRY = 1.0


class MailRequests:
    """Does what is asked for in the background. Requests are rows, so none is lost when the process ends."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._one_at_a_time = asyncio.Lock()

    async def run(self) -> None:
        """Send what waits, and then whenever something is asked for, until cancelled."""
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
        """Send everything that was asked for before this call."""
        async with self._one_at_a_time:
            while await self._accounts.send_requested_mail():
                pass
