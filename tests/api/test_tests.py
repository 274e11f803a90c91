"""Tests over HTTP: as candidates find them, as authors compose and publish them."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.unit_of_work import reading, unit_of_work
from tests.builders.attempts import Json, start
from tests.builders.content import UPSC, PublishedTest, add_questions, publish_test
from tests.builders.exams import add_exam
from tests.builders.people import People
from tests.conftest import TestClock

OTHER_INSTITUTE = """
    with other as (
      insert into ias.institutes (id, slug, name) values (gen_random_uuid(), gen_random_uuid(), 'Other')
      returning id
    )
    update ias.tests set institute_id = other.id from other where tests.id = :id
"""
HIDDEN = {
    "draft": "update ias.tests set status = 'draft', paper_version = null where id = :id",
    "archived": "update ias.tests set status = 'archived' where id = :id",
    "for the enrolled": "update ias.tests set access = 'enrolled' where id = :id",
    "not yet": "update ias.tests set available_from = now() + interval '1 hour' where id = :id",
    "over": "update ias.tests set available_until = now() where id = :id",
    "another institute's": OTHER_INSTITUTE,
}


async def publish(engine: AsyncEngine, **changes: Any) -> PublishedTest:
    async with unit_of_work(engine) as uow:
        return await publish_test(uow, **changes)


async def execute(engine: AsyncEngine, statement: str, **values: Any) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(statement), values)


async def doors(client: httpx.AsyncClient, made: PublishedTest) -> list[Json]:
    """What a person hears at every door of a test, but for the request's id."""
    attempt = {"attempt_id": str(uuid4())}
    response = {"question_id": str(made.question_ids[0]), "revision": 1, "answer": ["a"]}
    answers = [
        await client.get(made.path),
        await client.post(f"{made.path}/start"),
        await client.get(f"{made.path}/questions"),
        await client.post(f"{made.path}/responses", json=attempt | {"lease": 1, "responses": [response]}),
        await client.post(f"{made.path}/submit", json=attempt),
        await client.get(f"{made.path}/results"),
    ]
    return [
        {name: value for name, value in answer.json().items() if name != "request_id"} for answer in answers
    ]


async def is_listed(client: httpx.AsyncClient, made: PublishedTest) -> bool:
    """The newest come first, and this one is the newest."""
    page = await client.get("/tests", params={"limit": 1})
    assert page.status_code == 200, page.text
    return [each["id"] for each in page.json()["items"]] == [str(made.id)]


class TestHidden:
    """What a candidate may not see is in no list, and at every door like something that is not there."""

    @pytest.mark.parametrize("statement", HIDDEN.values(), ids=HIDDEN)
    async def test_by_its_state(
        self, engine: AsyncEngine, candidate: httpx.AsyncClient, statement: str
    ) -> None:
        made = await publish(engine)
        assert await is_listed(candidate, made)
        await execute(engine, statement, id=made.id)
        assert not await is_listed(candidate, made)
        assert await doors(candidate, made) == await doors(
            candidate, PublishedTest(uuid4(), made.question_ids)
        )

    @pytest.mark.parametrize("released", [False, True])
    async def test_by_embargo(
        self, engine: AsyncEngine, candidate: httpx.AsyncClient, clock: TestClock, released: bool
    ) -> None:
        made = await publish(engine)
        times: Json = {"released_at": clock.now()} if released else {}
        async with unit_of_work(engine) as uow:
            await add_exam(uow, made.id, clock.now(), **times)
        assert await is_listed(candidate, made) is released
        nothing = await doors(candidate, PublishedTest(uuid4(), made.question_ids))
        assert (await doors(candidate, made) == nothing) is not released

    async def test_from_who_has_taken_it_by_embargo(
        self, engine: AsyncEngine, candidate: httpx.AsyncClient, clock: TestClock
    ) -> None:
        made = await publish(engine)
        sitting = await start(candidate, made)
        await sitting.submit()
        async with unit_of_work(engine) as uow:
            await add_exam(uow, made.id, clock.now())
        nothing = await doors(candidate, PublishedTest(uuid4(), made.question_ids))
        assert (await doors(candidate, made))[:2] == nothing[:2]

    async def test_the_enrolled_may(self, engine: AsyncEngine, candidate: httpx.AsyncClient) -> None:
        made = await publish(engine, access="enrolled")
        user_id = UUID((await candidate.get("/auth/me")).json()["id"])
        await execute(
            engine, "update ias.memberships set enrolled_at = now() where user_id = :id", id=user_id
        )
        assert await is_listed(candidate, made)
        assert (await candidate.post(f"{made.path}/start")).status_code == 201

    async def test_staff_see_drafts(self, engine: AsyncEngine, people: People) -> None:
        made = await publish(engine)
        await execute(engine, HIDDEN["draft"], id=made.id)
        evaluator = await people.member("evaluator")
        assert await is_listed(evaluator, made)
        assert (await evaluator.get(made.path)).json()["status"] == "draft"


