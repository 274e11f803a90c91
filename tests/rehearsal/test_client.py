"""The client, against a server with prepared responses."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import pytest

from rehearsal.client import Client, Metrics, UnexpectedResponse

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
def metrics() -> Metrics:
    return Metrics()


class TestCall:
    @pytest.mark.parametrize(
        ("first", "maybe_processed", "counted"),
        [
            (CUT, True, "connections lost"),
            (BUSY, True, "responses 503"),
            (TOO_MANY, False, "responses 429"),
        ],
    )
    async def test_what_failed_is_tried_again(
        self, metrics: Metrics, first: bytes, maybe_processed: bool, counted: str
    ) -> None:
        async with answering(first, OK) as url, Client(url, metrics, Random(1)) as client:
            answer = await client.call("save", "GET", "/", None, 200)

        assert (answer.status, answer.maybe_processed) == (200, maybe_processed)
        assert (metrics.counts["requests"], metrics.counts["retries"], metrics.counts[counted]) == (2, 1, 1)
        assert len(metrics.latencies["save"]) == 1

    async def test_it_waits_as_long_as_it_is_asked_to(self, metrics: Metrics) -> None:
        loop = asyncio.get_running_loop()
        async with answering(BUSY, OK) as url, Client(url, metrics, Random(1)) as client:
            began = loop.time()
            await client.call("save", "GET", "/", None, 200)

        assert loop.time() - began >= 1

    async def test_a_server_error_is_no_answer(self, metrics: Metrics) -> None:
        async with answering(BROKEN) as url, Client(url, metrics, Random(1)) as client:
            with pytest.raises(UnexpectedResponse, match="save: 500 oops"):
                await client.call("save", "GET", "/", None, 200)
