"""Engines of one process that share their compiled statements.

SQLAlchemy compiles a statement once for each engine, and tests open an engine for each command, each
application and each database of their own. The key of its cache holds the dialect, which every engine has
anew: here all dialects of asyncpg are one key, because all engines of the tests are opened alike.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import LRUCache

_STATEMENTS = 5_000


@contextmanager
def shared_statements() -> Iterator[None]:
    """Engines that are created meanwhile compile each statement once."""
    cache = LRUCache[Any, Any](_STATEMENTS)

    def create_sharing(*arguments: Any, **options: Any) -> AsyncEngine:
        engine = create_async_engine(*arguments, **options)
        engine.sync_engine._compiled_cache = cache
        return engine

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PGDialect_asyncpg, "__eq__", lambda one, other: type(one) is type(other))
        patch.setattr(PGDialect_asyncpg, "__hash__", lambda one: hash(type(one)))
        patch.setattr("app.database.create_async_engine", create_sharing)
        yield
