"""`GET /tests`: what its items tell, its filters, its orders and their pages."""

from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.names import MAX_TITLE_LENGTH
from app.models import Subject
from app.services.components import Components
from app.services.tests import SectionDraft, refresh_popularity
from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import Json, start, take_test
from tests.builders.content import PublishedTest, add_subject, publish_test
from tests.builders.exams import add_exam
from tests.builders.people import People
from tests.conftest import TestClock


class Shelf:
    """Tests of one subject, so that a list shows these alone."""

    def __init__(self, engine: AsyncEngine, subject: Subject) -> None:
        self.engine = engine
        self.subject = subject

    async def add(self, title: str | Json = "Mock", **changes: Any) -> PublishedTest:
        shown = {"en": title} if isinstance(title, str) else title
        languages = changes.pop("languages", list(shown))
        async with unit_of_work(self.engine) as uow:
            return await publish_test(
                uow, subject_id=self.subject.id, title=shown, languages=languages, **changes
            )

    async def items(self, client: httpx.AsyncClient, **params: Any) -> list[Json]:
        asked: dict[str, Any] = {"subject_id": str(self.subject.id), **params}
        answer = await client.get("/tests", params=asked)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])

    async def titles(self, client: httpx.AsyncClient, **params: Any) -> list[str]:
        return [item["title"]["en"] for item in await self.items(client, **params)]

    async def ids(self, client: httpx.AsyncClient, **params: Any) -> list[UUID]:
        return [UUID(item["id"]) for item in await self.items(client, **params)]


@pytest.fixture
async def shelf(engine: AsyncEngine) -> Shelf:
    async with unit_of_work(engine) as uow:
        return Shelf(engine, await add_subject(uow, "Economy"))


async def pages(client: httpx.AsyncClient, shelf: Shelf, **params: Any) -> list[str]:
    """The titles of all pages of two items."""
    seen: list[str] = []
    asked: dict[str, Any] = {"subject_id": str(shelf.subject.id), "limit": 2, **params}
    while True:
        answer = await client.get("/tests", params=asked)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        seen += [item["title"]["en"] for item in page["items"]]
        if page["next_cursor"] is None:
            return seen
        asked["cursor"] = page["next_cursor"]


class TestItems:
    async def test_a_list_and_a_test_tell_the_same(self, shelf: Shelf, candidate: httpx.AsyncClient) -> None:
        made = await shelf.add()
        await take_test(candidate, made, {0: ["a"]})
        [item] = await shelf.items(candidate)
        assert item == (await candidate.get(made.path)).json()
        assert item["subject"] == {"id": str(shelf.subject.id), "name": {"en": "Economy"}}

    async def test_sections_in_the_order_of_the_paper(
        self, shelf: Shelf, candidate: httpx.AsyncClient
    ) -> None:
        questions = (await shelf.add()).question_ids
        names = ("B", "A", "C")
        sections = [
            SectionDraft(
                name={"en": name}, question_ids=[question_id], duration_seconds=200, choose=1, locked=True
            )
            for name, question_id in zip(names, questions, strict=True)
        ]
        async with unit_of_work(shelf.engine) as uow:
            made = await publish_test(uow, subject_id=shelf.subject.id, sections=sections)
        [shown] = [item for item in await shelf.items(candidate) if item["id"] == str(made.id)]
        assert [each["name"]["en"] for each in shown["sections"]] == list(names)
        figures = {"question_count": 1, "duration_seconds": 200, "choose": 1}
        assert all(each.items() >= figures.items() for each in shown["sections"])

    async def test_my_attempts(self, shelf: Shelf, candidate: httpx.AsyncClient, people: People) -> None:
        made = await shelf.add()
        assert (await shelf.items(candidate))[0]["my"] == {
            "attempts": 0,
            "best_score": None,
            "best_score_exact": None,
            "latest_attempt_id": None,
            "in_progress_attempt_id": None,
        }
        await take_test(candidate, made, {0: ["a"], 1: ["b"], 2: ["a"]})
        last = await take_test(candidate, made, {0: ["b"]})
        running = await start(candidate, made)
        [item] = await shelf.items(candidate)
        assert item["my"] == {
            "attempts": 3,
            "best_score": "3.34",
            "best_score_exact": "10/3",
            "latest_attempt_id": str(running.id),
            "in_progress_attempt_id": str(running.id),
        }
        assert (item["my_attempts"], item["participants"]) == (3, 1)
        await _void(shelf.engine, running.id)
        [item] = await shelf.items(candidate)
        assert (item["my"]["attempts"], item["my"]["in_progress_attempt_id"]) == (2, None)
        assert item["my"]["latest_attempt_id"] == last["attempt"]["id"]
        [item] = await shelf.items(await people.candidate())
        assert (item["my"]["attempts"], item["my"]["best_score"], item["participants"]) == (0, None, 1)

    async def test_participants_are_those_of_the_ranking(
        self, shelf: Shelf, people: People, author: httpx.AsyncClient
    ) -> None:
        made = await shelf.add()
        first, second = await people.candidate(), await people.candidate()
        for person in (first, first, second, author):
            result = await take_test(person, made, {0: ["a"]})
        [item] = await shelf.items(first)
        assert item["participants"] == result["participants"] == 2


