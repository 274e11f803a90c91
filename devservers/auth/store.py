"""All SQL statements of the server, and their rows."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from devservers.auth import schema
from devservers.auth.errors import email_exists

_ONE_TIME_LIFETIME = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class User:
    """An account."""

    id: UUID
    email: str
    password_hash: str | None
    email_confirmed_at: datetime | None
    confirmation_sent_at: datetime | None
    recovery_sent_at: datetime | None
    last_sign_in_at: datetime | None
    banned_until: datetime | None
    app_metadata: dict[str, Any]
    user_metadata: dict[str, Any]
    created_at: datetime
    updated_at: datetime

    @property
    def is_banned(self) -> bool:
        return self.banned_until is not None and self.banned_until > datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Session:
    """One session; `active_token` is the number of its current refresh token."""

    id: UUID
    user_id: UUID
    method: str
    active_token: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A presented refresh token: its number, when it was rotated, and the database's time."""

    number: int
    rotated_at: datetime | None
    now: datetime


@dataclass(frozen=True, slots=True)
class MailRequest:
    """A requested mail; it is sent only if there is a suitable account."""

    kind: str
    email: str
    redirect_to: str | None


class Database:
    """The pool of connections."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    @classmethod
    async def open(cls, url: str) -> "Database":
        pool = await asyncpg.create_pool(url, min_size=1, max_size=10, command_timeout=10, init=_decode_json)
        async with pool.acquire() as connection:
            await schema.upgrade(connection)
        return cls(pool)

    async def close(self) -> None:
        await self._pool.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["Store"]:
        async with self._pool.acquire() as connection, connection.transaction():
            yield Store(connection)


async def _decode_json(connection: asyncpg.Connection) -> None:
    await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads)


class Store:
    """The statements of one transaction."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def secret(self, name: str, make: Callable[[], bytes]) -> bytes:
        """The secret of this name; it is created at the first call."""
        await self._connection.execute(
            "insert into auth.secrets (name, value) values ($1, $2) on conflict do nothing", name, make()
        )
        value: bytes = await self._connection.fetchval("select value from auth.secrets where name = $1", name)
        return value

    # Users

    async def add_user(
        self,
        email: str,
        password_hash: str | None,
        *,
        confirmed: bool,
        user_id: UUID | None = None,
        user_metadata: Mapping[str, Any],
        app_metadata: Mapping[str, Any],
    ) -> User | None:
        """The new user; None if the address or the id is taken."""
        row = await self._connection.fetchrow(
            """insert into auth.users
                (id, email, password_hash, email_confirmed_at, user_metadata, app_metadata)
            values ($1, $2, $3, case when $4 then now() end, $5, $6) on conflict do nothing returning *""",
            user_id or uuid4(),
            email,
            password_hash,
            confirmed,
            user_metadata,
            {"provider": "email", "providers": ["email"], **app_metadata},
        )
        return _user(row)

    async def user(self, user_id: UUID) -> User | None:
        return _user(await self._connection.fetchrow("select * from auth.users where id = $1", user_id))

    async def user_by_email(self, email: str) -> User | None:
        return _user(await self._connection.fetchrow("select * from auth.users where email = $1", email))

    async def lock_user(self, user_id: UUID) -> User | None:
        """The user, locked until the transaction ends."""
        statement = "select * from auth.users where id = $1 for no key update"
        return _user(await self._connection.fetchrow(statement, user_id))

    async def users(self, *, limit: int, offset: int, part: str = "") -> tuple[list[User], int]:
        """A page of the users whose address has this part, the newest first, and their total number."""
        rows = await self._connection.fetch(
            """select * from auth.users where strpos(email, $3) > 0
            order by created_at desc, id limit $1 offset $2""",
            limit,
            offset,
            part,
        )
        total: int = await self._connection.fetchval(
            "select count(*) from auth.users where strpos(email, $1) > 0", part
        )
        return [User(**row) for row in rows], total

    async def save_user(self, user: User) -> User:
        """Write a user that this transaction has locked. Raises an error if the address is taken."""
        try:
            row = await self._connection.fetchrow(
                """update auth.users set email = $2, password_hash = $3, email_confirmed_at = $4,
                    confirmation_sent_at = $5, recovery_sent_at = $6, last_sign_in_at = $7, banned_until = $8,
                    app_metadata = $9, user_metadata = $10, updated_at = now()
                where id = $1 returning *""",
                user.id,
                user.email,
                user.password_hash,
                user.email_confirmed_at,
                user.confirmation_sent_at,
                user.recovery_sent_at,
                user.last_sign_in_at,
                user.banned_until,
                user.app_metadata,
                user.user_metadata,
            )
        except asyncpg.UniqueViolationError as error:
            raise email_exists() from error
        return User(**row)

    async def delete_user(self, user_id: UUID) -> bool:
        status: str = await self._connection.execute("delete from auth.users where id = $1", user_id)
        return status != "DELETE 0"

    # Sessions and refresh tokens

    async def add_session(self, user_id: UUID, method: str) -> Session:
        """Create a session without a refresh token."""
        row = await self._connection.fetchrow(
            "insert into auth.sessions (id, user_id, method) values ($1, $2, $3) returning *",
            uuid4(),
            user_id,
            method,
        )
        return Session(**row)

    async def session(self, session_id: UUID, user_id: UUID) -> Session | None:
        row = await self._connection.fetchrow(
            "select * from auth.sessions where id = $1 and user_id = $2", session_id, user_id
        )
        return Session(**row) if row else None

    async def lock_session_of(self, token_hash: bytes) -> Session | None:
        """The session of a refresh token, locked, so that concurrent refreshes wait."""
        row = await self._connection.fetchrow(
            """select * from auth.sessions
            where id = (select session_id from auth.refresh_tokens where token_hash = $1) for update""",
            token_hash,
        )
        return Session(**row) if row else None

    async def refresh_token(self, token_hash: bytes) -> RefreshToken:
        """The refresh token. Call it after the session was locked; otherwise the row may be outdated."""
        row = await self._connection.fetchrow(
            """select number, rotated_at, clock_timestamp() as now
            from auth.refresh_tokens where token_hash = $1""",
            token_hash,
        )
        return RefreshToken(**row)

    async def activate_token(self, session_id: UUID, number: int, token_hash: bytes) -> None:
        """Make this the current token of the session, and mark the one before as rotated."""
        await self._connection.execute(
            """update auth.refresh_tokens set rotated_at = clock_timestamp()
            where session_id = $1 and rotated_at is null""",
            session_id,
        )
        await self._connection.execute(
            "insert into auth.refresh_tokens (token_hash, session_id, number) values ($1, $2, $3)",
            token_hash,
            session_id,
            number,
        )
        await self._connection.execute(
            "update auth.sessions set active_token = $2 where id = $1", session_id, number
        )

    async def end_session(self, session_id: UUID) -> None:
        await self._connection.execute("delete from auth.sessions where id = $1", session_id)

    async def end_sessions(self, user_id: UUID, *, but: UUID | None = None) -> None:
        await self._connection.execute(
            "delete from auth.sessions where user_id = $1 and id is distinct from $2", user_id, but
        )

    # One-time tokens

    async def put_one_time_token(self, user_id: UUID, kind: str, token_hash: bytes) -> None:
        """Store a token, which replaces the user's token of the same kind."""
        await self._connection.execute(
            """insert into auth.one_time_tokens (token_hash, user_id, kind, expires_at)
            values ($1, $2, $3, now() + $4::interval)
            on conflict (user_id, kind)
            do update set token_hash = excluded.token_hash, expires_at = excluded.expires_at""",
            token_hash,
            user_id,
            kind,
            _ONE_TIME_LIFETIME,
        )

    async def take_one_time_token(self, kind: str, token_hash: bytes, email: str | None) -> User | None:
        """Delete a token and return its user; None if it has expired or belongs to another address."""
        user_id = await self._connection.fetchval(
            """delete from auth.one_time_tokens t using auth.users u
            where t.user_id = u.id and t.kind = $1 and t.token_hash = $2 and t.expires_at > now()
            and ($3::text is null or u.email = $3) returning u.id""",
            kind,
            token_hash,
            email,
        )
        return await self.lock_user(user_id) if user_id else None

    # Requests for mails

    async def add_mail_request(self, kind: str, email: str, redirect_to: str | None) -> None:
        """Store a request for a mail to an address, with or without an account."""
        await self._connection.execute(
            "insert into auth.mail_requests (kind, email, redirect_to) values ($1, $2, $3)",
            kind,
            email,
            redirect_to,
        )

    async def take_mail_request(self) -> MailRequest | None:
        """Delete and return the oldest request that no other transaction has locked."""
        row = await self._connection.fetchrow(
            """delete from auth.mail_requests where id = (
                select id from auth.mail_requests order by id limit 1 for update skip locked)
            returning kind, email, redirect_to"""
        )
        return MailRequest(**row) if row else None

    async def clear_one_time_tokens(self, user_id: UUID) -> None:
        await self._connection.execute("delete from auth.one_time_tokens where user_id = $1", user_id)


def _user(row: asyncpg.Record | None) -> User | None:
    return User(**row) if row else None
