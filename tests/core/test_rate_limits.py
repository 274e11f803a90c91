"""Rate limits against a real Valkey, alive and dead."""

import asyncio
from ipaddress import ip_address

import pytest
from redis.asyncio import Redis
from starlette.datastructures import State

from app.core.errors import TooManyRequests
from app.core.rate_limits import LimitState, RateLimiter
from devservers.valkey import Valkey
from tests.waiting import PATIENCE

pytestmark = pytest.mark.anyio


def request_from(address: str) -> State:
    return State({"client_address": ip_address(address)})


async def login(
    limiter: RateLimiter, email: str, address: str, per_address: str = "600/minute"
) -> LimitState:
    state = request_from(address)
    try:
        await limiter.check_account(state, "login", email, per_account="3/minute", per_address=per_address)
    finally:
        told: LimitState = state.rate_limit
    return told


class TestHit:
    async def test_counts_down_and_refuses(self, redis: Redis) -> None:
        limiter = RateLimiter(redis, timeout=PATIENCE)
        states = [await limiter.hit("3/minute", "a") for _ in range(3)]
        assert [state.remaining for state in states] == [2, 1, 0]
        assert all(0 < state.reset_after <= 60 for state in states)
        with pytest.raises(TooManyRequests) as refusal:
            await limiter.hit("3/minute", "a")
        assert 0 < int(refusal.value.headers["Retry-After"]) <= 60

    async def test_identities_count_apart(self, redis: Redis) -> None:
        limiter = RateLimiter(redis, timeout=PATIENCE)
        await limiter.hit("1/minute", "a")
        assert (await limiter.hit("1/minute", "b")).remaining == 0

    async def test_processes_count_together(self, redis: Redis) -> None:
        await RateLimiter(redis, timeout=PATIENCE).hit("1/minute", "a")
        with pytest.raises(TooManyRequests):
            await RateLimiter(redis, timeout=PATIENCE).hit("1/minute", "a")

    async def test_hits_at_once_are_not_lost(self, redis: Redis) -> None:
        limiter = RateLimiter(redis, timeout=PATIENCE)
        outcomes = await asyncio.gather(
            *(limiter.hit("10/minute", "a") for _ in range(30)), return_exceptions=True
        )
        assert sum(isinstance(outcome, LimitState) for outcome in outcomes) == 10

    @staticmethod
    async def _hit_until_refused(limiter: RateLimiter) -> None:
        """On a busy machine two hits may be more than a second apart."""
        for _ in range(1000):
            await limiter.hit("1/second", "a")

    async def test_waiting_as_long_as_told_is_enough(self, redis: Redis) -> None:
        limiter = RateLimiter(redis, timeout=PATIENCE)
        with pytest.raises(TooManyRequests) as refusal:
            await self._hit_until_refused(limiter)
        # The loop's timers may end a millisecond early by the clock that the limiter reads.
        await asyncio.sleep(int(refusal.value.headers["Retry-After"]) + 0.01)
        await limiter.hit("1/second", "a")

    async def test_without_redis_the_process_counts_itself_and_heals(
        self, valkey: Valkey, breakable_redis: Redis
    ) -> None:
        limiter = RateLimiter(breakable_redis)
        await limiter.hit("100/minute", "a")
        valkey.stop()
        assert [(await limiter.hit("2/minute", "a")).remaining for _ in range(2)] == [1, 0]
        with pytest.raises(TooManyRequests):
            await limiter.hit("2/minute", "a")

        valkey.start()
        async with asyncio.timeout(PATIENCE):
            while not await breakable_redis.keys("*healed*"):
                await limiter.hit("10000/minute", "healed")
                await asyncio.sleep(0.05)


class TestCheck:
    async def test_the_answer_tells_the_tightest_limit(self, redis: Redis) -> None:
        state = request_from("192.0.2.1")
        await RateLimiter(redis, timeout=PATIENCE).check(
            state, [("100/minute", "wide"), ("5/minute", "narrow")]
        )
        assert state.rate_limit.headers["RateLimit-Limit"] == "5"
        assert state.rate_limit.headers["RateLimit-Remaining"] == "4"

    async def test_a_refusal_is_told_as_well(self, redis: Redis) -> None:
        limiter, state = RateLimiter(redis, timeout=PATIENCE), request_from("192.0.2.1")
        await limiter.check(state, [("1/minute", "k")])
        with pytest.raises(TooManyRequests) as refusal:
            await limiter.check(state, [("1/minute", "k"), ("9/minute", "other")])
        assert state.rate_limit.headers["RateLimit-Remaining"] == "0"
        assert state.rate_limit.headers["RateLimit-Reset"] == refusal.value.headers["Retry-After"]

    async def test_a_refused_request_counts_against_the_other_limits(self, redis: Redis) -> None:
        limiter, state = RateLimiter(redis, timeout=PATIENCE), request_from("192.0.2.1")
        await limiter.check(state, [("1/minute", "k"), ("2/minute", "other")])
        with pytest.raises(TooManyRequests):
            await limiter.check(state, [("1/minute", "k"), ("2/minute", "other")])
        with pytest.raises(TooManyRequests):
            await limiter.hit("2/minute", "other")


class TestCheckAccount:
    async def test_the_account_is_the_trimmed_address_in_lower_case(self, redis: Redis) -> None:
        limiter = RateLimiter(redis, timeout=PATIENCE)
        for spelling in ("asha@example.org", " Asha@Example.org ", "ASHA@EXAMPLE.ORG"):
            await login(limiter, spelling, "192.0.2.1")
        with pytest.raises(TooManyRequests):
            await login(limiter, "asha@example.org", "192.0.2.1")

    async def test_a_hall_shares_an_address(self, redis: Redis) -> None:
        limiter = RateLimiter(redis, timeout=PATIENCE)
        for number in range(50):
            await login(limiter, f"candidate{number}@example.org", "192.0.2.1")

    async def test_nobody_can_lock_out_somebody_elsewhere(self, redis: Redis) -> None:
        limiter = RateLimiter(redis, timeout=PATIENCE)
        for _ in range(3):
            await login(limiter, "asha@example.org", "192.0.2.1")
        assert (await login(limiter, "asha@example.org", "192.0.2.2")).remaining == 2

    async def test_an_ipv6_customer_is_one_address(self, redis: Redis) -> None:
        limiter = RateLimiter(redis, timeout=PATIENCE)
        for host in (1, 2, 3):
            await login(limiter, "asha@example.org", f"2001:db8::{host}")
        with pytest.raises(TooManyRequests):
            await login(limiter, "asha@example.org", "2001:db8::4")

    async def test_an_address_alone_is_limited_generously(self, redis: Redis) -> None:
        limiter = RateLimiter(redis, timeout=PATIENCE)
        for number in range(5):
            await login(limiter, f"{number}@example.org", "192.0.2.1", per_address="5/minute")
        with pytest.raises(TooManyRequests):
            await login(limiter, "another@example.org", "192.0.2.1", per_address="5/minute")

    async def test_no_address_of_a_person_stands_in_redis(self, redis: Redis) -> None:
        await login(RateLimiter(redis, timeout=PATIENCE), "asha@example.org", "192.0.2.1")
        keys = await redis.keys("*")
        assert keys
        assert not any(b"asha" in key for key in keys)

    async def test_half_a_character_is_counted_like_any_text(self, redis: Redis) -> None:
        assert (
            await login(RateLimiter(redis, timeout=PATIENCE), "\ud800@example.org", "192.0.2.1")
        ).remaining == 2
