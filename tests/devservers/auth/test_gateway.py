"""The keys without which nothing is answered."""

import pytest

from tests.devservers.auth.conftest import ANON_KEY, SERVICE_KEY, Server

pytestmark = pytest.mark.anyio


class TestRequireKey:
    @pytest.mark.parametrize("key", ["", "another", "sb_publishable_tes"])
    @pytest.mark.parametrize("path", ["/settings", "/user", "/admin/users", "/nowhere", "//health"])
    async def test_refuses_a_call_without_a_key(self, server: Server, path: str, key: str) -> None:
        answer = await server.http.get(f"/auth/v1{path}", headers={"apikey": key} if key else {})
        assert answer.status_code == 401

    @pytest.mark.parametrize("path", ["/health", "/.well-known/jwks.json"])
    async def test_lets_everybody_see_what_is_public(self, server: Server, path: str) -> None:
        assert (await server.http.get(f"/auth/v1{path}")).status_code == 200

    @pytest.mark.parametrize("key", [ANON_KEY, SERVICE_KEY])
    async def test_takes_both_keys(self, server: Server, key: str) -> None:
        answer = await server.http.get("/auth/v1/settings", headers={"apikey": key})
        assert answer.json()["mailer_autoconfirm"] is True


class TestRequireServiceKey:
    async def test_is_needed_as_bearer(self, server: Server, email: str) -> None:
        user_token = (await server.sign_up(email))["access_token"]
        for bearer, status, code in [
            (None, 401, "no_authorization"),
            (ANON_KEY, 403, "not_admin"),
            (user_token, 403, "not_admin"),
        ]:
            answer = await server.call("GET", "/admin/users", bearer=bearer)
            assert (answer.status_code, answer.json()["code"]) == (status, code)

    @pytest.mark.parametrize("path", ["/admin/users", "/admin//users", "//admin/users", "/admin/", "/admin"])
    async def test_is_needed_by_any_path(self, server: Server, path: str) -> None:
        answer = await server.call("GET", path, bearer=ANON_KEY)
        assert answer.status_code in {307, 403, 404}
