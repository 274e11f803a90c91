"""Sockets of the tests: the application behind a real server, and real clients."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from app.core import http_protocol, socket_protocol
from tests.socket_schemas import check_message
from tests.waiting import PATIENCE

Json = dict[str, Any]
PASSING = {"time", "monitor", "leaderboard"}


class Socket:
    """A client's end of a socket."""

    def __init__(self, connection: ClientConnection, hello: Json) -> None:
        self.connection = connection
        self.hello = hello

    async def next(self) -> Json:
        """The next message, of whatever type. It has the form that the AsyncAPI document describes."""
        async with asyncio.timeout(PATIENCE):
            message = dict(json.loads(await self.connection.recv()))
        check_message(message)
        return message

    async def next_of(self, kind: str) -> Json:
        """The next message of a type; others are passed over."""
        while (message := await self.next())["type"] != kind:
            pass
        return message

    async def told(self, count: int) -> list[Json]:
        """The next messages that are in the stream."""
        messages: list[Json] = []
        while len(messages) < count:
            message = await self.next()
            if message["type"] not in PASSING:
                messages.append(message)
        return messages

    async def silent(self) -> bool:
        """Whether nothing of the stream waits for us: it would come before the answer to a ping."""
        await self.send({"type": "ping"})
        while (message := await self.next())["type"] in PASSING - {"time"}:
            pass
        return bool(message["type"] == "time")

    async def send(self, message: Any) -> None:
        await self.connection.send(message if isinstance(message, str | bytes) else json.dumps(message))

    async def closed(self) -> tuple[int, str]:
        """The code and the reason with which the other side closes."""
        with pytest.raises(ConnectionClosed) as end:
            await self._read_on()
        return _farewell(end.value)

    async def _read_on(self) -> None:
        while True:
            await self.next()


@asynccontextmanager
async def opened(
    url: str,
    path: str,
    *,
    ticket: str | None = None,
    since: str | None = None,
    query: str = "",
    **headers: str,
) -> AsyncIterator[Socket]:
    """A socket that has been let in and greeted."""
    parts = [f"ticket={ticket}" if ticket else "", f"since={since}" if since else "", query]
    address = f"{url}{path}?{'&'.join(part for part in parts if part)}"
    async with connect(address, additional_headers=headers, proxy=None) as connection:
        hello = await Socket(connection, {}).next()
        assert hello["type"] == "hello"
        yield Socket(connection, hello)


async def refusal(url: str, path: str, query: str = "", **headers: str) -> tuple[int, str]:
    """The code and reason of a socket that is not let in."""
    async with connect(f"{url}{path}?{query}", additional_headers=headers, proxy=None) as connection:
        with pytest.raises(ConnectionClosed) as end:
            async with asyncio.timeout(PATIENCE):
                pytest.fail(f"let in: {await connection.recv()!r}")
        return _farewell(end.value)


def _farewell(end: ConnectionClosed) -> tuple[int, str]:
    assert end.rcvd is not None, end
    return end.rcvd.code, end.rcvd.reason


async def ticket_for(client: httpx.AsyncClient, path: str) -> str:
    """A ticket for a socket."""
    answer = await client.post("/ws/ticket", json={"path": path})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["ticket"])


@asynccontextmanager
async def joined(
    url: str, client: httpx.AsyncClient, path: str, since: str | None = None
) -> AsyncIterator[Socket]:
    """A person's socket, opened with a ticket."""
    async with opened(url, path, ticket=await ticket_for(client, path), since=since) as socket:
        yield socket


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[str]:
    """The application, whose lifespan somebody else keeps, behind uvicorn as `ias serve` sets it up."""
    config = uvicorn.Config(
        app,
        port=0,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        **http_protocol.OPTIONS,
        **socket_protocol.OPTIONS,
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve())  # `serve` would take over the signals of the test's process
    async with asyncio.timeout(PATIENCE):
        while not server.started:  # noqa: ASYNC110 -- uvicorn has no event for it
            await asyncio.sleep(0.01)
    yield f"ws://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await task
