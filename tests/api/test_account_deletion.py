"""Deleting one's account over HTTP: what ends at once, what stays, and what an administrator can undo."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.errors import Unavailable
from app.core.supabase_auth import SupabaseAuth
from app.models import AuthMail
from app.services import account_deletion
from app.services.auth import auth_mails
from app.services.components import Components
from app.services.unit_of_work import reading, unit_of_work
from app.services.users import find_principal
from tests.builders.accounts import DAY, Worker, delete_account
from tests.builders.attempts import start, take_test
from tests.builders.content import publish_for, publish_test
from tests.builders.exams import HOUR, MINUTE, body_of, hold_exam, register, take_paper
from tests.builders.people import PASSWORD, People, new_email, user_id_of
from tests.conftest import TestClock
from tests.servers.auth import serving
from tests.sockets import joined


@pytest.fixture
def worker(parts: Components, engine: AsyncEngine, clock: TestClock) -> Worker:
    return Worker(parts, engine, clock)


@asynccontextmanager
async def asking(auth_url: str, parts: Components) -> AsyncIterator[Components]:
    """The components with another auth server."""
    async with httpx.AsyncClient() as http:
        yield replace(parts, auth=SupabaseAuth(auth_url, "anon", "service", http))


class TestDelete:
    async def test_ends_every_session_and_refuses_every_sign_in(
        self, people: People, api: httpx.AsyncClient
    ) -> None:
        body = {"email": new_email(), "password": PASSWORD}
        first = body_of(await api.post("/auth/register", json=body | {"name": "Asha"}))
        second = body_of(await api.post("/auth/login", json=body))
        async with people.client(first["access_token"]) as client:
            answer = await delete_account(client)
        gone = body_of(answer, 202)
        assert gone["id"] == first["user_id"]
        for session in (first, second):
            async with people.client(session["access_token"]) as client:
                assert (await client.get("/auth/me")).json()["code"] == "session_revoked"
                assert (await delete_account(client)).status_code == 401
            refused = await api.post("/auth/refresh", json={"refresh_token": session["refresh_token"]})
            assert (refused.status_code, refused.json()["code"]) == (401, "invalid_token")
        refused = await api.post("/auth/login", json=body)
        unknown = await api.post("/auth/login", json=body | {"email": new_email()})
        assert (refused.status_code, refused.json()["code"]) == (401, "invalid_credentials")
        assert _without_id(refused) == _without_id(unknown)

    async def test_needs_the_password(self, candidate: httpx.AsyncClient) -> None:
        wrong = await delete_account(candidate, "not the password")
        assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid")
        assert (await candidate.request("DELETE", "/users/account")).status_code == 422
        assert (await candidate.get("/auth/me")).status_code == 200

    async def test_limits_wrong_passwords(self, candidate: httpx.AsyncClient) -> None:
        answers = [await delete_account(candidate, "not the password") for _ in range(11)]
        assert [answer.status_code for answer in answers] == [422] * 10 + [429]
        assert (await delete_account(candidate)).status_code == 429

    async def test_changes_nothing_while_the_auth_server_is_down(
        self, candidate: httpx.AsyncClient, parts: Components
    ) -> None:
        user_id = await user_id_of(candidate)
        async with reading(parts.engine) as reads:
            user = await find_principal(reads, user_id, "session", parts.clock.now())
        assert user is not None
        async with asking("http://127.0.0.1:9", parts) as without_auth:
            with pytest.raises(Unavailable):
                await account_deletion.delete(without_auth, user, PASSWORD, None)
        assert (await candidate.get("/auth/me")).status_code == 200

    async def test_closes_sockets(self, sockets_url: str, candidate: httpx.AsyncClient) -> None:
        async with joined(sockets_url, candidate, "/ws/notifications") as socket:
            assert (await delete_account(candidate)).status_code == 202
            assert (await socket.closed())[0] == 4401

    async def test_submits_running_attempts_and_ends_their_tokens(
        self, people: People, candidate: httpx.AsyncClient, engine: AsyncEngine, worker: Worker
    ) -> None:
        async with unit_of_work(engine) as uow:
            made = await publish_test(uow)
        sitting = await start(candidate, made)
        await sitting.save(sitting.response(0, ["a"]))
        assert (await delete_account(candidate)).status_code == 202
        await worker.do_jobs("grade_attempts")
        async with reading(engine) as reads:
            result = await reads.attempts.result(sitting.id)
        assert result is not None
        assert result.answers[0] == ["a"]
        async with people.client(sitting.attempt["attempt_token"]) as client:
            device = replace(sitting, client=client)
            assert (await device.save(device.response(1, ["b"]))).json()["code"] == "session_revoked"
            assert (await client.get(f"{made.path}/questions")).status_code == 401

    async def test_leaves_the_lists_of_administrators(
        self, admin: httpx.AsyncClient, candidate: httpx.AsyncClient
    ) -> None:
        me = body_of(await candidate.get("/auth/me"))
        query = {"query": me["email"]}
        assert len(body_of(await admin.get("/users", params=query))["items"]) == 1
        await delete_account(candidate)
        assert body_of(await admin.get("/users", params=query))["items"] == []
        status = await admin.put(f"/users/{me['id']}/status", json={"active": True})
        assert status.status_code == 404

    async def test_leaves_the_lists_of_a_test(
        self, author: httpx.AsyncClient, people: People, engine: AsyncEngine
    ) -> None:
        made = await publish_for(engine, author)
        candidate = await people.candidate("Unmistakable Name")
        taken = await take_test(candidate, made, {0: ["a"]})
        await delete_account(candidate)
        (row,) = body_of(await author.get(f"{made.path}/attempts"))["items"]
        assert row["name"] == "Deleted candidate"
        found = await author.get(f"{made.path}/attempts", params={"query": "Unmistakable"})
        assert body_of(found)["items"] == []
        sheet = await author.get(f"{made.path}/attempts/{taken['attempt']['id']}/response-sheet")
        assert sheet.status_code == 200
        assert "Unmistakable" not in sheet.text

    async def test_keeps_the_address_until_the_purge(
        self, api: httpx.AsyncClient, people: People, worker: Worker
    ) -> None:
        body = {"email": new_email(), "password": PASSWORD, "name": "Asha"}
        token = body_of(await api.post("/auth/register", json=body))["access_token"]
        async with people.client(token) as client:
            await delete_account(client)
        assert (await api.post("/auth/register", json=body)).json()["code"] == "email_taken"
        await worker.purge()
        assert (await api.post("/auth/register", json=body)).status_code == 201

    async def test_stops_mails_of_the_auth_server(
        self, people: People, candidate: httpx.AsyncClient, parts: Components, engine: AsyncEngine
    ) -> None:
        email = body_of(await candidate.get("/auth/me"))["email"]
        await delete_account(candidate)
        now = parts.clock.now()
        async with unit_of_work(engine) as uow:
            mail = AuthMail(kind="recovery", email=email, created_at=now, due_at=now)
            uow.session.add(mail)
        async with serving() as auth, asking(auth.url, parts) as seen:
            await auth_mails.send_due(seen)
            assert [each for each in auth.asked if email.encode() in each] == []
        async with reading(engine) as reads:
            assert await reads.session.get(AuthMail, mail.id) is None


class TestExams:
    async def test_that_have_not_opened_are_left_and_others_stay(
        self, admin: httpx.AsyncClient, author: httpx.AsyncClient, people: People, engine: AsyncEngine
    ) -> None:
        async with unit_of_work(engine) as uow:
            tests = [await publish_test(uow) for _ in range(2)]
        now = datetime.now(UTC).replace(microsecond=0)
        opened = await hold_exam(author, tests[0], starts_at=now - HOUR, window=3 * HOUR)
        coming = await hold_exam(author, tests[1], starts_at=now + 10 * DAY)
        candidate = await people.candidate("Unmistakable Name")
        for held in (opened, coming):
            await register(candidate, held)
        user_id = await user_id_of(candidate)
        await delete_account(candidate)
        names = [
            [row["name"] for row in body_of(await author.get(f"{held.path}/registrations"))["items"]]
            for held in (opened, coming)
        ]
        assert names == [["Deleted candidate"], []]
        (row,) = body_of(await author.get(f"{opened.path}/registrations"))["items"]
        correction = {"name": "Unmistakable Name", "reason": "as she writes it"}
        refused = await author.patch(f"{opened.path}/registrations/{row['roll_number']}", json=correction)
        assert (refused.status_code, refused.json()["code"]) == (409, "not_possible")
        restored = body_of(await admin.post(f"/users/{user_id}/restore"))
        assert (restored["active"], restored["name"]) == (True, "Unmistakable Name")
        (row,) = body_of(await author.get(f"{opened.path}/registrations"))["items"]
        assert row["name"] == "Unmistakable Name"

    async def test_are_not_searched_by_the_address(
        self, author: httpx.AsyncClient, candidate: httpx.AsyncClient, engine: AsyncEngine, clock: TestClock
    ) -> None:
        made = await publish_for(engine)
        held = await hold_exam(author, made, starts_at=clock.now() - MINUTE, window=2 * HOUR)
        query = {"query": body_of(await candidate.get("/auth/me"))["email"]}
        await take_paper(candidate, held, {0: ["a"]})
        assert len(body_of(await author.get(f"{held.path}/attempts", params=query))["items"]) == 1
        await delete_account(candidate)
        assert body_of(await author.get(f"{held.path}/attempts", params=query))["items"] == []


class TestRestore:
    async def test_lets_the_person_sign_in_again_but_not_with_old_sessions(
        self, api: httpx.AsyncClient, people: People, admin: httpx.AsyncClient, worker: Worker
    ) -> None:
        body = {"email": new_email(), "password": PASSWORD}
        session = body_of(await api.post("/auth/register", json=body | {"name": "Asha"}))
        async with people.client(session["access_token"]) as client:
            user_id = body_of(await delete_account(client), 202)["id"]
            await worker.do_jobs("inform_auth_server")
            assert (await worker.parts.auth.admin_get(user_id)).banned_until is not None
            assert (await admin.post(f"/users/{user_id}/restore")).status_code == 200
            await worker.do_jobs("inform_auth_server")
            assert (await api.post("/auth/login", json=body)).status_code == 200
            assert (await client.get("/auth/me")).json()["code"] == "session_revoked"

    async def test_is_for_administrators(
        self, author: httpx.AsyncClient, candidate: httpx.AsyncClient
    ) -> None:
        user_id = await user_id_of(candidate)
        await delete_account(candidate)
        assert (await author.post(f"/users/{user_id}/restore")).status_code == 403


def _without_id(answer: httpx.Response) -> dict[str, object]:
    return {name: value for name, value in answer.json().items() if name != "request_id"}
