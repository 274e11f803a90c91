"""A WebSocket client of an exam's room that reconnects and asks for the messages that it missed."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from random import Random
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from rehearsal.account import Account
from rehearsal.client import Client, Metrics, UnexpectedResponse
from rehearsal.exam.socket_checks import COMMON, OWN, MessageLog

_LOGGED = COMMON | OWN
_OPENING_SECONDS = 15
_MIN_DISCONNECT_SECONDS, _MAX_DISCONNECT_SECONDS = 0.5, 4.0
_MAX_PAUSE_SECONDS = 15.0
_UNAUTHENTICATED, _SESSION_REPLACED, _NOT_FOUND = 4401, 4403, 4404


class SocketClient:
    """Each connection is opened with the account's newest session."""

    def __init__(
        self, client: Client, exam_id: UUID, account: Account, metrics: Metrics, rng: Random
    ) -> None:
        self.log = MessageLog()
        self.monitor: Mapping[str, Any] | None = None
        """The last message with counts for staff."""
        self.is_open = False
        self.connected = asyncio.Event()
        self._client = client
        self._path = f"/ws/exam/{exam_id}"
        self._account = account
        self._metrics = metrics
        self._rng = rng
        self._connection: ClientConnection | None = None
        self._last_id: str | None = None
        self._reconnect_after = 0.0
        self._failures = 0
        self._is_closing = False

    async def listen(self) -> None:
        """Stay connected until `close`. Records a problem if no ticket is given."""
        while not self._is_closing:
            pause = min(_MAX_PAUSE_SECONDS, _MIN_DISCONNECT_SECONDS * 2**self._failures)
            self._reconnect_after = self._rng.uniform(pause, 2 * pause)
            self._failures += 1
            try:
                await self._connect()
            except (OSError, TimeoutError, WebSocketException):
                self._metrics.counts["sockets lost"] += 1
            except UnexpectedResponse as error:
                self.log.problems.append(f"ticket: {error}")
                return
            finally:
                self.is_open = False
                self._connection = None
            if not self._is_closing:
                await asyncio.sleep(self._reconnect_after)

    def disconnect(self) -> None:
        """Abort the connection as a lost network does."""
        if self._connection is not None:
            self._reconnect_after = self._rng.uniform(_MIN_DISCONNECT_SECONDS, _MAX_DISCONNECT_SECONDS)
            self._metrics.counts["sockets disconnected"] += 1
            self._connection.transport.abort()

    async def close(self) -> None:
        """Close the connection and do not reconnect."""
        self._is_closing = True
        if self._connection is not None:
            await self._connection.close()

    async def _connect(self) -> None:
        token = self._account.token
        async with connect(
            await self._address(token),
            proxy=None,
            compression=None,
            open_timeout=_OPENING_SECONDS,
            close_timeout=2,
            ping_interval=None,  # The server pings.
        ) as connection:
            self._connection = connection
            try:
                async for text in connection:
                    await self._handle(orjson.loads(text), connection)
            except ConnectionClosed:
                self._metrics.counts["sockets lost"] += 1
        self._check_close(connection.close_code, connection.close_reason, token)

    async def _address(self, token: str) -> str:
        body = {"path": self._path}
        answer = await self._client.call("ticket", "POST", "/ws/ticket", token, 200, 201, json=body)
        query = {"ticket": answer.body["ticket"]} | ({"since": self._last_id} if self._last_id else {})
        return f"{self._client.socket_url}{self._path}?{urlencode(query)}"

    async def _handle(self, message: Mapping[str, Any], connection: ClientConnection) -> None:
        kind = message["type"]
        self._last_id = message["id"]
        self._metrics.counts["socket messages"] += 1
        if kind == "hello":
            gap = bool(message["data"].get("gap"))
            self.log.begin_connection(datetime.fromisoformat(message["at"]), gap=gap)
            self._metrics.counts["socket gaps"] += gap
            self._metrics.counts["sockets opened"] += 1
            self._metrics.counts["messages replayed"] += message["data"].get("replayed", 0)
            self.is_open = True
            self._failures = 0
            self.connected.set()
        elif kind == "monitor":
            self.monitor = message["data"]
        elif kind == "reconnect":
            self._reconnect_after = message["data"].get("after_ms", 0) / 1000
        elif kind in _LOGGED and self.log.add(message) and kind == "announcement":
            await connection.send(orjson.dumps({"type": "ack", "id": message["id"]}).decode())

    def _check_close(self, code: int | None, reason: str | None, token: str) -> None:
        """Record a problem if the server closed the connection for a reason that it should not have."""
        self._metrics.counts[f"sockets closed with {code}"] += 1
        if code == _SESSION_REPLACED and self._account.token == token:
            self.log.problems.append("closed with 4403, though no other session has replaced it")
        if code == _NOT_FOUND or (code == _UNAUTHENTICATED and reason != "unauthenticated"):
            self.log.problems.append(f"closed with {code} {reason}")
