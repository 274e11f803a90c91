"""An auth server of the tests that takes every request, to see what it is asked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class AuthServer:
    """What it was asked, and what it answers."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[bytes] = []
        self.status = 200

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request, whose path and body are noted."""
        head = await reader.readuntil(b"\r\n\r\n")
        (length,) = (
            int(line.partition(b":")[2])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length")
        )
        self.asked.append(head.split(b" ")[1] + b" " + await reader.readexactly(length))
        writer.write(b"HTTP/1.1 %d X\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}" % self.status)
        await writer.drain()
        writer.close()


@asynccontextmanager
async def serving() -> AsyncIterator[AuthServer]:
    """A server on a free port."""
    auth = AuthServer()
    server = await asyncio.start_server(auth.serve, "127.0.0.1", 0)
    async with server:
        auth.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield auth
