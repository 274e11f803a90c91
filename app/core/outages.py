"""Which errors of PostgreSQL and Redis are outages: the same request may succeed later."""

import asyncpg
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

# Classes of SQLSTATE. They concern one transaction: transaction rollback, object not in prerequisite state.
_TRANSACTION = ("40", "55")
# They concern every transaction: connection exception, insufficient resources, operator intervention, system
# error. 25006 is a read-only database: hosts switch to that when the disk is full.
_SERVER = ("08", "25006", "53", "57", "58")
# OSError is also a timeout, no space, and no free file descriptor.
_LOST = (PoolTimeout, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, RedisError)


def is_outage(error: BaseException) -> bool:
    """Whether the request that met this error may succeed later."""
    return is_outage_for_all(error) or _sqlstate(error).startswith(_TRANSACTION)


def is_outage_for_all(error: BaseException) -> bool:
    """Whether other transactions fail at this moment too, so that nothing is won by trying one at once."""
    if isinstance(driver_error(error), asyncpg.PostgresError):
        return _sqlstate(error).startswith(_SERVER)
    is_disconnected = isinstance(error, DBAPIError) and error.connection_invalidated
    return is_disconnected or isinstance(driver_error(error), _LOST)


def driver_error(error: BaseException) -> BaseException:
    """The error of asyncpg that SQLAlchemy has wrapped, or the error itself."""
    original = error.orig if isinstance(error, DBAPIError) else None
    return (original.__cause__ or original) if original else error


def _sqlstate(error: BaseException) -> str:
    cause = driver_error(error)
    return (cause.sqlstate or "") if isinstance(cause, asyncpg.PostgresError) else ""
