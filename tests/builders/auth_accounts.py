"""Accounts of the auth server, written into its tables: a tenth of the work of a registration over HTTP.

Registration itself is tested in `tests/api/test_auth.py` and by the contract suite of the auth server.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from app.core.supabase_auth import SupabaseAuth
from devservers.auth.store import Database, Session, User
from devservers.auth.tokens import AccessTokens, new_signing_key

TOKEN_LIFETIME = 6 * 3600
"""Seconds. Accounts of a whole run must outlive it, and the tests that move the clock meanwhile."""


async def update_account(auth: SupabaseAuth, user_id: UUID, **changes: Any) -> None:
    """Change an account as another program of the institute may, past our API."""
    await auth._as_admin("PUT", f"/admin/users/{user_id}", changes)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new account with the access token of its first session."""

    user: User
    access_token: str
    issued_at: datetime


# What `Store.add_user` and `Store.add_session` write, in one round trip.
_ADD = """
    with account as (
        insert into auth.users (id, email, password_hash, email_confirmed_at, user_metadata, app_metadata)
        values ($1, $2, $3, now(), $4, $5)
    )
    insert into auth.sessions (id, user_id, method) values ($6, $1, $7) returning created_at
"""
_APP_METADATA = {"provider": "email", "providers": ["email"]}


@dataclass(frozen=True, slots=True)
class AuthAccounts:
    """Adds accounts, each with a session."""

    connection: asyncpg.Connection
    tokens: AccessTokens

    @classmethod
    @asynccontextmanager
    async def connected(cls, database_url: str, auth_url: str) -> AsyncIterator["AuthAccounts"]:
        """Of the auth server with this address, in this database."""
        database = await Database.open(database_url)
        async with database.transaction() as store:
            pem = await store.secret("signing_key", new_signing_key)
        await database.close()
        connection = await asyncpg.connect(database_url)
        yield cls(connection, AccessTokens(pem, f"{auth_url}/auth/v1", TOKEN_LIFETIME))
        await connection.close()

    async def add(self, email: str, password_hash: str, name: str) -> SignedIn:
        """A confirmed account that has just signed in."""
        user_id, session_id, metadata = uuid4(), uuid4(), {"name": name}
        documents = json.dumps(metadata), json.dumps(_APP_METADATA)
        now = await self.connection.fetchval(
            _ADD, user_id, email, password_hash, *documents, session_id, "password"
        )
        user = User(
            user_id, email, password_hash, now, None, None, None, None, _APP_METADATA, metadata, now, now
        )
        token, expires_at = self.tokens.sign(user, Session(session_id, user_id, "password", 0, now))
        return SignedIn(user, token, datetime.fromtimestamp(expires_at - TOKEN_LIFETIME, UTC))
