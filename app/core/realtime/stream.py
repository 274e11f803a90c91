"""The stream of messages in Redis: publishing, and reading by each API process."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from app.core import telemetry
from app.core.cache import REDIS_FAILURES
from app.core.clock import Clock
from app.core.realtime.hub import CAPACITY, Hub
from app.core.realtime.messages import BEGINNING, unpack
from app.core.redis_client import open_redis

log = structlog.get_logger(__name__)

STREAM = "ias:realtime"
REMEMBER_SECONDS = 24 * 3600
"""How long Redis remembers that a message was published: as long as its row is kept."""

BLOCK_MS = 2000
BATCH_SIZE = 500
MAX_PAUSE_SECONDS = 3.0
"""Seconds between two attempts to read during an outage."""

DELIVERY_TIME = timedelta(seconds=60)
"""The longest time that a message is assumed to be in delivery."""

# Adds each message once, even if several processes publish it. If the stream does not exist, Redis was
# emptied, and the messages of the last hour must be added first. The script then adds messages only if
# ARGV[3] is 1, and returns -1 otherwise. If there are no messages to add, an empty entry creates the stream.
PUBLISH = """
local filling = redis.call('EXISTS', KEYS[1]) == 0
if filling and ARGV[3] == '0' then return -1 end
local added = 0
for i = 2, #KEYS do
  local is_new = redis.call('SET', KEYS[i], '1', 'NX', 'EX', ARGV[2])
  if is_new or filling then
    redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'm', ARGV[i + 2])
    added = added + 1
  end
end
if filling and added == 0 then redis.call('XADD', KEYS[1], '*', 'm', '') end
return added
"""

Packed = tuple[UUID, bytes]
"""The id of a message, and the message in the format of the stream (`messages.pack`)."""


class Stream:
    """The stream, with its own Redis client, because reading blocks the connection.

    Commands are retried once: after a restart of Redis, the first use of a connection fails.
    """

    def __init__(self, url: str, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._redis = open_redis(
            url,
            socket_timeout=BLOCK_MS / 1000 + 3,
            socket_connect_timeout=2,
            retry=Retry(NoBackoff(), 1),
        )

    async def publish(self, messages: Sequence[Packed], *, fill: bool = False) -> bool:
        """Add messages in their order.

        If the stream does not exist, this returns False and adds none, except with `fill`, which creates it.
        """
        # The braces put all keys of the script into one slot of Redis Cluster.
        keys = [f"{{{STREAM}}}:{message_id}" for message_id, _ in messages]
        arguments: list[Any] = [
            self._capacity,
            REMEMBER_SECONDS,
            int(fill),
            *(packed for _, packed in messages),
        ]
        added = await self._redis.eval(PUBLISH, 1 + len(keys), STREAM, *keys, *arguments)
        return int(added) >= 0

    async def after(self, entry_id: str) -> list[Any]:
        """The entries after an entry. Waits for up to BLOCK_MS if there are none."""
        reply: Any = await self._redis.xread({STREAM: entry_id}, count=BATCH_SIZE, block=BLOCK_MS)
        return list(reply[0][1]) if reply else []

    async def last(self, count: int) -> list[Any]:
        """The last entries, oldest first."""
        reply: Any = await self._redis.xrevrange(STREAM, count=count)
        return list(reply)[::-1]

    async def trim(self, before: datetime) -> None:
        """Delete the entries from before a time. Redis gives an entry the time of its clock as id."""
        await self._redis.xtrim(STREAM, minid=int(before.timestamp() * 1000), approximate=False)

    async def close(self) -> None:
        await self._redis.aclose()


class StreamReader:
    """Reads the stream and passes its entries to the hub. It continues after a loss of Redis or its data."""

    def __init__(self, stream: Stream, hub: Hub, clock: Clock) -> None:
        self._stream = stream
        self._hub = hub
        self._clock = clock
        # Messages from before the start of the process are only stored for replay, because its sockets were
        # opened later. Messages of the last minute are delivered, because they may still be in delivery.
        self._history_ends = clock.now() - DELIVERY_TIME
        self._cursor = BEGINNING
        self.loaded = asyncio.Event()

    async def run(self) -> None:
        """Read until cancelled. The start and the end of an outage are logged."""
        failures = 0
        while True:
            try:
                await self._synchronize()
                if failures:
                    log.info("realtime_reader_up", failures=failures)
                failures = 0
                with telemetry.realtime_readers.track_inprogress():
                    await self._read()
            except REDIS_FAILURES as error:
                failures += 1
                if failures == 1:
                    log.warning("realtime_reader_down", error=repr(error))
            except Exception:
                failures += 1
                log.exception("realtime_reader_failed")
            await asyncio.sleep(min(0.1 * 2 ** min(failures, 10), MAX_PAUSE_SECONDS))

    async def _read(self) -> None:
        while True:
            if entries := await self._stream.after(self._cursor):
                await self._deliver(entries)
            else:
                await self._synchronize()

    async def _synchronize(self) -> None:
        """Load all entries at the start, and if the stream was recreated with ids below the cursor."""
        newest = await self._stream.last(1)
        if newest and (not self.loaded.is_set() or _order(_id(newest[0])) < _order(self._cursor)):
            self._cursor = BEGINNING
            await self._deliver(await self._stream.last(CAPACITY))
        self.loaded.set()

    async def _deliver(self, entries: Sequence[Any]) -> None:
        for entry in entries:
            posted = unpack(_id(entry), (entry[1] or {}).get(b"m"))
            is_history = posted.at is None or posted.at < self._history_ends
            self._hub.deliver(posted, is_history=is_history)
            self._cursor = posted.id
            if posted.at is not None and not is_history:
                _observe_delay(self._clock.now(), posted.at)
            await asyncio.sleep(0)  # An entry may go to thousands of sockets, so let other tasks run.


def _observe_delay(now: datetime, at: datetime) -> None:
    telemetry.realtime_delay_seconds.observe(max(0.0, (now - at).total_seconds()))


def _id(entry: Any) -> str:
    return str(entry[0].decode())


def _order(entry_id: str) -> tuple[int, int]:
    milliseconds, _, number = entry_id.partition("-")
    return int(milliseconds), int(number)
