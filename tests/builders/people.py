"""Builders of accounts: users registered through the API, each with an HTTP client."""

from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import Self
from uuid import UUID, uuid4

import httpx
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.ids import uuid7
from app.models import Institute
from app.services.unit_of_work import UnitOfWork, unit_of_work
from app.services.users import Principal, operator

PASSWORD = "testpassword"
JOINED = datetime(2026, 1, 1, tzinfo=UTC)
"""When members of staff got their role."""


class People:
    """Registers users, and closes their clients at the end."""

    def __init__(self, app: FastAPI, engine: AsyncEngine) -> None:
        self._app = app
        self._engine = engine
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
        async with self.client() as anonymous:
            body = {"email": new_email(), "password": PASSWORD, "name": name}
            answer = await anonymous.post("/auth/register", json=body)
        assert answer.status_code == 201, answer.text
        return await self._clients.enter_async_context(self.client(answer.json()["access_token"]))

    async def member(self, role: str) -> httpx.AsyncClient:
        """A client that sends the access token of a new user with this role."""
        client = await self.candidate(name=role.capitalize())
        async with unit_of_work(self._engine) as uow:
            await uow.users.set_role(await user_id_of(client), role, JOINED)
        return client


async def user_id_of(client: httpx.AsyncClient) -> UUID:
    """The id of the user whose token the client sends."""
    answer = await client.get("/auth/me")
    assert answer.status_code == 200, answer.text
    return UUID(answer.json()["id"])


def new_email() -> str:
    """A unique address."""
    return f"{uuid4().hex}@example.org"


async def add_stranger(uow: UnitOfWork) -> Principal:
    """An admin of another institute, for calls of services: the API serves one institute."""
    institute = Institute(id=uuid7(), slug=f"other-{uuid4().hex}", name="Another institute")
    uow.session.add(institute)
    await uow.session.flush()
    return replace(operator(), institute_id=institute.id)
