"""Accounts and sessions over HTTP, with the real auth server behind."""

from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.config import Settings
from app.models import Job
from app.services.auth import auth_mails
from app.services.components import Components
from app.services.unit_of_work import reading
from tests.api.document import create_documented_app
from tests.builders.people import PASSWORD, People, new_email
from tests.mails import mailed_token


async def register(api: httpx.AsyncClient, email: str | None = None, **changes: Any) -> httpx.Response:
    body = {"email": email or new_email(), "password": PASSWORD, "name": "Test User"} | changes
    return await api.post("/auth/register", json=body)


async def login(api: httpx.AsyncClient, email: str, password: str = PASSWORD) -> httpx.Response:
    return await api.post("/auth/login", json={"email": email, "password": password})


def bearer(answer: httpx.Response) -> dict[str, str]:
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


class TestRegister:
    async def test_answers_201_with_an_id_and_tokens(self, api: httpx.AsyncClient) -> None:
        answer = await register(api, name="  Asha Rao ")
        assert answer.status_code == 201
        account = answer.json()
        assert UUID(account["user_id"]).version == 4
        assert account["name"] == "Asha Rao"
        assert account["confirmation_required"] is False
        assert account["token_type"] == "bearer"
        me = await api.get("/auth/me", headers=bearer(answer))
        assert me.json() == {
            "id": account["user_id"],
            "email": account["email"],
            "name": "Asha Rao",
            "role": "student",
        }

    async def test_the_same_address_again_is_taken(self, api: httpx.AsyncClient) -> None:
        email = new_email()
        await register(api, email)
        again = await register(api, email.upper())
        assert (again.status_code, again.json()["code"]) == (409, "email_taken")

    async def test_a_weak_password_is_refused(self, api: httpx.AsyncClient) -> None:
        for password in ["tiny", "12345678", "password1", "x" * 73, "ह" * 25]:
            answer = await register(api, password=password)
            assert (answer.status_code, answer.json()["code"]) == (422, "weak_password"), password
            assert password not in answer.text, password

    async def test_welcome_is_said_once(self, api: httpx.AsyncClient, engine: AsyncEngine) -> None:
        email = new_email()
        user_id = (await register(api, email)).json()["user_id"]
        await login(api, email)
        async with reading(engine) as reads:
            jobs = (await reads.session.scalars(select(Job).where(Job.task == "send_welcome_mail"))).all()
        assert len([job for job in jobs if job.arguments["user_id"] == user_id]) == 1


class TestLogin:
    async def test_answers_200_with_tokens_and_the_person(self, api: httpx.AsyncClient) -> None:
        email = new_email()
        await register(api, email)
        answer = await login(api, email)
        assert answer.status_code == 200
        session = answer.json()
        assert session["token_type"] == "bearer"
        assert (session["user"]["email"], session["user"]["role"]) == (email, "student")

    async def test_wrong_unknown_and_banned_look_alike(
        self, api: httpx.AsyncClient, admin: httpx.AsyncClient
    ) -> None:
        known, banned = new_email(), new_email()
        await register(api, known)
        banned_id = (await register(api, banned)).json()["user_id"]
        status = await admin.put(f"/users/{banned_id}/status", json={"active": False})
        assert status.status_code == 200, status.text
        answers = [
            await login(api, known, "wrong password"),
            await login(api, new_email(), "wrong password"),
            await login(api, banned),
            await login(api, known, "x"),
        ]
        assert {answer.status_code for answer in answers} == {401}
        bodies = [{**answer.json(), "request_id": ""} for answer in answers]
        assert all(body == bodies[0] for body in bodies)
        assert bodies[0]["code"] == "invalid_credentials"

    async def test_ten_a_minute_by_account_and_address(self, people: People) -> None:
        email = new_email()
        async with people.client() as api:
            answers = [await login(api, email, "wrong password") for _ in range(11)]
        assert [answer.status_code for answer in answers] == [401] * 10 + [429]
        assert answers[0].headers["RateLimit-Limit"] == "10"
        assert answers[-1].headers["RateLimit-Remaining"] == "0"
        assert 0 < int(answers[-1].headers["Retry-After"]) <= 60

    async def test_a_forged_forwarding_header_does_not_help(self, people: People) -> None:
        email = new_email()
        async with people.client() as api:
            for number in range(11):
                answer = await api.post(
                    "/auth/login",
                    json={"email": email, "password": "wrong password"},
                    headers={"X-Forwarded-For": f"198.51.100.{number}"},
                )
        assert answer.status_code == 429


