"""Builders of accounts: users with a profile and a session, each with an HTTP client."""

from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any, Self
from uuid import UUID, uuid4

import argon2
import httpx
import jwt
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.ids import uuid7
from app.database import driver_connection
from app.models import DEFAULT_INSTITUTE_ID, Institute, Role
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal, operator
from tests.builders.auth_accounts import AuthAccounts

PASSWORD = "testpassword"
# A hash names its parameters: to sign in with this one is as cheap as it was to compute.
PASSWORD_HASH = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
# What `UserRepository` writes, in one round trip; `tests/test_people.py` compares both.
_ADD = """
    with profile as (insert into ias.users (id, email, name, email_since) values ($1, $2, $3, $4))
    insert into ias.memberships (id, institute_id, user_id, role) values ($5, $6, $1, $7)
"""


class AppClient(httpx.AsyncClient):
    """A client of an application in this process, over ASGI.

    It hands requests to the transport at once: the API sets no cookies and does not redirect, for which httpx
    looks in 0.2 ms of each request.
    """

    def __init__(
        self,
        app: FastAPI,
        token: str | None = None,
        *,
        base_url: str = "http://api.test/v1",
        address: str = "203.0.113.7",
    ) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        transport = httpx.ASGITransport(app, client=(address, 40000))
        super().__init__(transport=transport, base_url=base_url, headers=headers)
        self.app = app

    async def send(self, request: httpx.Request, *, stream: bool = False, **_: Any) -> httpx.Response:
        response = await self._transport.handle_async_request(request)
        response.request = request
        if not stream:
            await response.aread()
        return response


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
        """A client of the application that sends this token."""
        return AppClient(self._app, token)

    async def candidate(self, name: str = "Asha Rao") -> httpx.AsyncClient:
        """A client that sends the access token of a new candidate."""
        return await self._user(name)

    async def member(self, role: str) -> httpx.AsyncClient:
        """A client that sends the access token of a new user with this role."""
        return await self._user(role.capitalize(), role)

    async def _user(self, name: str, role: str = Role.STUDENT) -> httpx.AsyncClient:
        """An account with the profile that its first request would create, but without a job for its mail."""
        made = await self._accounts.add(new_email(), PASSWORD_HASH, name)
        profile = made.user.id, made.user.email, name, made.issued_at
        async with driver_connection(self._engine) as connection:
            await connection.execute(_ADD, *profile, uuid7(), DEFAULT_INSTITUTE_ID, role)
        return await self._clients.enter_async_context(self.client(made.access_token))


async def user_id_of(client: httpx.AsyncClient) -> UUID:
    """The id of the user whose access token the client sends."""
    token = client.headers["Authorization"].removeprefix("Bearer ")
    return UUID(jwt.decode(token, options={"verify_signature": False})["sub"])


def parts_of(client: httpx.AsyncClient) -> Components:
    """The components of the application to which a client of `People` sends its requests."""
    assert isinstance(client, AppClient)
    parts: Components = client.app.state.components
    return parts


def new_email() -> str:
    """A unique address."""
    return f"{uuid4().hex}@example.org"


async def add_stranger(uow: UnitOfWork) -> Principal:
    """An admin of another institute, for calls of services: the API serves one institute."""
    institute = Institute(id=uuid7(), slug=f"other-{uuid4().hex}", name="Another institute")
    uow.session.add(institute)
    await uow.session.flush()
    return replace(operator(), institute_id=institute.id)
