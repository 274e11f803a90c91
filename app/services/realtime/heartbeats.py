"""Sends the time to open sockets, and closes those whose session has ended."""

import asyncio

from app.core.realtime.inbox import SESSION_ENDED, Inbox
from app.services.components import Components


class Heartbeats:
    """Serves all sockets of the process in one loop, instead of a timer for each socket."""

    def __init__(self, parts: Components) -> None:
        self._parts = parts
        self._hub = parts.hub

    async def step(self) -> None:
        """Close sockets of revoked sessions, and send the time to those that are due."""
        inboxes = self._hub.inboxes
        for inbox in inboxes:
            listener = inbox.listener
            if self._parts.revocations.cover(listener.user_id, listener.session_id, listener.issued_at):
                inbox.close(SESSION_ENDED)
                self._hub.leave(inbox)
        self.send_time(self._due(inboxes))

    def send_time(self, inboxes: list[Inbox]) -> None:
        """Send the server's time. The message is also the heartbeat."""
        now = self._parts.clock.now()
        if inboxes:
            self._hub.tell(inboxes, "time", now, {"server_time": now})

    def _due(self, inboxes: list[Inbox]) -> list[Inbox]:
        moment = asyncio.get_running_loop().time()
        due = [inbox for inbox in inboxes if inbox.closing is None and inbox.next_time_at <= moment]
        for inbox in due:
            inbox.next_time_at = moment + self._parts.settings.socket_heartbeat_seconds
        return due
