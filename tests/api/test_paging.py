"""Lists: pages and cursors."""

from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.errors import Invalid
from app.core.names import MAX_TITLE_LENGTH
from app.repositories.base import MAX_CURSOR_LENGTH, PageRequest, encode_cursor, page_of
from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import Json
from tests.builders.content import publish_for, publish_test
from tests.builders.exams import HOUR, body_of, hold_exam
from tests.builders.key_revisions import dry_run
from tests.builders.people import People, user_id_of
from tests.conftest import TestClock


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

    def test_the_longest_one_fits(self) -> None:
        practice_title = "Practice: " + "😀" * MAX_TITLE_LENGTH
        assert len(encode_cursor([practice_title, uuid4()])) <= MAX_CURSOR_LENGTH

    async def test_a_limit_out_of_bounds_is_refused(self, admin: httpx.AsyncClient) -> None:
        for limit in ["0", "101", "-1", "x"]:
            answer = await admin.get("/users", params={"limit": limit})
            assert answer.status_code == 422, limit
            assert answer.json()["errors"][0]["field"] == "limit", limit


async def joined(client: httpx.AsyncClient, path: str) -> list[Json]:
    """The items of a list of at least two, one a page. They are those of the whole list."""
    items: list[Json] = []
    cursor: str | None = None
    while cursor or not items:
        parameters = {"limit": "1"} | ({"cursor": cursor} if cursor else {})
        page = body_of(await client.get(path, params=parameters))
        assert len(page["items"]) == 1
        items += page["items"]
        cursor = page["next_cursor"]
    whole = body_of(await client.get(path))
    assert (items, whole["next_cursor"]) == (whole["items"], None)
    assert (await client.get(path, params={"cursor": "W10"})).status_code == 422
    assert len(items) > 1
    return items


class TestShortLists:
    async def test_of_an_exam(
        self, engine: AsyncEngine, author: httpx.AsyncClient, candidate: httpx.AsyncClient, clock: TestClock
    ) -> None:
        tests = [await publish_for(engine, author) for _ in range(2)]
        held = await hold_exam(author, *tests, starts_at=clock.now() + HOUR)
        papers = await joined(candidate, f"{held.path}/papers")
        assert [paper["code"] for paper in papers] == ["GS1", "GS2"]
        grants = [{"group": group, "extra_seconds": 60, "reason": "A form"} for group in ("pwbd", "all")]
        body_of(await author.put(f"{held.path}/accommodations", json={"items": grants}))
        granted = await joined(author, f"{held.path}/accommodations")
        assert [each["group"] for each in granted] == ["pwbd", "all"]

    async def test_of_a_test(self, engine: AsyncEngine, author: httpx.AsyncClient, people: People) -> None:
        made = await publish_for(engine, author)
        for answer in ("b", "c"):
            await dry_run(author, made, (0, [answer]))
        revisions = await joined(author, f"{made.path}/key-revisions")
        assert [each["number"] for each in revisions] == [2, 1]
        others = [str(await user_id_of(await people.member("author"))) for _ in range(2)]
        for other in others:
            body_of(await author.put(f"{made.path}/consents/{other}"))
        consents = await joined(author, f"{made.path}/consents")
        assert [each["user_id"] for each in consents] == others

    async def test_of_recommendations(self, engine: AsyncEngine, candidate: httpx.AsyncClient) -> None:
        async with unit_of_work(engine) as uow:
            for _ in range(2):
                await publish_test(uow)
        await joined(candidate, "/analytics/recommendations")


def same(row: UUID) -> UUID:
    return row


class TestListInMemory:
    def test_it_goes_on_after_a_row_that_is_gone(self) -> None:
        rows = [uuid4() for _ in range(5)]
        first = page_of(rows, same, PageRequest(2))
        assert first.items == rows[:2]
        # Both rows of the first page may be gone: none of the others is left out.
        assert page_of(rows[2:], same, PageRequest(2, first.next_cursor)).items == rows[2:4]
        assert page_of([rows[0], *rows[2:]], same, PageRequest(2, first.next_cursor)).items == [
            rows[0],
            rows[2],
        ]

    def test_it_goes_on_after_a_row_that_has_moved(self) -> None:
        rows = [uuid4() for _ in range(3)]
        first = page_of(rows, same, PageRequest(1))
        assert page_of([uuid4(), *rows], same, PageRequest(9, first.next_cursor)).items == rows[1:]

    @pytest.mark.parametrize("cursor", ["x", "W10", "WyJhIiwxXQ", "WzEsMV0"])
    def test_another_cursor_is_refused(self, cursor: str) -> None:
        with pytest.raises(Invalid):
            page_of([uuid4()], same, PageRequest(1, cursor))
