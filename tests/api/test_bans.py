"""Bans: they end what a session cannot, attempt tokens, and need no account at the auth server."""

from dataclasses import replace
from uuid import uuid4

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.unit_of_work import unit_of_work
from tests.content import publish_test
from tests.people import People
from tests.sittings import logged, start

pytestmark = pytest.mark.anyio


class TestChangeStatus:
    async def test_an_attempt_token_does_not_outlive_a_ban(
        self, people: People, admin: httpx.AsyncClient, candidate: httpx.AsyncClient, engine: AsyncEngine
    ) -> None:
        async with unit_of_work(engine) as uow:
            made = await publish_test(uow)
        sitting = await start(candidate, made)
        assert (await sitting.save(sitting.response(0, ["a"]))).status_code == 200
        status = f"/users/{(await candidate.get('/auth/me')).json()['id']}/status"
        async with people.client(sitting.attempt["attempt_token"]) as client:
            device = replace(sitting, client=client)
            assert (await admin.put(status, json={"active": False})).status_code == 200
            refusals = [
                await device.save(device.response(1, ["b"])),
                await device.submit(),
                await client.get(f"{made.path}/questions"),
            ]
            assert [(answer.status_code, answer.json()["code"]) for answer in refusals] == [
                (401, "session_revoked")
            ] * 3
            assert len(await logged(engine, sitting.id)) == 1

            assert (await admin.put(status, json={"active": True})).status_code == 200
            assert (await device.save(device.response(1, ["b"]))).json()["saved"] == 1

    async def test_somebody_without_an_account_is_banned_all_the_same(
        self, admin: httpx.AsyncClient, engine: AsyncEngine
    ) -> None:
        user_id = uuid4()
        async with unit_of_work(engine) as uow:
            await uow.users.add(user_id, f"{user_id.hex}@example.org", "Asha Rao")
        answer = await admin.put(f"/users/{user_id}/status", json={"active": False})
        assert (answer.status_code, answer.json()["active"]) == (200, False)
