"""Signing up, in and out, and what a user may ask and change."""

import asyncio
from typing import Any

import jwt
import pytest

from tests.devservers.auth.conftest import Server, until_somebody_waits

pytestmark = pytest.mark.anyio


def claims_of(session: dict[str, Any]) -> dict[str, Any]:
    return dict(jwt.decode(session["access_token"], options={"verify_signature": False}))


class TestSignUp:
    async def test_opens_a_session(self, server: Server, email: str) -> None:
        session = await server.sign_up(email, name="Asha")
        assert (session["token_type"], session["expires_in"]) == ("bearer", 3600)
        assert session["user"]["user_metadata"] == {"name": "Asha"}
        assert session["user"]["email_confirmed_at"] is not None

    async def test_normalises_the_address(self, server: Server, email: str) -> None:
        session = await server.sign_up(f"  {email.upper()} ")
        assert session["user"]["email"] == email

    async def test_refuses_a_taken_address(self, server: Server, email: str) -> None:
        await server.sign_up(email)
        answer = await server.call("POST", "/signup", {"email": email.upper(), "password": "testpassword"})
        assert (answer.status_code, answer.json()["code"]) == (422, "user_already_exists")

    async def test_of_one_address_at_once_succeeds_once(self, server: Server, email: str) -> None:
        body = {"email": email, "password": "testpassword"}
        answers = await asyncio.gather(*(server.call("POST", "/signup", body) for _ in range(5)))
        assert sorted(answer.status_code for answer in answers) == [200, 422, 422, 422, 422]

    @pytest.mark.parametrize(
        ("password", "status", "code"),
        [
            ("", 422, "weak_password"),
            ("short", 422, "weak_password"),
            ("क", 422, "weak_password"),  # three bytes
            ("कक", 200, None),  # six bytes
            ("क" * 24, 200, None),  # 72 bytes
            ("क" * 24 + "x", 400, "validation_failed"),
            ("x" * 73, 400, "validation_failed"),
        ],
    )
    async def test_counts_a_password_in_bytes(
        self, server: Server, email: str, password: str, status: int, code: str | None
    ) -> None:
        answer = await server.call("POST", "/signup", {"email": email, "password": password})
        assert (answer.status_code, answer.json().get("code")) == (status, code)

    async def test_says_why_a_password_is_weak(self, server: Server, email: str) -> None:
        answer = await server.call("POST", "/signup", {"email": email, "password": "short"})
        assert answer.json()["weak_password"] == {"reasons": ["length"]}

    @pytest.mark.parametrize(
        "address",
        ["", "nobody", "@example.org", "a b@example.org", "a@b\r\nBcc: c@d", "क@example.org", None, 7],
    )
    async def test_refuses_what_is_no_address(self, server: Server, address: object) -> None:
        answer = await server.call("POST", "/signup", {"email": address, "password": "testpassword"})
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")


class TestSignUpWithConfirmation:
    async def test_gives_a_user_and_no_session(self, confirming_server: Server, email: str) -> None:
        user = await confirming_server.sign_up(email, name="Asha")
        assert "access_token" not in user
        assert user["email_confirmed_at"] is None
        answer = await confirming_server.sign_in(email)
        assert (answer.status_code, answer.json()["code"]) == (400, "email_not_confirmed")

    async def test_makes_up_a_user_for_a_taken_address(self, confirming_server: Server, email: str) -> None:
        real = await confirming_server.sign_up(email, name="Asha")
        made_up = await confirming_server.sign_up(email, name="Ravi")
        assert made_up["identities"] == []
        assert made_up["id"] != real["id"]
        assert made_up["created_at"] > real["created_at"]
        assert made_up.keys() == real.keys()
        assert (await confirming_server.admin("GET", f"/users/{made_up['id']}")).status_code == 404

    async def test_sends_one_mail_a_minute(self, confirming_server: Server, email: str) -> None:
        await confirming_server.sign_up(email)
        await confirming_server.sign_up(email)
        answer = await confirming_server.call("POST", "/resend", {"type": "signup", "email": email})
        assert answer.status_code == 200
        assert len(confirming_server.mails(email)) == 1

    async def test_sends_again_after_a_minute(self, confirming_server: Server, email: str) -> None:
        await confirming_server.sign_up(email)
        await confirming_server.database.execute(
            """update auth.users set confirmation_sent_at = confirmation_sent_at - interval '1 minute'
            where email = $1""",
            email,
        )
        await confirming_server.call("POST", "/resend", {"type": "signup", "email": email})
        assert len(confirming_server.mails(email)) == 2

    async def test_is_completed_by_the_mail(self, confirming_server: Server, email: str) -> None:
        await confirming_server.sign_up(email)
        (mail,) = confirming_server.mails(email)
        body = {"type": "signup", "token_hash": confirming_server.token_of(mail)}
        answer = await confirming_server.call("POST", "/verify", body)
        assert answer.status_code == 200
        assert answer.json()["user"]["email_confirmed_at"] is not None
        assert (await confirming_server.sign_in(email)).status_code == 200

    async def test_sends_nothing_to_the_confirmed(self, confirming_server: Server, email: str) -> None:
        user = await confirming_server.sign_up(email)
        await confirming_server.admin("PUT", f"/users/{user['id']}", {"email_confirm": True})
        await confirming_server.database.execute(
            "update auth.users set confirmation_sent_at = null where email = $1", email
        )
        await confirming_server.call("POST", "/resend", {"type": "signup", "email": email})
        assert len(confirming_server.mails(email)) == 1


