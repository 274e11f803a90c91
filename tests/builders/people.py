"""Builders of accounts: users with a profile and a session, each with an HTTP client."""

from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import Self
from uuid import UUID, uuid4

import argon2
import httpx
import jwt
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.ids import uuid7
from app.models import Institute
from app.services.unit_of_work import UnitOfWork, unit_of_work
from app.services.users import Principal, operator
from tests.builders.auth_accounts import AuthAccounts

PASSWORD = "testpassword"
# A hash names its parameters: to sign in with this one is as cheap as it was to compute.
PASSWORD_HASH = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
JOINED = datetime(2026, 1, 1, tzinfo=UTC)
"""When members of staff got their role."""


class People:
    """Adds users, and closes their clients at the end."""

    def __init__(self, app: FastAPI, engine: AsyncEngine, accounts: AuthAccounts) -> None:
        self._app = app
        self._engine = engine
        self._accounts = accounts
        self._clients = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._clients.aclose()

    def client(self, token: str | None = None) -> httpx.AsyncClient:
        """A client of the application, in this process, over ASGI."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        transport = httpx.ASGITransport(self._app, client=("203.0.113.7", 40000))
        return httpx.AsyncClient(transport=transport, base_url="http://api.test/v1", headers=headers)

    async def candidate(self, name: str = "Asha Rao") -> httpx.AsyncClient:
        """A client that sends the access token of a new candidate."""
        return await self._user(name)

    async def member(self, role: str) -> httpx.AsyncClient:
        """A client that sends the access token of a new user with this role."""
        return await self._user(role.capitalize(), role)

    async def _user(self, name: str, role: str | None = None) -> httpx.AsyncClient:
        """An account with the profile that its first request would create, but without a job for its mail."""
        made = await self._accounts.add(new_email(), PASSWORD_HASH, name)
        async with unit_of_work(self._engine) as uow:
            await uow.users.add(made.user.id, made.user.email, name)
            await uow.users.change(made.user.id, {"email_since": made.issued_at})
            if role is not None:
                await uow.users.set_role(made.user.id, role, JOINED)
        return await self._clients.enter_async_context(self.client(made.access_token))


async def user_id_of(client: httpx.AsyncClient) -> UUID:
    """The id of the user whose access token the client sends."""
    token = client.headers["Authorization"].removeprefix("Bearer ")
    return UUID(jwt.decode(token, options={"verify_signature": False})["sub"])


def new_email() -> str:
    """A unique address."""
    return f"{uuid4().hex}@example.org"


async def add_stranger(uow: UnitOfWork) -> Principal:
    """An admin of another institute, for calls of services: the API serves one institute."""
    institute = Institute(id=uuid7(), slug=f"other-{uuid4().hex}", name="Another institute")
    uow.session.add(institute)
    await uow.session.flush()
    return replace(operator(), institute_id=institute.id)
