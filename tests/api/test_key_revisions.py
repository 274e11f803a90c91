"""Key revisions over HTTP: dry runs, who may make them, and what makes them stale."""

from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import take_test
from tests.builders.content import PublishedTest, publish_test
from tests.builders.exams import body_of
from tests.builders.key_revisions import dry_run, revision_body
from tests.builders.people import People, user_id_of

B = {"accepted": [["b"]]}


@pytest.fixture
async def made(engine: AsyncEngine, author: httpx.AsyncClient) -> PublishedTest:
    """A test of three questions, keyed a, b, c, whose author is `author`."""
    created_by = await user_id_of(author)
    async with unit_of_work(engine) as uow:
        return await publish_test(uow, created_by=created_by)


class TestDryRun:
    async def test_shows_the_impact_and_changes_nothing(
        self, people: People, author: httpx.AsyncClient, made: PublishedTest
    ) -> None:
        first, second = await people.candidate("First"), await people.candidate("Second")
        await take_test(first, made, {0: ["a"], 1: ["b"]})
        await take_test(second, made, {0: ["b"], 1: ["b"]})
        shown = await dry_run(author, made, (0, ["b"]))
        assert (shown["number"], shown["status"], shown["keep"]) == (1, "dry_run", "new")
        assert shown["changes"] == [
            {
                "question_id": str(made.question_ids[0]),
                "number": 1,
                "key_before": {"accepted": [["a"]]},
                "key": B,
            }
        ]
        assert shown["papers"] == [{"id": shown["papers"][0]["id"], "version": 1}]
        impact = shown["impact"]
        assert {name: impact[name] for name in ("attempts", "scores_changed", "ranks_changed")} == {
            "attempts": 2,
            "scores_changed": 2,
            "ranks_changed": 2,
        }
        assert impact["qualified_changed"] == 0
        biggest = [
            (each["score_before"], each["score_after"], each["rank_before"], each["rank_after"])
            for each in impact["biggest_changes"]
        ]
        assert sorted(biggest) == [("1.34", "4.00", 2, 1), ("4.00", "1.34", 1, 2)]
        assert impact["distribution"] == [{"marks": -3, "attempts": 1}, {"marks": 3, "attempts": 1}]
        result = body_of(await first.get(f"{made.path}/results"))
        assert (result["score"], result["rank"]) == ("4.00", 1)

    async def test_keep_higher_takes_nothing_away(
        self, people: People, author: httpx.AsyncClient, made: PublishedTest
    ) -> None:
        await take_test(await people.candidate(), made, {0: ["a"]})
        await take_test(await people.candidate(), made, {0: ["b"]})
        impact = (await dry_run(author, made, (0, ["b"]), keep="higher"))["impact"]
        assert (impact["scores_changed"], impact["ranks_changed"]) == (1, 1)
        assert impact["distribution"] == [{"marks": 3, "attempts": 1}]

    async def test_several_answers_and_dropping_by_a_rule(
        self, people: People, author: httpx.AsyncClient, made: PublishedTest
    ) -> None:
        await take_test(await people.candidate(), made, {0: ["b"], 1: ["a"]})
        dropped = {"dropped": True, "rule": "full_marks_to_all"}
        shown = await dry_run(author, made, (0, {"accepted": [["a"], ["b"]]}), (1, dropped))
        assert [change["key"] for change in shown["changes"]] == [{"accepted": [["a"], ["b"]]}, dropped]
        (change,) = shown["impact"]["biggest_changes"]
        assert (change["score_before"], change["score_after"]) == ("-1.34", "4.00")

    async def test_nobody_has_taken_it(self, author: httpx.AsyncClient, made: PublishedTest) -> None:
        shown = await dry_run(author, made, (0, {"dropped": True}))
        assert shown["impact"]["attempts"] == 0
        assert shown["progress"] == {"done": 0, "total": 0}

    async def test_names_tests_that_keep_their_key(
        self, engine: AsyncEngine, author: httpx.AsyncClient, made: PublishedTest
    ) -> None:
        async with unit_of_work(engine) as uow:
            other = await publish_test(uow, same_as=made)
        shown = await dry_run(author, made, (0, ["b"]), (2, ["d"]))
        assert {(each["test_id"], each["question_id"]) for each in shown["not_revised"]} == {
            (str(other.id), str(made.question_ids[place])) for place in (0, 2)
        }

    async def test_reaches_all_versions_that_have_the_question(
        self, people: People, author: httpx.AsyncClient, made: PublishedTest
    ) -> None:
        await take_test(await people.candidate(), made, {0: ["b"]})
        body_of(await author.patch(made.path, json={"title": "Again"}))
        body_of(await author.post(f"{made.path}/publish"))
        await take_test(await people.candidate(), made, {0: ["b"]})
        shown = await dry_run(author, made, (0, ["b"]))
        assert [paper["version"] for paper in shown["papers"]] == [2, 1]
        assert shown["impact"]["scores_changed"] == 2

    async def test_refuses(self, author: httpx.AsyncClient, made: PublishedTest) -> None:
        wrong: list[tuple[list[tuple[int, Any]], str]] = [
            ([(0, ["a"])], "changes"),  # the key that it has
            ([(0, ["e"])], "changes.0.key.accepted.0"),  # an option that it has not
            ([(0, {"value": "3"})], "changes.0.key"),  # the key of another type
            ([(0, {"accepted": []})], "changes.0.key"),  # no key
            ([(0, ["b"]), (0, ["c"])], "changes.1.question_id"),  # a question twice
            ([(n, {"dropped": True}) for n in range(3)], "changes"),  # all dropped
            ([], "changes"),  # nothing
            ([(0, {"dropped": True, "rule": "none"})], "changes.0.key.rule"),  # no such rule
        ]
        for changes, field in wrong:
            answer = await author.post(f"{made.path}/key-revisions", json=revision_body(made, *changes))
            assert answer.status_code == 422, answer.text
            assert answer.json()["errors"][0]["field"] == field, changes

    async def test_refuses_a_question_of_another_test(
        self, author: httpx.AsyncClient, made: PublishedTest
    ) -> None:
        changes = [{"question_id": str(uuid4()), "key": ["a"]}]
        answer = await author.post(
            f"{made.path}/key-revisions", json={"changes": changes, "reason": "It is wrong."}
        )
        assert answer.json()["errors"][0]["field"] == "changes.0.question_id"


