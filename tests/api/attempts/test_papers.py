"""`GET /tests/{id}/questions`: the paper of an attempt, as its bytes were frozen."""

from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.attempt_scope import AttemptScope
from app.models import Paper
from app.services.unit_of_work import reading, unit_of_work
from tests.builders.attempts import AttemptClient, start, take_test
from tests.builders.content import PublishedTest, publish_test
from tests.builders.people import People


@pytest.fixture
async def made(engine: AsyncEngine) -> PublishedTest:
    async with unit_of_work(engine) as uow:
        return await publish_test(uow)


@pytest.fixture
async def sitting(candidate: httpx.AsyncClient, made: PublishedTest) -> AttemptClient:
    return await start(candidate, made)


async def paper(sitting: AttemptClient, **headers: str) -> httpx.Response:
    return await sitting.client.get(f"{sitting.made.path}/questions", headers=headers)


class TestQuestions:
    async def test_the_paper_has_questions_and_no_key(self, sitting: AttemptClient) -> None:
        answer = await paper(sitting)
        assert answer.status_code == 200
        document = answer.json()
        assert (document["test_id"], document["paper_version"]) == (str(sitting.made.id), 1)
        assert document["questions"][0] == {
            "id": str(sitting.made.question_ids[0]),
            "number": 1,
            "type": "single_choice",
            "text": {"en": "Question 1"},
            "options": [{"id": letter, "text": {"en": f"Option {letter}"}} for letter in "abcd"],
            "marks": "2",
            "negative_marks": "-2/3",
            "passage_id": None,
            "media": [],
        }
        for secret in ("SECRET", "accepted", "explanation", "key"):
            assert secret not in answer.text

    @pytest.mark.parametrize(
        ("accepted", "encoding"),
        [
            ("gzip", "gzip"),
            ("deflate, gzip;q=0.5", "gzip"),
            ("identity", None),
            ("", None),
            ("gzip;q=0", None),
            ("br, gzip; q=0.0, identity", None),
            ("GZIP;q=0.001", "gzip"),
            ("br", None),
        ],
    )
    async def test_compressed_where_it_may_be(
        self, engine: AsyncEngine, sitting: AttemptClient, accepted: str, encoding: str | None
    ) -> None:
        answer = await paper(sitting, **{"Accept-Encoding": accepted})
        assert answer.headers.get("content-encoding") == encoding
        assert "Accept-Encoding" in answer.headers["vary"]
        async with reading(engine) as reads:
            attempt = await reads.attempts.latest(await user_id(sitting), AttemptScope(sitting.made.id))
            stored: Paper = await reads.tests.paper(attempt.paper_id)
        assert answer.content == stored.document

    async def test_it_is_fetched_once(self, sitting: AttemptClient) -> None:
        first = await paper(sitting)
        assert first.headers["cache-control"] == "private, no-cache"
        again = await paper(sitting, **{"If-None-Match": f'"other", {first.headers["etag"]}'})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
        assert (await paper(sitting, **{"If-None-Match": '"other"'})).status_code == 200

    async def test_who_has_no_attempt_sees_no_test(self, people: People, sitting: AttemptClient) -> None:
        stranger = await people.candidate()
        for path in (sitting.made.path, f"/tests/{uuid4()}"):
            assert (await stranger.get(f"{path}/questions")).status_code == 404
        async with people.client() as nobody:
            assert (await nobody.get(f"{sitting.made.path}/questions")).status_code == 401


class TestNextVersion:
    """An author changes and publishes again while somebody sits the test."""

    async def test_a_running_attempt_keeps_its_paper_key_and_marks(
        self, sitting: AttemptClient, author: httpx.AsyncClient, people: People
    ) -> None:
        made, before = sitting.made, await paper(sitting)
        changed = {
            "duration_seconds": 60,
            "marking": {"correct": "100", "incorrect": "0", "dropped": "prorate", "rounding": "half_up"},
            "sections": [{"name": "Shorter", "question_ids": [str(made.question_ids[2])]}],
        }
        assert (await author.patch(made.path, json=changed)).status_code == 200
        in_the_bank = {"text": "Changed?", "key": ["d"], "explanation": "Changed."}
        for question_id in made.question_ids:
            edited = await author.patch(f"/questions/{question_id}", json=in_the_bank)
            assert edited.json()["version"] == 2, edited.text
        assert (await author.post(f"/questions/{made.question_ids[0]}/retire")).status_code == 200
        published = await author.post(f"{made.path}/publish")
        assert published.json()["paper_version"] == 2, published.text
        resumed = await start(sitting.client, made)
        assert resumed.attempt["paper_version"] == 1
        assert resumed.attempt["deadline_at"] == sitting.attempt["deadline_at"]
        after = await paper(sitting)
        assert (after.content, after.headers["etag"]) == (before.content, before.headers["etag"])
        assert (await sitting.save(sitting.response(0, ["a"]))).json()["saved"] == 1
        await sitting.submit()
        result = await sitting.result()
        assert (result["score"], result["max_score"], len(result["questions"])) == ("2.00", "6.00", 3)
        assert [question["key"] for question in result["questions"]] == made.keys

        newcomer = await start(await people.candidate(), made)
        assert newcomer.attempt["paper_version"] == 2
        theirs = await paper(newcomer)
        assert theirs.headers["etag"] != before.headers["etag"]
        (question,) = theirs.json()["questions"]
        assert (question["id"], question["text"]) == (str(made.question_ids[2]), {"en": "Changed?"})
        refused = await newcomer.save(newcomer.response(0, ["a"]))
        assert refused.status_code == 422

    async def test_a_change_that_is_not_published_changes_nothing(
        self, made: PublishedTest, candidate: httpx.AsyncClient, people: People, author: httpx.AsyncClient
    ) -> None:
        before = await candidate.get(made.path)
        changes = {"title": "Another", "duration_seconds": 60, "languages": ["hi"], "sections": []}
        assert (await author.patch(made.path, json=changes)).status_code == 200
        assert (await candidate.get(made.path)).json() == before.json()
        result = await take_test(await people.candidate(), made, {0: ["a"]})
        assert (result["score"], result["max_score"]) == ("2.00", "6.00")

    async def test_the_bank_may_change_too(
        self, made: PublishedTest, sitting: AttemptClient, author: httpx.AsyncClient
    ) -> None:
        before = await paper(sitting)
        question = f"/questions/{made.question_ids[0]}"
        changed = await author.patch(question, json={"text": {"en": "Changed"}, "key": ["b"]})
        assert changed.status_code == 200, changed.text
        assert (await author.post(f"/questions/{made.question_ids[1]}/retire")).status_code == 200
        assert (await paper(sitting)).content == before.content
        await sitting.save(sitting.response(0, ["a"]), sitting.response(1, ["b"]))
        await sitting.submit()
        assert (await sitting.result())["correct"] == 2


async def user_id(sitting: AttemptClient) -> UUID:
    return UUID((await sitting.client.get("/auth/me")).json()["id"])
