"""What the service key may do."""

from uuid import uuid4

import argon2
import pytest

from tests.devservers.auth.conftest import Server

pytestmark = pytest.mark.anyio


class TestCreate:
    async def test_takes_an_id_and_a_hash_from_elsewhere(self, server: Server, email: str) -> None:
        """Accounts move between this server and Supabase without anybody choosing a new password."""
        password_hash = argon2.PasswordHasher(memory_cost=8192, time_cost=1).hash("from elsewhere")
        user_id = str(uuid4())
        body = {"id": user_id, "email": email, "password_hash": password_hash, "email_confirm": True}
        answer = await server.admin("POST", "/users", body)
        assert (answer.status_code, answer.json()["id"]) == (200, user_id)
        assert (await server.sign_in(email, "from elsewhere")).json()["user"]["id"] == user_id
        assert (await server.sign_in(email, "testpassword")).status_code == 400

    @pytest.mark.parametrize(
        "password_hash",
        ["plain", "$2b$12$abcdefghijklmnopqrstuv", "$argon2i$v=19$m=8,t=1,p=1$c29tZXNhbHQ$aGFzaGhhc2g"],
    )
    async def test_refuses_other_hashes(self, server: Server, email: str, password_hash: str) -> None:
        answer = await server.admin("POST", "/users", {"email": email, "password_hash": password_hash})
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")

    async def test_refuses_a_taken_address(self, server: Server, email: str) -> None:
        await server.sign_up(email)
        answer = await server.admin("POST", "/users", {"email": email, "password": "testpassword"})
        assert (answer.status_code, answer.json()["code"]) == (422, "email_exists")

    async def test_leaves_the_address_unconfirmed_unless_told(self, server: Server, email: str) -> None:
        await server.admin("POST", "/users", {"email": email, "password": "testpassword"})
        assert (await server.sign_in(email)).json()["code"] == "email_not_confirmed"


class TestGetAndList:
    async def test_find_a_user(self, server: Server, email: str) -> None:
        user_id = (await server.sign_up(email))["user"]["id"]
        answer = await server.admin("GET", f"/users/{user_id}")
        assert answer.json()["email"] == email
        listed = await server.admin("GET", "/users?per_page=1&page=1")
        assert [user["id"] for user in listed.json()["users"]] == [user_id]
        assert int(listed.headers["X-Total-Count"]) >= 1

    async def test_of_nobody(self, server: Server) -> None:
        answer = await server.admin("GET", f"/users/{uuid4()}")
        assert (answer.status_code, answer.json()["code"]) == (404, "user_not_found")
        answer = await server.admin("GET", "/users/nobody")
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")

    @pytest.mark.parametrize("query", ["page=0", "page=x", "per_page=-1", "page=99999999999999999999"])
    async def test_refuses_a_page_that_is_none(self, server: Server, query: str) -> None:
        assert (await server.admin("GET", f"/users?{query}")).status_code == 400


class TestUpdate:
    async def test_password_ends_all_sessions(self, server: Server, email: str) -> None:
        session = await server.sign_up(email)
        path = f"/users/{session['user']['id']}"
        assert (await server.admin("PUT", path, {"password": "another password"})).status_code == 200
        assert (await server.refresh(session["refresh_token"])).status_code == 400
        assert (await server.sign_in(email, "another password")).status_code == 200

    async def test_merges_metadata(self, server: Server, email: str) -> None:
        session = await server.sign_up(email, name="Asha")
        body = {"app_metadata": {"plan": "gold", "providers": None}, "user_metadata": {"city": "Pune"}}
        user = (await server.admin("PUT", f"/users/{session['user']['id']}", body)).json()
        assert user["app_metadata"] == {"provider": "email", "plan": "gold"}
        assert user["user_metadata"] == {"name": "Asha", "city": "Pune"}

    async def test_changes_the_address(self, server: Server, email: str) -> None:
        session = await server.sign_up(email)
        await server.sign_up(f"taken-{email}")
        path = f"/users/{session['user']['id']}"
        assert (await server.admin("PUT", path, {"email": f"New-{email}"})).json()["email"] == f"new-{email}"
        assert (await server.sign_in(f"new-{email}")).status_code == 200
        answer = await server.admin("PUT", path, {"email": f"Taken-{email}"})
        assert (answer.status_code, answer.json()["code"]) == (422, "email_exists")

    async def test_of_the_address_voids_links_to_the_old_one(self, server: Server, email: str) -> None:
        session = await server.sign_up(email)
        await server.call("POST", "/recover", {"email": email})
        (mail,) = server.mails(email)
        await server.admin("PUT", f"/users/{session['user']['id']}", {"email": f"new-{email}"})
        body = {"type": "recovery", "token_hash": server.token_of(mail)}
        assert (await server.call("POST", "/verify", body)).status_code == 403

    @pytest.mark.parametrize("duration", ["24h", "1h30m", "0.5h", "876000h", "99999999999999h"])
    async def test_bans_for_a_time(self, server: Server, email: str, duration: str) -> None:
        session = await server.sign_up(email)
        path = f"/users/{session['user']['id']}"
        assert (await server.admin("PUT", path, {"ban_duration": duration})).json()["banned_until"]
        assert (await server.sign_in(email)).json()["code"] == "user_banned"
        lifted = await server.admin("PUT", path, {"ban_duration": "none"})
        assert lifted.json()["banned_until"] is None
        assert (await server.sign_in(email)).status_code == 200

    @pytest.mark.parametrize("duration", ["forever", "1 day", "-1h", "h"])
    async def test_refuses_what_is_no_duration(self, server: Server, email: str, duration: str) -> None:
        session = await server.sign_up(email)
        answer = await server.admin("PUT", f"/users/{session['user']['id']}", {"ban_duration": duration})
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")


class TestDelete:
    async def test_removes_the_user_with_all_sessions(self, server: Server, email: str) -> None:
        session = await server.sign_up(email)
        path = f"/users/{session['user']['id']}"
        assert (await server.admin("DELETE", path, {"should_soft_delete": False})).status_code == 200
        assert (await server.refresh(session["refresh_token"])).status_code == 400
        assert (await server.admin("DELETE", path)).json()["code"] == "user_not_found"
        assert (await server.sign_up(email))["user"]["id"] != session["user"]["id"]

    async def test_refuses_what_it_cannot_do(self, server: Server, email: str) -> None:
        session = await server.sign_up(email)
        answer = await server.admin("DELETE", f"/users/{session['user']['id']}", {"should_soft_delete": True})
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")