class TestWho:
    async def test_only_the_author_of_the_test_and_admins(
        self, people: People, admin: httpx.AsyncClient, made: PublishedTest
    ) -> None:
        other = await people.member("author")
        refused = await other.post(f"{made.path}/key-revisions", json=revision_body(made, (0, ["b"])))
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
        assert (await dry_run(admin, made, (0, ["b"])))["number"] == 1
        for path in ("", "/1"):
            assert (await other.get(f"{made.path}/key-revisions{path}")).status_code == 403


class TestList:
    async def test_the_newest_first(self, author: httpx.AsyncClient, made: PublishedTest) -> None:
        assert body_of(await author.get(f"{made.path}/key-revisions"))["items"] == []
        await dry_run(author, made, (0, ["b"]))
        await dry_run(author, made, (0, ["c"]))
        listed = body_of(await author.get(f"{made.path}/key-revisions"))["items"]
        assert [each["number"] for each in listed] == [2, 1]
        assert body_of(await author.get(f"{made.path}/key-revisions/1"))["changes"][0]["key"] == B

    async def test_one_that_there_is_not(self, author: httpx.AsyncClient, made: PublishedTest) -> None:
        for method, path in (("GET", "/7"), ("DELETE", "/7")):
            answer = await author.request(method, f"{made.path}/key-revisions{path}")
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


class TestWithdraw:
    async def test_again_is_harmless(self, author: httpx.AsyncClient, made: PublishedTest) -> None:
        await dry_run(author, made, (0, ["b"]))
        path = f"{made.path}/key-revisions/1"
        for _ in range(2):
            assert (await author.delete(path)).status_code == 204
        assert body_of(await author.get(path))["status"] == "withdrawn"
