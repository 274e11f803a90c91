"""Revocations: written down, announced, and known at once in this process."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from app.services.components import Components
from app.services.revocations import end_session
from app.services.unit_of_work import unit_of_work

pytestmark = pytest.mark.anyio


class TestEndSession:
    async def test_a_redis_that_hangs_holds_nobody_up(self, parts: Components) -> None:
        hang_up = asyncio.Event()

        async def listen(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await hang_up.wait()
            writer.close()

        server = await asyncio.start_server(listen, "127.0.0.1", 0)
        redis = Redis(port=server.sockets[0].getsockname()[1])
        user_id, session_id = uuid4(), str(uuid4())
        async with server:
            async with asyncio.timeout(5), unit_of_work(parts.engine) as uow:
                await end_session(uow, replace(parts, redis=redis), user_id, session_id)
            assert parts.revocations.cover(user_id, session_id, parts.clock.now())
            hang_up.set()
            await redis.aclose()
