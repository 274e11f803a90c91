"""The adapter's side of the wire: what it sends, and what it makes of every kind of answer.

What a real server answers is the contract suite's (tests/contract). Here the answer is given, because no
server can be made to give it at will.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.core.supabase_auth import SupabaseAuth
from app.core.supabase_errors import (
    AuthError,
    AuthUnavailable,
    CredentialsRejected,
    EmailExists,
    EmailNotConfirmed,
    InvalidOneTimeToken,
    InvalidRefreshToken,
    InvalidSession,
    PasswordRejected,
    RateLimited,
    Rejected,
)

pytestmark = pytest.mark.anyio

USER: dict[str, Any] = {
    "id": "0197e2a4-0000-7000-8000-000000000001",
    "email": "asha@example.org",
    "user_metadata": {"name": "Asha"},
    "email_confirmed_at": "2026-05-24T09:30:00.123456Z",
    "created_at": "2026-05-24T09:30:00Z",
    "identities": [{"provider": "email"}],
}
SESSION: dict[str, Any] = {"access_token": "a", "refresh_token": "r", "expires_in": 3600, "user": USER}


def refusal(status: int, code: str, **members: Any) -> httpx.Response:
    return httpx.Response(status, json={"code": code, "message": "No.", **members})


@dataclass
class Wire:
    """Answers every request alike and keeps what was sent."""

    answer: httpx.Response | Exception = field(default_factory=lambda: httpx.Response(200, json=SESSION))
    requests: list[httpx.Request] = field(default_factory=list)

    async def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def auth(self, service_key: str = "sb_secret_key") -> SupabaseAuth:
        http = httpx.AsyncClient(transport=httpx.MockTransport(self.handle))
        return SupabaseAuth("https://project.example.org/", "anon", service_key, http)


@pytest.fixture
def wire() -> Wire:
    return Wire()


Call = Callable[[SupabaseAuth], Awaitable[object]]


def sign_in(auth: SupabaseAuth) -> Awaitable[object]:
    return auth.sign_in("asha@example.org", "testpassword")


def refresh(auth: SupabaseAuth) -> Awaitable[object]:
    return auth.refresh("r")


def verify(auth: SupabaseAuth) -> Awaitable[object]:
    return auth.verify("recovery", "t")


def sign_out(auth: SupabaseAuth) -> Awaitable[object]:
    return auth.sign_out("a")


def rename(auth: SupabaseAuth) -> Awaitable[object]:
    return auth.update_user("a", name="Asha Rao")


def recover(auth: SupabaseAuth) -> Awaitable[object]:
    return auth.recover("asha@example.org")


def resend(auth: SupabaseAuth) -> Awaitable[object]:
    return auth.resend("asha@example.org")


def sign_up(auth: SupabaseAuth) -> Awaitable[object]:
    return auth.sign_up("asha@example.org", "testpassword", "Asha")


EVERY_CALL = [sign_up, sign_in, refresh, recover, resend, verify, sign_out, rename]


class TestRequests:
    async def test_name_the_version_and_no_browser(self, wire: Wire) -> None:
        await sign_in(wire.auth())
        (request,) = wire.requests
        assert str(request.url) == "https://project.example.org/auth/v1/token?grant_type=password"
        assert request.headers["X-Supabase-Api-Version"] == "2024-01-01"
        assert request.headers["User-Agent"] == "ias-backend"

    @pytest.mark.parametrize(
        ("service_key", "address", "apikey"),
        [
            ("sb_secret_key", None, "anon"),
            ("sb_secret_key", "203.0.113.7", "sb_secret_key"),
            ("eyJ.legacy.key", "203.0.113.7", "anon"),
        ],
    )
    async def test_say_whose_they_are(
        self, wire: Wire, service_key: str, address: str | None, apikey: str
    ) -> None:
        """Supabase believes the header with a secret key alone."""
        await wire.auth(service_key).sign_in("asha@example.org", "testpassword", client_address=address)
        (request,) = wire.requests
        assert request.headers["apikey"] == apikey
        assert request.headers.get("Sb-Forwarded-For") == address
        assert "Authorization" not in request.headers

    async def test_carry_nobody_else_s_token(self, wire: Wire) -> None:
        """The official client does: after a sign-in its later calls carry that user's bearer."""
        auth = wire.auth()
        await sign_in(auth)
        await sign_out(auth)
        await sign_in(auth)
        assert [request.headers.get("Authorization") for request in wire.requests] == [None, "Bearer a", None]

    async def test_of_administrators_carry_the_service_key(self, wire: Wire) -> None:
        wire.answer = httpx.Response(200, json=USER)
        await wire.auth().admin_get(UUID(USER["id"]))
        assert wire.requests[0].headers["Authorization"] == "Bearer sb_secret_key"


