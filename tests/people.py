"""People of the tests: accounts made through the API, with an HTTP client each."""

from contextlib import AsyncExitStack
from dataclasses import replace
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


class People:
    """Makes accounts and closes their clients."""

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
        """A new candidate; `client.headers` carry the access token, `client.params` nothing."""
        async with self.client() as anonymous:
            body = {"email": new_email(), "password": PASSWORD, "name": name}
            answer = await anonymous.post("/auth/register", json=body)
        assert answer.status_code == 201, answer.text
        return await self._clients.enter_async_context(self.client(answer.json()["access_token"]))

    async def member(self, role: str) -> httpx.AsyncClient:
        """Somebody with a role."""
        client = await self.candidate(name=role.capitalize())
        user_id = (await client.get("/auth/me")).json()["id"]
        async with unit_of_work(self._engine) as uow:
            await uow.users.set_role(UUID(user_id), role)
        return client


def new_email() -> str:
    """An address that nobody else uses."""
    return f"{uuid4().hex}@example.org"


async def add_stranger(uow: UnitOfWork) -> Principal:
    """An admin of another institute. The API knows one institute yet, so that they act through services."""
    institute = Institute(id=uuid7(), slug=f"other-{uuid4().hex}", name="Another institute")
    uow.session.add(institute)
    await uow.session.flush()
    return replace(operator(), institute_id=institute.id)
