"""`python -m benchmarks sockets`: thousands of sockets on one API process, and a message for all of them.

The sockets are opened by a process of its own (`benchmarks/socket_client.py`). Printed are the time until the
last socket has a message, counted from before its commit, and the memory of the API for each socket. The
baseline is a Starlette application that does nothing else (`benchmarks/bare.py`).
"""

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import orjson
import typer
import uvloop
from pydantic import SecretStr
from rich.console import Console

from app.config import Settings
from app.core.clock import SystemClock
from app.core.ids import uuid7
from app.core.realtime.stream import Stream
from app.database import create_engine
from app.models.message_data import AnnouncementData
from app.repositories.realtime.messages import test_room
from app.services.realtime import Publisher
from app.services.unit_of_work import unit_of_work
from benchmarks.client import Connection, Server, encode
from benchmarks.content import Content, make_content
from benchmarks.socket_client import MARKER
from benchmarks.stage import Stage, stage

console = Console(highlight=False)


def main(
    sockets: Annotated[int, typer.Option(min=1, max=20_000)] = 10_000,
    broadcasts: Annotated[int, typer.Option(min=1, max=50)] = 5,
    folder: Annotated[Path | None, typer.Option(help="The folder for the database, on a real disk.")] = None,
) -> None:
    """Measure broadcasts."""
    with console.status("Starting servers …"), stage(folder, 20) as servers:
        content = uvloop.run(make_content(servers.database_url, sockets))
        tokens = [servers.access_token(user_id) for user_id in content.candidates]
        product = f"/ws/test/{content.test_id}"
        uvloop.run(_measure("bare", servers.bare, "/sockets", ["none"] * sockets, _Bare(servers), broadcasts))
        uvloop.run(_measure("product", servers.api, product, tokens, _Product(servers, content), broadcasts))


class _Bare:
    """Asks the bare server to send."""

    def __init__(self, servers: Stage) -> None:
        self._port = servers.bare.port

    async def send(self) -> None:
        request = encode("POST", "/sockets/send", body={"text": f"{'x' * 180} {MARKER.decode()}"})
        async with Connection(self._port) as connection:
            await connection.exchange(request)


class _Product:
    """Writes an announcement for everybody, and publishes it as a process of the API or a worker does."""

    def __init__(self, servers: Stage, content: Content) -> None:
        settings = Settings(database_url=SecretStr(servers.database_url))
        self._engine = create_engine(settings, pool_size=1)
        stream = Stream(servers.environment["REDIS_URL"])
        self._publisher = Publisher(self._engine, stream, SystemClock())
        self._room = test_room(content.test_id)

    async def send(self) -> None:
        announcement = AnnouncementData(announcement_id=uuid7(), text={"en": MARKER.decode()})
        async with unit_of_work(self._engine) as uow:
            uow.messages.to_everybody(self._room, announcement)
        await self._publisher.publish_all()


async def _measure(
    name: str, server: Server, path: str, tokens: Sequence[str], sender: _Bare | _Product, broadcasts: int
) -> None:
    before, cpu_before = _memory_kb(server), server.cpu_seconds()
    began = time.monotonic()
    client = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.socket_client",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=10_000_000,
    )
    assert client.stdin
    assert client.stdout
    plan = {"port": server.port, "path": path, "tokens": list(tokens)}
    client.stdin.write(orjson.dumps(plan) + b"\n")
    opened = orjson.loads(await client.stdout.readline())["open"]
    seconds, cpu = time.monotonic() - began, server.cpu_seconds() - cpu_before
    size = (_memory_kb(server) - before) / opened
    console.print(
        f"{name}: {opened} sockets opened in {seconds:.0f} s, {1000 * cpu / opened:.2f} ms of CPU and "
        f"{size:.1f} KB of memory each"
    )
    for _ in range(broadcasts):
        cpu_before, began = server.cpu_seconds(), time.monotonic()
        client.stdin.write(b"next\n")
        await sender.send()
        heard = orjson.loads(await client.stdout.readline())
        moments = sorted(moment - began for moment in heard["moments"])
        if len(moments) != opened:
            raise SystemExit(
                f"{opened - len(moments)} sockets did not receive the message: {heard['closed']}"
            )
        cpu = server.cpu_seconds() - cpu_before
        console.print(
            f"{name}: first {moments[0]:.2f} s, median {moments[opened // 2]:.2f} s, "
            f"last {moments[-1]:.2f} s, {1e6 * cpu / opened:.0f} µs of CPU a socket"
        )
    client.stdin.close()
    await client.wait()


def _memory_kb(server: Server) -> int:
    lines = Path(f"/proc/{server.pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Rss:"))


if __name__ == "__main__":
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    typer.run(main)