class TestAnswers:
    @pytest.mark.parametrize(
        ("call", "answer", "error"),
        [
            (sign_in, refusal(400, "invalid_credentials"), CredentialsRejected),
            (sign_in, refusal(400, "user_banned"), CredentialsRejected),
            (sign_in, refusal(400, "email_not_confirmed"), EmailNotConfirmed),
            (sign_in, refusal(400, "captcha_failed"), Rejected),
            (sign_up, refusal(422, "user_already_exists"), EmailExists),
            (sign_up, refusal(422, "email_exists"), EmailExists),
            (sign_up, refusal(422, "signup_disabled"), Rejected),
            (refresh, refusal(400, "refresh_token_not_found"), InvalidRefreshToken),
            (refresh, refusal(400, "refresh_token_already_used"), InvalidRefreshToken),
            (refresh, refusal(400, "session_expired"), InvalidRefreshToken),
            (refresh, refusal(400, "session_not_found"), InvalidRefreshToken),
            (refresh, refusal(400, "user_banned"), InvalidRefreshToken),
            (refresh, refusal(400, "validation_failed"), InvalidRefreshToken),
            (refresh, refusal(409, "conflict"), AuthUnavailable),
            (verify, refusal(403, "otp_expired"), InvalidOneTimeToken),
            (verify, refusal(403, "user_banned"), InvalidOneTimeToken),
            (rename, refusal(403, "bad_jwt"), InvalidSession),
            (rename, refusal(403, "session_not_found"), InvalidSession),
            (rename, refusal(403, "user_not_found"), InvalidSession),
        ],
    )
    async def test_have_our_names(
        self, wire: Wire, call: Call, answer: httpx.Response, error: type[AuthError]
    ) -> None:
        wire.answer = answer
        with pytest.raises(error):
            await call(wire.auth())

    async def test_of_servers_before_the_version_are_understood(self, wire: Wire) -> None:
        wire.answer = httpx.Response(
            400, json={"code": 400, "error_code": "invalid_credentials", "msg": "No."}
        )
        with pytest.raises(CredentialsRejected, match=r"No\."):
            await sign_in(wire.auth())

    @pytest.mark.parametrize(
        ("weak", "reasons"),
        [({"reasons": ["length", "pwned"]}, ("length", "pwned")), ({}, ()), (None, ())],
    )
    async def test_say_why_a_password_is_weak(
        self, wire: Wire, weak: object, reasons: tuple[str, ...]
    ) -> None:
        wire.answer = refusal(422, "weak_password", weak_password=weak)
        with pytest.raises(PasswordRejected) as error:
            await sign_up(wire.auth())
        assert error.value.reasons == reasons

    @pytest.mark.parametrize(("header", "seconds"), [("17", 17), ("soon", None), (None, None)])
    async def test_say_when_to_come_again(self, wire: Wire, header: str | None, seconds: int | None) -> None:
        wire.answer = refusal(429, "over_request_rate_limit")
        if header:
            wire.answer.headers["Retry-After"] = header
        with pytest.raises(RateLimited) as error:
            await sign_in(wire.auth())
        assert error.value.retry_after == seconds

    @pytest.mark.parametrize("call", [recover, resend])
    async def test_about_too_many_mails_stay_here(self, wire: Wire, call: Call) -> None:
        """Supabase says so about known addresses only."""
        wire.answer = refusal(429, "over_email_send_rate_limit")
        assert await call(wire.auth()) is None

    @pytest.mark.parametrize("code", ["bad_jwt", "session_not_found", "user_not_found", "user_banned"])
    async def test_that_a_session_is_gone_end_a_sign_out_well(self, wire: Wire, code: str) -> None:
        wire.answer = refusal(403, code)
        assert await sign_out(wire.auth()) is None


class TestSignUp:
    async def test_believes_in_a_user_with_an_identity(self, wire: Wire) -> None:
        wire.answer = httpx.Response(200, json=USER)
        signed_up = await wire.auth().sign_up("asha@example.org", "testpassword", "Asha")
        assert signed_up.user is not None
        assert (signed_up.user_id, signed_up.user.name, signed_up.session) == (UUID(USER["id"]), "Asha", None)

    async def test_believes_in_no_user_without_identities(self, wire: Wire) -> None:
        wire.answer = httpx.Response(200, json={**USER, "identities": []})
        signed_up = await wire.auth().sign_up("asha@example.org", "testpassword", "Asha")
        assert (signed_up.user_id, signed_up.user, signed_up.session) == (UUID(USER["id"]), None, None)


class TestOutages:
    @pytest.mark.parametrize("call", EVERY_CALL)
    @pytest.mark.parametrize(
        "answer",
        [
            httpx.ConnectError("refused"),
            httpx.ConnectTimeout("no answer"),
            httpx.ReadTimeout("no answer"),
            httpx.RemoteProtocolError("closed"),
            httpx.Response(500, json={"code": "unexpected_failure", "message": "Oops"}),
            httpx.Response(502, text="<html>Bad gateway</html>"),
            httpx.Response(504, json={"code": "request_timeout", "message": "Slow"}),
            httpx.Response(401, json={"message": "Invalid API key"}),
            httpx.Response(403, text="blocked"),
        ],
        ids=repr,
    )
    async def test_are_unavailability_and_never_retried(
        self, wire: Wire, call: Call, answer: httpx.Response | Exception
    ) -> None:
        """An answer that did not arrive does not mean that nothing was done."""
        wire.answer = answer
        with pytest.raises(AuthUnavailable):
            await call(wire.auth())
        assert len(wire.requests) == 1

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"<html>",
            b"[]",
            b"{}",
            b'{"access_token": "a"}',
            b'{"access_token": "a", "refresh_token": "r", "expires_in": 1, "user": null}',
            b'{"access_token": "a", "refresh_token": "r", "expires_in": 1, "user": {"id": "x"}}',
        ],
    )
    async def test_are_also_answers_that_make_no_sense(self, wire: Wire, content: bytes) -> None:
        wire.answer = httpx.Response(200, content=content)
        with pytest.raises(AuthUnavailable):
            await sign_in(wire.auth())
