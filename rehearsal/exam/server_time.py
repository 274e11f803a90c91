"""The server's time, as a client that has asked for it keeps it."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

from rehearsal.client import Client

_QUESTIONS = 5


class ServerTime:
    """Counts on from `GET /time` by the monotonic clock, whatever this machine's own clock says."""

    def __init__(self) -> None:
        self._at_zero = datetime.min.replace(tzinfo=UTC)
        self.error = 0.0
        """By how many seconds it may be wrong: half of the quickest question's time."""

    async def ask(self, client: Client) -> None:
        """Ask a few times; the quickest answer is the best one."""
        best = float("inf")
        for _ in range(_QUESTIONS):
            asked = time.monotonic()
            answer = await client.call("time", "GET", "/time", None, 200)
            took = time.monotonic() - asked
            if took < best:
                best, middle = took, asked + took / 2
                self._at_zero = datetime.fromisoformat(answer.body["server_time"]) - timedelta(seconds=middle)
        self.error = best / 2

    def now(self) -> datetime:
        return self.at(time.monotonic())

    def at(self, monotonic: float) -> datetime:
        """The server's time at a moment of the monotonic clock."""
        return self._at_zero + timedelta(seconds=monotonic)

    def seconds_until(self, moment: datetime) -> float:
        return (moment - self.now()).total_seconds()

    async def wait_until(self, moment: datetime) -> None:
        """Sleep until then; a moment that is past is no wait."""
        await asyncio.sleep(max(0.0, self.seconds_until(moment)))
