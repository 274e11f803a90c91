"""Opens sockets from a process of its own, and tells when each has received a message.

The parent writes one JSON document to standard input: the port, the path and the access tokens. This process
writes a line when all sockets are open, and one when all have received the text `MARKER`.
"""

import asyncio
import struct
import sys
import time
from typing import Any

import orjson
import uvloop

MARKER = b"benchmark marker"
AT_ONCE = 32
"""The number of sockets that are being opened at the same time."""
SECONDS = 60.0
"""The longest time from a broadcast to the last socket."""

_UPGRADE = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    "Authorization: Bearer {token}\r\n\r\n"
)
_PING, _CLOSE = 0x9, 0x8


class Client(asyncio.Protocol):
    """A socket that replies to pings and waits for the marker."""

    def __init__(self, request: bytes, received: asyncio.Queue[float]) -> None:
        loop = asyncio.get_running_loop()
        self.is_open: asyncio.Future[None] = loop.create_future()
        self.closed_with: int | None = None
        self._request, self._received = request, received
        self._bytes = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._bytes += data
        if not self.is_open.done():
            head, end, self._bytes = self._bytes.partition(b"\r\n\r\n")
            if not end:
                self._bytes = head
                return
            if b" 101 " not in head[:16]:
                self.is_open.set_exception(RuntimeError(head[:60].decode()))
                return
            self.is_open.set_result(None)
        while frame := self._next_frame():
            self._handle(*frame)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.is_open.done():
            self.is_open.set_exception(RuntimeError("closed before it was open"))

    def _next_frame(self) -> tuple[int, bytes] | None:
        if len(self._bytes) < 4:
            return None
        length, begin = self._bytes[1] & 0x7F, 2
        if length == 126:
            length, begin = struct.unpack(">H", self._bytes[2:4])[0], 4
        if len(self._bytes) < begin + length:
            return None
        opcode, content = self._bytes[0] & 0x0F, self._bytes[begin : begin + length]
        self._bytes = self._bytes[begin + length :]
        return opcode, content

    def _handle(self, opcode: int, content: bytes) -> None:
        if MARKER in content:
            self._received.put_nowait(time.monotonic())
        elif opcode == _PING:
            self._transport.write(bytes((0x8A, 0x80 | len(content))) + b"\0\0\0\0" + content)
        elif opcode == _CLOSE:
            self.closed_with = struct.unpack(">H", content[:2])[0]


async def main() -> None:
    """Open the sockets, then tell the times of each message until standard input ends."""
    plan = orjson.loads(sys.stdin.readline())
    received: asyncio.Queue[float] = asyncio.Queue()
    places = asyncio.Semaphore(AT_ONCE)
    loop = asyncio.get_running_loop()

    async def opened(token: str) -> Client:
        request = _UPGRADE.format(path=plan["path"], token=token).encode()
        async with places:
            _, client = await loop.create_connection(
                lambda: Client(request, received), "127.0.0.1", plan["port"]
            )
            await client.is_open
        return client

    clients = await asyncio.gather(*(opened(token) for token in plan["tokens"]))
    _tell({"open": len(clients)})
    while await asyncio.to_thread(sys.stdin.readline):
        moments = []
        try:
            async with asyncio.timeout(SECONDS):
                moments = [await received.get() for _ in clients]
        except TimeoutError:
            pass
        _tell({"moments": moments, "closed": sum(client.closed_with is not None for client in clients)})


def _tell(document: dict[str, Any]) -> None:
    print(orjson.dumps(document).decode(), flush=True)


if __name__ == "__main__":
    uvloop.run(main())
