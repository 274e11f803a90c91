"""Bookmarks over HTTP: of questions that their person may review, and of no others."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID, uuid4

import httpx
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.models import Bookmark, Exam
from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import Json, start, take_test
from tests.builders.content import PublishedTest, publish_for, publish_test
from tests.builders.exams import HOUR, add_exam, body_of, hold_exam, take_paper
from tests.builders.people import People, user_id_of
from tests.conftest import TestClock

ANSWERS = {0: ["a"], 1: ["c"]}


def path_of(made: PublishedTest, number: int) -> str:
    return f"/users/bookmarks/{made.question_ids[number]}"


async def listed(client: httpx.AsyncClient, **params: str | int) -> list[Json]:
    return list(body_of(await client.get("/users/bookmarks", params=params))["items"])


async def ids_of(client: httpx.AsyncClient, **params: str | int) -> list[str]:
    return [each["question_id"] for each in await listed(client, **params)]


class TestPut:
    async def test_a_bookmark_with_its_question(
        self, engine: AsyncEngine, candidate: httpx.AsyncClient, clock: TestClock
    ) -> None:
        """It is the same for every repetition, and a note can be replaced and taken away."""
        made = await publish_for(engine)
        result = await take_test(candidate, made, ANSWERS)
        first = body_of(await candidate.put(path_of(made, 1), json={"note": " Option c\ntempts me. "}))
        test = body_of(await candidate.get(made.path))
        assert first == {
            "question_id": str(made.question_ids[1]),
            "note": "Option c\ntempts me.",
            "text": {"en": "Question 2", "hi": "प्रश्न 2"},
            "subject": first["subject"],
            "chapter": None,
            "test": {"id": str(made.id), "title": test["title"]},
            "attempt_id": result["attempt"]["id"],
            "paper_version": 1,
            "created_at": first["created_at"],
            "updated_at": first["created_at"],
        }
        assert "SECRET" not in str(first)
        clock.advance(60)
        assert body_of(await candidate.put(path_of(made, 1), json={"note": first["note"]})) == first
        second = body_of(await candidate.put(path_of(made, 1), json={}))
        assert (second["note"], second["created_at"]) == (None, first["created_at"])
        assert second["updated_at"] > first["updated_at"]
        assert await listed(candidate) == [second]

    async def test_two_at_once(self, engine: AsyncEngine, candidate: httpx.AsyncClient) -> None:
        made = await publish_for(engine)
        await take_test(candidate, made, ANSWERS)
        answers = await asyncio.gather(
            *(candidate.put(path_of(made, 0), json={"note": note}) for note in ("one", "two", "one"))
        )
        assert [answer.status_code for answer in answers] == [200, 200, 200]
        assert [each["note"] in ("one", "two") for each in await listed(candidate)] == [True]

    async def test_a_note_that_cannot_be(self, candidate: httpx.AsyncClient) -> None:
        notes: list[object] = ["", "   ", "x" * 2001, "a\0b", 7, "a\u202eb"]
        for note in notes:
            answer = await candidate.put(f"/users/bookmarks/{uuid4()}", json={"note": note})
            assert answer.status_code == 422, note
            assert answer.json()["errors"][0]["field"] == "note", note


class TestWhichQuestions:
    async def test_only_those_that_one_may_review(
        self, engine: AsyncEngine, people: People, candidate: httpx.AsyncClient
    ) -> None:
        """Not before the submission, not of others, not without a review, not of a void attempt."""
        made = await publish_for(engine)
        sitting = await start(candidate, made)
        assert (await candidate.put(path_of(made, 0), json={})).status_code == 404
        await sitting.submit()
        body_of(await candidate.put(path_of(made, 0), json={}))
        other = await people.candidate()
        assert (await other.put(path_of(made, 0), json={})).status_code == 404
        assert await listed(other) == []
        assert (await candidate.put(f"/users/bookmarks/{uuid4()}", json={})).status_code == 404
        async with unit_of_work(engine) as uow:
            await uow.session.execute(
                text("update ias.tests set review = 'never' where id = :id"), {"id": made.id}
            )
        assert (await candidate.put(path_of(made, 1), json={})).status_code == 404
        assert await listed(candidate) == []

    async def test_an_exam_opens_them_with_its_release(
        self, engine: AsyncEngine, author: httpx.AsyncClient, people: People, clock: TestClock
    ) -> None:
        made = await publish_for(engine)
        held = await hold_exam(author, made, starts_at=clock.now(), window=HOUR)
        candidate = await people.candidate()
        await take_paper(candidate, held, ANSWERS)
        assert (await candidate.put(path_of(made, 0), json={"note": "Mine."})).status_code == 404
        await held.release()
        body_of(await candidate.put(path_of(made, 0), json={"note": "Mine."}))
        assert await ids_of(candidate) == [str(made.question_ids[0])]

    async def test_a_later_embargo_hides_them_while_it_lasts(
        self, engine: AsyncEngine, candidate: httpx.AsyncClient
    ) -> None:
        """An exam with a question of the test hides all bookmarks of it, others stay, and all come back."""
        held, other = await publish_for(engine), await publish_for(engine)
        for made in (held, other):
            await take_test(candidate, made, ANSWERS)
            body_of(await candidate.put(path_of(made, 2), json={"note": "Keep."}))
        both = await listed(candidate)
        async with unit_of_work(engine) as uow:
            shared = await publish_test(uow, same_as=held)
            now = datetime.now(UTC)
            paper = await add_exam(uow, shared.id, now, published_at=now)
        assert await ids_of(candidate) == [str(other.question_ids[2])]
        assert (await candidate.put(path_of(held, 2), json={"note": "New."})).status_code == 404
        async with unit_of_work(engine) as uow:
            (await uow.session.get_one(Exam, paper.exam_id)).released_at = datetime.now(UTC)
        assert await listed(candidate) == both

    async def test_a_hidden_one_can_be_removed(
        self, engine: AsyncEngine, candidate: httpx.AsyncClient
    ) -> None:
        made = await publish_for(engine)
        await take_test(candidate, made, ANSWERS)
        body_of(await candidate.put(path_of(made, 0), json={}))
        async with unit_of_work(engine) as uow:
            await add_exam(uow, made.id, datetime.now(UTC))
        for _ in range(2):
            assert (await candidate.delete(path_of(made, 0))).status_code == 204
        async with unit_of_work(engine) as uow:
            mine = select(Bookmark).where(Bookmark.user_id == await user_id_of(candidate))
            assert (await uow.session.scalars(mine)).all() == []


class TestList:
    async def test_in_pages_and_by_subject(self, engine: AsyncEngine, candidate: httpx.AsyncClient) -> None:
        """The newest first. A note that is replaced does not move its bookmark."""
        one, two = await publish_for(engine), await publish_for(engine)
        for made in (one, two):
            await take_test(candidate, made, ANSWERS)
        wanted = [(one, 0), (two, 0), (one, 1), (two, 1), (one, 2)]
        for made, number in [*wanted, (one, 0)]:
            body_of(await candidate.put(path_of(made, number), json={"note": f"{number}"}))
        newest = [str(made.question_ids[number]) for made, number in reversed(wanted)]
        assert await ids_of(candidate) == newest
        first = body_of(await candidate.get("/users/bookmarks", params={"limit": 2}))
        rest = await ids_of(candidate, cursor=first["next_cursor"])
        assert [each["question_id"] for each in first["items"]] + rest == newest
        subject = first["items"][0]["subject"]["id"]
        assert await ids_of(candidate, subject_id=subject) == newest[::2]
        assert await ids_of(candidate, subject_id=str(UUID(int=1))) == []

    async def test_the_latest_attempt_is_named(
        self, engine: AsyncEngine, candidate: httpx.AsyncClient
    ) -> None:
        made = await publish_for(engine)
        await take_test(candidate, made, ANSWERS)
        body_of(await candidate.put(path_of(made, 0), json={}))
        latest = await take_test(candidate, made, {})
        assert [each["attempt_id"] for each in await listed(candidate)] == [latest["attempt"]["id"]]

    async def test_needs_an_account(self, api: httpx.AsyncClient) -> None:
        assert (await api.get("/users/bookmarks")).status_code == 401
