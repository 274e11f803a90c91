"""HTTP requests that no client library sends: lengths that are wrong, bodies that are cut off."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import suppress
from urllib.parse import urlsplit

from tests.hostile_bodies import Body


async def status_of(url: str, method: str, path: str, body: Body, token: str | None, seconds: float) -> str:
    """The status of one request over a connection of its own; a word where there is none."""
    address = urlsplit(url)
    try:
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
    except OSError:
        return "no connection"
    sending = asyncio.create_task(_send(writer, _head(method, path, body.headers, token), body.parts()))
    try:
        async with asyncio.timeout(seconds):
            line = await reader.readline()
        return line.split()[1].decode() if line else "closed"
    except TimeoutError:
        return "no answer"
    except (OSError, IndexError):
        return "closed"
    finally:
        sending.cancel()
        writer.transport.abort()


def _head(method: str, path: str, given: Mapping[str, str], token: str | None) -> bytes:
    headers = {"host": "api.test", "connection": "close", **given}
    if token:
        headers["authorization"] = f"Bearer {token}"
    if "content-length" not in given:
        headers["transfer-encoding"] = "chunked"
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


async def _send(writer: asyncio.StreamWriter, head: bytes, parts: Iterator[bytes]) -> None:
    is_chunked = b"transfer-encoding: chunked" in head
    with suppress(OSError):
        writer.write(head)
        for part in parts:
            writer.write(b"%x\r\n%b\r\n" % (len(part), part) if is_chunked else part)
            await writer.drain()
        writer.write(b"0\r\n\r\n" if is_chunked else b"")
        await writer.drain()
