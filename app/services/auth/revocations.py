"""Revoking access tokens: stored, announced, and known in each process (docs/decisions/0004)."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from app.core.revocations import Cutoff, Revocations
from app.models import Revocation
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork, reading

log = structlog.get_logger(__name__)

TOKEN_LIFETIME = timedelta(hours=24)
"""Longer than any access token lives: for so long a revocation is remembered."""

SIGNED_OUT_FOR = timedelta(days=90)
"""Supabase gives an administrator no way to end a person's sessions: we refuse theirs for so long."""

POLL_SECONDS = 5.0
OVERLAP = timedelta(seconds=60)
"""Each poll looks back so far: a slow transaction may commit after a later one."""

ANNOUNCE_SECONDS = 0.5
"""A Redis that hangs must not hold up the answer: the others will poll."""

SUBSCRIBE_SECONDS = 3.0
"""A Redis that accepts connections and does not answer must not stop the polling."""

CHANNEL = "ias:revocations"
EPOCH = datetime.fromtimestamp(0, UTC)


async def end_session(uow: UnitOfWork, parts: Components, user_id: UUID, session_id: str) -> None:
    """Kill one session's access tokens, in every process."""
    now = parts.clock.now()
    row = await uow.revocations.add(
        user_id, session_id=session_id, issued_before=now, expires_at=now + TOKEN_LIFETIME
    )
    uow.after_commit(_announcement(parts, row))


async def end_tokens(
    uow: UnitOfWork,
    parts: Components,
    user_id: UUID,
    *,
    except_session_id: str | None = None,
    remember_for: timedelta = TOKEN_LIFETIME,
) -> None:
    """Kill all access tokens that a person holds now, in every process.

    `remember_for` is longer where the sessions live on at the auth server: tokens that a refresh gives later
    are of a session that began before, and dead, too.

    Now, and not when the request arrived: the auth server may have issued one meanwhile. Tokens know their
    age to the second: those of this second die too, and the answer waits for the next one, so that whoever
    signs in after it is let in.
    """
    now = parts.clock.now()
    issued_before = now.replace(microsecond=0) + timedelta(seconds=1)
    row = await uow.revocations.add(
        user_id,
        except_session_id=except_session_id,
        issued_before=issued_before,
        expires_at=now + remember_for,
    )
    uow.after_commit(_announcement(parts, row))
    uow.after_commit(lambda: asyncio.sleep((issued_before - now).total_seconds()))


def _announcement(parts: Components, row: Revocation) -> Callable[[], Awaitable[None]]:
    async def announce() -> None:
        remember(parts.revocations, row)
        async with asyncio.timeout(ANNOUNCE_SECONDS):
            await parts.redis.publish(CHANNEL, "new")

    return announce


def remember(memory: Revocations, row: Revocation) -> None:
    """Take a revocation into this process's memory. Twice is harmless."""
    if row.session_id is not None:
        memory.end_session(row.session_id, row.expires_at)
    else:
        memory.end_tokens(row.user_id, Cutoff(row.issued_before, row.except_session_id, row.expires_at))


async def catch_up(parts: Components, since: datetime) -> datetime:
    """Take what was written after `since` into memory; returns what to ask for next. An outage is logged.

    Both moments are the database's own: its clock has written the rows.
    """
    try:
        async with reading(parts.engine) as reads:
            news, read_at = await reads.revocations.since(since)
    except (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        # What happens while a connection is made comes from the driver as it is: too many connections, say.
        log.warning("revocations_not_loaded", error=repr(error))
        return since
    for row in news:
        remember(parts.revocations, row)
    parts.revocations.forget_expired(parts.clock.now())
    parts.revocations.is_loaded = True
    return read_at - OVERLAP


async def follow(parts: Components, since: datetime = EPOCH) -> None:
    """Keep this process's memory up to date until cancelled: at once by Redis, every 5 s without it."""
    while True:
        try:
            async with parts.redis.pubsub() as channel:
                async with asyncio.timeout(SUBSCRIBE_SECONDS):
                    await channel.subscribe(CHANNEL)
                while True:  # What is announced while we load waits in the subscription.
                    since = await catch_up(parts, since)
                    await channel.get_message(timeout=POLL_SECONDS)
        except (RedisError, OSError):
            since = await catch_up(parts, since)
            await asyncio.sleep(POLL_SECONDS)
