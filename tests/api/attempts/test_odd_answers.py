"""Answers that the server does not expect: each wrong one is named, and none takes the others with it."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import httpx
import orjson
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm import undefer

from app.models import Attempt, Paper
from app.services.unit_of_work import reading, unit_of_work
from tests.builders.attempts import AttemptClient, Json, log_rows, start
from tests.builders.content import PublishedTest, publish_test
from tests.builders.exams import hold_exam, register
from tests.conftest import TestClock


@pytest.fixture(scope="module")
async def made(engine: AsyncEngine) -> PublishedTest:
    """Three numeric questions and two to choose in."""
    keys: list[Any] = [{"value": "-5", "tolerance": "0"}] * 3 + [["a"], ["b"]]
    async with unit_of_work(engine) as uow:
        return await publish_test(uow, keys)


@pytest.fixture
async def sitting(candidate: httpx.AsyncClient, made: PublishedTest) -> AttemptClient:
    return await start(candidate, made)


def named(problem: Json) -> list[tuple[str, str | None]]:
    return [(error["field"], error.get("question_id")) for error in problem["errors"]]


class TestOddNumbers:
    @pytest.mark.parametrize(
        "typed", ["\u22125", "  -5 ", "-\u096b", "-5.", "\u2013 \uff15.", "-5.0", "-10/2"]
    )
    async def test_one_meaning_is_marked_by_it(self, sitting: AttemptClient, typed: str) -> None:
        saved = await sitting.save(sitting.response(0, typed), sitting.response(3, ["a"]))
        assert saved.status_code == 200, saved.text
        await sitting.submit()
        result = await sitting.result()
        assert (result["correct"], result["incorrect"]) == (2, 0)

    async def test_the_log_keeps_what_was_typed(self, engine: AsyncEngine, sitting: AttemptClient) -> None:
        """Only spaces at the ends are taken away, as from every text of a request."""
        await sitting.save(sitting.response(0, " \u2212\u096b. "))
        assert [row[3] for row in await log_rows(engine, sitting)] == ["\u2212\u096b."]
        resumed = await start(sitting.client, sitting.made)
        assert resumed.attempt["responses"][0]["answer"] == "\u2212\u096b."

    async def test_the_same_typed_text_again_is_known(self, sitting: AttemptClient) -> None:
        for outcome in ("saved", "known"):
            assert (await sitting.save(sitting.response(0, "\u22125."))).json()[outcome] == 1

    async def test_a_comma_is_refused_with_the_reason(self, sitting: AttemptClient) -> None:
        refused = await sitting.save(sitting.response(0, "-5,0"))
        assert refused.status_code == 422
        assert "no commas" in refused.json()["errors"][0]["message"]


class TestWrongResponses:
    async def test_each_is_named_at_once(self, engine: AsyncEngine, sitting: AttemptClient) -> None:
        """Whatever is wrong with them: the form, the question, the answer."""
        ids = [str(question_id) for question_id in sitting.made.question_ids]
        stranger = str(uuid4())
        sent: list[Any] = [
            sitting.response(3, ["a"]),
            sitting.response(0, "about five"),
            sitting.response(1, 5),
            sitting.response(4, ["b"], 0),
            {"question_id": stranger, "revision": 1, "answer": ["a"]},
            {"question_id": "7", "revision": 1, "answer": ["a"]},
            sitting.response(2, "-5"),
            sitting.response(4, ["z"], 2),
            None,
            sitting.response(0, "x" * 201, 2),
        ]
        refused = await sitting.save(*sent)
        assert refused.status_code == 422, refused.text
        assert named(refused.json()) == [
            ("responses.1.answer", ids[0]),
            ("responses.2.answer", ids[1]),
            ("responses.3.revision", ids[4]),
            ("responses.4.question_id", stranger),
            ("responses.5.question_id", None),
            ("responses.7.answer", ids[4]),
            ("responses.8", None),
            ("responses.9.answer", ids[0]),
        ]
        assert await log_rows(engine, sitting) == []
        wrong = {int(error["field"].split(".")[1]) for error in refused.json()["errors"]}
        rest = await sitting.save(*(each for position, each in enumerate(sent) if position not in wrong))
        assert rest.json()["saved"] == 2

    @pytest.mark.parametrize("answer", ["about five", 5], ids=["of the answer", "of the form"])
    async def test_two_hundred_are_named(self, sitting: AttemptClient, answer: Any) -> None:
        wrong = [sitting.response(0, answer, revision) for revision in range(1, 200)]
        refused = await sitting.save(*wrong, sitting.response(3, ["a"]))
        places = [error["field"] for error in refused.json()["errors"]]
        assert places == [f"responses.{number}.answer" for number in range(199)]

    async def test_characters_that_cannot_be_stored_are_all_named(self, sitting: AttemptClient) -> None:
        sent = [
            sitting.response(0, "\ud800"),
            sitting.response(3, ["a"]),
            sitting.response(1, "5\0"),
        ]
        body = {"attempt_id": sitting.attempt["id"], "lease": 1, "responses": sent}
        refused = await sitting.client.post(
            f"{sitting.made.path}/responses",
            content=json.dumps(body),
            headers={"Content-Type": "application/json"},
        )
        assert refused.status_code == 422, refused.text
        assert sorted(error["field"] for error in refused.json()["errors"]) == [
            "responses.0.answer",
            "responses.2.answer",
        ]


class TestUnreadableQuestions:
    """Stored data that this version cannot read is no mistake of the candidate, and the others are saved."""

    @pytest.fixture
    async def broken(self, engine: AsyncEngine, candidate: httpx.AsyncClient) -> AttemptClient:
        """An attempt at a paper with two unreadable questions."""
        async with unit_of_work(engine) as uow:
            made = await publish_test(uow, [["a"], ["b"], ["c"]])
        await break_questions(engine, made, made.question_ids[:2])
        return await start(candidate, made)

    async def test_each_is_named_and_the_rest_is_saved_without_them(self, broken: AttemptClient) -> None:
        ids = [str(question_id) for question_id in broken.made.question_ids]
        refused = await broken.save(*(broken.response(number, ["a"]) for number in range(3)))
        problem = refused.json()
        assert (refused.status_code, problem["code"]) == (409, "question_unreadable")
        assert problem["question_id"] == ids[0]
        assert named(problem) == [
            ("responses.0.question_id", ids[0]),
            ("responses.1.question_id", ids[1]),
        ]
        assert (await broken.save(broken.response(2, ["a"]))).json()["saved"] == 1

    async def test_mistakes_are_named_first(self, broken: AttemptClient) -> None:
        """A response is left out for good only if it is wrong itself."""
        refused = await broken.save(broken.response(0, ["a"]), broken.response(2, ["z"]))
        assert refused.status_code == 422
        assert named(refused.json()) == [("responses.1.answer", str(broken.made.question_ids[2]))]

    async def test_clearing_an_unreadable_question_is_saved(self, broken: AttemptClient) -> None:
        assert (await broken.save(broken.response(0, None))).json()["saved"] == 1

    @pytest.mark.parametrize("way", ["application/json", "application/json; charset=utf-8"])
    @pytest.mark.parametrize("place", ["test", "exam paper"])
    async def test_a_start_that_cannot_shuffle_their_options_stores_no_attempt(
        self,
        engine: AsyncEngine,
        author: httpx.AsyncClient,
        candidate: httpx.AsyncClient,
        clock: TestClock,
        place: str,
        way: str,
    ) -> None:
        """Directly and by the documented route. A stored attempt would be used up without an answer."""
        async with unit_of_work(engine) as uow:
            made = await publish_test(uow, shuffle={"questions": False, "options": True})
        path = made.path
        if place == "exam paper":
            held = await hold_exam(author, made, starts_at=clock.now())
            path = (await register(candidate, held)).path
        await break_questions(engine, made, made.question_ids[:1])
        refused = await candidate.post(f"{path}/start", content=b"{}", headers={"Content-Type": way})
        assert (refused.status_code, refused.json()["code"]) == (409, "question_unreadable")
        assert refused.json()["question_id"] == str(made.question_ids[0])
        async with reading(engine) as reads:
            stored = select(func.count()).select_from(Attempt).where(Attempt.test_id == made.id)
            assert await reads.session.scalar(stored) == 0


async def break_questions(engine: AsyncEngine, made: PublishedTest, question_ids: Sequence[UUID]) -> None:
    """Store a type that does not exist for these questions of the paper."""
    broken = {str(question_id) for question_id in question_ids}
    async with unit_of_work(engine) as uow:
        paper = await uow.session.scalar(select(Paper).where(Paper.test_id == made.id).options(undefer("*")))
        assert paper is not None
        rules = orjson.loads(orjson.dumps(paper.rules))
        for entry in rules["questions"]:
            if entry["id"] in broken:
                entry["type"] = "essay"
        paper.rules = rules
