"""Access tokens that are revoked before they expire (docs/decisions/0004).

A revocation is a row in PostgreSQL, and each process keeps those that still matter in memory. `enforce` makes
a committed one effective at once; the follower reads those that other processes have committed.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import structlog
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from app.core.revocations import Revocations, SessionCutoff
from app.models import Revocation
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork, reading

log = structlog.get_logger(__name__)

TOKEN_LIFETIME = timedelta(hours=24)
"""Longer than any access token lives. A revocation is kept for this time."""

SIGNED_OUT_FOR = timedelta(days=90)
"""Supabase gives an administrator no way to end a user's sessions, so we refuse them for this time."""

POLL_SECONDS = 5.0
RECOVERED_AFTER_SECONDS = 2 * POLL_SECONDS
"""A follower that has polled without a failure for so long has recovered."""

OVERLAP = timedelta(seconds=60)
"""Each poll looks back this far, because a slow transaction may commit after a later one."""

ANNOUNCE_SECONDS = 0.5
"""A Redis that hangs must not delay the answer. Other processes poll."""

SUBSCRIBE_SECONDS = 3.0
"""A Redis that accepts connections and does not answer must not stop the polling."""

CHANNEL = "ias:revocations"
EPOCH = datetime.fromtimestamp(0, UTC)


async def end_session(uow: UnitOfWork, user_id: UUID, session_id: str, now: datetime) -> Revocation:
    """Revoke the access tokens of one session, and remove its devices. Call `enforce` after the commit."""
    await uow.users.lock(user_id)  # A device that registers at this moment is removed too, or is refused.
    await uow.devices.remove_of_session(user_id, session_id)
    return await uow.revocations.add(
        user_id, session_id=session_id, issued_before=now, expires_at=now + TOKEN_LIFETIME
    )


async def end_tokens(
    uow: UnitOfWork,
    user_id: UUID,
    now: datetime,
    *,
    except_session_id: str | None = None,
    remember_for: timedelta = TOKEN_LIFETIME,
) -> Revocation:
    """Revoke all access tokens that a user holds now, and remove the devices of their sessions.

    Call `enforce` after the commit. Tokens carry their time in whole seconds. Those of the current second are
    revoked too. `remember_for` is longer if the sessions live on at the auth server: a refreshed token
    belongs to its old session.
    """
    await uow.users.lock(user_id)
    await uow.devices.remove_of_user(user_id, except_session_id=except_session_id)
    return await uow.revocations.add(
        user_id,
        except_session_id=except_session_id,
        issued_before=now.replace(microsecond=0) + timedelta(seconds=1),
        expires_at=now + remember_for,
    )


async def enforce(parts: Components, revocation: Revocation) -> None:
    """Make a committed revocation effective in this process, and announce it to the others.

    Returns when a new session is accepted: a token of the second in which `end_tokens` was called is refused.
    """
    remember(parts.revocations, revocation)
    try:
        async with asyncio.timeout(ANNOUNCE_SECONDS):
            await parts.redis.publish(CHANNEL, "new")
    except (RedisError, OSError):
        log.warning("revocation_not_announced", exc_info=True)
    if revocation.session_id is None:
        await asyncio.sleep(max(0.0, (revocation.issued_before - parts.clock.now()).total_seconds()))


def remember(memory: Revocations, row: Revocation) -> None:
    """Keep a revocation in this process's memory. Idempotent."""
    if row.session_id is not None:
        memory.end_session(row.session_id, row.expires_at)
    else:
        memory.end_tokens(
            row.user_id, SessionCutoff(row.issued_before, row.except_session_id, row.expires_at)
        )


class RevocationFollower:
    """Keeps this process's memory of revocations up to date: at once through Redis, by polling without it."""

    def __init__(self, parts: Components, since: datetime = EPOCH) -> None:
        self._parts = parts
        self._since = since
        """The database's own time: its clock has written the rows."""

    async def start(self) -> None:
        """Load once. If the database does not answer, requests get 503 until `run` has loaded."""
        try:
            await self.load()
        except (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            # asyncpg's own errors are those of opening a connection, such as too many connections.
            log.warning("revocations_not_loaded", exc_info=True)

    async def load(self) -> None:
        """Read the revocations that are new. Raises if the database does not answer."""
        async with reading(self._parts.engine) as reads:
            rows, read_at = await reads.revocations.since(self._since)
        for row in rows:
            remember(self._parts.revocations, row)
        self._parts.revocations.delete_expired(self._parts.clock.now())
        self._parts.revocations.is_loaded = True
        self._since = read_at - OVERLAP

    async def run(self) -> None:
        """Load until cancelled. Raises if the database does not answer; the caller runs this again."""
        while True:
            try:
                async with self._parts.redis.pubsub() as channel:
                    await self._follow(channel)
            except (RedisError, OSError):
                await self.load()
                await asyncio.sleep(POLL_SECONDS)

    async def _follow(self, channel: PubSub) -> None:
        async with asyncio.timeout(SUBSCRIBE_SECONDS):
            await channel.subscribe(CHANNEL)
        while True:  # What is announced during a load waits in the subscription.
            await self.load()
            await channel.get_message(timeout=POLL_SECONDS)
