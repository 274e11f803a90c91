"""Ranks by marking: attempts at versions with other marks or another key are not in one list."""

from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import start, take_test
from tests.builders.content import UPSC, PublishedTest, publish_test
from tests.builders.exams import Json, body_of
from tests.builders.people import People

HARSH = UPSC | {"incorrect": "-2"}
ONE_WRONG = {0: ["a"], 1: ["a"]}
"""4/3 by UPSC's marking, 0 where a wrong answer costs as much as a right one earns."""


@pytest.fixture
async def made(engine: AsyncEngine) -> PublishedTest:
    async with unit_of_work(engine) as uow:
        return await publish_test(uow)


async def publish(author: httpx.AsyncClient, made: PublishedTest, changes: Json, **body: Any) -> Json:
    """Change the draft and publish it."""
    body_of(await author.patch(made.path, json=changes))
    return body_of(await author.post(f"{made.path}/publish", json=body))


async def change_key(author: httpx.AsyncClient, made: PublishedTest, position: int, option: str) -> None:
    answer = await author.patch(
        f"/questions/{made.question_ids[position]}", json={"key": {"accepted": [[option]]}}
    )
    body_of(answer)


def shown(result: Json) -> tuple[str, int | None, int, Sequence[int]]:
    return result["score_exact"], result["rank"], result["participants"], result["cohort"]["paper_versions"]


class TestRanks:
    async def test_other_marks_are_another_list(
        self, people: People, author: httpx.AsyncClient, made: PublishedTest
    ) -> None:
        first, second = await people.candidate(), await people.candidate()
        await take_test(first, made, ONE_WRONG)
        published = await publish(author, made, {"marking": HARSH})
        assert (published["paper_version"], published["ranked_with"]) == (2, [])
        assert shown(await take_test(second, made, ONE_WRONG)) == ("0", 1, 1, [2])
        again = body_of(await first.get(f"{made.path}/results"))
        assert shown(again) == ("4/3", 1, 1, [1])
        assert (again["cohort"]["paper_version"], again["cohort"]["exam_paper_id"]) == (1, None)

    async def test_another_key_is_another_list_and_the_old_one_the_old_list(
        self, people: People, author: httpx.AsyncClient, made: PublishedTest
    ) -> None:
        await take_test(await people.candidate(), made, {1: ["b"]})
        await change_key(author, made, 1, "c")
        published = await publish(author, made, {})
        assert published["ranked_with"] == []
        assert shown(await take_test(await people.candidate(), made, {1: ["b"]})) == ("-2/3", 1, 1, [2])
        await change_key(author, made, 1, "b")
        assert body_of(await author.get(f"{made.path}/preview"))["ranked_with"] == [1]
        assert (await publish(author, made, {}))["ranked_with"] == [1]
        assert shown(await take_test(await people.candidate(), made, {})) == ("0", 2, 2, [1, 3])

    async def test_texts_times_and_order_are_no_marking(
        self, people: People, author: httpx.AsyncClient, made: PublishedTest
    ) -> None:
        await take_test(await people.candidate(), made, ONE_WRONG)
        turned = [str(question_id) for question_id in reversed(made.question_ids)]
        sections = [{"name": {"en": "Other name"}, "question_ids": turned}]
        changes = {"title": "Other title", "duration_seconds": 900, "sections": sections}
        assert (await publish(author, made, changes))["ranked_with"] == [1]
        assert shown(await take_test(await people.candidate(), made, {0: ["a"]})) == ("2", 1, 2, [1, 2])

    async def test_who_merges_versions_says_so(
        self, people: People, author: httpx.AsyncClient, admin: httpx.AsyncClient, made: PublishedTest
    ) -> None:
        await take_test(await people.candidate(), made, ONE_WRONG)
        merged = await publish(author, made, {"marking": HARSH}, ranked_with=1)
        assert merged["ranked_with"] == [1]
        assert shown(await take_test(await people.candidate(), made, ONE_WRONG)) == ("0", 2, 2, [1, 2])
        assert (await publish(author, made, {}))["ranked_with"] == [1, 2]  # as it was merged before
        entries = body_of(await admin.get("/audit", params={"subject": f"test:{made.id}"}))["items"]
        assert [entry["details"] for entry in entries if entry["action"] == "publish"] == [
            {"version": 3},
            {"version": 2, "ranked_with": 1},
            {"version": 1},
        ]

    async def test_with_a_version_that_there_is_not(
        self, author: httpx.AsyncClient, made: PublishedTest
    ) -> None:
        refused = await author.post(f"{made.path}/publish", json={"ranked_with": 7})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "ranked_with")

    async def test_an_attempt_is_ranked_by_the_version_that_it_began_with(
        self, people: People, author: httpx.AsyncClient, made: PublishedTest
    ) -> None:
        await take_test(await people.candidate(), made, {0: ["a"]})
        running = await start(await people.candidate(), made)
        await publish(author, made, {"marking": HARSH})
        await running.save(running.response(0, ["a"]), running.response(1, ["a"]))
        body_of(await running.submit())
        assert shown(await running.result()) == ("4/3", 2, 2, [1])
