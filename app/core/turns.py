"""Limits for concurrent work: for expensive operations, and for the requests of one person."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Hashable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field

from app.core.admission import AdmittedRequest
from app.core.errors import TooManyRequests, Unavailable

_RETRY_AFTER = 10

REQUESTS_AT_ONCE = 5
"""Running requests of a person in a process: fewer than the connections of the shared pool."""
REQUESTS_IN_ALL = 64
"""Running and waiting requests of a person in a process."""


@dataclass(frozen=True, slots=True, eq=False)
class _Waiter:
    caller: Hashable
    turn: "asyncio.Future[None]"


class Turns:
    """Lets `at_once` callers run and `queue` callers wait, each for at most `seconds`."""

    def __init__(self, *, at_once: int, queue: int, seconds: float, busy: str) -> None:
        self._at_once = at_once
        self._queue = queue
        self._seconds = seconds
        self._busy = busy
        self._running: list[Hashable] = []
        self._waiting: deque[_Waiter] = deque()

    @property
    def waiting(self) -> int:
        """The number of callers that wait."""
        return len(self._waiting)

    @asynccontextmanager
    async def turn(self, caller: Hashable) -> AsyncIterator[None]:
        """Run the block, at once or after a wait. A second block of the same caller waits for the first.

        Raises Unavailable with the sentence `busy` if too many callers wait or the wait is too long.
        """
        if not self._may_start(caller):
            await self._wait(caller)
        else:
            self._running.append(caller)
        try:
            yield
        finally:
            self._running.remove(caller)
            self._start_next()

    def _may_start(self, caller: Hashable) -> bool:
        return len(self._running) < self._at_once and caller not in self._running

    async def _wait(self, caller: Hashable) -> None:
        if len(self._waiting) >= self._queue:
            raise Unavailable(self._busy, _RETRY_AFTER)
        waiter = _Waiter(caller, asyncio.get_running_loop().create_future())
        self._waiting.append(waiter)
        try:
            async with asyncio.timeout(self._seconds):
                await waiter.turn
        except TimeoutError:
            self._give_up(waiter)
            raise Unavailable(self._busy, _RETRY_AFTER) from None
        except asyncio.CancelledError:
            self._give_up(waiter)
            raise

    def _give_up(self, waiter: _Waiter) -> None:
        """Remove a waiter. If it has got a turn meanwhile, pass the turn on."""
        if waiter in self._waiting:
            self._waiting.remove(waiter)
        elif waiter.turn.done() and not waiter.turn.cancelled():
            self._running.remove(waiter.caller)
            self._start_next()

    def _start_next(self) -> None:
        """Start waiting callers in their order, except those that have another block running."""
        for waiter in list(self._waiting):
            if len(self._running) >= self._at_once:
                return
            if self._may_start(waiter.caller):
                self._waiting.remove(waiter)
                if not waiter.turn.done():
                    self._running.append(waiter.caller)
                    waiter.turn.set_result(None)


@dataclass(slots=True)
class _Requests:
    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(REQUESTS_AT_ONCE))
    count: int = 0


class PersonalTurns:
    """Limits the concurrent requests of each person, so that database connections remain for others.

    A request has a turn while it works in the database. The look-up of its login needs none.
    """

    def __init__(self) -> None:
        self._requests_of: dict[Hashable, _Requests] = {}

    def turn(self, person: Hashable, request: AdmittedRequest | None = None) -> "_PersonalTurn":
        """Run the block as one of at most 5 of the person. Others wait; 64 in all, then TooManyRequests.

        `request` does not count as in progress while it waits.
        """
        return _PersonalTurn(self._requests_of, person, request)


class _PersonalTurn(AbstractAsyncContextManager[None]):
    """A class, because a generator takes 2 µs more, and each request of a person has a turn."""

    __slots__ = ("_person", "_request", "_requests", "_requests_of")

    def __init__(
        self, requests_of: dict[Hashable, _Requests], person: Hashable, request: AdmittedRequest | None
    ) -> None:
        self._requests_of = requests_of
        self._person = person
        self._request = request

    async def __aenter__(self) -> None:
        self._requests = self._requests_of.get(self._person) or _Requests()
        self._requests_of[self._person] = self._requests
        if self._requests.count >= REQUESTS_IN_ALL:
            raise TooManyRequests(1, "Too many of your requests are in progress.")
        self._requests.count += 1
        places, request = self._requests.places, self._request
        try:
            with request.uncounted() if request is not None and places.locked() else nullcontext():
                await places.acquire()
        except BaseException:
            self._leave()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._requests.places.release()
        self._leave()

    def _leave(self) -> None:
        self._requests.count -= 1
        if self._requests.count == 0:
            del self._requests_of[self._person]
