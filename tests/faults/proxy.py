"""A TCP proxy between two parts of the system that cuts, delays, hangs or damages what passes."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from random import Random

from devservers.network import LOOPBACK

Decision = Callable[[bytes], bool]
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER with no time: closing sends a reset.


class Proxy:
    """Passes everything on until told otherwise. The attributes may be set at any time."""

    def __init__(self, port: int, rng: Random) -> None:
        self._target = port
        self._writers: set[asyncio.StreamWriter] = set()
        self._silenced: set[asyncio.StreamWriter] = set()
        self.port = 0
        self.rng = rng
        self.delay = 0.0
        self.passes = asyncio.Event()
        """Cleared, nothing passes in either direction; connections are accepted and kept."""
        self.refuses = False
        self.cut_after_request: Decision = lambda _: False
        """Whether to pass this chunk to the server and to reset the connection before its answer."""
        self.cut_in_answer: Decision = lambda _: False
        """Whether to pass half of this chunk of an answer and to reset the connection."""
        self.answer: bytes | None = None
        """Said to every request instead of asking the server."""
        self.cuts = 0
        self.passes.set()

    def restore(self) -> None:
        """Pass everything on again."""
        self.delay, self.refuses, self.answer = 0.0, False, None
        self.cut_after_request = self.cut_in_answer = lambda _: False
        self.passes.set()

    def cut_all(self) -> None:
        """Reset every connection that is open."""
        for writer in list(self._writers):
            self._reset(writer)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Proxy"]:
        """Listen on a port of its own."""
        server = await asyncio.start_server(self._accept, LOOPBACK, 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.cut_all()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuses:
            self._reset(writer)
            return
        if self.answer is not None:
            await self._say(self.answer, reader, writer)
            return
        try:
            server_reader, server_writer = await asyncio.open_connection(LOOPBACK, self._target)
        except OSError:
            self._reset(writer)
            return
        both = (writer, server_writer)
        self._writers.update(both)
        with suppress(OSError, RuntimeError):  # Uvloop raises RuntimeError for a closed connection.
            await asyncio.gather(
                self._pump(reader, server_writer, both, is_answer=False),
                self._pump(server_reader, writer, both, is_answer=True),
            )
        for each in both:
            self._writers.discard(each)
            self._silenced.discard(each)
            each.close()

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        both: tuple[asyncio.StreamWriter, asyncio.StreamWriter],
        *,
        is_answer: bool,
    ) -> None:
        while chunk := await reader.read(65_536):
            await asyncio.sleep(self.delay)
            await self.passes.wait()
            if is_answer and both[0] in self._silenced:
                continue
            cuts = self.cut_in_answer(chunk) if is_answer else self.cut_after_request(chunk)
            if cuts and not is_answer:
                self._silenced.add(both[0])  # Before the server hears it, or its answer would get through.
            writer.write(chunk[: len(chunk) // 2] if cuts and is_answer else chunk)
            await writer.drain()
            if cuts:
                self.cuts += 1
                await asyncio.sleep(0.02)  # What was passed on arrives, and the server acts on it.
                for each in both:
                    self._reset(each)
                return
        for each in both:
            each.close()

    async def _say(self, answer: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            await reader.read(65_536)
            await asyncio.sleep(self.delay)
            writer.write(answer)
            await writer.drain()
        writer.close()

    def _reset(self, writer: asyncio.StreamWriter) -> None:
        sock = writer.get_extra_info("socket")
        if sock is not None:  # Uvloop has none for a closed connection.
            with suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        writer.transport.abort()
        self._writers.discard(writer)


def http_answer(status: str, body: bytes, content_type: str = "application/json") -> bytes:
    """An HTTP answer as a server that went wrong might give it."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Connection: close\r\n\r\n".encode() + body
