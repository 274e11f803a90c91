"""Subjects and chapters over HTTP."""

from typing import Any
from uuid import uuid4

import httpx

UNKNOWN = uuid4()


async def make(author: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await author.post("/subjects", json={"slug": f"s-{uuid4().hex}", "name": "Polity", **changes})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def make_chapter(author: httpx.AsyncClient, subject: dict[str, Any], **changes: Any) -> dict[str, Any]:
    body = {"slug": f"c-{uuid4().hex}", "name": "Parliament", **changes}
    answer = await author.post(f"/subjects/{subject['id']}/chapters", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def path(subject: dict[str, Any], chapter: dict[str, Any] | None = None) -> str:
    return f"/subjects/{subject['id']}" + (f"/chapters/{chapter['id']}" if chapter else "")


class TestSubjects:
    async def test_what_an_author_makes_candidates_read(
        self, author: httpx.AsyncClient, candidate: httpx.AsyncClient
    ) -> None:
        made = await make(
            author, name={"en": "Polity", "hi": "राजव्यवस्था"}, description="The state", position=3
        )
        assert made == {
            "id": made["id"],
            "slug": made["slug"],
            "name": {"en": "Polity", "hi": "राजव्यवस्था"},
            "description": {"en": "The state"},
            "position": 3,
        }
        assert (await candidate.get(path(made))).json() == made

    async def test_the_list_follows_positions(
        self, author: httpx.AsyncClient, candidate: httpx.AsyncClient
    ) -> None:
        later = await make(author, position=900_001)
        sooner = await make(author, position=900_000)
        found, cursor = [], ""
        while True:
            answer = (await candidate.get(f"/subjects?limit=100{cursor}")).json()
            found += [item["id"] for item in answer["items"]]
            if not answer["next_cursor"]:
                break
            cursor = f"&cursor={answer['next_cursor']}"
        assert found.index(sooner["id"]) + 1 == found.index(later["id"])
        assert len(found) == len(set(found))

    async def test_a_wrong_field_is_named(self, author: httpx.AsyncClient) -> None:
        wrong: list[tuple[dict[str, Any], str]] = [
            ({"slug": "Not a slug", "name": "x"}, "slug"),
            ({"slug": "fine", "name": " "}, "name"),
            ({"slug": "fine", "name": {}}, "name"),
            ({"slug": "fine", "name": {"english!": "x"}}, "name.english!"),
            ({"slug": "fine", "name": "x", "colour": "red"}, "colour"),
            ({"slug": "fine", "name": "x", "position": -1}, "position"),
        ]
        for body, field in wrong:
            answer = await author.post("/subjects", json=body)
            assert answer.status_code == 422, body
            assert [error["field"] for error in answer.json()["errors"]] == [field], body

    async def test_a_slug_is_unique(self, author: httpx.AsyncClient) -> None:
        one, other = await make(author), await make(author)
        again = await author.post("/subjects", json={"slug": one["slug"], "name": "Again"})
        moved = await author.patch(path(other), json={"slug": one["slug"]})
        assert [answer.status_code for answer in (again, moved)] == [409, 409]
        assert {answer.json()["code"] for answer in (again, moved)} == {"already_exists"}

    async def test_what_is_left_out_of_a_change_stays(self, author: httpx.AsyncClient) -> None:
        made = await make(author, description="Old", position=5)
        changed = await author.patch(path(made), json={"name": "New", "description": None})
        assert changed.json() == made | {"name": {"en": "New"}, "description": None}
        assert (await author.patch(path(made), json={})).json() == changed.json()

    async def test_what_is_required_cannot_be_emptied(self, author: httpx.AsyncClient) -> None:
        answer = await author.patch(path(await make(author)), json={"name": None})
        assert answer.status_code == 422
        assert "name cannot be null" in answer.json()["errors"][0]["message"]

    async def test_a_deleted_subject_is_gone(self, author: httpx.AsyncClient) -> None:
        made = await make(author)
        assert (await author.delete(path(made))).status_code == 204
        assert (await author.delete(path(made))).status_code == 404
        assert (await author.get(path(made))).status_code == 404

    async def test_a_subject_in_use_stays(self, author: httpx.AsyncClient) -> None:
        subject = await make(author)
        chapter = await make_chapter(author, subject)
        refused = await author.delete(path(subject))
        assert (refused.status_code, refused.json()["code"]) == (409, "in_use")
        assert refused.json()["detail"] == "The subject still has chapters."
        assert (await author.delete(path(subject, chapter))).status_code == 204
        assert (await author.delete(path(subject))).status_code == 204

    async def test_an_unknown_subject(self, author: httpx.AsyncClient) -> None:
        for method, place in [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("GET", "/chapters")]:
            body: dict[str, str] | None = {} if method == "PATCH" else None
            answer = await author.request(method, f"/subjects/{UNKNOWN}{place}", json=body)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), method

    async def test_candidates_only_read(
        self, author: httpx.AsyncClient, candidate: httpx.AsyncClient, api: httpx.AsyncClient
    ) -> None:
        made = await make(author)
        body = {"slug": "mine", "name": "Mine"}
        refused = [
            await candidate.post("/subjects", json=body),
            await candidate.patch(path(made), json=body),
            await candidate.delete(path(made)),
            await candidate.post(f"{path(made)}/chapters", json=body),
        ]
        assert [answer.status_code for answer in refused] == [403] * 4
        assert (await api.get("/subjects")).status_code == 401


class TestChapters:
    async def test_a_tree(self, author: httpx.AsyncClient, candidate: httpx.AsyncClient) -> None:
        subject = await make(author)
        below = await make_chapter(author, subject, position=1)
        above = await make_chapter(author, subject, position=0)
        moved = await author.patch(path(subject, below), json={"parent_id": above["id"]})
        assert moved.json() == below | {"parent_id": above["id"]}
        listed = (await candidate.get(f"{path(subject)}/chapters")).json()
        assert [(item["id"], item["parent_id"]) for item in listed["items"]] == [
            (above["id"], None),
            (below["id"], above["id"]),
        ]

    async def test_a_chapter_cannot_stand_below_itself(self, author: httpx.AsyncClient) -> None:
        subject = await make(author)
        top = await make_chapter(author, subject)
        middle = await make_chapter(author, subject, parent_id=top["id"])
        bottom = await make_chapter(author, subject, parent_id=middle["id"])
        for parent in (top, bottom):
            answer = await author.patch(path(subject, top), json={"parent_id": parent["id"]})
            assert answer.status_code == 422
            assert answer.json()["errors"][0]["field"] == "parent_id"

    async def test_a_parent_is_of_the_same_subject(self, author: httpx.AsyncClient) -> None:
        subject, other = await make(author), await make(author)
        stranger = await make_chapter(author, other)
        for parent_id in (stranger["id"], str(UNKNOWN)):
            body = {"slug": "below", "name": "Below", "parent_id": parent_id}
            answer = await author.post(f"{path(subject)}/chapters", json=body)
            assert answer.status_code == 422
            assert answer.json()["errors"][0]["field"] == "parent_id"

    async def test_a_chapter_is_found_in_its_own_subject_alone(self, author: httpx.AsyncClient) -> None:
        subject, other = await make(author), await make(author)
        chapter = await make_chapter(author, other)
        assert (await author.patch(path(subject, chapter), json={})).status_code == 404
        assert (await author.delete(path(subject, chapter))).status_code == 404

    async def test_a_slug_is_unique_within_a_subject(self, author: httpx.AsyncClient) -> None:
        subject, other = await make(author), await make(author)
        chapter = await make_chapter(author, subject)
        await make_chapter(author, other, slug=chapter["slug"])
        body = {"slug": chapter["slug"], "name": "Again"}
        answer = await author.post(f"{path(subject)}/chapters", json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, "already_exists")

    async def test_a_chapter_in_use_stays(self, author: httpx.AsyncClient) -> None:
        subject = await make(author)
        above = await make_chapter(author, subject)
        await make_chapter(author, subject, parent_id=above["id"])
        refused = await author.delete(path(subject, above))
        assert (refused.status_code, refused.json()["code"]) == (409, "in_use")