class TestEmbargo:
    async def test_a_best_score_that_an_exam_withholds_is_not_told(
        self, shelf: Shelf, candidate: httpx.AsyncClient, author: httpx.AsyncClient, clock: TestClock
    ) -> None:
        """Version 1 shares its questions with an exam, version 2 does not: the test stays in the list."""
        made, other = await shelf.add(), await shelf.add("Other")
        await take_test(candidate, made, {0: ["a"]})
        sections = [{"name": "Paper", "question_ids": [str(each) for each in other.question_ids]}]
        assert (await author.patch(made.path, json={"sections": sections})).status_code == 200
        assert (await author.post(f"{made.path}/publish")).status_code == 200
        async with unit_of_work(shelf.engine) as uow:
            held = await publish_test(uow, same_as=made)
            paper = await add_exam(uow, held.id, clock.now(), published_at=clock.now())

        async def mine() -> Json:
            listed = await shelf.items(candidate)
            [item] = [each for each in listed if each["id"] == str(made.id)]
            assert (await candidate.get(made.path)).json() == item
            return dict(item["my"])

        withheld = await mine()
        assert (withheld["attempts"], withheld["best_score"], withheld["best_score_exact"]) == (1, None, None)
        async with unit_of_work(shelf.engine) as uow:
            values = {"now": clock.now(), "id": paper.exam_id}
            await uow.session.execute(text("update ias.exams set released_at = :now where id = :id"), values)
        assert (await mine())["best_score"] == "2.00"

    @pytest.mark.parametrize("sort", ["newest", "title", "popular"])
    @pytest.mark.parametrize("taken", [None, True])
    async def test_a_hidden_test_is_in_no_order(
        self, shelf: Shelf, candidate: httpx.AsyncClient, clock: TestClock, sort: str, taken: bool | None
    ) -> None:
        made, shown = await shelf.add("A"), await shelf.add("B")
        for each in (made, shown):
            await take_test(candidate, each, {})
        async with unit_of_work(shelf.engine) as uow:
            await add_exam(uow, made.id, clock.now())
        params = {"sort": sort} | ({"taken": taken} if taken is not None else {})
        assert await shelf.titles(candidate, **params) == ["B"]


class TestFilters:
    async def test_taken(self, shelf: Shelf, candidate: httpx.AsyncClient) -> None:
        taken, running, voided, untaken = [await shelf.add(title) for title in "ABCD"]
        await take_test(candidate, taken, {})
        await start(candidate, running)
        await _void(shelf.engine, (await start(candidate, voided)).id)
        assert await shelf.ids(candidate, taken=True) == [running.id, taken.id]
        assert await shelf.ids(candidate, taken=False) == [untaken.id, voided.id]

    async def test_a_taken_test_is_listed_although_it_was_archived(
        self, shelf: Shelf, candidate: httpx.AsyncClient, author: httpx.AsyncClient
    ) -> None:
        made = await shelf.add()
        await take_test(candidate, made, {})
        await author.post(f"{made.path}/archive")
        assert await shelf.ids(candidate) == []
        [item] = await shelf.items(candidate, taken=True)
        assert (item["id"], item["status"]) == (str(made.id), "archived")

    async def test_status_takes_several_values(
        self, shelf: Shelf, author: httpx.AsyncClient, candidate: httpx.AsyncClient
    ) -> None:
        published, archived = await shelf.add("A"), await shelf.add("B")
        await author.post(f"{archived.path}/archive")
        assert await shelf.ids(author, status="archived") == [archived.id]
        assert await shelf.ids(author, status=["published", "archived"]) == [archived.id, published.id]
        assert await shelf.ids(candidate, status="archived") == []

    async def test_filters_combine(self, shelf: Shelf, candidate: httpx.AsyncClient) -> None:
        await shelf.add("Budget", kind="chapter")
        await shelf.add("Budget", kind="full")
        await shelf.add("Trade", kind="full")
        assert len(await shelf.items(candidate, kind="full", query="budg", taken=False)) == 1

    async def test_other_values_are_refused(self, candidate: httpx.AsyncClient) -> None:
        for name, value in [("sort", "oldest"), ("taken", "maybe"), ("status", "gone"), ("kind", "big")]:
            assert (await candidate.get("/tests", params={name: value})).status_code == 422, name


