"""The API key that each request needs, and the service key that administration needs."""

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

    @pytest.mark.parametrize(
        ("path", "without", "with_it"),
        [
            ("/admin/users", 403, 200),
            ("/admin%2Fusers", 403, 200),
            ("/admin/./users", 403, 200),
            ("/settings/../admin/users", 403, 200),
            ("/admin/users/", 403, 307),
            ("/admin//users", 403, 404),
            ("/admin/", 403, 404),
            ("//admin/users", 404, 404),
            ("/Admin/users", 404, 404),
        ],
    )
    async def test_is_needed_however_the_path_is_written(
        self, server: Server, path: str, without: int, with_it: int
    ) -> None:
        for bearer, status in ((ANON_KEY, without), (SERVICE_KEY, with_it)):
            assert (await server.call("GET", path, bearer=bearer)).status_code == status
