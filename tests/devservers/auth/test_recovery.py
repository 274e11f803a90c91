"""Resetting a password by mail."""

import asyncio

import httpx
import pytest

from tests.devservers.auth.conftest import Server

pytestmark = pytest.mark.anyio


async def recover(server: Server, email: str) -> str:
    """The token of a new recovery mail."""
    answer = await server.call("POST", "/recover", {"email": email})
    assert (answer.status_code, answer.json()) == (200, {})
    return server.token_of(server.mails(email)[-1])


async def verify(server: Server, **body: str) -> httpx.Response:
    return await server.call("POST", "/verify", {"type": "recovery", **body})


class TestRecover:
    async def test_does_not_tell_who_is_known(self, server: Server, email: str) -> None:
        await server.sign_up(email)
        known = await server.call("POST", "/recover", {"email": email})
        again = await server.call("POST", "/recover", {"email": email})
        unknown = await server.call("POST", "/recover", {"email": f"un{email}"})
        assert {(answer.status_code, answer.content) for answer in (known, again, unknown)} == {(200, b"{}")}
        assert not server.mails(f"un{email}")

    async def test_sends_one_mail_a_minute(self, server: Server, email: str) -> None:
        await server.sign_up(email)
        await asyncio.gather(*(server.call("POST", "/recover", {"email": email}) for _ in range(4)))
        assert len(server.mails(email)) == 1

    async def test_leaves_the_newest_token_alone_valid(self, server: Server, email: str) -> None:
        await server.sign_up(email)
        first = await recover(server, email)
        await server.database.execute(
            "update auth.users set recovery_sent_at = now() - interval '1 minute' where email = $1", email
        )
        second = await recover(server, email)
        assert (await verify(server, token_hash=first)).status_code == 403
        assert (await verify(server, token_hash=second)).status_code == 200

    async def test_stores_no_token(self, server: Server, email: str) -> None:
        await server.sign_up(email)
        token = await recover(server, email)
        rows = await server.database.fetch("select * from auth.one_time_tokens")
        assert not any(token in str(row) or token.encode() in row["token_hash"] for row in rows)


class TestVerify:
    async def test_opens_a_session_that_may_set_a_password(self, server: Server, email: str) -> None:
        before = await server.sign_up(email)
        answer = await verify(server, token_hash=await recover(server, email))
        session = answer.json()
        changed = await server.call(
            "PUT", "/user", {"password": "another password"}, bearer=session["access_token"]
        )
        assert changed.status_code == 200
        assert (await server.refresh(before["refresh_token"])).status_code == 400
        assert (await server.sign_in(email, "another password")).status_code == 200

    async def test_takes_a_token_with_its_address(self, server: Server, email: str) -> None:
        await server.sign_up(email)
        token = await recover(server, email)
        assert (await verify(server, token=token, email=f"other{email}")).status_code == 403
        assert (await verify(server, token=token, email=email.upper())).status_code == 200

    async def test_uses_a_token_once(self, server: Server, email: str) -> None:
        await server.sign_up(email)
        token = await recover(server, email)
        answers = await asyncio.gather(*(verify(server, token_hash=token) for _ in range(4)))
        assert sorted(answer.status_code for answer in answers) == [200, 403, 403, 403]
        refused = next(answer for answer in answers if answer.status_code == 403)
        assert refused.json()["code"] == "otp_expired"

    async def test_refuses_an_expired_token(self, server: Server, email: str) -> None:
        session = await server.sign_up(email)
        token = await recover(server, email)
        await server.database.execute(
            "update auth.one_time_tokens set expires_at = expires_at - interval '1 hour' where user_id = $1",
            session["user"]["id"],
        )
        assert (await verify(server, token_hash=token)).json()["code"] == "otp_expired"

    async def test_keeps_kinds_apart(self, server: Server, email: str) -> None:
        await server.sign_up(email)
        token = await recover(server, email)
        answer = await server.call("POST", "/verify", {"type": "signup", "token_hash": token})
        assert answer.json()["code"] == "otp_expired"
        answer = await server.call("POST", "/verify", {"type": "sms", "token_hash": token})
        assert answer.json()["code"] == "validation_failed"

    async def test_refuses_a_token_from_before_a_password_change(self, server: Server, email: str) -> None:
        session = await server.sign_up(email)
        token = await recover(server, email)
        await server.call("PUT", "/user", {"password": "another password"}, bearer=session["access_token"])
        assert (await verify(server, token_hash=token)).status_code == 403

    async def test_refuses_the_banned(self, server: Server, email: str) -> None:
        session = await server.sign_up(email)
        token = await recover(server, email)
        await server.admin("PUT", f"/users/{session['user']['id']}", {"ban_duration": "1h"})
        assert (await verify(server, token_hash=token)).json()["code"] == "user_banned"

    async def test_confirms_the_address(self, confirming_server: Server, email: str) -> None:
        """Who reads the mail has the address, whichever mail it is."""
        await confirming_server.sign_up(email)
        token = await recover(confirming_server, email)
        answer = await verify(confirming_server, token_hash=token)
        assert answer.json()["user"]["email_confirmed_at"] is not None
