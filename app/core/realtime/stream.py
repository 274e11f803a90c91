"""The one stream in Redis: published to once a message, read by each process from where it stands."""

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
"""How long a message is known to have been published: as long as its row is kept."""

BLOCK_MS = 2000
BATCH = 500
LONGEST_PAUSE = 3.0
ON_ITS_WAY = timedelta(seconds=60)

# Each message once, whoever publishes it and however often. To a stream that does not exist nothing is added
# unless `filling`: Redis was emptied, and what was published before is published again, in its order, first.
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


class Stream:
    """A client of its own: reading blocks, and what cannot be sent is tried once more, not ten times.

    Once more, because after a restart of Redis the first use of a connection tells that it is dead.
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
        """Add messages in their order; False, and none is added, where the stream is gone: fill it first."""
        keys = [f"{STREAM}:{message_id}" for message_id, _ in messages]
        arguments: list[Any] = [
            self._capacity,
            REMEMBER_SECONDS,
            int(fill),
            *(packed for _, packed in messages),
        ]
        added = await self._redis.eval(PUBLISH, 1 + len(keys), STREAM, *keys, *arguments)
        return int(added) >= 0

    async def after(self, entry_id: str) -> list[Any]:
        """What was added after an entry; waits a moment for it."""
        answer: Any = await self._redis.xread({STREAM: entry_id}, count=BATCH, block=BLOCK_MS)
        return list(answer[0][1]) if answer else []

    async def last(self, count: int) -> list[Any]:
        """The newest entries, oldest first."""
        answer: Any = await self._redis.xrevrange(STREAM, count=count)
        return list(answer)[::-1]

    async def close(self) -> None:
        await self._redis.aclose()


class Reader:
    """Keeps a hub's memory at the end of the stream, through restarts and losses of Redis."""

    def __init__(self, stream: Stream, hub: Hub, clock: Clock) -> None:
        self._stream = stream
        self._hub = hub
        self._clock = clock
        # What was written well before this process began is for replays alone: nobody here has waited for it,
        # and those who come from another process have heard it. What is newer may still be on its way.
        self._history_ends = clock.now() - ON_ITS_WAY
        self._cursor = BEGINNING
        self.loaded = asyncio.Event()

    async def run(self) -> None:
        """Read until cancelled. An outage is logged once, and its end."""
        failures = 0
        while True:
            try:
                await self._find_place()
                if failures:
                    log.info("realtime_reader_up", failures=failures)
                failures = 0
                with telemetry.realtime_readers.track_inprogress():
                    await self._read_on()
            except REDIS_FAILURES as error:
                failures += 1
                if failures == 1:
                    log.warning("realtime_reader_down", error=repr(error))
            except Exception:
                failures += 1
                log.exception("realtime_reader_failed")
            await asyncio.sleep(min(0.1 * 2 ** min(failures, 10), LONGEST_PAUSE))

    async def _read_on(self) -> None:
        while True:
            if entries := await self._stream.after(self._cursor):
                await self._take(entries)
            else:
                await self._find_place()

    async def _find_place(self) -> None:
        """Load everything at first, and where the stream has begun anew below the place that we know."""
        newest = await self._stream.last(1)
        if newest and (not self.loaded.is_set() or _order(_id(newest[0])) < _order(self._cursor)):
            self._cursor = BEGINNING
            await self._take(await self._stream.last(CAPACITY))
        self.loaded.set()

    async def _take(self, entries: Sequence[Any]) -> None:
        for entry in entries:
            posted = unpack(_id(entry), (entry[1] or {}).get(b"m"))
            is_history = posted.at is None or posted.at < self._history_ends
            self._hub.take(posted, is_history=is_history)
            self._cursor = posted.id
            if posted.at is not None and not is_history:
                _observe_delay(self._clock.now(), posted.at)
            await asyncio.sleep(0)  # Thousands of sockets are told of one entry: let others have their turn.


def _observe_delay(now: datetime, at: datetime) -> None:
    telemetry.realtime_delay_seconds.observe(max(0.0, (now - at).total_seconds()))


def _id(entry: Any) -> str:
    return str(entry[0].decode())


def _order(entry_id: str) -> tuple[int, int]:
    milliseconds, _, number = entry_id.partition("-")
    return int(milliseconds), int(number)
