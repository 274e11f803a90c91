"""Extra time over HTTP: granted, reduced and taken back, before an attempt, during it and after its end."""

from collections.abc import Sequence
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.names import MAX_ROLL_NUMBER_LENGTH
from app.services.components import Components
from tests.api.exams.worker_steps import sweep
from tests.builders.exams import Entrant, HeldExam, Json, body_of, moment, register
from tests.builders.people import People
from tests.conftest import TestClock

NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
async def entrant(candidate: httpx.AsyncClient, held: HeldExam) -> Entrant:
    """A candidate whose attempt has just started. It lasts 600 seconds."""
    entrant = await register(candidate, held)
    body_of(await entrant.enter(), 201)
    return entrant


async def grant(held: HeldExam, *items: Json, **more: object) -> Json:
    body = {"items": [{"reason": "decided"} | item for item in items]} | more
    return body_of(await held.staff.put(f"{held.path}/accommodations", json=body))


async def take_back(held: HeldExam, *items: Json, **more: object) -> Json:
    body = {"items": [{"reason": "a mistake"} | item for item in items]} | more
    return body_of(await held.staff.request("DELETE", f"{held.path}/accommodations", json=body))


async def me(entrant: Entrant) -> Json:
    """The candidate, by each of the names that staff may use."""
    account = body_of(await entrant.client.get("/auth/me"))
    exam = body_of(await entrant.client.get(entrant.held.path))
    return {
        "user_id": account["id"],
        "email": account["email"],
        "roll_number": exam["my_registration"]["roll_number"],
    }


async def extra_of(entrant: Entrant) -> int:
    """By how many seconds the deadline has moved since the start."""
    now = moment((await entrant.held.attempt(entrant.attempt))["deadline_at"])
    return round((now - moment(entrant.attempt["deadline_at"])).total_seconds())


async def granted(held: HeldExam) -> set[tuple[str | None, str | None, int]]:
    listed = body_of(await held.staff.get(f"{held.path}/accommodations"))["items"]
    return {(row["user_id"], row["group"], row["extra_seconds"]) for row in listed}


async def told(engine: AsyncEngine, held: HeldExam) -> list[tuple[str, Json]]:
    """The types and data of the messages to the exam's room, in their order."""
    statement = text("select type, data from ias.messages where room = :room order by number")
    async with engine.connect() as connection:
        rows = await connection.execute(statement, {"room": f"exam:{held.exam['id']}"})
        return [(row.type, row.data) for row in rows]


async def audited(held: HeldExam) -> list[Json]:
    """The audit entries of extra time, oldest first."""
    entries = body_of(await held.staff.get(f"{held.path}/audit"))["items"]
    return [entry for entry in entries[::-1] if entry["action"] == "accommodate"]