class TestGet:
    async def test_what_candidates_see(self, engine: AsyncEngine, candidate: httpx.AsyncClient) -> None:
        made = await publish(engine, languages=["en", "hi"], attempts_allowed=3, description={"en": "Long"})
        running = await start(candidate, made)
        shown = (await candidate.get(made.path)).json()
        assert shown == {
            "id": str(made.id),
            "title": shown["title"],
            "description": {"en": "Long"},
            "kind": "full",
            "subject": None,
            "subject_id": None,
            "sections": [
                {
                    "id": shown["sections"][0]["id"],
                    "name": {"en": "Paper"},
                    "question_count": 3,
                    "duration_seconds": None,
                    "choose": None,
                }
            ],
            "duration_seconds": 600,
            "question_count": 3,
            "max_marks": "6.00",
            "marking": UPSC | {"not_attempted_option": None, "most_unmarked_percent": None},
            "languages": ["en", "hi"],
            "review": "after_submit",
            "access": "free",
            "status": "published",
            "participants": 0,
            "my": {
                "attempts": 1,
                "best_score": None,
                "best_score_exact": None,
                "latest_attempt_id": str(running.id),
                "in_progress_attempt_id": str(running.id),
            },
            "attempts_allowed": 3,
            "my_attempts": 1,
            "available_from": None,
            "available_until": None,
            "paper_version": 1,
        }

    async def test_ids_are_uuids(self, candidate: httpx.AsyncClient) -> None:
        for path in ["/tests/1", "/tests/null"]:
            assert (await candidate.get(path)).status_code == 422, path


async def body(engine: AsyncEngine, **changes: Any) -> Json:
    """A request for a test of two questions."""
    async with unit_of_work(engine) as uow:
        ids = await add_questions(uow, [["a"], ["b"]])
    sections = [{"name": "Paper", "question_ids": [str(question_id) for question_id in ids]}]
    whole = {"title": "Mock", "kind": "full", "duration_seconds": 600, "marking": UPSC, "sections": sections}
    return whole | changes