class TestSignIn:
    async def test_issues_the_claims_of_supabase(self, server: Server, email: str) -> None:
        await server.sign_up(email, name="Asha")
        session = (await server.sign_in(email.upper())).json()
        claims = claims_of(session)
        assert claims["iss"] == "http://auth.test/auth/v1"
        assert (claims["aud"], claims["role"], claims["aal"]) == ("authenticated", "authenticated", "aal1")
        assert (claims["sub"], claims["email"]) == (session["user"]["id"], email)
        assert claims["exp"] - claims["iat"] == 3600
        assert claims["user_metadata"] == {"name": "Asha"}
        assert claims["app_metadata"] == {"provider": "email", "providers": ["email"]}
        assert claims["amr"][0]["method"] == "password"
        assert claims["is_anonymous"] is False
        assert claims["session_id"]

    async def test_opens_a_session_of_its_own_each_time(self, server: Server, email: str) -> None:
        first = await server.sign_up(email)
        second = (await server.sign_in(email)).json()
        assert claims_of(first)["session_id"] != claims_of(second)["session_id"]

    async def test_answers_alike_for_unknown_and_wrong(self, server: Server, email: str) -> None:
        await server.sign_up(email)
        wrong = await server.sign_in(email, "another password")
        unknown = await server.sign_in(f"un{email}", "another password")
        assert (wrong.status_code, wrong.json()) == (unknown.status_code, unknown.json())
        assert wrong.json()["code"] == "invalid_credentials"

    @pytest.mark.parametrize("password", ["", "x" * 500, "\x00", None])
    async def test_takes_any_text_for_a_wrong_password(
        self, server: Server, email: str, password: str | None
    ) -> None:
        await server.sign_up(email)
        answer = await server.call(
            "POST", "/token?grant_type=password", {"email": email, "password": password}
        )
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_credentials")

    async def test_refuses_an_account_without_a_password(self, server: Server, email: str) -> None:
        await server.admin("POST", "/users", {"email": email, "email_confirm": True})
        assert (await server.sign_in(email, "")).json()["code"] == "invalid_credentials"

    @pytest.mark.parametrize("password", ["testpassword", "wrong password"])
    async def test_tells_a_ban_before_the_password(self, server: Server, email: str, password: str) -> None:
        session = await server.sign_up(email)
        await server.admin("PUT", f"/users/{session['user']['id']}", {"ban_duration": "24h"})
        answer = await server.sign_in(email, password)
        assert (answer.status_code, answer.json()["code"]) == (400, "user_banned")

    async def test_does_not_survive_a_password_change_meanwhile(self, server: Server, email: str) -> None:
        """The old password, verified while the new one is being set, opens no session."""
        session = await server.sign_up(email)
        async with server.database.acquire() as connection:
            async with connection.transaction():
                await connection.execute(
                    "update auth.users set password_hash = 'changed' where email = $1", email
                )
                signing_in = asyncio.create_task(server.sign_in(email))
                # It has verified the old password when it waits for the row.
                await until_somebody_waits(connection)
            answer = await signing_in
        assert answer.json()["code"] == "invalid_credentials"
        assert session["access_token"]


class TestSignOut:
    @pytest.mark.parametrize(
        ("scope", "left"), [("local", ["other"]), ("others", ["own"]), ("global", []), (None, [])]
    )
    async def test_ends_the_sessions_of_its_scope(
        self, server: Server, email: str, scope: str | None, left: list[str]
    ) -> None:
        sessions = {"own": await server.sign_up(email), "other": (await server.sign_in(email)).json()}
        query = f"?scope={scope}" if scope else ""
        answer = await server.call("POST", f"/logout{query}", bearer=sessions["own"]["access_token"])
        assert (answer.status_code, answer.content) == (204, b"")
        alive = []
        for name, session in sessions.items():
            refreshed = await server.refresh(session["refresh_token"])
            user = await server.call("GET", "/user", bearer=session["access_token"])
            assert (refreshed.status_code == 200) == (user.status_code == 200)
            if refreshed.status_code == 200:
                alive.append(name)
            else:
                assert refreshed.json()["code"] == "refresh_token_not_found"
                assert (user.status_code, user.json()["code"]) == (403, "session_not_found")
        assert alive == left

    async def test_refuses_an_unknown_scope(self, server: Server, email: str) -> None:
        session = await server.sign_up(email)
        answer = await server.call("POST", "/logout?scope=all", bearer=session["access_token"])
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")

    async def test_needs_a_token(self, server: Server) -> None:
        answer = await server.call("POST", "/logout")
        assert (answer.status_code, answer.json()["code"]) == (401, "no_authorization")


