"""What proctors see of a running exam: rows with progress, who is online, and who has not come."""

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.realtime.presence_tracker import _presence_key
from app.services.components import Components
from tests.builders.answer_sheets import bring_sheets
from tests.builders.exams import Entrant, HeldExam, Json, body_of, register
from tests.builders.people import People, user_id_of
from tests.conftest import TestClock


@pytest.fixture
async def entrants(people: People, held: HeldExam) -> list[Entrant]:
    """Three candidates: two have started, the last one has not."""
    names = ("Asha Rao", "राधा", "Meera")
    found = [await register(await people.candidate(name=name), held) for name in names]
    for entrant in found[:2]:
        body_of(await entrant.enter())
    return found


async def rows(held: HeldExam, **params: object) -> dict[str, Json]:
    """The hall rows that match, by name."""
    query = {name: str(value).lower() if isinstance(value, bool) else value for name, value in params.items()}
    answer = await held.staff.get(f"{held.path}/attempts", params=query)  # type: ignore[arg-type]
    return {row["name"]: row for row in body_of(answer)["items"]}


class TestProgress:
    async def test_counts_what_stands(
        self, held: HeldExam, entrants: list[Entrant], engine: AsyncEngine
    ) -> None:
        first, second = entrants[:2]
        body_of(await first.save({0: ["a"], 1: ["b"], 2: ["c"]}))
        body_of(await first.save({1: None}, revision=2))  # cleared
        response = {"question_id": str(held.made[0].question_ids[0]), "revision": 3, "answer": ["b"]}
        body = {"attempt_id": first.attempt["id"], "lease": 1, "responses": [response]}
        body["responses"][0]["marked_for_review"] = True
        body_of(await first.client.post(f"{first.path}/responses", json=body))
        async with engine.begin() as connection:  # A late answer does not count, and is a save.
            late = text(
                "insert into ias.response_events (attempt_id, question_id, lease, revision, answer, late,"
                " marked_for_review) values (:attempt, :question, 1, 9, '[\"a\"]', true, true)"
            )
            values = {"attempt": second.attempt["id"], "question": held.made[0].question_ids[0]}
            await connection.execute(late, values)
        found = await rows(held)
        shown = {name: (row["answered"], row["marked_for_review"]) for name, row in found.items()}
        assert shown == {"Asha Rao": (2, 1), "राधा": (0, 0)}
        assert all(row["last_saved_at"] for row in found.values())
        assert {row["lease"] for row in found.values()} == {1}

    async def test_nothing_saved_yet(self, held: HeldExam, entrants: list[Entrant]) -> None:
        row = (await rows(held))["Asha Rao"]
        assert (row["answered"], row["marked_for_review"], row["last_saved_at"]) == (0, 0, None)


class TestFinding:
    async def test_by_roll_number_name_address_status_and_paper(
        self, held: HeldExam, entrants: list[Entrant]
    ) -> None:
        address = body_of(await entrants[1].client.get("/auth/me"))["email"]
        number = (await rows(held))["Asha Rao"]["roll_number"]
        body_of(await held.order("pause", entrants[0].attempt))
        for params, names in (
            ({"query": number}, {"Asha Rao"}),
            ({"query": " RAO"}, {"Asha Rao"}),
            ({"query": address[:20].upper()}, {"राधा"}),
            ({"query": "%"}, set()),
            ({"status": "paused"}, {"Asha Rao"}),
            ({"paper_id": held.papers[0]["id"], "status": "in_progress"}, {"राधा"}),
        ):
            assert set(await rows(held, **params)) == names, params

    async def test_who_is_online(
        self, held: HeldExam, entrants: list[Entrant], parts: Components, clock: TestClock
    ) -> None:
        assert set(await rows(held, connected=True)) == set()
        key = _presence_key(f"exam:{held.exam['id']}")
        await parts.redis.zadd(key, {str(await user_id_of(entrants[1].client)): clock.now().timestamp()})
        assert set(await rows(held, connected=True)) == {"राधा"}
        assert set(await rows(held, connected=False)) == {"Asha Rao"}
        found = await rows(held)
        assert {name: row["connected"] for name, row in found.items()} == {"Asha Rao": False, "राधा": True}


class TestNoShows:
    async def test_are_listed_and_counted_by_paper(
        self, held: HeldExam, entrants: list[Entrant], people: People
    ) -> None:
        await register(await people.candidate(name="Absent"), held)
        body_of(await held.order("void", entrants[0].attempt, reason="phone"))  # He has come.
        for params in ({}, {"paper_id": held.papers[0]["id"]}):
            found = body_of(await held.staff.get(f"{held.path}/no-shows", params=params))
            assert ([row["name"] for row in found["items"]], found["count"]) == (["Meera", "Absent"], 2)
        page = body_of(await held.staff.get(f"{held.path}/no-shows", params={"query": "abs", "limit": 1}))
        assert ([row["name"] for row in page["items"]], page["next_cursor"], page["count"]) == (
            ["Absent"],
            None,
            2,
        )
        [paper] = body_of(await held.staff.get(f"{held.path}/monitor"))["papers"]
        assert (paper["started"], paper["not_started"]) == (2, 2)

    async def test_an_answer_sheet_is_a_start(self, held: HeldExam, clock: TestClock) -> None:
        clock.advance(60)
        await bring_sheets(held, ["A1", "a", "b", "c"])
        assert body_of(await held.staff.get(f"{held.path}/no-shows"))["count"] == 0

    async def test_a_paper_of_another_exam_is_not_found(self, held: HeldExam) -> None:
        strange = {"paper_id": held.exam["id"]}
        assert (await held.staff.get(f"{held.path}/no-shows", params=strange)).status_code == 404

    async def test_candidates_do_not_see_them(self, candidate: httpx.AsyncClient, held: HeldExam) -> None:
        assert (await candidate.get(f"{held.path}/no-shows")).status_code == 403