class TestCompose:
    async def test_create_change_publish_archive(
        self, engine: AsyncEngine, author: httpx.AsyncClient, candidate: httpx.AsyncClient
    ) -> None:
        created = await author.post("/tests", json=await body(engine, title={"en": "Mock", "hi": "मॉक"}))
        assert created.status_code == 201, created.text
        draft = created.json()
        made = PublishedTest(UUID(draft["id"]), [])
        assert (draft["status"], draft["paper_version"], draft["question_count"]) == ("draft", None, 2)
        assert (await candidate.get(made.path)).status_code == 404

        changed = await author.patch(made.path, json={"title": "Prelims", "attempts_allowed": 2})
        assert changed.json() == draft | {"title": {"en": "Prelims"}, "attempts_allowed": 2}
        published = (await author.post(f"{made.path}/publish")).json()
        assert (published["status"], published["paper_version"]) == ("published", 1)
        assert (published["max_marks"], published["gaps"]) == ("4.00", [])
        assert await is_listed(candidate, made)

        for _ in range(2):
            assert (await author.post(f"{made.path}/archive")).json()["status"] == "archived"
        assert not await is_listed(candidate, made)

    async def test_sections_are_replaced_together(
        self, engine: AsyncEngine, author: httpx.AsyncClient
    ) -> None:
        draft = (await author.post("/tests", json=await body(engine))).json()
        first, second = draft["sections"][0]["question_ids"]
        sections = [
            {"name": "B", "question_ids": [second], "duration_seconds": 60, "locked": False},
            {"name": "A", "question_ids": [first], "choose": 1, "marking": {"correct": "1"}},
        ]
        changed = (await author.patch(f"/tests/{draft['id']}", json={"sections": sections})).json()
        assert [(each["name"]["en"], each["question_ids"]) for each in changed["sections"]] == [
            ("B", [second]),
            ("A", [first]),
        ]
        assert changed["sections"][0]["locked"] is False
        assert changed["sections"][1]["marking"] == {"correct": "1"}

    async def test_what_is_refused(self, engine: AsyncEngine, author: httpx.AsyncClient) -> None:
        wrong: list[tuple[Json, str]] = [
            ({"title": ""}, "title"),
            ({"title": {}}, "title"),
            ({"title": {"english please": "Mock"}}, "title"),
            ({"kind": "mock"}, "kind"),
            ({"duration_seconds": 0}, "duration_seconds"),
            ({"duration_seconds": 86_401}, "duration_seconds"),
            ({"languages": []}, "languages"),
            ({"languages": ["en", "en"]}, "languages"),
            ({"marking": {**UPSC, "correct": "0"}}, "marking.correct"),
            ({"marking": {**UPSC, "incorrect": "2/3"}}, "marking.incorrect"),
            ({"marking": {**UPSC, "incorrect": "-1/3.5"}}, "marking.incorrect"),
            ({"marking": {**UPSC, "correct": 2}}, "marking.correct"),
            ({"marking": {**UPSC, "dropped": "ignore"}}, "marking.dropped"),
            ({"marking": {"correct": "2"}}, "marking.incorrect"),
            ({"sections": [{"name": "A", "question_ids": []}]}, "sections.0.question_ids"),
            ({"sections": [{"name": "A", "question_ids": [str(UUID(int=5))]}]}, "sections.0.question_ids.0"),
            ({"subject_id": str(UUID(int=5))}, "subject_id"),
            ({"attempts_allowed": 0}, "attempts_allowed"),
            ({"review": "always"}, "review"),
            ({"access": "everybody"}, "access"),
            ({"available_from": "2026-06-07T09:30:00"}, "available_from"),
            (
                {"available_from": "2026-06-07T09:30:00Z", "available_until": "2026-06-07T09:30:00Z"},
                "available_until",
            ),
            ({"status": "published"}, "status"),
            ({"institute_id": str(UUID(int=1))}, "institute_id"),
        ]
        whole = await body(engine)
        draft = (await author.post("/tests", json=whole)).json()
        for changes, field in wrong:
            refused = await author.post("/tests", json=whole | changes)
            assert refused.status_code == 422, changes
            assert any(error["field"].startswith(field) for error in refused.json()["errors"]), changes
            refused = await author.patch(f"/tests/{draft['id']}", json=changes)
            assert refused.status_code == 422, changes
        statement = text("select title, duration_seconds, marking from ias.tests where id = :id")
        async with reading(engine) as reads:
            row = (await reads.session.execute(statement, {"id": UUID(draft["id"])})).one()
        assert row == ({"en": "Mock"}, 600, UPSC)

    async def test_a_question_stands_in_a_test_once(
        self, engine: AsyncEngine, author: httpx.AsyncClient
    ) -> None:
        whole = await body(engine)
        refused = await author.post("/tests", json=whole | {"sections": whole["sections"] * 2})
        assert refused.status_code == 422
        assert [error["field"] for error in refused.json()["errors"]] == ["sections"]

    async def test_what_a_test_must_have_cannot_be_emptied(
        self, engine: AsyncEngine, author: httpx.AsyncClient
    ) -> None:
        made = await publish(engine)
        for name in ("title", "kind", "marking", "sections", "shuffle", "review", "languages"):
            assert (await author.patch(made.path, json={name: None})).status_code == 422, name

    async def test_not_publishable(self, author: httpx.AsyncClient, engine: AsyncEngine) -> None:
        draft = (await author.post("/tests", json=await body(engine, sections=[]))).json()
        refused = await author.post(f"/tests/{draft['id']}/publish")
        assert (refused.status_code, refused.json()["code"]) == (409, "not_publishable")
        assert refused.json()["errors"] == [
            {"field": "sections", "message": "A test needs at least one question."}
        ]

    async def test_authors_alone(self, engine: AsyncEngine, people: People) -> None:
        made, whole = await publish(engine), await body(engine)
        for role in ("student", "evaluator", "proctor"):
            client = await people.member(role)
            answers = [
                await client.post("/tests", json=whole),
                await client.patch(made.path, json={"title": "Mine"}),
                await client.post(f"{made.path}/publish"),
                await client.post(f"{made.path}/archive"),
            ]
            assert [answer.status_code for answer in answers] == [403] * 4, role
            assert [answer.json()["code"] for answer in answers] == ["forbidden"] * 4, role

    async def test_another_institutes_test(self, engine: AsyncEngine, author: httpx.AsyncClient) -> None:
        made = await publish(engine)
        await execute(engine, OTHER_INSTITUTE, id=made.id)
        answers = [
            await author.get(made.path),
            await author.patch(made.path, json={"title": "Mine"}),
            await author.post(f"{made.path}/publish"),
            await author.post(f"{made.path}/archive"),
        ]
        assert [answer.status_code for answer in answers] == [404] * 4