class TestUser:
    async def test_is_shown_as_supabase_shows_it(self, server: Server, email: str) -> None:
        session = await server.sign_up(email, name="Asha")
        user = (await server.call("GET", "/user", bearer=session["access_token"])).json()
        assert (user["id"], user["aud"], user["email"]) == (session["user"]["id"], "authenticated", email)
        (identity,) = user["identities"]
        assert identity["provider"] == "email"
        assert identity["user_id"] == user["id"]
        assert identity["identity_data"]["email"] == email
        assert "password" not in str(user)

    async def test_merges_what_it_says_about_itself(self, server: Server, email: str) -> None:
        session = await server.sign_up(email, name="Asha", city="Pune")
        bearer = session["access_token"]
        body = {"data": {"name": "Asha Rao", "city": None, "year": 2027}}
        answer = await server.call("PUT", "/user", body, bearer=bearer)
        assert answer.json()["user_metadata"] == {"name": "Asha Rao", "year": 2027}

    async def test_may_not_change_app_metadata_or_address(self, server: Server, email: str) -> None:
        bearer = (await server.sign_up(email))["access_token"]
        answer = await server.call("PUT", "/user", {"app_metadata": {"role": "admin"}}, bearer=bearer)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_admin")
        answer = await server.call("PUT", "/user", {"email": f"new{email}"}, bearer=bearer)
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")

    async def test_is_refused_once_deleted_or_banned(self, server: Server, email: str) -> None:
        session = await server.sign_up(email)
        user_id, bearer = session["user"]["id"], session["access_token"]
        await server.admin("PUT", f"/users/{user_id}", {"ban_duration": "1h"})
        banned = await server.call("GET", "/user", bearer=bearer)
        assert (banned.status_code, banned.json()["code"]) == (403, "user_banned")
        await server.admin("DELETE", f"/users/{user_id}")
        deleted = await server.call("GET", "/user", bearer=bearer)
        assert (deleted.status_code, deleted.json()["code"]) == (403, "user_not_found")

    @pytest.mark.parametrize("token", ["", "x", "a.b.c"])
    async def test_is_refused_without_a_valid_token(self, server: Server, token: str) -> None:
        answer = await server.call("GET", "/user", bearer=token)
        expected = (403, "bad_jwt") if token else (401, "no_authorization")
        assert (answer.status_code, answer.json()["code"]) == expected


class TestPasswordChange:
    async def test_ends_the_other_sessions(self, server: Server, email: str) -> None:
        own, other = await server.sign_up(email), (await server.sign_in(email)).json()
        answer = await server.call(
            "PUT", "/user", {"password": "another password"}, bearer=own["access_token"]
        )
        assert answer.status_code == 200
        assert (await server.refresh(own["refresh_token"])).status_code == 200
        assert (await server.refresh(other["refresh_token"])).status_code == 400
        assert (await server.sign_in(email)).status_code == 400
        assert (await server.sign_in(email, "another password")).status_code == 200

    async def test_refuses_the_same_password(self, server: Server, email: str) -> None:
        session = await server.sign_up(email)
        answer = await server.call(
            "PUT", "/user", {"password": "testpassword"}, bearer=session["access_token"]
        )
        assert (answer.status_code, answer.json()["code"]) == (422, "same_password")

    async def test_checks_the_current_password_if_it_is_given(self, server: Server, email: str) -> None:
        bearer = (await server.sign_up(email))["access_token"]
        body = {"password": "another password", "current_password": "wrong"}
        refused = await server.call("PUT", "/user", body, bearer=bearer)
        assert refused.json()["code"] == "invalid_credentials"
        allowed = await server.call(
            "PUT", "/user", {**body, "current_password": "testpassword"}, bearer=bearer
        )
        assert allowed.status_code == 200

    async def test_by_two_at_once_leaves_one_session(self, server: Server, email: str) -> None:
        """The second change finds its session ended by the first, and must not count."""
        first, second = await server.sign_up(email), (await server.sign_in(email)).json()
        answers = await asyncio.gather(
            server.call("PUT", "/user", {"password": "password one"}, bearer=first["access_token"]),
            server.call("PUT", "/user", {"password": "password two"}, bearer=second["access_token"]),
        )
        assert sorted(answer.status_code for answer in answers) == [200, 403]
        winner = "password one" if answers[0].status_code == 200 else "password two"
        assert (await server.sign_in(email, winner)).status_code == 200
