"""Ending for all over HTTP: who is left out, what a dry run says, and what it leaves behind."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.components import Components
from tests.api.exams.worker_steps import sweep
from tests.builders.exams import Entrant, HeldExam, Json, body_of, register
from tests.builders.people import People
from tests.conftest import TestClock
from tests.written_rows import everything

BOTH = ["extra_time", "paused"]


@pytest.fixture
async def hall(people: People, held: HeldExam) -> Sequence[Entrant]:
    """Four who sit: an ordinary one, one with extra time, one who is paused, and one who is extended."""
    entrants = [await register(await people.candidate(), held) for _ in range(4)]
    for entrant in entrants:
        body_of(await entrant.enter(), 201)
    _, granted, paused, extended = entrants
    who = body_of(await granted.client.get("/auth/me"))["id"]
    items = [{"user_id": who, "extra_seconds": 1800, "reason": "scribe"}]
    body_of(await held.staff.put(f"{held.path}/accommodations", json={"items": items}))
    body_of(await held.order("pause", paused.attempt))
    body_of(await held.order("extend", extended.attempt, seconds=300, reason="screen broke"))
    return entrants


async def statuses(held: HeldExam, hall: Sequence[Entrant]) -> list[str]:
    return [(await held.attempt(entrant.attempt))["status"] for entrant in hall]


async def end_all(held: HeldExam, **body: Any) -> Json:
    body = {"attempt_ids": "all", "reason": "the hall closes"} | body
    return body_of(await held.staff.post(f"{held.path}/attempts/submit", json=body))


async def close(held: HeldExam, **body: Any) -> Json:
    return body_of(await held.staff.post(f"{held.paper_path()}/close", json=body))


async def audited(held: HeldExam, action: str) -> list[Json]:
    found = body_of(await held.staff.get(f"{held.path}/audit", params={"limit": 100}))["items"]
    return [entry for entry in found if entry["action"] == action]


class TestLeftOut:
    async def test_of_a_submit_of_all(self, held: HeldExam, hall: Sequence[Entrant]) -> None:
        report = await end_all(held)
        assert await statuses(held, hall) == ["submitted", "in_progress", "paused", "in_progress"]
        assert (report["changed"], report["unchanged"], report["refused"]) == (1, 0, [])
        left_out = report["left_out"]
        assert (left_out["attempts"], left_out["extra_time"], left_out["paused"]) == (3, 2, 1)
        numbers = [each["roll_number"] for each in left_out["first"]]
        assert numbers == sorted(numbers)
        assert {each["attempt_id"] for each in left_out["first"]} == {e.attempt["id"] for e in hall[1:]}

    @pytest.mark.parametrize(
        ("end", "include", "after"),
        [
            (end_all, ["extra_time"], ["submitted", "submitted", "paused", "submitted"]),
            (end_all, ["paused"], ["submitted", "in_progress", "submitted", "in_progress"]),
            (end_all, BOTH, ["submitted"] * 4),
            (close, ["paused"], ["submitted", "in_progress", "submitted", "in_progress"]),
        ],
    )  # `TestClose` closes with extra time and with both.
    async def test_those_that_are_included_end(
        self,
        held: HeldExam,
        hall: Sequence[Entrant],
        end: Callable[..., Any],
        include: list[str],
        after: list[str],
    ) -> None:
        report = await end(held, include=include)
        assert await statuses(held, hall) == after
        assert report["left_out"]["attempts"] == 4 - after.count("submitted")

    async def test_those_that_are_listed_end(self, held: HeldExam, hall: Sequence[Entrant]) -> None:
        report = await end_all(held, attempt_ids=[entrant.attempt["id"] for entrant in hall])
        assert (report["changed"], report["left_out"]) == (4, None)

    async def test_mistakes_are_named(self, held: HeldExam) -> None:
        mistakes: list[tuple[str, Json, str]] = [
            ("void", {"attempt_ids": "all", "reason": "x", "include": BOTH}, "include"),
            ("submit", {"attempt_ids": ["00000000-0000-4000-8000-000000000000"], "include": BOTH}, "include"),
            ("submit", {"attempt_ids": "all", "include": ["everybody"]}, "include.0"),
            ("pause", {"attempt_ids": "all", "again": True}, "again"),
            ("pause", {"attempt_ids": "all", "go_on": True}, "go_on"),
        ]
        for verb, body, field in mistakes:
            answer = await held.staff.post(f"{held.path}/attempts/{verb}", json=body)
            assert answer.status_code == 422, body
            assert [error["field"] for error in answer.json()["errors"]] == [field], body


class TestClose:
    async def test_those_left_out_go_on_to_their_own_deadlines(
        self,
        held: HeldExam,
        hall: Sequence[Entrant],
        people: People,
        parts: Components,
        clock: TestClock,
    ) -> None:
        report = await close(held, reason="fire drill")
        assert (report["status"], report["attempts_ended"]) == ("closed", 1)
        assert report["left_out"]["attempts"] == 3
        _, granted, paused, _ = hall
        body_of(await granted.save({0: ["a"]}))
        body_of(await granted.enter(), 200)  # on another device
        newcomer = await people.candidate()
        assert (await newcomer.post(f"{held.path}/register")).json()["code"] == "entry_closed"
        seen = body_of(await held.staff.get(f"{held.path}/monitor"))["papers"][0]
        assert (seen["status"], seen["in_progress"], seen["paused"], seen["submitted"]) == ("closed", 2, 1, 1)
        early = await held.staff.post(f"{held.path}/release-results")
        assert (early.status_code, early.json()["code"]) == (409, "attempts_in_progress")
        assert (early.json()["running"], early.json()["paused"]) == (3, 1)
        clock.advance(600 + 1800 + 60)
        await sweep(parts)
        assert await statuses(held, hall) == ["submitted", "submitted", "paused", "submitted"]
        body_of(await held.order("resume", paused.attempt))
        body_of(await paused.save({0: ["a"]}))
        body_of(await paused.submit())
        body_of(await held.staff.post(f"{held.path}/release-results"))

    async def test_each_that_ends_is_audited(self, held: HeldExam, hall: Sequence[Entrant]) -> None:
        await close(held, reason="fire", include=["extra_time"])
        whole, *single = sorted(await audited(held, "close"), key=lambda entry: entry["attempt_id"] or "")
        assert whole["details"] == {"paper": "GS1", "attempts": 3, "left_out": 1}
        ended = {entrant.attempt["id"] for number, entrant in enumerate(hall) if number != 2}
        assert {entry["attempt_id"] for entry in single} == ended
        assert {entry["reason"] for entry in single} == {"fire"}

    async def test_again_ends_those_who_were_left_out(self, held: HeldExam, hall: Sequence[Entrant]) -> None:
        await close(held)
        assert (await close(held, include=BOTH))["attempts_ended"] == 3
        assert await statuses(held, hall) == ["submitted"] * 4


class TestCancel:
    async def test_each_that_is_voided_is_audited(self, held: HeldExam, hall: Sequence[Entrant]) -> None:
        body_of(await held.staff.post(f"{held.path}/cancel", json={"reason": "leak"}))
        voided = [entry["attempt_id"] for entry in await audited(held, "cancel") if entry["attempt_id"]]
        assert sorted(voided) == sorted(entrant.attempt["id"] for entrant in hall)


class TestDryRun:
    @pytest.mark.usefixtures("hall")
    async def test_says_what_would_be_lost_and_changes_nothing(
        self, engine: AsyncEngine, held: HeldExam
    ) -> None:
        before = await everything(engine)
        calls: dict[str, Json] = {
            "attempts/submit": {"attempt_ids": "all", "include": BOTH},
            "attempts/void": {"attempt_ids": "all", "reason": "leak"},
            f"papers/{held.papers[0]['id']}/close": {"include": BOTH},
            "cancel": {"reason": "flood"},
        }
        for path, body in calls.items():
            seen = body_of(await held.staff.post(f"{held.path}/{path}", json=body | {"dry_run": True}))
            assert await everything(engine) == before, path
            assert seen["dry_run"] is True
            assert (seen["attempts"], seen["losing_time"]) == (4, 4), path
            assert (seen["with_extra_time"], seen["paused"]) == (2, 1), path
            assert 4 * 600 + 1800 + 300 - 60 < seen["seconds_lost"] <= 4 * 600 + 1800 + 300
            assert 2400 - 60 < seen["most_seconds_lost"] <= 2400
            numbers = [each["roll_number"] for each in seen["first"]]
            assert numbers == sorted(numbers)
            assert sorted(each["extra_seconds"] for each in seen["first"]) == [0, 0, 300, 1800]

    async def test_says_who_would_be_left_out(self, held: HeldExam, hall: Sequence[Entrant]) -> None:
        for end in (end_all, close):
            seen = await end(held, dry_run=True)
            assert (seen["attempts"], seen["with_extra_time"], seen["paused"]) == (1, 0, 0)
            assert (seen["left_out"]["extra_time"], seen["left_out"]["paused"]) == (2, 1)
        assert await statuses(held, hall) == ["in_progress", "in_progress", "paused", "in_progress"]

    async def test_is_refused_like_the_call_itself(
        self, held: HeldExam, hall: Sequence[Entrant], people: People
    ) -> None:
        paths: dict[str, Json] = {
            "cancel": {"reason": "flood"},
            f"papers/{held.papers[0]['id']}/close": {},
            "attempts/submit": {"attempt_ids": "all"},
        }
        candidate, other = hall[0].client, await people.member("author")
        for path, body in paths.items():
            dry = body | {"dry_run": True}
            assert (await candidate.post(f"{held.path}/{path}", json=dry)).status_code == 403
        tried = {"reason": "flood", "dry_run": True}
        assert (await other.post(f"{held.path}/cancel", json=tried)).status_code == 403
        for entrant in hall:
            body_of(await held.order("void", entrant.attempt, reason="x"))
        await held.release()
        for path, body in paths.items():
            real = await held.staff.post(f"{held.path}/{path}", json=body)
            dried = await held.staff.post(f"{held.path}/{path}", json=body | {"dry_run": True})
            assert (dried.status_code, dried.json()["detail"]) == (real.status_code, real.json()["detail"])

    @pytest.mark.usefixtures("hall")
    async def test_of_a_second_cancellation_finds_nothing(self, held: HeldExam) -> None:
        body_of(await held.staff.post(f"{held.path}/cancel", json={"reason": "flood"}))
        body = {"reason": "flood", "dry_run": True}
        assert body_of(await held.staff.post(f"{held.path}/cancel", json=body))["attempts"] == 0
