"""Passages over HTTP: written, found, revised, retired; and a running attempt that keeps its own."""

from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.components import Components
from app.services.questions import media, passages
from app.services.questions.passages import PassageDraft
from app.services.unit_of_work import unit_of_work
from tests.builders.content import UPSC, add_subject
from tests.builders.images import new_image, uploaded
from tests.builders.people import People, add_stranger

Json = dict[str, Any]
UNKNOWN = uuid4()


async def make(author: httpx.AsyncClient, **changes: Any) -> Json:
    body = {"text": {"en": f"Passage {uuid4().hex}", "hi": "गद्यांश"}, "external_id": f"P-{uuid4()}"}
    answer = await author.post("/passages", json=body | changes)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def read(client: httpx.AsyncClient, passage: Json) -> Json:
    answer = await client.get(f"/passages/{passage['id']}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@pytest.fixture
async def subject_id(engine: AsyncEngine) -> str:
    async with unit_of_work(engine) as uow:
        return str((await add_subject(uow)).id)


async def question_of(author: httpx.AsyncClient, subject_id: str, passage: Json) -> str:
    """A question that has the passage."""
    body = {
        "subject_id": subject_id,
        "type": "true_false",
        "text": "Is it so?",
        "key": ["true"],
        "passage_id": passage["id"],
    }
    answer = await author.post("/questions", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


class TestCreate:
    async def test_a_passage_comes_back_whole(self, author: httpx.AsyncClient) -> None:
        image = await uploaded(author)
        made = await make(author, text="Read this.", media=[image["id"].upper()])
        assert made["text"] == {"en": "Read this."}
        assert (made["media"], made["status"], made["version"]) == ([image["id"]], "active", 1)
        whole = await read(author, made)
        assert {name: whole[name] for name in made} == made
        assert [(each["number"], each["text"]) for each in whole["versions"]] == [(1, {"en": "Read this."})]

    async def test_images_must_be_there_and_ours(
        self, author: httpx.AsyncClient, engine: AsyncEngine, parts: Components
    ) -> None:
        ours = await uploaded(author)
        async with unit_of_work(engine) as uow:
            theirs = await media.upload(uow, parts.media, await add_stranger(uow), new_image())
        shown = [ours["id"], str(theirs.media.id), str(UNKNOWN)]
        refused = await author.post("/passages", json={"text": "Read this.", "media": shown})
        assert refused.status_code == 422
        assert [error["field"] for error in refused.json()["errors"]] == ["media.1", "media.2"]

    async def test_media_are_ids(self, author: httpx.AsyncClient) -> None:
        wrong: list[Any] = [["map.png"], [str(UNKNOWN), str(UNKNOWN)], [str(UNKNOWN)] * 21, "x"]
        for shown in wrong:
            refused = await author.post("/passages", json={"text": "Read this.", "media": shown})
            assert refused.status_code == 422, shown

    async def test_an_external_id_is_used_once(self, author: httpx.AsyncClient) -> None:
        made = await make(author)
        again = await author.post("/passages", json={"text": "x", "external_id": made["external_id"]})
        assert (again.status_code, again.json()["code"]) == (409, "already_exists")


class TestList:
    async def test_by_a_part_of_the_text_in_any_language(self, author: httpx.AsyncClient) -> None:
        word = uuid4().hex
        first = await make(author, text={"en": f"The {word} of 1857", "hi": "एक"})
        second = await make(author, text={"hi": f"पहला {word.upper()}"})
        await make(author)
        page = (await author.get("/passages", params={"query": word, "limit": 1})).json()
        assert [item["id"] for item in page["items"]] == [first["id"]]
        rest = await author.get("/passages", params={"query": word, "cursor": page["next_cursor"]})
        assert [item["id"] for item in rest.json()["items"]] == [second["id"]]
        assert rest.json()["next_cursor"] is None

    async def test_by_status(self, author: httpx.AsyncClient) -> None:
        word = uuid4().hex
        made = [await make(author, text=f"{word} {number}") for number in range(2)]
        await author.post(f"/passages/{made[0]['id']}/retire")
        for status, expected in (("retired", made[:1]), ("active", made[1:])):
            page = (await author.get("/passages", params={"query": word, "status": status})).json()
            assert [item["id"] for item in page["items"]] == [each["id"] for each in expected]

    async def test_a_wildcard_is_a_character(self, author: httpx.AsyncClient) -> None:
        word = uuid4().hex
        await make(author, text=f"{word} percent")
        assert (await author.get("/passages", params={"query": f"{word}%"})).json()["items"] == []


class TestChange:
    async def test_what_it_says_becomes_the_next_version(self, author: httpx.AsyncClient) -> None:
        made, image = await make(author, text="One"), await uploaded(author)
        for changes in ({"text": "Two"}, {"media": [image["id"]]}):
            answer = await author.patch(f"/passages/{made['id']}", json=changes)
            assert answer.status_code == 200, answer.text
        whole = await read(author, made)
        assert (whole["version"], whole["text"], whole["media"]) == (3, {"en": "Two"}, [image["id"]])
        assert [(each["number"], each["text"]["en"], len(each["media"])) for each in whole["versions"]] == [
            (3, "Two", 1),
            (2, "Two", 0),
            (1, "One", 0),
        ]

    async def test_a_change_that_changes_nothing_makes_none(self, author: httpx.AsyncClient) -> None:
        made = await make(author, text="One")
        nothing: list[Json] = [
            {},
            {"text": {"en": "One"}},
            {"media": []},
            {"external_id": made["external_id"]},
        ]
        for changes in nothing:
            assert (await author.patch(f"/passages/{made['id']}", json=changes)).status_code == 200
        assert [each["number"] for each in (await read(author, made))["versions"]] == [1]

    async def test_its_name_has_no_versions(self, author: httpx.AsyncClient) -> None:
        made, other = await make(author), await make(author)
        taken = await author.patch(f"/passages/{made['id']}", json={"external_id": other["external_id"]})
        assert (taken.status_code, taken.json()["code"]) == (409, "already_exists")
        freed = await author.patch(f"/passages/{made['id']}", json={"external_id": None})
        assert (freed.json()["external_id"], freed.json()["version"]) == (None, 1)

    async def test_nonsense_is_refused(self, author: httpx.AsyncClient) -> None:
        wrong: list[dict[str, Any]] = [{"text": None}, {"text": {}}, {"status": "retired"}, {"id": "x"}]
        made = await make(author)
        for changes in wrong:
            assert (await author.patch(f"/passages/{made['id']}", json=changes)).status_code == 422, changes


class TestEnd:
    async def test_a_passage_in_use_is_kept(self, author: httpx.AsyncClient, subject_id: str) -> None:
        made = await make(author)
        question_id = await question_of(author, subject_id, made)
        for answer in (
            await author.post(f"/passages/{made['id']}/retire"),
            await author.delete(f"/passages/{made['id']}"),
        ):
            assert (answer.status_code, answer.json()["code"]) == (409, "in_use")
        await author.post(f"/questions/{question_id}/retire")
        assert (await author.post(f"/passages/{made['id']}/retire")).json()["status"] == "retired"
        assert (await author.post(f"/passages/{made['id']}/retire")).status_code == 200
        assert (await author.delete(f"/passages/{made['id']}")).status_code == 409

    async def test_a_retired_one_comes_back(self, author: httpx.AsyncClient) -> None:
        made = await make(author)
        await author.post(f"/passages/{made['id']}/retire")
        back = await author.patch(f"/passages/{made['id']}", json={"status": "active"})
        assert (back.json()["status"], back.json()["version"]) == ("active", 1)

    async def test_one_that_no_question_has_can_go(self, author: httpx.AsyncClient) -> None:
        made = await make(author)
        assert (await author.delete(f"/passages/{made['id']}")).status_code == 204
        assert (await author.get(f"/passages/{made['id']}")).status_code == 404


class TestWhoMay:
    CALLS = (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/retire"))

    @pytest.mark.parametrize("role", ["student", "proctor"])
    async def test_nobody_from_outside_the_bank(
        self, author: httpx.AsyncClient, people: People, role: str
    ) -> None:
        made, client = await make(author), await people.member(role)
        for method, path in self.CALLS:
            assert (await client.request(method, f"/passages/{made['id']}{path}")).status_code in (403, 422)
        assert (await client.get(f"/passages/{made['id']}")).status_code == 403
        assert (await client.get("/passages")).status_code == 403
        assert (await client.post("/passages", json={"text": "x"})).status_code == 403
        assert (await read(author, made))["status"] == "active"

    async def test_an_evaluator_reads(self, author: httpx.AsyncClient, people: People) -> None:
        made, evaluator = await make(author), await people.member("evaluator")
        assert (await read(evaluator, made))["id"] == made["id"]
        assert (await evaluator.get("/passages")).status_code == 200
        assert (await evaluator.patch(f"/passages/{made['id']}", json={})).status_code == 403

    async def test_another_institutes_passages_are_not_there(
        self, author: httpx.AsyncClient, engine: AsyncEngine
    ) -> None:
        name, word = f"P-{uuid4()}", uuid4().hex
        async with unit_of_work(engine) as uow:
            other = await add_stranger(uow)
            theirs = await passages.create(uow, other, PassageDraft({"en": word}, external_id=name))
        for method, path in self.CALLS:
            body = {"text": "Ours"} if method == "PATCH" else None
            answer = await author.request(method, f"/passages/{theirs.id}{path}", json=body)
            assert answer.status_code == 404
        assert (await author.get("/passages", params={"query": word})).json()["items"] == []
        await make(author, external_id=name)


class TestFrozen:
    async def test_an_attempt_begun_on_version_1_shows_version_1(
        self, author: httpx.AsyncClient, people: People, subject_id: str
    ) -> None:
        passage = await make(author, text="As it was.")
        question_id = await question_of(author, subject_id, passage)
        draft = {
            "title": "Comprehension",
            "kind": "practice",
            "duration_seconds": 600,
            "marking": UPSC,
            "sections": [{"name": "Paper", "question_ids": [question_id]}],
        }
        path = f"/tests/{(await author.post('/tests', json=draft)).json()['id']}"
        assert (await author.post(f"{path}/publish")).status_code == 200
        early, late = await people.candidate(), await people.candidate()
        await early.post(f"{path}/start")
        before = await early.get(f"{path}/questions")
        assert texts(before) == ["As it was."]

        assert (await author.patch(f"/passages/{passage['id']}", json={"text": "Mended."})).status_code == 200
        assert (await early.get(f"{path}/questions")).content == before.content
        assert (await author.post(f"{path}/publish")).json()["paper_version"] == 2
        await early.post(f"{path}/start")
        assert (await early.get(f"{path}/questions")).content == before.content
        await late.post(f"{path}/start")
        assert texts(await late.get(f"{path}/questions")) == ["Mended."]


def texts(paper: httpx.Response) -> list[str]:
    return [passage["text"]["en"] for passage in paper.json()["passages"]]
