"""When a request counts as in progress."""

import asyncio
from collections.abc import Sequence

import pytest
from starlette.types import Message, Receive, Scope, Send

from app.core.admission import ADMITTED, Admission
from app.core.turns import REQUESTS_AT_ONCE, PersonalTurns

pytestmark = pytest.mark.anyio

SCOPE: Scope = {"type": "http"}
START: Message = {"type": "http.response.start", "status": 200, "headers": []}
PART: Message = {"type": "http.response.body", "body": b"x", "more_body": True}
END: Message = {"type": "http.response.body", "body": b"x"}


class Exchange:
    """An application that reads a whole body and sends an answer, and how many count at each message."""

    def __init__(self, admission: Admission, body: Sequence[Message]) -> None:
        self.admission = admission
        self.counts: list[tuple[str, int]] = []
        self._body = list(body)

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._note("begins")
        while (await receive()).get("more_body", False):
            self._note("has a part")
        self._note("works")
        for message in (START, PART):
            await send(message)
        self._note("works")
        await send(END)
        self._note("goes on")

    async def receive(self) -> Message:
        self._note("waits for the client")
        return self._body.pop(0)

    async def send(self, message: Message) -> None:
        self._note("sends the end" if message is END else "sends")

    def _note(self, what: str) -> None:
        self.counts.append((what, self.admission.in_progress))


async def test_who_waits_for_a_turn_of_their_own_does_not_count() -> None:
    admission, turns, may_end = Admission(), PersonalTurns(), asyncio.Event()
    begun: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async with turns.turn("asha", scope[ADMITTED]):
            begun.append(admission.in_progress)
            await may_end.wait()

    exchange = Exchange(admission, [])
    requests = [
        asyncio.create_task(admission.run(app, dict(SCOPE), exchange.receive, exchange.send))
        for _ in range(REQUESTS_AT_ONCE + 2)
    ]
    await asyncio.sleep(0)  # Each has taken its turn, or waits for it.
    assert admission.in_progress == REQUESTS_AT_ONCE
    may_end.set()
    await asyncio.gather(*requests)
    assert len(begun) == REQUESTS_AT_ONCE + 2
    assert admission.in_progress == 0


async def test_who_sends_or_reads_slowly_does_not_count_meanwhile() -> None:
    admission = Admission()
    body: list[Message] = [
        {"type": "http.request", "body": b"a", "more_body": True},
        {"type": "http.request", "body": b"b"},
    ]
    exchange = Exchange(admission, body)
    await admission.run(exchange.app, SCOPE, exchange.receive, exchange.send)
    assert exchange.counts == [
        ("begins", 1),
        ("waits for the client", 0),
        ("has a part", 1),
        ("waits for the client", 0),
        ("works", 1),
        ("sends", 0),
        ("sends", 0),
        ("works", 1),
        ("sends the end", 0),
        ("goes on", 0),
    ]
    assert admission.in_progress == 0


async def test_who_waits_for_a_disconnect_counts() -> None:
    admission, seen = Admission(), []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await receive()

    messages = [{"type": "http.request"}, {"type": "http.disconnect"}]

    async def receive() -> Message:
        seen.append(admission.in_progress)
        return messages.pop(0)

    async def send(message: Message) -> None:
        raise AssertionError

    await admission.run(app, SCOPE, receive, send)
    assert seen == [0, 1]
    assert admission.in_progress == 0


@pytest.mark.parametrize("error", [RuntimeError(), asyncio.CancelledError()], ids=["error", "cancelled"])
async def test_a_request_that_fails_does_not_count_afterwards(error: BaseException) -> None:
    admission = Admission(most=1)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert admission.is_full
        await receive()

    async def receive() -> Message:
        raise error

    async def send(message: Message) -> None:
        raise AssertionError

    with pytest.raises(type(error)):
        await admission.run(app, SCOPE, receive, send)
    assert admission.in_progress == 0
