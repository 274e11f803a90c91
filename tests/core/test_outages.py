"""Which errors are outages, and which of them concern one transaction only."""

import asyncpg
import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.core.outages import is_outage, is_outage_for_all


def wrapped(cause: Exception, *, disconnected: bool = False) -> DBAPIError:
    """An error as SQLAlchemy raises it: around its own error, whose cause is the driver's."""
    original = RuntimeError()
    original.__cause__ = cause
    return DBAPIError("select 1", None, original, connection_invalidated=disconnected)


@pytest.mark.parametrize(
    ("error", "for_one", "for_all"),
    [
        (asyncpg.CannotConnectNowError("in recovery mode"), True, True),
        (asyncpg.TooManyConnectionsError("no slot"), True, True),
        (asyncpg.AdminShutdownError("restart"), True, True),
        (asyncpg.DiskFullError("no space"), True, True),
        (asyncpg.ReadOnlySQLTransactionError("no space"), True, True),
        (asyncpg.ConnectionDoesNotExistError("closed in the middle of operation"), True, True),
        (asyncpg.InterfaceError("the connection is closed"), True, True),
        (ConnectionRefusedError(), True, True),
        (TimeoutError(), True, True),
        (PoolTimeout("no connection is free"), True, True),
        (RedisConnectionError("reset"), True, True),
        (asyncpg.DeadlockDetectedError("deadlock"), True, False),
        (asyncpg.SerializationError("concurrent update"), True, False),
        (asyncpg.LockNotAvailableError("lock timeout"), True, False),
        (asyncpg.QueryCanceledError("statement timeout"), True, False),
        (asyncpg.OutOfMemoryError("work_mem"), True, False),
        (asyncpg.ConfigurationLimitExceededError("temp_file_limit"), True, False),
        (asyncpg.PostgresIOError("a page"), True, False),
        (asyncpg.UndefinedFileError("a partition"), True, False),
        (asyncpg.CheckViolationError("refused"), False, False),
        (asyncpg.DataError("invalid input"), False, False),
        (asyncpg.UndefinedTableError("no table"), False, False),
        (TypeError("no JSON"), False, False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_what_is_an_outage(error: Exception, for_one: bool, for_all: bool) -> None:
    assert (is_outage(error), is_outage_for_all(error)) == (for_one, for_all)
    assert (is_outage(wrapped(error)), is_outage_for_all(wrapped(error))) == (for_one, for_all)


def test_a_lost_connection_is_one_whatever_the_driver_says() -> None:
    lost = wrapped(ValueError("unknown"), disconnected=True)
    assert (is_outage(lost), is_outage_for_all(lost)) == (True, True)
