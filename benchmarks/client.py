"""Requests over persistent connections, and how long their responses take.

It implements only a small part of HTTP, so that it uses much less CPU time than the server.
"""

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import orjson


@dataclass(frozen=True)
class Server:
    """A server with one process."""

    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """The CPU time that the process has used."""
        # The name in parentheses may itself contain spaces and parentheses.
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass
class Sample:
    """The results of a run. Latencies are in seconds, from sending a request to the end of its response."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    refused: dict[int, int] = field(default_factory=dict)

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds

    @property
    def cpu_ms(self) -> float:
        """The server's CPU time for a request in milliseconds. It depends little on other load."""
        return 1000 * self.cpu_seconds / (len(self.latencies) + sum(self.refused.values()))

    def percentile(self, percent: int) -> float:
        """A percentile of the latency in milliseconds."""
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]

    def note(self, status: int, latency: float) -> None:
        if status < 300:
            self.latencies.append(latency)
        else:
            self.refused[status] = self.refused.get(status, 0) + 1


class Connection:
    """A persistent connection to the server."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def exchange(self, request: bytes) -> tuple[int, bytes]:
        """Send a request. Returns the status and the body of the response."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
        return int(head[9:12]), await self._reader.readexactly(length)


def answers(port: int) -> bool:
    """Whether a server listens on this port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def encode(method: str, path: str, token: str = "", body: object = None) -> bytes:
    """Encode a request."""
    content = b"" if body is None else orjson.dumps(body)
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Accept-Encoding: gzip",
        f"Authorization: Bearer {token}",
        "Content-Type: application/json",
        f"Content-Length: {len(content)}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + content


async def herd(server: Server, requests: Sequence[bytes]) -> tuple[Sample, list[bytes]]:
    """Send all requests at once over separate connections. Returns the bodies of the responses too."""
    bodies: list[bytes] = []

    def one(request: bytes) -> Callable[[Connection, Sample], Awaitable[None]]:
        async def send(connection: Connection, sample: Sample) -> None:
            bodies.append(await _timed(connection, request, sample))

        return send

    return await _run(server, [one(request) for request in requests]), bodies


async def _run(server: Server, users: Sequence[Callable[[Connection, Sample], Awaitable[None]]]) -> Sample:
    sample = Sample()
    async with AsyncExitStack() as stack:
        connections = [await stack.enter_async_context(Connection(server.port)) for _ in users]
        began, cpu = time.perf_counter(), server.cpu_seconds()
        async with asyncio.timeout(120):
            await asyncio.gather(
                *(user(connection, sample) for user, connection in zip(users, connections, strict=True))
            )
        sample.seconds, sample.cpu_seconds = time.perf_counter() - began, server.cpu_seconds() - cpu
    return sample


async def _timed(connection: Connection, request: bytes, sample: Sample) -> bytes:
    began = time.perf_counter()
    status, body = await connection.exchange(request)
    sample.note(status, time.perf_counter() - began)
    return body
