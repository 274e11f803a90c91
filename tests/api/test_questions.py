"""The question bank over HTTP."""

from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.unit_of_work import unit_of_work
from tests.builders.content import add_questions, add_subject

UNKNOWN = uuid4()


@pytest.fixture
async def subject_id(engine: AsyncEngine) -> str:
    async with unit_of_work(engine) as uow:
        return str((await add_subject(uow)).id)


@pytest.fixture
async def body(subject_id: str) -> dict[str, Any]:
    """A whole question."""
    return {
        "subject_id": subject_id,
        "type": "single_choice",
        "text": {"en": "Which house has a Speaker?", "hi": "किस सदन में अध्यक्ष होता है?"},
        "options": [{"id": "a", "text": "Rajya Sabha"}, {"id": "b", "text": "Lok Sabha"}],
        "key": {"accepted": [["b"]]},
        "explanation": "Article 93.",
        "difficulty": "easy",
        "tags": ["parliament"],
        "source": "Mock 1",
        "external_id": f"X-{uuid4()}",
    }


async def make(author: httpx.AsyncClient, body: dict[str, Any]) -> dict[str, Any]:
    answer = await author.post("/questions", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def chapter_of(author: httpx.AsyncClient, subject_id: str) -> str:
    answer = await author.post(f"/subjects/{subject_id}/chapters", json={"slug": "one", "name": "One"})
    return str(answer.json()["id"])


async def fields(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [error["field"] for error in answer.json()["errors"]]


class TestCreate:
    async def test_a_question_comes_back_whole(self, author: httpx.AsyncClient, body: dict[str, Any]) -> None:
        made = await make(author, body)
        expected = body | {
            "options": [{"id": o["id"], "text": {"en": o["text"]}, "fixed": False} for o in body["options"]],
            "explanation": {"en": "Article 93."},
            "chapter_id": None,
            "passage_id": None,
            "media": [],
            "number": None,
            "status": "active",
            "version": 1,
        }
        assert {name: made[name] for name in expected} == expected
        read = (await author.get(f"/questions/{made['id']}")).json()
        assert {name: read[name] for name in made} == made
        assert [version["number"] for version in read["versions"]] == [1]

    @pytest.mark.parametrize(
        ("type_", "key", "stored"),
        [
            ("single_choice", ["b"], {"accepted": [["b"]]}),
            ("single_choice", {"accepted": [["b"], ["a"]]}, {"accepted": [["a"], ["b"]]}),
            ("multiple_choice", ["b", "a"], {"accepted": [["a", "b"]]}),
            ("true_false", ["false"], {"accepted": [["false"]]}),
            ("numeric", {"value": "3.14"}, {"value": "3.14", "tolerance": "0"}),
        ],
    )
    async def test_ways_to_write_a_key(
        self,
        author: httpx.AsyncClient,
        body: dict[str, Any],
        type_: str,
        key: Any,
        stored: dict[str, Any],
    ) -> None:
        options = body["options"] if type_.endswith("choice") else []
        made = await make(author, body | {"type": type_, "key": key, "options": options})
        assert made["key"] == stored

    async def test_a_wrong_field_is_named(self, author: httpx.AsyncClient, body: dict[str, Any]) -> None:
        wrong: list[tuple[dict[str, Any], str]] = [
            ({"key": ["e"]}, "key.accepted.0"),
            ({"key": ["a", "b"]}, "key.accepted.0"),
            ({"key": {"value": "1"}}, "key"),
            ({"key": {"accepted": [["a"]], "value": "1"}}, "key"),
            ({"key": {"dropped": False}}, "key.dropped"),
            ({"key": {"dropped": 1}}, "key.dropped"),
            ({"key": {"dropped": True, "accepted": [["a"]]}}, "key.accepted"),
            ({"key": "b"}, "key"),
            ({"key": {"accepted": []}}, "key"),
            ({"options": []}, "options"),
            ({"options": [{"id": "a", "text": "x"}, {"id": "a", "text": "y"}]}, "options.1.id"),
            ({"options": [{"id": "a", "text": " "}, {"id": "b", "text": "y"}]}, "options.0.text"),
            ({"text": ""}, "text"),
            ({"type": "essay"}, "type"),
            ({"difficulty": "tough"}, "difficulty"),
            ({"chapter_id": str(UNKNOWN)}, "chapter_id"),
            ({"subject_id": str(UNKNOWN)}, "subject_id"),
            ({"passage_id": str(UNKNOWN)}, "passage_id"),
            ({"media": ["image"]}, "media.0"),
            ({"media": [str(UNKNOWN)]}, "media.0"),
            ({"status": "retired"}, "status"),
            ({"number": 4}, "number"),
        ]
        for changes, field in wrong:
            answer = await author.post("/questions", json=body | changes)
            assert field in await fields(answer), changes

    async def test_a_chapter_belongs_to_the_subject(
        self, author: httpx.AsyncClient, body: dict[str, Any], subject_id: str, engine: AsyncEngine
    ) -> None:
        chapter_id = await chapter_of(author, subject_id)
        made = await make(author, body | {"chapter_id": chapter_id})
        assert made["chapter_id"] == chapter_id
        assert made["chapter"] == {"id": chapter_id, "name": {"en": "One"}}
        assert made["subject"] == {"id": subject_id, "name": {"en": "Polity"}}
        listed = (await author.get("/questions", params={"chapter_id": chapter_id})).json()["items"]
        assert [(each["subject"], each["chapter"]) for each in listed] == [(made["subject"], made["chapter"])]
        async with unit_of_work(engine) as uow:
            other = str((await add_subject(uow)).id)
        moved = await author.patch(f"/questions/{made['id']}", json={"subject_id": other})
        assert await fields(moved) == ["chapter_id"]
        moved = await author.patch(f"/questions/{made['id']}", json={"subject_id": other, "chapter_id": None})
        assert (moved.json()["subject"]["id"], moved.json()["chapter"]) == (other, None)

    async def test_a_draft_may_wait_for_its_key(
        self, author: httpx.AsyncClient, body: dict[str, Any]
    ) -> None:
        del body["key"]
        assert await fields(await author.post("/questions", json=body)) == ["key"]
        made = await make(author, body | {"status": "draft"})
        path = f"/questions/{made['id']}"
        assert await fields(await author.patch(path, json={"status": "active"})) == ["key"]
        changed = await author.patch(path, json={"status": "active", "key": ["b"]})
        assert (changed.json()["status"], changed.json()["version"]) == ("active", 2)

    async def test_an_external_id_is_unique(self, author: httpx.AsyncClient, body: dict[str, Any]) -> None:
        await make(author, body)
        again = await author.post("/questions", json=body)
        other = await make(author, body | {"external_id": None})
        moved = await author.patch(f"/questions/{other['id']}", json={"external_id": body["external_id"]})
        assert [answer.status_code for answer in (again, moved)] == [409, 409]
        assert again.json()["code"] == "already_exists"


class TestList:
    async def test_filters_narrow_together(
        self, author: httpx.AsyncClient, body: dict[str, Any], subject_id: str
    ) -> None:
        chapter_id = await chapter_of(author, subject_id)
        plain = body | {"external_id": None}
        one = await make(author, plain | {"chapter_id": chapter_id, "tags": ["x", "y"], "difficulty": "hard"})
        two = await make(author, plain | {"text": "What is 100% of a_b?", "tags": ["x"]})
        three = await make(author, plain | {"status": "draft", "tags": []})

        async def found(**filters: str) -> list[str]:
            answer = await author.get("/questions", params={"subject_id": subject_id, **filters})
            return [item["id"] for item in answer.json()["items"]]

        assert await found() == [one["id"], two["id"], three["id"]]
        assert await found(chapter_id=chapter_id) == [one["id"]]
        assert await found(tag="x") == [one["id"], two["id"]]
        assert await found(tag="x", difficulty="hard") == [one["id"]]
        assert await found(status="draft") == [three["id"]]
        assert await found(query="SPEAKER") == [one["id"], three["id"]]
        assert await found(query="अध्यक्ष") == [one["id"], three["id"]]
        assert await found(query="100%") == await found(query="a_b") == [two["id"]]
        assert await found(query="0%b") == await found(query="en") == []
        assert await found(subject_id=str(UNKNOWN)) == []

    async def test_pages_follow_each_other(
        self, author: httpx.AsyncClient, subject_id: str, body: dict[str, Any]
    ) -> None:
        made = [(await make(author, body | {"external_id": None}))["id"] for _ in range(3)]
        wanted: dict[str, Any] = {"subject_id": subject_id, "limit": 2}
        first = (await author.get("/questions", params=wanted)).json()
        second = (await author.get("/questions", params=wanted | {"cursor": first["next_cursor"]})).json()
        assert [item["id"] for item in first["items"] + second["items"]] == made
        assert second["next_cursor"] is None

    async def test_an_old_version_is_not_found(
        self, author: httpx.AsyncClient, body: dict[str, Any], subject_id: str
    ) -> None:
        made = await make(author, body)
        await author.patch(f"/questions/{made['id']}", json={"text": "Another", "tags": ["new"]})
        for old in ({"query": "Speaker"}, {"tag": "parliament"}):
            listed = await author.get("/questions", params={"subject_id": subject_id, **old})
            assert listed.json()["items"] == []


class TestChange:
    async def test_what_it_says_is_kept_in_versions(
        self, author: httpx.AsyncClient, body: dict[str, Any]
    ) -> None:
        made = await make(author, body)
        path = f"/questions/{made['id']}"
        changed = (await author.patch(path, json={"key": ["a"], "explanation": None})).json()
        assert (changed["version"], changed["key"]) == (2, {"accepted": [["a"]]})
        assert changed["options"] == made["options"]
        versions = (await author.get(path)).json()["versions"]
        assert [(version["number"], version["key"]) for version in versions] == [
            (2, {"accepted": [["a"]]}),
            (1, {"accepted": [["b"]]}),
        ]
        assert [version["explanation"] for version in versions] == [None, {"en": "Article 93."}]
        assert versions[0]["created_by"] == (await author.get("/auth/me")).json()["id"]

    async def test_a_change_that_changes_nothing_makes_no_version(
        self, author: httpx.AsyncClient, body: dict[str, Any]
    ) -> None:
        made = await make(author, body)
        for same in ({}, {name: body[name] for name in ("text", "options", "key", "tags", "source")}):
            answer = await author.patch(f"/questions/{made['id']}", json=same)
            assert answer.json() == made | {"kept_by": []}

    async def test_a_place_has_no_versions(self, author: httpx.AsyncClient, body: dict[str, Any]) -> None:
        made = await make(author, body)
        changes = {"source": None, "external_id": None, "status": "draft"}
        changed = (await author.patch(f"/questions/{made['id']}", json=changes)).json()
        assert {name: changed[name] for name in changes} == changes
        assert changed["version"] == 1

    async def test_the_whole_is_checked_again(self, author: httpx.AsyncClient, body: dict[str, Any]) -> None:
        made = await make(author, body)
        path = f"/questions/{made['id']}"
        options = [{"id": "x", "text": "One"}, {"id": "y", "text": "Two"}]
        assert await fields(await author.patch(path, json={"options": options})) == ["key.accepted.0"]
        assert await fields(await author.patch(path, json={"type": None})) == ["body"]
        assert (await author.get(path)).json()["version"] == 1

    async def test_a_key_is_taken_as_it_is_shown(
        self, author: httpx.AsyncClient, body: dict[str, Any]
    ) -> None:
        dropped: dict[str, Any] = {"dropped": True}
        assert (await make(author, body | {"key": dropped, "external_id": "dropped"}))["key"] == dropped
        made = await make(author, body | {"external_id": "another"})
        path = f"/questions/{made['id']}"
        changed = (await author.patch(path, json={"key": dropped})).json()
        assert (changed["version"], changed["key"]) == (2, dropped)
        again = (await author.patch(path, json={"key": made["key"]})).json()
        assert (again["version"], again["key"]) == (3, made["key"])

    async def test_a_dropped_question_may_change_otherwise(
        self, author: httpx.AsyncClient, engine: AsyncEngine
    ) -> None:
        async with unit_of_work(engine) as uow:
            (question_id,) = await add_questions(uow, [{"dropped": True}])
        changed = await author.patch(f"/questions/{question_id}", json={"tags": ["withdrawn"]})
        assert changed.json()["key"] == {"dropped": True}
        assert changed.json()["version"] == 2


class TestRetire:
    async def test_a_retired_question_can_come_back(
        self, author: httpx.AsyncClient, body: dict[str, Any]
    ) -> None:
        made = await make(author, body)
        path = f"/questions/{made['id']}"
        for _ in range(2):
            assert (await author.post(f"{path}/retire")).json()["status"] == "retired"
        assert (await author.patch(path, json={"status": "active"})).json()["status"] == "active"

    async def test_an_unknown_question(self, author: httpx.AsyncClient) -> None:
        answers = [
            await author.get(f"/questions/{UNKNOWN}"),
            await author.patch(f"/questions/{UNKNOWN}", json={}),
            await author.post(f"/questions/{UNKNOWN}/retire"),
        ]
        assert [answer.status_code for answer in answers] == [404] * 3


class TestRoles:
    async def test_candidates_see_nothing_of_the_bank(
        self, author: httpx.AsyncClient, candidate: httpx.AsyncClient, body: dict[str, Any]
    ) -> None:
        made = await make(author, body)
        path = f"/questions/{made['id']}"
        refused = [
            await candidate.get("/questions"),
            await candidate.get(path),
            await candidate.patch(path, json={}),
            await candidate.post(f"{path}/retire"),
            await candidate.post("/questions", json=body),
            await candidate.post("/questions/import", files={"file": b"question,key\n"}),
        ]
        assert [answer.status_code for answer in refused] == [403] * 6
        assert not any("Article 93" in answer.text for answer in refused)

    async def test_evaluators_only_read(
        self, author: httpx.AsyncClient, people: Any, body: dict[str, Any]
    ) -> None:
        made = await make(author, body)
        evaluator = await people.member("evaluator")
        assert (await evaluator.get(f"/questions/{made['id']}")).json()["key"] == {"accepted": [["b"]]}
        assert (await evaluator.patch(f"/questions/{made['id']}", json={})).status_code == 403


class TestImport:
    SHEET = "number,source,subject,question,option_a,option_b,key\n1,{source},Polity,Which {source}?,x,y,b\n"

    async def test_a_sheet_over_http(self, author: httpx.AsyncClient) -> None:
        subject, sheet = f"General {uuid4()}", self.SHEET.format(source=uuid4())
        form = {"subject": subject}
        dry = await author.post("/questions/import", files={"file": sheet}, data=form | {"dry_run": "true"})
        first = await author.post("/questions/import", files={"file": sheet}, data=form)
        second = await author.post("/questions/import", files={"file": sheet}, data=form)
        made = first.json()["questions"]
        assert [question["row"] for question in made] == [2]
        nothing = {
            "format": "sheet",
            "created": 0,
            "updated": 0,
            "unchanged": 0,
            "updated_columns": {},
            "passages_created": 0,
            "passages_updated": 0,
            "errors": [],
            "warnings": [],
            "questions": [],
        }
        assert [answer.json() for answer in (dry, first, second)] == [
            nothing | {"created": 1},
            nothing | {"created": 1, "questions": made},
            nothing | {"unchanged": 1, "questions": made},
        ]

    async def test_a_mapping_names_columns(self, author: httpx.AsyncClient) -> None:
        sheet = "question,option_a,option_b,Right one,Remarks\nWhich of the two?,x,y,b,fine\n"
        form = {"subject": f"General {uuid4()}", "dry_run": "true"}
        mapping = '{"Right one": "key", "Remarks": "ignore"}'
        mapped = await author.post(
            "/questions/import", files={"file": sheet}, data=form | {"mapping": mapping}
        )
        assert (mapped.json()["created"], mapped.json()["warnings"][0]["cell"]) == (1, "E1")
        for wrong in ('{"Right one": "keys"}', "Right one=key", "[]"):
            refused = await author.post(
                "/questions/import", files={"file": sheet}, data=form | {"mapping": wrong}
            )
            assert await fields(refused) == ["mapping"]

    async def test_a_wrong_row_is_told_with_200(self, author: httpx.AsyncClient) -> None:
        sheet = self.SHEET.format(source=uuid4()) + "2,Mock,Polity,Which two?,x,y,c\n"
        answer = await author.post("/questions/import", files={"file": sheet})
        assert answer.status_code == 200
        message = '"c" is no option of this question. Its options: a, b.'
        assert answer.json() == {
            "format": "sheet",
            "created": 0,
            "updated": 0,
            "unchanged": 0,
            "updated_columns": {},
            "passages_created": 0,
            "passages_updated": 0,
            "errors": [{"row": 3, "field": "key", "message": message, "cell": "G3"}],
            "warnings": [],
            "questions": [],
        }

    async def test_what_is_no_sheet_is_refused(self, author: httpx.AsyncClient) -> None:
        wrong: list[tuple[bytes, dict[str, str], str]] = [
            ("Frühling".encode("latin-1"), {}, "file"),
            (b"PK\x03\x04", {}, "file"),
            (b"", {}, "file"),
            (b"question,key\n", {"empty_key": "skip"}, "empty_key"),
            (b"question,key\n", {"subject": "s" * 301}, "subject"),
        ]
        for file, form, field in wrong:
            answer = await author.post("/questions/import", files={"file": file}, data=form)
            assert await fields(answer) == [field], file

    async def test_a_missing_file_is_named(self, author: httpx.AsyncClient) -> None:
        answer = await author.post("/questions/import", data={"dry_run": "true"})
        assert await fields(answer) == ["file"]

    async def test_a_dropped_question_is_told_by_the_form(self, author: httpx.AsyncClient) -> None:
        sheet = self.SHEET.format(source=uuid4()).replace(",b\n", ",\n")
        for empty_key, errors in (("error", 1), ("dropped", 0)):
            answer = await author.post(
                "/questions/import", files={"file": sheet}, data={"empty_key": empty_key}
            )
            assert len(answer.json()["errors"]) == errors
