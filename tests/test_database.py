"""The engine's connections: when they are encrypted, and addresses as hosts of databases give them."""

import asyncio
import contextlib
from random import Random
from typing import Literal
from uuid import uuid4

import asyncpg
import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from app.config import Settings
from app.database import create_engine
from tests.faults.proxy import Proxy
from tests.waiting import PATIENCE

pytestmark = pytest.mark.anyio

ASKS_FOR_TLS = bytes.fromhex("0000000804d2162f")
# A client reaches this machine by it, and no rule takes it for local.
ELSEWHERE = "0.0.0.0"


async def first_words(address: str, database_ssl: Literal["auto", "verify", "off"] = "auto") -> bytes:
    """What a connection says first to a server on 127.0.0.1; `{port}` in the address is the server's."""
    heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        words = await reader.read(8)
        if not heard.done():
            heard.set_result(words)
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings = Settings(database_url=SecretStr(address.format(port=port)), database_ssl=database_ssl)
    engine = create_engine(settings)
    async with server:
        with contextlib.suppress(OSError, DBAPIError):  # The server hangs up.
            await (await engine.connect()).close()
        await engine.dispose()
        return await asyncio.wait_for(heard, PATIENCE)


class TestTls:
    @pytest.mark.parametrize(
        "address",
        [
            f"postgresql://u:p@{ELSEWHERE}:{{port}}/ias",
            f"postgresql://u:p@{ELSEWHERE}:{{port}}/ias?sslmode=disable",
            f"postgresql://u:p@{ELSEWHERE}:{{port}}/ias?sslmode=prefer",
            f"postgresql://u:p@/ias?host={ELSEWHERE}&port={{port}}",
            f"postgresql://u:p@localhost:{{port}}/ias?host={ELSEWHERE}",
            "postgresql://u:p@127.0.0.1:{port}/ias?sslmode=require",
        ],
    )
    async def test_elsewhere_and_where_it_is_asked_for(self, address: str) -> None:
        assert await first_words(address) == ASKS_FOR_TLS

    @pytest.mark.parametrize(
        "address",
        [
            "postgresql://u:p@127.0.0.1:{port}/ias",
            "postgresql://u:p@127.0.0.1:{port}/ias?sslmode=disable",
            "postgresql://u:p@127.0.0.1:{port}/ias?sslmode=prefer",
        ],
    )
    async def test_not_on_this_machine(self, address: str) -> None:
        assert await first_words(address) != ASKS_FOR_TLS

    async def test_not_where_an_operator_turned_it_off(self) -> None:
        address = f"postgresql://u:p@{ELSEWHERE}:{{port}}/ias?sslmode=require"
        assert await first_words(address, database_ssl="off") != ASKS_FOR_TLS

    async def test_an_operator_can_ask_for_it_anywhere(self) -> None:
        address = "postgresql://u:p@127.0.0.1:{port}/ias"
        assert await first_words(address, database_ssl="verify") == ASKS_FOR_TLS


class TestPastedAddresses:
    async def test_options_for_other_clients_are_ignored(self, database_url: str) -> None:
        """As Supabase and Neon show them to people."""
        options = {"pgbouncer": "true", "connect_timeout": "10", "channel_binding": "prefer"}
        url = make_url(database_url).update_query_dict(options)
        address = SecretStr(url.render_as_string(hide_password=False))
        engine = create_engine(Settings(database_url=address), pool_size=1)
        async with engine.connect() as connection:
            assert await connection.scalar(text("select 1")) == 1
        await engine.dispose()


class TestTransactionPooler:
    async def test_statements_have_no_names(self, database_url: str) -> None:
        """The next transaction may meet another server process, which would not know the name."""
        settings = Settings(database_url=SecretStr(database_url), database_pooler="transaction")
        engine = create_engine(settings, pool_size=1)
        async with engine.connect() as connection:
            await connection.execute(text("select :number + 1"), {"number": 1})
            names = await connection.execute(text("select name from pg_prepared_statements"))
            assert names.all() == []
        await engine.dispose()


class TestTypes:
    async def test_the_second_connection_does_not_ask_for_the_types_of_every_postgresql(
        self, database_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        engine = create_engine(Settings(database_url=SecretStr(database_url)), pool_size=2)
        statement, ids = text("select cast(:ids as uuid[])"), [uuid4(), uuid4()]
        async with engine.connect() as first, engine.connect() as second:
            assert await first.scalar(statement, {"ids": ids}) == ids
            monkeypatch.setattr(asyncpg.Connection, "_introspect_types", None)
            assert await second.scalar(statement, {"ids": ids}) == ids
        await engine.dispose()

    async def test_types_of_one_database_are_asked_on_each_connection(self, database_url: str) -> None:
        engine = create_engine(Settings(database_url=SecretStr(database_url)), pool_size=2)
        for words in ("a", "b"), ("c", "d"):  # Temporary types: the second connection has others.
            async with engine.connect() as connection:
                create = "create type pg_temp.word as enum ('{}', '{}')".format(*words)
                await connection.execute(text(create))
                found = await connection.scalar(text("select enum_range(null::pg_temp.word)"))
                assert found == list(words)
                await connection.invalidate()
        await engine.dispose()


class TestHangingServer:
    async def test_a_connection_that_rested_is_given_up_by_its_ping(
        self, superuser_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """No packet passes any more: nobody waits until a statement has taken too long."""
        monkeypatch.setattr("app.database.PING_AFTER_SECONDS", -1.0)
        monkeypatch.setattr("app.database.PING_SECONDS", 0.2, raising=False)
        given = make_url(superuser_url)
        port = int(given.query.get("port", given.port or 5432))  # type: ignore[arg-type] # there is one
        async with Proxy(port, Random(1)).serving() as proxy:
            address = given.set(host="127.0.0.1", port=proxy.port, query={})
            url = SecretStr(address.render_as_string(hide_password=False))
            engine = create_engine(Settings(database_url=url), pool_size=1)
            async with engine.connect() as connection:
                await connection.execute(text("select 1"))
            proxy.passes.clear()
            async with asyncio.timeout(PATIENCE):
                with pytest.raises(TimeoutError):
                    await engine.connect()
            proxy.restore()
            async with engine.connect() as connection:
                assert await connection.scalar(text("select 1")) == 1
            await engine.dispose()