class TestGrants:
    async def test_they_apply_to_later_starts(self, candidate: httpx.AsyncClient, held: HeldExam) -> None:
        body_of(await candidate.put("/users/profile", json={"pwbd": 3}))
        entrant = await register(candidate, held)
        await grant(held, {"group": "pwbd", "extra_seconds": 200})
        attempt = body_of(await entrant.enter())
        assert moment(attempt["deadline_at"]) - moment(attempt["started_at"]) == timedelta(seconds=800)

    async def test_a_personal_grant_replaces_those_of_groups_at_once(
        self, held: HeldExam, entrant: Entrant
    ) -> None:
        person = (await me(entrant))["user_id"]
        for item, seconds in (
            ({"group": "all", "extra_seconds": 600}, 600),
            ({"user_id": person, "extra_seconds": 60}, 60),
            ({"user_id": person, "extra_seconds": 900}, 900),
        ):
            await grant(held, item)
            assert await extra_of(entrant) == seconds
        assert await granted(held) == {(None, "all", 600), (person, None, 900)}

    @pytest.mark.parametrize("name", ["user_id", "email", "roll_number"])
    async def test_a_candidate_is_named_in_three_ways(
        self, held: HeldExam, entrant: Entrant, name: str
    ) -> None:
        person = await me(entrant)
        await grant(held, {name: person[name], "extra_seconds": 300})
        assert (await extra_of(entrant), await granted(held)) == (300, {(person["user_id"], None, 300)})
        await take_back(held, {name: person[name]})
        assert (await extra_of(entrant), await granted(held)) == (0, set())

    async def test_a_candidate_is_named_by_the_longest_roll_number(
        self, engine: AsyncEngine, held: HeldExam, entrant: Entrant
    ) -> None:
        number = "R" * MAX_ROLL_NUMBER_LENGTH
        person = (await me(entrant))["user_id"]
        async with engine.begin() as connection:
            changed = text("update ias.registrations set roll_number = :number where user_id = :person")
            await connection.execute(changed, {"number": number, "person": person})
        await grant(held, {"roll_number": number, "extra_seconds": 300})
        assert await granted(held) == {(person, None, 300)}

    async def test_an_extension_remains_in_addition(self, held: HeldExam, entrant: Entrant) -> None:
        body_of(await held.order("extend", entrant.attempt, seconds=30, reason="x"))
        for seconds in (100, 40):
            await grant(held, {"group": "all", "extra_seconds": seconds})
        assert await extra_of(entrant) == 70

    async def test_an_attempt_that_its_deadline_ended_continues(
        self, parts: Components, held: HeldExam, entrant: Entrant, clock: TestClock
    ) -> None:
        clock.advance(620)
        await sweep(parts)
        answer = await grant(held, {"group": "all", "extra_seconds": 300})
        assert (await held.attempt(entrant.attempt))["status"] == "in_progress"
        assert (answer["moved"], answer["reopened"], answer["kept"]) == (0, 1, 0)

    async def test_a_repeated_grant_changes_nothing_and_says_so(
        self, held: HeldExam, entrant: Entrant, engine: AsyncEngine
    ) -> None:
        item = {"group": "all", "extra_seconds": 300}
        first = await grant(held, item)
        assert (first["moved"], first["unchanged"]) == (1, [])
        second = await grant(held, item)
        assert (second["moved"], second["unchanged"]) == (0, [{"user_id": None, "group": "all"}])
        assert await extra_of(entrant) == 300
        assert (len(await told(engine, held)), len(await audited(held))) == (1, 1)

    async def test_only_the_attempts_of_those_who_are_named_are_touched(
        self, held: HeldExam, entrant: Entrant, people: People, parts: Components, clock: TestClock
    ) -> None:
        """An attempt that ended with time that was taken back later keeps it, whatever others get."""
        person = (await me(entrant))["user_id"]
        await grant(held, {"user_id": person, "extra_seconds": 300})
        body_of(await held.order("submit", entrant.attempt))
        await take_back(held, {"user_id": person})
        body_of(await held.order("reopen", entrant.attempt, reason="by mistake"))
        before = await extra_of(entrant)
        other = await register(await people.candidate(), held)
        await grant(held, {"roll_number": (await me(other))["roll_number"], "extra_seconds": 60})
        assert await extra_of(entrant) == before

    async def test_mistakes_are_named(self, held: HeldExam) -> None:
        mistakes: list[tuple[Sequence[Json], list[str]]] = [
            ([{"extra_seconds": 60}], ["items.0"]),
            ([{"group": "all", "user_id": NOBODY, "extra_seconds": 60}], ["items.0"]),
            ([{"group": "all", "extra_seconds": -1}], ["items.0.extra_seconds"]),
            ([{"group": "all"}], ["items.0.extra_seconds"]),
            ([{"group": "all", "extra_seconds": 60, "reason": ""}], ["items.0.reason"]),
            ([{"user_id": NOBODY, "extra_seconds": 60}], ["items.0.user_id"]),
            ([{"roll_number": "nobody's", "extra_seconds": 60}], ["items.0.roll_number"]),
            ([{"email": "nobody@example.org", "extra_seconds": 60}], ["items.0.email"]),
            ([{"group": "all", "extra_seconds": 60}, {"group": "all", "extra_seconds": 90}], ["items.1"]),
        ]
        for items, fields in mistakes:
            body = {"items": [{"reason": "x"} | item for item in items]}
            answer = await held.staff.put(f"{held.path}/accommodations", json=body)
            assert answer.status_code == 422, items
            assert [error["field"] for error in answer.json()["errors"]] == fields, items
        assert await granted(held) == set()

    async def test_an_unknown_roll_number_is_answered_with_those_that_it_resembles(
        self, held: HeldExam, entrant: Entrant
    ) -> None:
        number = (await me(entrant))["roll_number"]
        wrong = [number + "7", f"{number[:4]}-{number[4:]}", "ZZZ-UNLIKE", number]
        items = [{"roll_number": each, "extra_seconds": 60, "reason": "x"} for each in wrong]
        answer = await held.staff.put(f"{held.path}/accommodations", json={"items": items})
        found = {error["field"]: error["message"] for error in answer.json()["errors"]}
        assert found.keys() == {f"items.{position}.roll_number" for position in range(3)}
        assert f"The nearest: {number}." in found["items.0.roll_number"]
        assert f"It reads like: {number}." in found["items.1.roll_number"]
        assert "or a similar one" in found["items.2.roll_number"]

    async def test_one_person_under_two_names_is_a_mistake(self, held: HeldExam, entrant: Entrant) -> None:
        person = await me(entrant)
        items = [
            {name: person[name], "extra_seconds": seconds, "reason": "x"}
            for name, seconds in (("user_id", 60), ("email", 90))
        ]
        answer = await held.staff.put(f"{held.path}/accommodations", json={"items": items})
        assert [error["field"] for error in answer.json()["errors"]] == ["items.1"]


