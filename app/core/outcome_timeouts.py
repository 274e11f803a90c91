"""The longest wait for the outcome of a batch. After it a caller is told to try again."""

import asyncio
from contextvars import Context
from typing import Any, TypeVar

from app.core.errors import Unavailable

Outcome = TypeVar("Outcome")


class OutcomeTimeouts:
    """Ends waits that take too long.

    All waits share one timer, set for the one that ends first: a timer for each would take longer than the
    rest of the waiting.
    """

    def __init__(self, longest_wait: float) -> None:
        self._longest_wait = longest_wait
        self._ends_at: dict[asyncio.Future[Any], float] = {}
        """When each wait ends, by the clock of the loop. The first began first."""
        self._timer: asyncio.TimerHandle | None = None

    async def wait(self, waiting: "asyncio.Future[Outcome]") -> Outcome:
        """Wait for the outcome. Raises Unavailable if it has not come after the longest wait."""
        self._ends_at[waiting] = asyncio.get_running_loop().time() + self._longest_wait
        if self._timer is None:
            self._fail_overdue_and_set_timer()
        try:
            return await waiting
        finally:
            del self._ends_at[waiting]

    def _fail_overdue_and_set_timer(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        for waiting, ends_at in self._ends_at.items():
            if ends_at > loop.time():
                self._timer = loop.call_at(ends_at, self._fail_overdue_and_set_timer, context=Context())
                return
            if not waiting.done():
                waiting.set_exception(Unavailable())
