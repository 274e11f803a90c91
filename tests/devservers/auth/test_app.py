"""Errors in both shapes, and bodies that are none."""

import json
from typing import Any

import httpx
import jwt
import pytest

from tests.devservers.auth.conftest import ANON_KEY, MakeServer, Server

pytestmark = pytest.mark.anyio


class TestErrors:
    async def test_name_a_string_code_to_clients_that_name_the_version(self, server: Server) -> None:
        answer = await server.sign_in("nobody@example.org")
        assert answer.headers["X-Supabase-Api-Version"] == "2024-01-01"
        assert answer.json() == {"code": "invalid_credentials", "message": "Invalid login credentials"}

    async def test_name_a_number_to_others(self, server: Server) -> None:
        body = {"email": "nobody@example.org", "password": "testpassword"}
        answer = await server.http.post(
            "/auth/v1/token?grant_type=password", json=body, headers={"apikey": ANON_KEY}
        )
        assert "X-Supabase-Api-Version" not in answer.headers
        assert answer.json() == {
            "code": 400,
            "error_code": "invalid_credentials",
            "msg": "Invalid login credentials",
        }

    async def test_cover_unknown_paths_and_methods(self, server: Server) -> None:
        assert (await server.call("GET", "/nowhere")).json()["code"] == "not_found"
        assert (await server.call("GET", "/signup")).status_code == 405

    async def test_are_503_while_the_database_is_away(self, make_server: MakeServer, email: str) -> None:
        server = await make_server()
        await server.sign_up(email)
        await server.database.execute(
            """select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid()"""
        )
        answers = [await server.sign_in(email) for _ in range(12)]
        assert {answer.status_code for answer in answers} <= {200, 503}
        assert answers[-1].status_code == 200


class TestBodies:
    @pytest.mark.parametrize(
        ("content", "code"),
        [
            (b"{", "bad_json"),
            (b"[]", "bad_json"),
            (b'"text"', "bad_json"),
            (b"\xff", "bad_json"),
            (b"[" * 60_000, "bad_json"),
            (b'{"email": "a@example.org", "password": "\\ud800secret"}', "bad_json"),
            (b"", "validation_failed"),
            (b"{}", "validation_failed"),
            (b'{"email": "a@example.org", "password": ["x"]}', "validation_failed"),
            (b'{"email": "a@example.org", "password": "testpassword", "data": 1}', "validation_failed"),
        ],
    )
    async def test_that_are_none_are_refused(self, server: Server, content: bytes, code: str) -> None:
        answer = await self.post(server, content)
        assert (answer.status_code, answer.json()["code"]) == (400, code)

    async def test_with_what_postgresql_cannot_store_are_refused(self, server: Server, email: str) -> None:
        body: dict[str, Any] = {"email": email, "password": "testpassword", "data": {"name": "a\x00b"}}
        answer = await self.post(server, json.dumps(body).encode())
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")

    async def test_have_a_limit(self, server: Server) -> None:
        assert (await self.post(server, b" " * 70_000)).status_code == 413

    async def post(self, server: Server, content: bytes) -> httpx.Response:
        headers = {"apikey": ANON_KEY, "X-Supabase-Api-Version": "2024-01-01"}
        return await server.http.post("/auth/v1/signup", content=content, headers=headers)


class TestJwks:
    async def test_verifies_the_tokens_that_are_issued(self, server: Server, email: str) -> None:
        answer = await server.http.get("/auth/v1/.well-known/jwks.json")
        assert "max-age=600" in answer.headers["Cache-Control"]
        (key,) = answer.json()["keys"]
        assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("EC", "P-256", "ES256", "sig")
        assert "d" not in key
        token = (await server.sign_up(email))["access_token"]
        assert jwt.get_unverified_header(token)["kid"] == key["kid"]
        assert jwt.decode(token, jwt.PyJWK(key), audience="authenticated")["email"] == email

    async def test_stays_the_same_when_the_server_starts_again(self, make_server: MakeServer) -> None:
        first, second = await make_server(), await make_server()
        path = "/auth/v1/.well-known/jwks.json"
        assert (await first.http.get(path)).json() == (await second.http.get(path)).json()
