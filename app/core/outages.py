"""Which errors of PostgreSQL and Redis are outages: the same request may succeed later."""

import asyncpg
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

# Classes and codes of SQLSTATE that may concern one transaction: transaction rollback, out of memory, a limit
# of the configuration, object not in prerequisite state, a cancelled statement, a file that cannot be read.
_TRANSACTION = ("40", "53200", "53400", "55", "57014", "58")
# Codes with these prefixes, except those above, affect every transaction: connection exception, insufficient
# resources, operator intervention. 25006 is a read-only database: hosts switch to that when the disk is full.
_SERVER = ("08", "25006", "53", "57")
# OSError is also a timeout, no space, and no free file descriptor.
_LOST = (PoolTimeout, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, RedisError)


def is_outage(error: BaseException) -> bool:
    """Whether the request that met this error may succeed later."""
    return _sqlstate(error).startswith(_TRANSACTION) or is_outage_for_all(error)


def is_outage_for_all(error: BaseException) -> bool:
    """Whether every transaction fails at this moment, so that it is no use to try requests one by one."""
    if isinstance(driver_error(error), asyncpg.PostgresError):
        code = _sqlstate(error)
        return code.startswith(_SERVER) and not code.startswith(_TRANSACTION)
    is_disconnected = isinstance(error, DBAPIError) and error.connection_invalidated
    return is_disconnected or isinstance(driver_error(error), _LOST)


def driver_error(error: BaseException) -> BaseException:
    """The error of asyncpg that SQLAlchemy has wrapped, or the error itself."""
    original = error.orig if isinstance(error, DBAPIError) else None
    return (original.__cause__ or original) if original else error


def _sqlstate(error: BaseException) -> str:
    cause = driver_error(error)
    return (cause.sqlstate or "") if isinstance(cause, asyncpg.PostgresError) else ""
