"""Clients of Redis on uvloop, as the API runs: what a reset connection looks like."""

import asyncio
import socket
import struct
from contextlib import suppress

import pytest
import uvloop
from redis.asyncio import Redis

from app.core.cache import REDIS_FAILURES
from app.core.redis_client import open_redis

RESET = struct.pack("ii", 1, 0)


async def _answers_after_resets(client: Redis, writers: list[asyncio.StreamWriter]) -> int:
    """How often of ten times a reset is either not noticed or an outage that callers know, and over then."""
    answered = 0
    for _ in range(10):
        for writer in writers:
            connection = writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()
        writers.clear()
        await asyncio.sleep(0.05)  # The client reads the reset, and its transport is closed.
        with suppress(*REDIS_FAILURES):
            await client.ping()
        answered += bool(await client.ping())
    return answered


async def _serve_and_ask() -> int:
    writers: list[asyncio.StreamWriter] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        while line := await reader.readline():
            if line.startswith(b"*"):
                words = [(await reader.readline(), await reader.readline())[1] for _ in range(int(line[1:]))]
                writer.write(b"+PONG\r\n" if words[0].upper() == b"PING\r\n" else b"-ERR unknown\r\n")

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = open_redis(f"redis://127.0.0.1:{port}/0", protocol=2)
    async with server:
        await client.ping()
        answered = await _answers_after_resets(client, writers)
        await client.aclose()
        server.close()
        for writer in writers:
            writer.close()
    return answered


class TestOpenRedis:
    @pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
    def test_a_reset_connection_is_an_outage_and_is_replaced(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            assert runner.run(_serve_and_ask()) == 10
