"""Options that keep their places: recognized or marked, told before and at the publication, and frozen."""

import csv
import io
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import start
from tests.builders.content import UPSC, PublishedTest, add_subject
from tests.builders.exams import Json, body_of
from tests.builders.people import People

TEXTS = {"a": "One", "b": "Two", "c": "Three", "d": "None of the above"}
NAMES_OTHERS = {"a": "One", "b": "Two", "c": "Both (a) and (b)", "d": "Four"}
PLAIN = {"a": "One", "b": "Two", "c": "Three", "d": "Four"}
ATTEMPTS = 12
"""If options were shuffled freely, the last one would stay last in all of them once in 16 million runs."""


def options_of(texts: dict[str, str], fixed: str = "") -> list[Json]:
    return [
        {"id": letter, "text": text} | ({"fixed": True} if letter in fixed else {})
        for letter, text in texts.items()
    ]


async def add_question(author: httpx.AsyncClient, engine: AsyncEngine, options: list[Json]) -> Json:
    async with unit_of_work(engine) as uow:
        subject = await add_subject(uow)
    body = {
        "subject_id": str(subject.id),
        "type": "single_choice",
        "text": f"Which one? {subject.slug}",
        "options": options,
        "key": ["a"],
    }
    return body_of(await author.post("/questions", json=body))


async def draft_of(author: httpx.AsyncClient, *questions: Json, shuffle: bool = True) -> str:
    body: dict[str, Any] = {
        "title": "Shuffled",
        "kind": "full",
        "duration_seconds": 600,
        "marking": UPSC,
        "shuffle": {"questions": False, "options": shuffle},
        "sections": [{"name": "Paper", "question_ids": [question["id"] for question in questions]}],
    }
    return str(body_of(await author.post("/tests", json=body))["id"])


def made_of(test_id: str, *questions: Json) -> PublishedTest:
    return PublishedTest(UUID(test_id), [UUID(question["id"]) for question in questions])


async def orders(people: People, made: PublishedTest, question: Json) -> set[tuple[str, ...]]:
    """The orders of a question's options in several attempts."""
    started = [await start(await people.candidate(), made) for _ in range(ATTEMPTS)]
    return {tuple(each.attempt["option_orders"][question["id"]]) for each in started}


class TestPublication:
    async def test_none_of_the_above_stays_last_and_options_that_name_others_stay(
        self, author: httpx.AsyncClient, people: People, engine: AsyncEngine
    ) -> None:
        last = await add_question(author, engine, options_of(TEXTS))
        names = await add_question(author, engine, options_of(NAMES_OTHERS))
        plain = await add_question(author, engine, options_of(PLAIN))
        test_id = await draft_of(author, plain, last, names)
        told = [
            {"question_id": last["id"], "number": 2, "option_ids": ["d"], "reasons": ["stays_last"]},
            {
                "question_id": names["id"],
                "number": 3,
                "option_ids": ["a", "b", "c", "d"],
                "reasons": ["refers_to_options"],
            },
        ]
        assert body_of(await author.get(f"/tests/{test_id}/preview"))["kept_options"] == told
        assert body_of(await author.post(f"/tests/{test_id}/publish"))["kept_options"] == told
        made = made_of(test_id, plain, last, names)
        assert {order[-1] for order in await orders(people, made, last)} == {"d"}
        assert len(await orders(people, made, last)) > 1
        assert await orders(people, made, names) == {("a", "b", "c", "d")}
        assert len({order[-1] for order in await orders(people, made, plain)}) > 1

    async def test_nothing_is_told_of_a_test_that_does_not_shuffle(
        self, author: httpx.AsyncClient, engine: AsyncEngine
    ) -> None:
        question = await add_question(author, engine, options_of(TEXTS))
        test_id = await draft_of(author, question, shuffle=False)
        assert body_of(await author.post(f"/tests/{test_id}/publish"))["kept_options"] == []

    async def test_an_attempt_keeps_its_order_when_the_question_changes(
        self, author: httpx.AsyncClient, candidate: httpx.AsyncClient, engine: AsyncEngine
    ) -> None:
        question = await add_question(author, engine, options_of(PLAIN))
        test_id = await draft_of(author, question)
        body_of(await author.post(f"/tests/{test_id}/publish"))
        made = made_of(test_id, question)
        before = (await start(candidate, made)).attempt
        changed = {"options": options_of(PLAIN, fixed="abcd")}
        body_of(await author.patch(f"/questions/{question['id']}", json=changed))
        again = body_of(await author.post(f"/tests/{test_id}/publish"))
        assert again["kept_options"][0]["reasons"] == ["marked"]
        after = (await start(candidate, made)).attempt
        assert (after["id"], after["option_orders"]) == (before["id"], before["option_orders"])


class TestFixed:
    async def test_it_is_kept_by_json_export_and_import(
        self, author: httpx.AsyncClient, engine: AsyncEngine
    ) -> None:
        question = await add_question(author, engine, options_of(PLAIN, fixed="bd"))
        path = f"/questions/{question['id']}"
        assert [option["fixed"] for option in question["options"]] == [False, True, False, True]
        wanted = {"subject_id": question["subject_id"], "format": "csv"}
        exported = await author.post("/questions/export", json=wanted)
        assert exported.status_code == 200, exported.text
        rows = list(csv.DictReader(io.StringIO(exported.content.decode("utf-8-sig"))))
        assert [row["fixed_options"] for row in rows] == ["b,d"]
        report = await imported(author, rows)
        assert (report["errors"], report["unchanged"]) == ([], 1)
        rows[0]["fixed_options"] = "D"
        assert (await imported(author, rows))["updated"] == 1
        assert [option["fixed"] for option in body_of(await author.get(path))["options"]] == [
            False,
            False,
            False,
            True,
        ]
        changes = body_of(await author.get(f"{path}/versions/2/diff"))
        assert {"field": "fixed_options", "before": ["b", "d"], "after": ["d"]} in changes["changes"]
        del rows[0]["fixed_options"]
        assert (await imported(author, rows))["unchanged"] == 1  # a sheet without the column

    async def test_a_letter_without_an_option_is_an_error(self, author: httpx.AsyncClient) -> None:
        row = {"subject": "Polity", "question": "Which?", "option_a": "x", "option_b": "y", "key": "a"}
        report = await imported(author, [row | {"fixed_options": "e"}])
        assert [error["field"] for error in report["errors"]] == ["fixed_options"]


async def imported(author: httpx.AsyncClient, rows: list[dict[str, Any]]) -> Json:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    file = {"file": ("questions.csv", text.getvalue().encode())}
    return body_of(await author.post("/questions/import", files=file))
