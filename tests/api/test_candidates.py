"""`GET /tests/{id}/attempts` and the response sheet of an attempt, for the staff of a test."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.builders.attempts import AttemptClient, Json, start, take_test
from tests.builders.content import PublishedTest, publish_for
from tests.builders.exams import MINUTE, HeldExam, body_of, hold_exam, register, take_paper
from tests.builders.people import People, user_id_of
from tests.conftest import TestClock


async def listed(client: httpx.AsyncClient, made: PublishedTest, **params: Any) -> list[Json]:
    answer = body_of(await client.get(f"{made.path}/attempts", params=params))
    return list(answer["items"])


def sheet_path(made: PublishedTest, attempt: Json) -> str:
    return f"{made.path}/attempts/{attempt['id']}/response-sheet"


@dataclass(frozen=True)
class Stage:
    """A test with three attempts: graded, running, and of another candidate."""

    owner: httpx.AsyncClient
    made: PublishedTest
    graded: Json
    running: AttemptClient
    other: Json


@pytest.fixture(scope="module")
async def stage(engine: AsyncEngine, people: People) -> Stage:
    owner = await people.member("author")
    made = await publish_for(engine, owner)
    asha, ravi = await people.candidate("Asha Rao"), await people.candidate("Ravi_Kumar %")
    graded = await take_test(asha, made, {0: ["a"], 1: ["c"]})
    other = await take_test(ravi, made, {0: ["b"]})
    running = await start(asha, made)
    await running.save(running.response(0, ["a"], marked_for_review=True))
    return Stage(owner, made, graded, running, other)


class TestList:
    async def test_items_newest_first(self, stage: Stage) -> None:
        running, other, graded = await listed(stage.owner, stage.made)
        attempt = stage.graded["attempt"]
        names = ("id", "number", "practice", "started_at", "submitted_at", "deadline_at")
        assert graded == {name: attempt[name] for name in names} | {
            "user_id": graded["user_id"],
            "name": "Asha Rao",
            "roll_number": None,
            "exam": None,
            "exam_paper": None,
            "paper_version": 1,
            "status": "graded",
            "answered": 2,
            "marked_for_review": 0,
            "score": "1.34",
            "score_exact": "4/3",
            "max_score": "6.00",
        }
        assert (other["name"], other["score"]) == ("Ravi_Kumar %", "-0.66")
        assert (running["status"], running["score"]) == ("in_progress", None)
        assert (running["practice"], running["answered"], running["marked_for_review"]) == (True, 1, 1)

    async def test_filters(self, stage: Stage) -> None:
        filters: list[tuple[Mapping[str, Any], int]] = [
            ({"query": "asha"}, 2),
            ({"query": "i_k"}, 1),
            ({"query": "%"}, 1),
            ({"query": "nobody"}, 0),
            ({"status": "in_progress"}, 1),
            ({"status": ["graded", "in_progress"]}, 3),
            ({"status": "submitted"}, 0),
            ({"query": "asha", "status": "graded"}, 1),
        ]
        for params, count in filters:
            assert len(await listed(stage.owner, stage.made, **params)) == count, params

    async def test_pages(self, stage: Stage) -> None:
        url = f"{stage.made.path}/attempts"
        first = body_of(await stage.owner.get(url, params={"limit": 2}))
        after = {"limit": 2, "cursor": first["next_cursor"]}
        second = body_of(await stage.owner.get(url, params=after))
        assert [*first["items"], *second["items"]] == await listed(stage.owner, stage.made)
        assert second["next_cursor"] is None

    async def test_who_may_see_it(self, stage: Stage, people: People, admin: httpx.AsyncClient) -> None:
        expected = {"author": 403, "evaluator": 200, "proctor": 403, "student": 403}
        sheet = sheet_path(stage.made, stage.graded["attempt"])
        for role, status in expected.items():
            client = await people.member(role) if role != "student" else await people.candidate()
            for path in (f"{stage.made.path}/attempts", sheet):
                assert (await client.get(path)).status_code == status, role
        assert (await admin.get(f"{stage.made.path}/attempts")).status_code == 200


class TestSheet:
    async def test_answers_without_key_and_marks(self, stage: Stage) -> None:
        path = sheet_path(stage.made, stage.graded["attempt"])
        answer = await stage.owner.get(path)
        sheet = body_of(answer)
        assert sheet["attempt"]["name"] == "Asha Rao"
        assert [(each["number"], each["answer"]) for each in sheet["questions"]] == [
            (1, ["a"]),
            (2, ["c"]),
            (3, None),
        ]
        assert sheet["questions"][0]["saved_at"] is not None
        assert sheet["questions"][2]["saved_at"] is None
        assert "SECRET" not in answer.text
        assert "accepted" not in answer.text

    async def test_not_while_it_runs(self, stage: Stage) -> None:
        answer = await stage.owner.get(sheet_path(stage.made, stage.running.attempt))
        assert (answer.status_code, answer.json()["code"]) == (409, "not_possible")

    async def test_of_another_test(self, stage: Stage, engine: AsyncEngine) -> None:
        other = await publish_for(engine, stage.owner)
        assert (await stage.owner.get(sheet_path(other, stage.other["attempt"]))).status_code == 404


class TestExam:
    async def test_no_score_before_the_release_and_no_sheet_before_the_end(
        self, engine: AsyncEngine, people: People, clock: TestClock
    ) -> None:
        owner, evaluator = await people.member("author"), await people.member("evaluator")
        made = await publish_for(engine, owner)
        held = await hold_exam(owner, made, starts_at=clock.now(), window=10 * MINUTE)
        candidate = await people.candidate("Meera Nair")
        entrant = await take_paper(candidate, held, {0: ["a"]})
        await self.graded(people, held)
        path = sheet_path(made, entrant.attempt)
        for client in (owner, evaluator):
            shown = await client.get(f"{made.path}/attempts")
            assert shown.status_code == (200 if client is owner else 404)
        [*_, item] = await listed(owner, made)
        place = body_of(await candidate.post(f"{held.path}/register"))
        assert (item["name"], item["roll_number"]) == ("Meera Nair", place["roll_number"])
        assert (item["exam_paper"]["code"], item["status"], item["score"]) == ("GS1", "submitted", None)
        assert len(await listed(owner, made, query=place["roll_number"][:5])) >= 1
        assert (await owner.get(path)).status_code == 409
        clock.advance(1200)
        assert body_of(await owner.get(path))["questions"][0]["answer"] == ["a"]
        assert (await evaluator.get(path)).status_code == 404
        await held.release()
        [*_, item] = await listed(owner, made)
        assert (item["status"], item["score"]) == ("graded", "2.00")
        assert body_of(await owner.get(path))["attempt"]["score"] == "2.00"
        assert (await evaluator.get(path)).status_code == 403
        assert item["user_id"] == str(await user_id_of(candidate))

    async def graded(self, people: People, held: HeldExam) -> None:
        """Another candidate, who is registered and has not started, is not in the list."""
        await register(await people.candidate(), held)
