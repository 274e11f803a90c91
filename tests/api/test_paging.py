"""Lists: pages and cursors."""

import httpx

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

    async def test_another_cursor_is_refused(self, admin: httpx.AsyncClient) -> None:
        for cursor in ["nonsense", "WzVd", "W10", "e30", "%00", "WyJ4Il0"]:
            answer = await admin.get("/users", params={"cursor": cursor})
            assert answer.status_code == 422, cursor
            assert answer.json()["errors"][0]["field"] == "cursor", cursor

    async def test_a_limit_out_of_bounds_is_refused(self, admin: httpx.AsyncClient) -> None:
        for limit in ["0", "101", "-1", "x"]:
            answer = await admin.get("/users", params={"limit": limit})
            assert answer.status_code == 422, limit
            assert answer.json()["errors"][0]["field"] == "limit", limit
