"""Passwords as proof: of nothing where the address is none, of one's own account alone."""

from datetime import UTC, datetime
from uuid import UUID

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.unit_of_work import unit_of_work
from tests.builders.people import PASSWORD, People

LATER = datetime(2100, 1, 1, tzinfo=UTC)

pytestmark = pytest.mark.anyio


class TestLogin:
    async def test_what_is_no_address_is_an_unknown_one(self, api: httpx.AsyncClient) -> None:
        for email in ["", "nobody", "nobody@é.org", "x" * 300]:
            answer = await api.post("/auth/login", json={"email": email, "password": PASSWORD})
            assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials"), email


class TestChangePassword:
    async def test_the_password_of_another_account_proves_nothing(
        self, people: People, api: httpx.AsyncClient, engine: AsyncEngine
    ) -> None:
        """The address of a profile may have become another's: addresses change at the auth server.

        No token is newer than what the profile knows, so that its address stays wrong.
        """
        client, other = await people.candidate(), await people.candidate()
        me, somebody = (await client.get("/auth/me")).json(), (await other.get("/auth/me")).json()
        async with unit_of_work(engine) as uow:
            await uow.users.change(UUID(me["id"]), {"email": somebody["email"], "email_since": LATER})
        body = {"password": "another password", "current_password": PASSWORD}
        answer = await client.put("/auth/me", json=body)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "current_password"
        login = {"email": me["email"], "password": PASSWORD}
        assert (await api.post("/auth/login", json=login)).status_code == 200