class TestTakingBack:
    """`extra_seconds: 0` and DELETE do the same."""

    @pytest.mark.parametrize("by_zero", [True, False])
    async def test_a_person_has_what_the_group_has_again(
        self, held: HeldExam, entrant: Entrant, engine: AsyncEngine, by_zero: bool
    ) -> None:
        person = (await me(entrant))["user_id"]
        await grant(held, {"group": "all", "extra_seconds": 600})
        await grant(held, {"user_id": person, "extra_seconds": 60})
        answer = await (
            grant(held, {"user_id": person, "extra_seconds": 0})
            if by_zero
            else take_back(held, {"user_id": person})
        )
        assert await extra_of(entrant) == 600
        assert await granted(held) == {(None, "all", 600)}
        assert [row["group"] for row in answer["items"]] == ["all"]
        entry = (await audited(held))[-1]
        assert entry["details"] == {"user_id": person, "seconds": 0}
        assert (await told(engine, held))[-1][0] == "extended"

    @pytest.mark.parametrize("by_zero", [True, False])
    async def test_a_group_has_none_any_more(self, held: HeldExam, entrant: Entrant, by_zero: bool) -> None:
        await grant(held, {"group": "all", "extra_seconds": 600})
        if by_zero:
            await grant(held, {"group": "all", "extra_seconds": 0})
        else:
            await take_back(held, {"group": "all"})
        assert (await extra_of(entrant), await granted(held)) == (0, set())

    async def test_a_later_start_has_none(self, held: HeldExam, candidate: httpx.AsyncClient) -> None:
        entrant = await register(candidate, held)
        person = (await me(entrant))["user_id"]
        await grant(held, {"user_id": person, "extra_seconds": 300})
        await take_back(held, {"user_id": person})
        attempt = body_of(await entrant.enter())
        assert moment(attempt["deadline_at"]) - moment(attempt["started_at"]) == timedelta(seconds=600)

    async def test_where_there_is_nothing_it_says_so(self, held: HeldExam, entrant: Entrant) -> None:
        person = (await me(entrant))["user_id"]
        for _ in range(2):
            answer = await take_back(held, {"user_id": person}, {"group": "pwbd"})
            assert answer["unchanged"] == [
                {"user_id": person, "group": None},
                {"user_id": None, "group": "pwbd"},
            ]
        assert await audited(held) == []

    async def test_candidates_are_told_that_their_deadline_is_earlier(
        self, held: HeldExam, entrant: Entrant, engine: AsyncEngine
    ) -> None:
        person = (await me(entrant))["user_id"]
        await grant(held, {"user_id": person, "extra_seconds": 600})
        await grant(held, {"user_id": person, "extra_seconds": 200})
        await take_back(held, {"user_id": person})
        messages = await told(engine, held)
        assert [(kind, data.get("seconds"), data.get("change")) for kind, data in messages] == [
            ("extended", 600, None),
            ("attempt_changed", 400, "deadline_earlier"),
            ("attempt_changed", 200, "deadline_earlier"),
        ]
        deadlines = [moment(data["deadline_at"]) for _, data in messages]
        first = moment(entrant.attempt["deadline_at"])
        assert [deadline - first for deadline in deadlines] == [
            timedelta(seconds=seconds) for seconds in (600, 200, 0)
        ]

    async def test_what_is_used_already_stays_and_the_attempt_ends_now(
        self, held: HeldExam, entrant: Entrant, parts: Components, clock: TestClock
    ) -> None:
        """200 of 600 seconds of extra time are used. The deadline does not move into the past."""
        person = (await me(entrant))["user_id"]
        await grant(held, {"user_id": person, "extra_seconds": 600})
        clock.advance(800)
        answer = await take_back(held, {"user_id": person})
        (moved,) = answer["attempts"]
        assert 395 <= -moved["seconds"] <= 400
        deadline = moment(moved["deadline_at"])
        assert timedelta(0) <= deadline - clock.now() + timedelta(seconds=5) <= timedelta(seconds=6)
        clock.advance(60)
        await sweep(parts)
        ended = await held.attempt(entrant.attempt)
        assert (ended["closed_by"], moment(ended["deadline_at"])) == ("deadline", deadline)

    async def test_a_paused_attempt_loses_at_most_what_was_left_at_the_pause(
        self, held: HeldExam, entrant: Entrant, clock: TestClock
    ) -> None:
        person = (await me(entrant))["user_id"]
        await grant(held, {"user_id": person, "extra_seconds": 600})
        clock.advance(800)
        body_of(await held.order("pause", entrant.attempt))
        clock.advance(1200)
        (moved,) = (await take_back(held, {"user_id": person}))["attempts"]
        paused_at = moment((await held.attempt(entrant.attempt))["paused_at"])
        assert timedelta(0) <= moment(moved["deadline_at"]) - paused_at < timedelta(seconds=1)