class TestOrder:
    async def test_by_title_in_the_readers_language(self, shelf: Shelf, people: People) -> None:
        candidate = await people.candidate()
        await shelf.add({"en": "beta", "hi": "क"})
        await shelf.add({"en": "Alpha", "hi": "ख"})
        await shelf.add({"en": "Gamma"})
        assert await pages(candidate, shelf, sort="title") == ["Alpha", "beta", "Gamma"]
        await candidate.put("/users/profile", json={"language": "hi"})
        assert await pages(candidate, shelf, sort="title") == ["Gamma", "beta", "Alpha"]

    async def test_equal_titles_are_told_apart_by_pages(
        self, shelf: Shelf, candidate: httpx.AsyncClient
    ) -> None:
        made = [await shelf.add("Same") for _ in range(5)]
        assert await pages(candidate, shelf, sort="title") == ["Same"] * 5
        assert await shelf.ids(candidate, sort="title") == [each.id for each in made]

    @pytest.mark.parametrize("letter", ["क", "😀"])
    async def test_pages_of_the_longest_titles(
        self, shelf: Shelf, candidate: httpx.AsyncClient, letter: str
    ) -> None:
        """A cursor has the title, so that it is longest for characters of four bytes."""
        titles = [letter * (MAX_TITLE_LENGTH - 1) + end for end in "abcde"]
        for title in titles:
            await shelf.add(title)
        assert await pages(candidate, shelf, sort="title") == titles

    async def test_by_the_number_of_candidates(self, shelf: Shelf, people: People) -> None:
        tests = {title: await shelf.add(title) for title in "ABCDE"}
        crowd = [await people.candidate() for _ in range(2)]
        for title, count in (("B", 2), ("D", 1)):
            for person in crowd[:count]:
                await take_test(person, tests[title], {})
        async with unit_of_work(shelf.engine) as uow:
            await refresh_popularity(uow)
        assert await pages(crowd[0], shelf, sort="popular") == ["B", "D", "E", "C", "A"]
        assert await shelf.titles(crowd[1], sort="popular", taken=False) == ["D", "E", "C", "A"]

    async def test_newest_is_the_default(self, shelf: Shelf, candidate: httpx.AsyncClient) -> None:
        for title in "CAB":
            await shelf.add(title)
        assert (
            await pages(candidate, shelf) == await pages(candidate, shelf, sort="newest") == ["B", "A", "C"]
        )

    async def test_a_cursor_of_no_list_is_refused(self, candidate: httpx.AsyncClient) -> None:
        for sort, cursor in [
            ("title", "WyJhXHUwMDAwYiIsIjAiXQ"),  # ["a\\u0000b","0"]
            ("popular", "Wzk5OTk5OTk5OTk5OTksIjAwMDAwMDAwLTAwMDAtMDAwMC0wMDAwLTAwMDAwMDAwMDAwMCJd"),
            ("newest", "WzEsMl0"),
        ]:
            answer = await candidate.get("/tests", params={"sort": sort, "cursor": cursor})
            assert answer.status_code == 422, sort
            assert answer.json()["errors"][0]["field"] == "cursor", sort


async def test_a_longer_page_takes_no_more_statements(
    shelf: Shelf, candidate: httpx.AsyncClient, parts: Components
) -> None:
    for title in "ABCD":
        await take_test(candidate, await shelf.add(title), {})
    counts = []
    for limit in (1, 4):
        statements: list[str] = []

        def keep(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            statements.append(statement)  # noqa: B023 -- removed before the next round

        event.listen(parts.engine.sync_engine, "before_cursor_execute", keep)
        assert len(await shelf.items(candidate, limit=limit)) == limit
        event.remove(parts.engine.sync_engine, "before_cursor_execute", keep)
        counts.append(len(statements))
    assert counts[0] == counts[1]


async def _void(engine: AsyncEngine, attempt_id: UUID) -> None:
    async with engine.begin() as connection:
        statement = text("update ias.attempts set status = 'void' where id = :id")
        await connection.execute(statement, {"id": attempt_id})