class TestRefresh:
    async def test_gives_the_next_pair(self, api: httpx.AsyncClient) -> None:
        first = (await register(api)).json()
        answer = await api.post("/auth/refresh", json={"refresh_token": first["refresh_token"]})
        assert answer.status_code == 200
        assert answer.json()["refresh_token"] != first["refresh_token"]
        assert (await api.get("/auth/me", headers=bearer(answer))).status_code == 200

    async def test_nonsense_is_an_invalid_token(self, api: httpx.AsyncClient) -> None:
        answer = await api.post("/auth/refresh", json={"refresh_token": "nonsense"})
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")

    async def test_the_banned_get_no_new_tokens(
        self, api: httpx.AsyncClient, admin: httpx.AsyncClient
    ) -> None:
        account = (await register(api)).json()
        await admin.put(f"/users/{account['user_id']}/status", json={"active": False})
        answer = await api.post("/auth/refresh", json={"refresh_token": account["refresh_token"]})
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")


class TestLogout:
    @pytest.mark.parametrize(
        ("scope", "this", "other"), [("local", 401, 200), ("others", 200, 401), ("global", 401, 401)]
    )
    async def test_ends_sessions_at_once(
        self, api: httpx.AsyncClient, scope: str, this: int, other: int
    ) -> None:
        email = new_email()
        mine, elsewhere = bearer(await register(api, email)), bearer(await login(api, email))
        out = await api.post("/auth/logout", json={"scope": scope}, headers=mine)
        assert out.status_code == 204
        statuses = [(await api.get("/auth/me", headers=headers)).status_code for headers in (mine, elsewhere)]
        assert statuses == [this, other]
        # Whoever signs in after the answer is let in.
        assert (await api.get("/auth/me", headers=bearer(await login(api, email)))).status_code == 200

    async def test_needs_no_body_and_says_why_a_token_is_dead(self, api: httpx.AsyncClient) -> None:
        mine = bearer(await register(api))
        assert (await api.post("/auth/logout", headers=mine)).status_code == 204
        refused = await api.get("/auth/me", headers=mine)
        assert (refused.status_code, refused.json()["code"]) == (401, "session_revoked")

    async def test_another_process_knows_at_its_start_without_redis(
        self, api: httpx.AsyncClient, settings: Settings
    ) -> None:
        mine = bearer(await register(api))
        await api.post("/auth/logout", headers=mine)
        other = create_documented_app(settings.model_copy(update={"redis_url": None, "redis_port": 1}))
        async with (
            other.router.lifespan_context(other),
            httpx.AsyncClient(transport=httpx.ASGITransport(other), base_url="http://api.test/v1") as client,
        ):
            assert (await client.get("/auth/me", headers=mine)).json()["code"] == "session_revoked"


class TestPasswordReset:
    async def test_ends_every_session_and_the_token_works_once(
        self, api: httpx.AsyncClient, mail_folder: Path, parts: Components
    ) -> None:
        email = new_email()
        old = bearer(await register(api, email))
        assert (await api.post("/auth/forgot-password", json={"email": email})).status_code == 202
        await auth_mails.send_due(parts)
        token = await mailed_token(mail_folder, email)
        weak = await api.post("/auth/reset-password", json={"token": token, "password": "short"})
        assert weak.json()["code"] == "weak_password"
        body = {"token": token, "password": "another testpassword"}
        assert (await api.post("/auth/reset-password", json=body)).status_code == 204
        assert (await api.get("/auth/me", headers=old)).json()["code"] == "session_revoked"
        assert (await login(api, email)).status_code == 401
        new = await login(api, email, "another testpassword")
        assert (await api.get("/auth/me", headers=bearer(new))).status_code == 200
        again = await api.post("/auth/reset-password", json=body)
        assert (again.status_code, again.json()["code"]) == (401, "invalid_token")

    async def test_an_unknown_address_gets_the_same_answer(self, api: httpx.AsyncClient) -> None:
        email = new_email()
        await register(api, email)
        answers = [
            await api.post("/auth/forgot-password", json={"email": address})
            for address in (email, email, new_email())
        ]
        assert {(answer.status_code, answer.text) for answer in answers} == {(202, "{}")}

    async def test_too_many_requests_look_the_same_and_send_nothing(self, api: httpx.AsyncClient) -> None:
        email = new_email()
        answers = [await api.post("/auth/forgot-password", json={"email": email}) for _ in range(12)]
        assert {(answer.status_code, answer.text) for answer in answers} == {(202, "{}")}


