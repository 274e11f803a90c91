"""Accounts of the auth server, written into its tables: a tenth of the work of a registration over HTTP.

Registration itself is tested in `tests/api/test_auth.py` and by the contract suite of the auth server.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from devservers.auth.store import Database, User
from devservers.auth.tokens import AccessTokens, new_signing_key

TOKEN_LIFETIME = 6 * 3600
"""Seconds. Accounts of a whole run must outlive it, and the tests that move the clock meanwhile."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new account with the access token of its first session."""

    user: User
    access_token: str
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class AuthAccounts:
    """Adds accounts, each with a session."""

    database: Database
    tokens: AccessTokens

    @classmethod
    @asynccontextmanager
    async def connected(cls, database_url: str, auth_url: str) -> AsyncIterator["AuthAccounts"]:
        """Of the auth server with this address, in this database."""
        database = await Database.open(database_url)
        async with database.transaction() as store:
            pem = await store.secret("signing_key", new_signing_key)
        yield cls(database, AccessTokens(pem, f"{auth_url}/auth/v1", TOKEN_LIFETIME))
        await database.close()

    async def add(self, email: str, password_hash: str, name: str) -> SignedIn:
        """A confirmed account that has just signed in."""
        async with self.database.transaction() as store:
            user = await store.add_user(
                email, password_hash, confirmed=True, user_metadata={"name": name}, app_metadata={}
            )
            assert user is not None
            session = await store.add_session(user.id, "password")
        token, expires_at = self.tokens.sign(user, session)
        return SignedIn(user, token, datetime.fromtimestamp(expires_at - TOKEN_LIFETIME, UTC))
