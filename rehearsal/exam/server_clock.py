"""The server's time, as a client estimates it from `GET /time`."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

from rehearsal.client import Client

_REQUESTS = 5


class ServerClock:
    """Adds the monotonic clock to the server's time, so that this machine's own clock does not matter."""

    def __init__(self) -> None:
        self._at_zero = datetime.min.replace(tzinfo=UTC)
        self.error = 0.0
        """The largest possible error in seconds: half of the quickest request's duration."""

    async def synchronize(self, client: Client) -> None:
        """Ask for the time several times, and use the quickest answer."""
        best = float("inf")
        for _ in range(_REQUESTS):
            asked = time.monotonic()
            answer = await client.call("time", "GET", "/time", None, 200)
            took = time.monotonic() - asked
            if took < best:
                best, middle = took, asked + took / 2
                self._at_zero = datetime.fromisoformat(answer.body["server_time"]) - timedelta(seconds=middle)
        self.error = best / 2

    def now(self) -> datetime:
        return self.at(time.monotonic())

    def earliest(self) -> datetime:
        """The server's time is not earlier than this."""
        return self.now() - timedelta(seconds=self.error)

    def latest(self) -> datetime:
        """The server's time is not later than this."""
        return self.now() + timedelta(seconds=self.error)

    def at(self, monotonic: float) -> datetime:
        """The server's time when the monotonic clock showed `monotonic`."""
        return self._at_zero + timedelta(seconds=monotonic)

    def seconds_until(self, moment: datetime) -> float:
        return (moment - self.now()).total_seconds()

    async def wait_until(self, moment: datetime) -> None:
        """Sleep until `moment`; return at once if it has passed."""
        await asyncio.sleep(max(0.0, self.seconds_until(moment)))
