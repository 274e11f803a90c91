"""The auth server's public keys: fetched once for all, kept through an outage, found when they are new."""

import asyncio

import pytest

from app.core.tokens import (
    AccessTokenVerifier,
    KeysUnavailable,
    TokenRejected,
)
from tests.core.forged_tokens import (
    OTHER_EC_KEY,
    USER,
    KeyServer,
    StoppedClock,
    by_key,
    token,
)


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def key_server() -> KeyServer:
    return KeyServer()


@pytest.fixture
def verifier(key_server: KeyServer, clock: StoppedClock) -> AccessTokenVerifier:
    return key_server.verifier(clock)


@pytest.mark.anyio
class TestSigningKeys:
    async def test_are_fetched_once_for_all_who_wait(
        self, verifier: AccessTokenVerifier, key_server: KeyServer
    ) -> None:
        found = await asyncio.gather(*(verifier.verify(token()) for _ in range(20)))
        assert {claims.user_id for claims in found} == {USER}
        assert key_server.asked == 1

    async def test_are_kept_for_ten_minutes(
        self, verifier: AccessTokenVerifier, key_server: KeyServer, clock: StoppedClock
    ) -> None:
        await verifier.verify(token())
        clock.pass_by(seconds=599)
        await verifier.verify(token())
        assert key_server.asked == 1
        clock.pass_by(seconds=1)
        await verifier.verify(token())
        assert key_server.asked == 2

    async def test_that_were_withdrawn_are_refused(
        self, verifier: AccessTokenVerifier, key_server: KeyServer, clock: StoppedClock
    ) -> None:
        await verifier.verify(token())
        del key_server.keys["ec"]
        clock.pass_by(minutes=10)
        with pytest.raises(TokenRejected):
            await verifier.verify(token())

    async def test_that_are_new_are_found_at_once(
        self, verifier: AccessTokenVerifier, key_server: KeyServer, clock: StoppedClock
    ) -> None:
        await verifier.verify(token())
        clock.pass_by(seconds=30)
        key_server.keys["new"] = OTHER_EC_KEY
        assert (await verifier.verify(token(sign=by_key(OTHER_EC_KEY), kid="new"))).user_id == USER

    async def test_that_are_unknown_are_looked_for_every_thirty_seconds(
        self, verifier: AccessTokenVerifier, key_server: KeyServer, clock: StoppedClock
    ) -> None:
        """Or everybody could make us ask the auth server as often as they like."""
        await verifier.verify(token())
        for _ in range(60):
            clock.pass_by(seconds=1)
            with pytest.raises(TokenRejected):
                await verifier.verify(token(kid="unknown"))
        assert key_server.asked == 3

    async def test_outlive_an_outage(
        self, verifier: AccessTokenVerifier, key_server: KeyServer, clock: StoppedClock
    ) -> None:
        await verifier.verify(token())
        key_server.down = True
        clock.pass_by(minutes=11)
        for _ in range(10):
            assert (await verifier.verify(token())).user_id == USER
        assert key_server.asked == 2

    async def test_are_unavailable_until_the_first_answer(
        self, verifier: AccessTokenVerifier, key_server: KeyServer, clock: StoppedClock
    ) -> None:
        key_server.down = True
        with pytest.raises(KeysUnavailable):
            await verifier.verify(token())
        key_server.down = False
        clock.pass_by(seconds=1)
        assert (await verifier.verify(token())).user_id == USER
