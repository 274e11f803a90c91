"""A network between a synchronous HTTP client and the application, with faults that a seed decides."""

import asyncio
from collections import Counter
from collections.abc import Callable
from enum import Enum
from random import Random

import httpx
from fastapi import FastAPI

from tests.conftest import TestClock

MAX_FAULTS_IN_A_ROW = 4
CLIENT = ("203.0.113.7", 40000)


class Network(Enum):
    """What happens to one request."""

    GOOD = "good"
    LOST = "the request is lost"
    ANSWER_LOST = "the answer is lost"
    ANSWER_CUT = "the answer breaks off"
    TWICE = "the request arrives twice"
    HELD = "the request arrives after later ones"
    GATEWAY = "a proxy answers 502 instead"
    SIGN_IN_PAGE = "the sign-in page of the network answers 200"
    OTHER_JSON = "something else answers 200 with JSON"


WEIGHTS = {
    Network.GOOD: 50,
    Network.LOST: 8,
    Network.ANSWER_LOST: 10,
    Network.ANSWER_CUT: 6,
    Network.TWICE: 8,
    Network.HELD: 8,
    Network.GATEWAY: 4,
    Network.SIGN_IN_PAGE: 4,
    Network.OTHER_JSON: 4,
}


class BadNetwork(httpx.BaseTransport):
    """Passes requests to the application, as the seed says: late, twice, or with the answer lost.

    It is called from a thread that is not the event loop's. `meanwhile` is called while a request is on its
    way. The time that a request takes is that of the test's clock.
    """

    def __init__(self, app: FastAPI, loop: asyncio.AbstractEventLoop, clock: TestClock, rng: Random) -> None:
        self._app = httpx.ASGITransport(app, client=CLIENT)
        self._loop = loop
        self._clock = clock
        self._rng = rng
        self._held: list[httpx.Request] = []
        self._faults_in_a_row = 0
        self.counts: Counter[Network] = Counter()
        self.is_good = False
        self.meanwhile: Callable[[], None] = lambda: None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self._clock.advance(self._rng.uniform(0.05, 0.5))
        kind = self._draw()
        self.counts[kind] += 1
        self.meanwhile()
        if kind is Network.HELD:
            self._held.append(request)
            raise httpx.ReadTimeout("held", request=request)
        if kind is Network.LOST:
            raise httpx.ConnectTimeout("lost", request=request)
        if kind is Network.GATEWAY:
            return httpx.Response(502, html="<h1>Bad gateway</h1>")
        if kind is Network.SIGN_IN_PAGE:
            return httpx.Response(200, html="<h1>Welcome to our network</h1>")
        if kind is Network.OTHER_JSON:
            return httpx.Response(200, json={"message": "welcome"})
        answer = self._deliver(request)
        if kind is Network.TWICE:
            answer = self._deliver(request)
        if self._rng.random() < 0.5:
            self.deliver_held()
        if kind is Network.ANSWER_LOST:
            raise httpx.ReadTimeout("the answer is lost", request=request)
        if kind is Network.ANSWER_CUT:
            raise httpx.RemoteProtocolError("the answer breaks off", request=request)
        return answer

    def deliver_held(self) -> None:
        """Let the requests arrive that were held. Nobody waits for their answers."""
        self._rng.shuffle(self._held)
        while self._held:
            self._deliver(self._held.pop())

    def _draw(self) -> Network:
        if self.is_good:
            return Network.GOOD
        kind = self._rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        if kind in (Network.GOOD, Network.TWICE) or self._faults_in_a_row == MAX_FAULTS_IN_A_ROW:
            self._faults_in_a_row = 0
            return kind if kind is Network.TWICE else Network.GOOD
        self._faults_in_a_row += 1
        return kind

    def _deliver(self, request: httpx.Request) -> httpx.Response:
        return asyncio.run_coroutine_threadsafe(self._send(request), self._loop).result()

    async def _send(self, request: httpx.Request) -> httpx.Response:
        copy = httpx.Request(request.method, request.url, headers=request.headers, content=request.content)
        answer = await self._app.handle_async_request(copy)
        content = await answer.aread()
        return httpx.Response(answer.status_code, headers=answer.headers, content=content)
