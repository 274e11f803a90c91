"""Searches everything that the product stores for texts: all columns of all tables, Valkey, files, mails."""

import zipfile
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import asyncpg
from redis.asyncio import Redis

# Every table of our schema and of the auth server's, partitions included, as PostgreSQL lists them.
TABLES = """
    select format('%I.%I', table_schema, table_name) from information_schema.tables
    where table_schema in ('ias', 'auth') and table_type = 'BASE TABLE'
"""
IN_TABLE = """
    select distinct field.key from {table} as stored cross join jsonb_each_text(to_jsonb(stored)) as field
    where exists (select from unnest($1::text[]) as needle where strpos(lower(field.value), needle) > 0)
"""
BYTES = """
    select format('%I.%I', table_schema, table_name), column_name from information_schema.columns
    where table_schema in ('ias', 'auth') and data_type = 'bytea'
"""

Column = tuple[str, str]


def needles_of(*texts: str) -> list[str]:
    """The texts as they may be stored: as text in lower case, and as the digits of bytes."""
    lower = [text.lower() for text in texts]
    return [*lower, *(text.encode().hex() for text in texts), *(text.encode().hex() for text in lower)]


async def in_tables(connection: asyncpg.Connection, needles: Collection[str]) -> set[Column]:
    """The columns in which one of the texts stands. The connection must be allowed to read everything."""
    found: set[Column] = set()
    for (table,) in await connection.fetch(TABLES):
        rows = await connection.fetch(IN_TABLE.format(table=table), list(needles))
        found |= {(table, row[0]) for row in rows}
    return found | await _in_compressed(connection, needles)


async def _in_compressed(connection: asyncpg.Connection, needles: Collection[str]) -> set[Column]:
    found: set[Column] = set()
    for table, column in await connection.fetch(BYTES):
        for (content,) in await connection.fetch(f"select {column} from {table} where {column} is not null"):
            if holds(_decompressed(content), needles):
                found.add((table, column))
    return found


def _decompressed(content: bytes) -> bytes:
    """The decompressed content. Empty for bytes that are not compressed, such as digests."""
    try:
        return zlib.decompress(content)
    except zlib.error:
        return b""


async def in_valkey(redis: Redis, needles: Collection[str]) -> dict[str, int]:
    """The keys that hold one of the texts, with their time to live in seconds (-1: for ever)."""
    found = {}
    async for key in redis.scan_iter(count=1000):
        if holds(key + b" " + repr(await _value(redis, key)).encode(), needles):
            found[key.decode()] = int(await redis.ttl(key))
    return found


async def _value(redis: Redis, key: bytes) -> Any:
    kind = await redis.type(key)
    match kind:
        case b"string":
            return await redis.get(key)
        case b"hash":
            return await redis.hgetall(key)
        case b"list":
            return await redis.lrange(key, 0, -1)
        case b"set":
            return await redis.smembers(key)
        case b"zset":
            return await redis.zrange(key, 0, -1)
        case b"stream":
            return await redis.xrange(key)
        case b"none":  # It has expired since its name was read.
            return None
    raise AssertionError(f"the search does not know keys of the kind {kind!r}")


def in_files(url: str, needles: Collection[str]) -> set[str]:
    """The stored files whose name or content has one of the texts, also inside of ZIP files."""
    folder = Path(unquote(urlsplit(url).path))
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and any(holds(content, needles) for content in _contents(path, folder))
    }


def _contents(path: Path, folder: Path) -> Iterator[bytes]:
    yield path.relative_to(folder).as_posix().encode()
    yield path.read_bytes()
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield from (archive.read(name) for name in archive.namelist())


def holds(content: bytes, needles: Collection[str]) -> bool:
    """Whether bytes have one of the texts, in upper or lower case."""
    lower = content.lower()
    return any(needle.encode() in lower for needle in needles)
