"""Rate limits over a moving window, counted in Redis, or in the process while Redis is down."""

import asyncio
import hashlib
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from redis.asyncio import Redis
from starlette.datastructures import State

from app.core.breaker import Breaker
from app.core.cache import REDIS_FAILURES
from app.core.client_address import limit_key
from app.core.errors import TooManyRequests


@dataclass(frozen=True, slots=True)
class LimitState:
    """The state of a limit for a caller. The oldest hit expires in `reset_after` seconds."""

    limit: int
    remaining: int
    reset_after: int
    refused: bool = False

    @property
    def headers(self) -> dict[str, str]:
        """The header fields of the IETF draft `draft-ietf-httpapi-ratelimit-headers`."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset_after),
        }


class RateLimiter:
    """Counts hits. It shares the connections of the client `redis`."""

    def __init__(self, redis: Redis, prefix: str = "ias:limits", timeout: float = 0.1) -> None:
        shared = RedisStorage(
            "async+redis://",
            implementation="redispy",
            key_prefix=prefix,
            connection_pool=redis.connection_pool,  # type: ignore[arg-type] # documented but not annotated
        )
        self._shared = MovingWindowRateLimiter(shared)
        self._local = MovingWindowRateLimiter(MemoryStorage())
        self._timeout = timeout
        self._breaker = Breaker("redis rate limits")

    async def hit(self, limit: str, *identity: str) -> LimitState:
        """Count a hit of `identity` against a limit such as `10/minute`. Raises TooManyRequests."""
        state = await self._hit(_parsed(limit), *identity)
        if state.refused:
            raise TooManyRequests(state.reset_after)
        return state

    async def check(self, request_state: State, limits: Sequence[tuple[str, str]]) -> None:
        """Count a request against each (limit, key). The headers show the one with the fewest hits left."""
        states = [await self._hit(_parsed(limit), key) for limit, key in limits]
        tightest = min(states, key=lambda state: (state.remaining, -state.reset_after))
        request_state.rate_limit = tightest
        if any(state.refused for state in states):
            raise TooManyRequests(max(state.reset_after for state in states if state.refused))

    async def check_account(
        self, request_state: State, action: str, email: str, *, per_account: str, per_address: str
    ) -> None:
        """Count a login or registration by account and address, and by address alone.

        There is no limit by account alone, because anyone could use it to lock out a user.
        """
        address = limit_key(request_state.client_address)
        account = hashlib.sha256(email.strip().lower().encode(errors="replace")).hexdigest()
        await self.check(
            request_state,
            [(per_account, f"{action}:{account}:{address}"), (per_address, f"{action}:{address}")],
        )

    async def _hit(self, item: RateLimitItem, *identity: str) -> LimitState:
        if self._breaker.allows():
            try:
                async with asyncio.timeout(self._timeout):
                    state = await _hit(self._shared, item, *identity)
            except REDIS_FAILURES as error:
                self._breaker.failed(error)
            else:
                self._breaker.succeeded()
                return state
        return await _hit(self._local, item, *identity)


async def _hit(limiter: MovingWindowRateLimiter, item: RateLimitItem, *identity: str) -> LimitState:
    accepted = await limiter.hit(item, *identity)
    window = await limiter.get_window_stats(item, *identity)
    return LimitState(
        limit=item.amount,
        remaining=max(0, window.remaining) if accepted else 0,
        reset_after=max(1, math.ceil(window.reset_time - time.time())),
        refused=not accepted,
    )


@cache
def _parsed(limit: str) -> RateLimitItem:
    return parse(limit)