class TestMe:
    async def test_changes_the_name(self, candidate: httpx.AsyncClient) -> None:
        changed = await candidate.put("/auth/me", json={"name": "आशा राव"})
        assert changed.json()["name"] == "आशा राव"
        assert (await candidate.get("/auth/me")).json()["name"] == "आशा राव"

    async def test_a_new_password_needs_the_current_one_and_ends_other_sessions(
        self, api: httpx.AsyncClient
    ) -> None:
        email = new_email()
        mine, elsewhere = bearer(await register(api, email)), bearer(await login(api, email))
        new = "another testpassword"
        for body in ({"password": new}, {"password": new, "current_password": "wrong"}):
            refused = await api.put("/auth/me", json=body, headers=mine)
            assert refused.status_code == 422
            assert refused.json()["errors"][0]["field"] == "current_password"
        body = {"password": new, "current_password": PASSWORD}
        assert (await api.put("/auth/me", json=body, headers=mine)).status_code == 200
        assert (await api.get("/auth/me", headers=mine)).status_code == 200
        assert (await api.get("/auth/me", headers=elsewhere)).status_code == 401
        assert (await login(api, email, new)).status_code == 200

    async def test_needs_a_token(self, api: httpx.AsyncClient) -> None:
        refused: list[tuple[dict[str, str], str]] = [
            ({}, "unauthenticated"),
            ({"Authorization": "Bearer nonsense"}, "invalid_token"),
            ({"Authorization": "Basic YTpi"}, "unauthenticated"),
        ]
        for header, code in refused:
            answer = await api.get("/auth/me", headers=header)
            assert (answer.status_code, answer.json()["code"]) == (401, code), header
            assert answer.headers["WWW-Authenticate"] == "Bearer", header
            assert answer.headers["content-type"] == "application/problem+json", header


class TestAdministration:
    async def test_a_ban_ends_sessions_and_can_be_lifted(
        self, api: httpx.AsyncClient, admin: httpx.AsyncClient
    ) -> None:
        email = new_email()
        answer = await register(api, email)
        path = f"/users/{answer.json()['user_id']}"
        assert (await admin.put(f"{path}/status", json={"active": False})).status_code == 200
        assert (await api.get("/auth/me", headers=bearer(answer))).status_code == 401
        assert (await admin.put(f"{path}/status", json={"active": True})).status_code == 200
        assert (await api.get("/auth/me", headers=bearer(await login(api, email)))).status_code == 200

    async def test_roles_come_from_memberships(
        self, api: httpx.AsyncClient, admin: httpx.AsyncClient
    ) -> None:
        answer = await register(api)
        path = f"/users/{answer.json()['user_id']}"
        changed = await admin.put(f"{path}/role", json={"role": "author"})
        assert changed.json()["role"] == "author"
        assert (await api.get("/auth/me", headers=bearer(answer))).json()["role"] == "author"

    async def test_only_admins_may(self, candidate: httpx.AsyncClient, author: httpx.AsyncClient) -> None:
        me = (await candidate.get("/auth/me")).json()["id"]
        for client in (candidate, author):
            assert (await client.put(f"/users/{me}/role", json={"role": "admin"})).status_code == 403
            assert (await client.get("/users")).status_code == 403
            assert (await client.put(f"/users/{me}/status", json={"active": False})).status_code == 403

    async def test_people_are_found_by_name_and_role(self, people: People, admin: httpx.AsyncClient) -> None:
        client = await people.candidate(name="Zubeida Unusual")
        me = (await client.get("/auth/me")).json()
        found = (await admin.get("/users", params={"query": "beida unus", "role": "student"})).json()
        assert [item["id"] for item in found["items"]] == [me["id"]]
        assert (await admin.get("/users", params={"query": "beida unus", "role": "author"})).json()[
            "items"
        ] == []
