"""Interruptions that stop a candidate in the exam rehearsal."""

import asyncio
import time

from rehearsal.client import UnexpectedResponse

_MAX_SECONDS = 300.0
_PAUSE = 0.3


class Interruption:
    """A power cut, or an attempt that staff ended by mistake and are going to reopen.

    A device without power sends nothing. A device whose attempt was ended by mistake keeps its responses in
    its queue, as its proctor asks, and sends them again.
    """

    def __init__(self) -> None:
        self.has_power = True
        self.is_ended_by_mistake = False

    async def wait_for_power(self) -> None:
        """Wait until the device has power."""
        await self._wait(ended=False)

    async def wait_until_over(self) -> None:
        """Wait until the device has power and the attempt goes on."""
        await self._wait(ended=True)

    async def _wait(self, *, ended: bool) -> None:
        give_up_at = time.monotonic() + _MAX_SECONDS
        while not self.has_power or (ended and self.is_ended_by_mistake):
            if time.monotonic() > give_up_at:
                raise UnexpectedResponse(f"a candidate could not go on for {_MAX_SECONDS:.0f} s")
            await asyncio.sleep(_PAUSE)
