"""Bans: they end what a session cannot, attempt tokens, and need no account at the auth server."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.components import Components
from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import logged, start
from tests.builders.content import publish_test
from tests.builders.people import PASSWORD, People, new_email
from tests.conftest import ANON_KEY, TestClock

pytestmark = pytest.mark.anyio


class TestSignOut:
    async def test_ends_every_session_and_none_comes_back_by_a_refresh(
        self, api: httpx.AsyncClient, admin: httpx.AsyncClient, auth_url: str
    ) -> None:
        body = {"email": new_email(), "password": PASSWORD}
        first = (await api.post("/auth/register", json=body | {"name": "Asha"})).json()
        second = (await api.post("/auth/login", json=body)).json()
        answer = await admin.post(f"/users/{first['user_id']}/sign-out")
        assert answer.status_code == 204
        for session in (first, second):
            headers = {"Authorization": f"Bearer {session['access_token']}"}
            assert (await api.get("/auth/me", headers=headers)).json()["code"] == "session_revoked"

        # By the auth server itself, as an official client does.
        async with httpx.AsyncClient(base_url=f"{auth_url}/auth/v1", headers={"apikey": ANON_KEY}) as auth:
            refreshed = await auth.post(
                "/token?grant_type=refresh_token", json={"refresh_token": first["refresh_token"]}
            )
        headers = {"Authorization": f"Bearer {refreshed.json()['access_token']}"}
        assert (await api.get("/auth/me", headers=headers)).json()["code"] == "session_revoked"

        # By us: the session is ended at the auth server, too.
        refused = await api.post("/auth/refresh", json={"refresh_token": second["refresh_token"]})
        assert (refused.status_code, refused.json()["code"]) == (401, "invalid_token")
        async with httpx.AsyncClient(base_url=f"{auth_url}/auth/v1", headers={"apikey": ANON_KEY}) as auth:
            gone = await auth.post(
                "/token?grant_type=refresh_token", json={"refresh_token": second["refresh_token"]}
            )
        assert gone.status_code == 400

        again = (await api.post("/auth/login", json=body)).json()
        headers = {"Authorization": f"Bearer {again['access_token']}"}
        assert (await api.get("/auth/me", headers=headers)).status_code == 200

    async def test_a_running_attempt_goes_on(
        self, people: People, admin: httpx.AsyncClient, candidate: httpx.AsyncClient, engine: AsyncEngine
    ) -> None:
        async with unit_of_work(engine) as uow:
            made = await publish_test(uow)
        sitting = await start(candidate, made)
        person = (await candidate.get("/auth/me")).json()["id"]
        assert (await admin.post(f"/users/{person}/sign-out")).status_code == 204
        async with people.client(sitting.attempt["attempt_token"]) as client:
            device = replace(sitting, client=client)
            assert (await device.save(device.response(0, ["a"]))).status_code == 200

    async def test_is_for_admins_and_people_who_are_there(
        self, author: httpx.AsyncClient, admin: httpx.AsyncClient
    ) -> None:
        assert (await author.post(f"/users/{uuid4()}/sign-out")).status_code == 403
        assert (await admin.post(f"/users/{uuid4()}/sign-out")).status_code == 404


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

    async def test_sessions_of_before_a_ban_stay_ended_long_after_it_is_lifted(
        self, api: httpx.AsyncClient, admin: httpx.AsyncClient, parts: Components, clock: TestClock
    ) -> None:
        body = {"email": new_email(), "password": PASSWORD, "name": "Asha"}
        session = (await api.post("/auth/register", json=body)).json()
        status = f"/users/{session['user_id']}/status"
        assert (await admin.put(status, json={"active": False})).status_code == 200
        assert (await admin.put(status, json={"active": True})).status_code == 200

        parts.revocations.delete_expired(clock.now() + timedelta(days=30))
        refused = await api.post("/auth/refresh", json={"refresh_token": session["refresh_token"]})
        assert (refused.status_code, refused.json()["code"]) == (401, "invalid_token")

    async def test_somebody_without_an_account_is_banned_all_the_same(
        self, admin: httpx.AsyncClient, engine: AsyncEngine
    ) -> None:
        user_id = uuid4()
        async with unit_of_work(engine) as uow:
            await uow.users.add(user_id, f"{user_id.hex}@example.org", "Asha Rao")
        answer = await admin.put(f"/users/{user_id}/status", json={"active": False})
        assert (answer.status_code, answer.json()["active"]) == (200, False)
