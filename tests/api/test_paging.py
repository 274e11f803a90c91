"""Lists: pages and cursors."""

import httpx
import pytest

from tests.builders.people import People


class TestCursor:
    async def test_pages_join_to_the_whole(self, people: People, admin: httpx.AsyncClient) -> None:
        made = {
            (await (await people.candidate(name="Paged Person")).get("/auth/me")).json()["id"]
            for _ in range(5)
        }
        seen: list[str] = []
        cursor: str | None = None
        for _ in range(3):
            parameters = {"query": "Paged Person", "limit": "2"} | ({"cursor": cursor} if cursor else {})
            page = (await admin.get("/users", params=parameters)).json()
            seen += [item["id"] for item in page["items"]]
            cursor = page["next_cursor"]
        assert cursor is None
        assert len(seen) == 5
        assert set(seen) == made

    @pytest.mark.parametrize("cursor", ["nonsense", "WzVd", "W10", "e30", "%00", "WyJ4Il0"])
    async def test_another_cursor_is_refused(self, admin: httpx.AsyncClient, cursor: str) -> None:
        answer = await admin.get("/users", params={"cursor": cursor})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "cursor"

    @pytest.mark.parametrize("limit", ["0", "101", "-1", "x"])
    async def test_a_limit_out_of_bounds_is_refused(self, admin: httpx.AsyncClient, limit: str) -> None:
        answer = await admin.get("/users", params={"limit": limit})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "limit"
