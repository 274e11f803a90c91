"""A socket to the exam's room that comes back whenever it breaks, and asks for what it missed."""

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
from rehearsal.client import Client, Tally, Unexpected
from rehearsal.exam.told import COMMON, OWN, Record

_KEPT = COMMON | OWN
_OPENING_SECONDS = 15
_SHORTEST_AWAY, _LONGEST_AWAY = 0.5, 4.0
_LONGEST_PAUSE = 15.0
_WHO_ARE_YOU, _MOVED, _NO_SUCH_ROOM = 4401, 4403, 4404


class Ear:
    """`account` may get another session meanwhile: the next connection is opened by that one."""

    def __init__(self, client: Client, exam_id: UUID, account: Account, tally: Tally, rng: Random) -> None:
        self.record = Record()
        self.monitor: Mapping[str, Any] | None = None
        """The last count that staff were told."""
        self.is_open = False
        self.greeted = asyncio.Event()
        self._client = client
        self._path = f"/ws/exam/{exam_id}"
        self._account = account
        self._tally = tally
        self._rng = rng
        self._connection: ClientConnection | None = None
        self._since: str | None = None
        self._after = 0.0
        self._failures = 0
        self._is_leaving = False

    async def listen(self) -> None:
        """Be connected until `leave`. What a client cannot mend is noted."""
        while not self._is_leaving:
            pause = min(_LONGEST_PAUSE, _SHORTEST_AWAY * 2**self._failures)
            self._after = self._rng.uniform(pause, 2 * pause)
            self._failures += 1
            try:
                await self._connect()
            except (OSError, TimeoutError, WebSocketException):
                self._tally.counts["sockets lost"] += 1
            except Unexpected as error:
                self.record.problems.append(f"ticket: {error}")
                return
            finally:
                self.is_open = False
                self._connection = None
            if not self._is_leaving:
                await asyncio.sleep(self._after)

    def drop(self) -> None:
        """The network is gone, without a word to anybody."""
        if self._connection is not None:
            self._after = self._rng.uniform(_SHORTEST_AWAY, _LONGEST_AWAY)
            self._tally.counts["sockets dropped"] += 1
            self._connection.transport.abort()

    async def leave(self) -> None:
        """Close it for good."""
        self._is_leaving = True
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
            ping_interval=None,  # The server pings; this side breaks by itself.
        ) as connection:
            self._connection = connection
            try:
                async for text in connection:
                    await self._take(orjson.loads(text), connection)
            except ConnectionClosed:
                self._tally.counts["sockets lost"] += 1
        self._note_close(connection.close_code, connection.close_reason, token)

    async def _address(self, token: str) -> str:
        body = {"path": self._path}
        answer = await self._client.call("ticket", "POST", "/ws/ticket", token, 200, 201, json=body)
        query = {"ticket": answer.body["ticket"]} | ({"since": self._since} if self._since else {})
        return f"{self._client.socket_url}{self._path}?{urlencode(query)}"

    async def _take(self, message: Mapping[str, Any], connection: ClientConnection) -> None:
        kind = message["type"]
        self._since = message["id"]
        self._tally.counts["socket messages"] += 1
        if kind == "hello":
            gap = bool(message["data"].get("gap"))
            self.record.begin(datetime.fromisoformat(message["at"]), gap=gap)
            self._tally.counts["socket gaps"] += gap
            self._tally.counts["sockets greeted"] += 1
            self._tally.counts["messages replayed"] += message["data"].get("replayed", 0)
            self.is_open = True
            self._failures = 0
            self.greeted.set()
        elif kind == "monitor":
            self.monitor = message["data"]
        elif kind == "reconnect":
            self._after = message["data"].get("after_ms", 0) / 1000
        elif kind in _KEPT and self.record.take(message) and kind == "announcement":
            await connection.send(orjson.dumps({"type": "ack", "id": message["id"]}).decode())

    def _note_close(self, code: int | None, reason: str | None, token: str) -> None:
        """A ticket that is too old is asked for again; whoever is refused for another reason is not."""
        self._tally.counts[f"sockets closed with {code}"] += 1
        if code == _MOVED and self._account.token == token:
            self.record.problems.append("closed with 4403, though no other session has taken over")
        if code == _NO_SUCH_ROOM or (code == _WHO_ARE_YOU and reason != "who are you"):
            self.record.problems.append(f"closed with {code} {reason}")
