"""The patient client, against a server that answers as it is told to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import pytest

from rehearsal.client import Client, Tally, Unexpected

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 2\r\n\r\n{}"
TOO_MANY = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 2\r\n\r\n{}"
BROKEN = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\noops"
CUT = b""


@asynccontextmanager
async def answering(*answers: bytes) -> AsyncIterator[str]:
    """A server that gives these answers, one for each connection, and hangs up."""
    left = list(answers)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(left.pop(0))
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1") as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.fixture
def tally() -> Tally:
    return Tally()


class TestCall:
    @pytest.mark.parametrize(
        ("first", "unsure", "counted"),
        [
            (CUT, True, "connections lost"),
            (BUSY, True, "answers 503"),
            (TOO_MANY, False, "answers 429"),
        ],
    )
    async def test_what_failed_is_tried_again(
        self, tally: Tally, first: bytes, unsure: bool, counted: str
    ) -> None:
        async with answering(first, OK) as url, Client(url, tally, Random(1)) as client:
            answer = await client.call("save", "GET", "/", None, 200)

        assert (answer.status, answer.unsure) == (200, unsure)
        assert (tally.counts["requests"], tally.counts["retries"], tally.counts[counted]) == (2, 1, 1)
        assert len(tally.latencies["save"]) == 1

    async def test_it_waits_as_long_as_it_is_asked_to(self, tally: Tally) -> None:
        loop = asyncio.get_running_loop()
        async with answering(BUSY, OK) as url, Client(url, tally, Random(1)) as client:
            began = loop.time()
            await client.call("save", "GET", "/", None, 200)

        assert loop.time() - began >= 1

    async def test_a_server_error_is_no_answer(self, tally: Tally) -> None:
        async with answering(BROKEN) as url, Client(url, tally, Random(1)) as client:
            with pytest.raises(Unexpected, match="save: 500 oops"):
                await client.call("save", "GET", "/", None, 200)
