"""Revocations: written down, announced, and known at once in this process."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import uuid4

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis
from sqlalchemy.engine import make_url

from app.config import Settings
from app.core.repeating import end, failing_loops, keep_running
from app.core.revocations import Revocations
from app.database import create_engine
from app.services.auth.revocations import RevocationFollower, end_session, enforce
from app.services.components import Components
from app.services.unit_of_work import unit_of_work
from tests.conftest import administer, cloned_database
from tests.waiting import PATIENCE, eventually

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def hanging_redis() -> AsyncIterator[Redis]:
    """A server that accepts connections and never answers."""
    hang_up = asyncio.Event()

    async def listen(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await hang_up.wait()
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    redis = Redis(port=server.sockets[0].getsockname()[1])
    async with server:
        yield redis
        hang_up.set()
        await redis.aclose()


@pytest.fixture
def own_url(superuser_url: str, template: str) -> Iterator[str]:
    with cloned_database(superuser_url, template) as url:
        yield url


class TestEndSession:
    async def test_a_redis_that_hangs_holds_nobody_up(self, parts: Components) -> None:
        user_id, session_id = uuid4(), str(uuid4())
        async with hanging_redis() as redis:
            async with unit_of_work(parts.engine) as uow:
                revocation = await end_session(uow, user_id, session_id, parts.clock.now())
            async with asyncio.timeout(PATIENCE):
                await enforce(replace(parts, redis=redis), revocation)
            assert parts.revocations.cover(user_id, session_id, parts.clock.now())


class TestFollow:
    @staticmethod
    async def knows_another(here: Components, elsewhere: Components) -> None:
        """A revocation that another process writes arrives here."""
        user_id, session_id = uuid4(), str(uuid4())
        async with unit_of_work(here.engine) as uow:
            revocation = await end_session(uow, user_id, session_id, here.clock.now())
        await enforce(elsewhere, revocation)

        async def known() -> bool:
            return here.revocations.cover(user_id, session_id, here.clock.now())

        await eventually(known)

    async def test_a_redis_that_hangs_does_not_stop_the_polling(self, parts: Components) -> None:
        async with hanging_redis() as redis:
            here = replace(parts, redis=redis, revocations=Revocations())
            following = asyncio.create_task(RevocationFollower(here, parts.clock.now()).run())
            await self.knows_another(here, replace(parts, revocations=Revocations()))
            await end([following])

    async def test_a_database_without_a_free_connection_is_reported_and_does_not_end_it(
        self, parts: Components, superuser_url: str, own_url: str
    ) -> None:
        database = make_url(own_url).database
        engine = create_engine(Settings(database_url=SecretStr(own_url)), pool_size=2)
        here = replace(parts, engine=engine, revocations=Revocations())
        await administer(superuser_url, f"alter database {database} connection limit 0")
        follower = RevocationFollower(here, parts.clock.now())
        following = asyncio.create_task(keep_running("revocations", follower.run))

        async def is_reported() -> bool:
            return following.done() or "revocations" in failing_loops()

        await eventually(is_reported)
        assert not following.done()
        await administer(superuser_url, f"alter database {database} connection limit -1")
        await self.knows_another(here, replace(parts, engine=engine, revocations=Revocations()))
        await end([following])
        await engine.dispose()
