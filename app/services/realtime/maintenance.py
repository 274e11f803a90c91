"""Maintenance of open sockets, every second: the heartbeat, and closing sockets of ended sessions."""

import asyncio

from app.core.realtime.inbox import SESSION_ENDED, Inbox
from app.core.realtime.payloads import TimeData
from app.services.components import Components


class SocketMaintenance:
    """One loop for all sockets of the process instead of a timer for each socket."""

    def __init__(self, parts: Components) -> None:
        self._parts = parts
        self._hub = parts.hub

    async def step(self) -> None:
        """Close the sockets of revoked sessions, and send the time where it is due."""
        inboxes = self._hub.inboxes
        for inbox in inboxes:
            listener = inbox.listener
            if self._parts.revocations.cover(listener.user_id, listener.session_id, listener.issued_at):
                inbox.close(SESSION_ENDED)
                self._hub.leave(inbox)
        self.tell_time(self._due(inboxes))

    def tell_time(self, inboxes: list[Inbox]) -> None:
        """Send the server time, which is also the heartbeat, to these sockets."""
        now = self._parts.clock.now()
        if inboxes:
            self._hub.send(inboxes, now, TimeData(server_time=now))

    def _due(self, inboxes: list[Inbox]) -> list[Inbox]:
        moment = asyncio.get_running_loop().time()
        due = [inbox for inbox in inboxes if inbox.closing is None and inbox.next_time_at <= moment]
        for inbox in due:
            inbox.next_time_at = moment + self._parts.settings.socket_heartbeat_seconds
        return due