class TestNotices:
    async def test_a_change_asks_for_one_and_a_repetition_for_none(
        self, held: HeldExam, entrant: Entrant, engine: AsyncEngine
    ) -> None:
        person = (await me(entrant))["user_id"]
        await grant(held, {"group": "all", "extra_seconds": 60}, dry_run=True)
        for seconds in (600, 600, 0, 0):
            await grant(held, {"user_id": person, "extra_seconds": seconds})
        statement = text(
            "select arguments from ias.jobs where task = :task and arguments->>'exam_id' = :id order by id"
        )
        async with engine.connect() as connection:
            values = {"task": "notify_extra_time", "id": held.exam["id"]}
            rows = (await connection.execute(statement, values)).scalars().all()
        holder = {"user_id": person, "group": None}
        assert [row["before"] for row in rows] == [
            [holder | {"extra_seconds": 0}],
            [holder | {"extra_seconds": 600}],
        ]
        assert len({row["change_id"] for row in rows}) == 2


class TestEndedAttempts:
    """An attempt that has ended in the meantime keeps the time that it had, and the answer says so."""

    @pytest.mark.parametrize("by", ["candidate", "staff", "deadline", "void"])
    async def test_they_stay_as_they_are(
        self, held: HeldExam, entrant: Entrant, parts: Components, clock: TestClock, by: str
    ) -> None:
        person = (await me(entrant))["user_id"]
        await grant(held, {"user_id": person, "extra_seconds": 600})
        await end(held, entrant, parts, clock, by)
        before = await held.attempt(entrant.attempt)
        answer = await take_back(held, {"user_id": person})
        assert await held.attempt(entrant.attempt) == before
        assert await granted(held) == set()
        assert (answer["moved"], answer["reopened"], answer["kept"]) == (0, 0, 1)
        (kept,) = answer["attempts"]
        assert (kept["attempt_id"], kept["outcome"], kept["seconds"]) == (entrant.attempt["id"], "kept", 0)
        assert "keeps the time" in kept["detail"]

    async def test_reopened_it_has_the_grant_as_well(
        self, held: HeldExam, entrant: Entrant, parts: Components, clock: TestClock
    ) -> None:
        person = (await me(entrant))["user_id"]
        await end(held, entrant, parts, clock, "candidate")
        item = {"user_id": person, "extra_seconds": 300}
        assert (await grant(held, item))["kept"] == 1
        body_of(await held.order("reopen", entrant.attempt, reason="by mistake"))
        assert (await held.attempt(entrant.attempt))["accommodation_seconds"] == 300
        again = await grant(held, item)
        assert (again["moved"], again["unchanged"]) == (0, [{"user_id": person, "group": None}])

    async def test_a_released_exam_takes_no_grants(self, held: HeldExam, entrant: Entrant) -> None:
        body_of(await held.order("submit", entrant.attempt))
        body_of(await held.staff.post(f"{held.paper_path()}/close"))
        await held.release()
        for method in ("PUT", "DELETE"):
            item = {"group": "all", "reason": "x"} | ({"extra_seconds": 60} if method == "PUT" else {})
            path = f"{held.path}/accommodations"
            refused = await held.staff.request(method, path, json={"items": [item]})
            assert (refused.status_code, refused.json()["code"]) == (409, "not_possible")


async def end(held: HeldExam, entrant: Entrant, parts: Components, clock: TestClock, by: str) -> None:
    if by == "candidate":
        body = {"attempt_id": entrant.attempt["id"]}
        body_of(await entrant.client.post(f"{entrant.path}/submit", json=body))
    elif by == "deadline":
        clock.advance(1220)
        await sweep(parts)
    else:
        body_of(await held.order({"staff": "submit"}.get(by, by), entrant.attempt, reason="x"))


class TestDryRun:
    async def test_it_answers_alike_and_changes_nothing(
        self, held: HeldExam, entrant: Entrant, engine: AsyncEngine
    ) -> None:
        item = {"group": "all", "extra_seconds": 300}
        planned = await grant(held, item, dry_run=True)
        assert (planned["dry_run"], planned["moved"]) == (True, 1)
        assert (await extra_of(entrant), await granted(held)) == (0, set())
        assert (await told(engine, held), await audited(held)) == ([], [])
        done = await grant(held, item)
        assert done == planned | {"dry_run": False}
        planned = await take_back(held, {"group": "all"}, dry_run=True)
        assert (planned["items"], planned["attempts"][0]["seconds"]) == ([], -300)
        assert (await extra_of(entrant), await granted(held)) == (300, {(None, "all", 300)})
