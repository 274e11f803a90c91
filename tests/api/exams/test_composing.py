"""Composing exams over HTTP: what can be placed, what is published, who sees it, who registers."""

from typing import Any

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import take_test
from tests.builders.content import PublishedTest, publish_test
from tests.builders.exams import HOUR, MINUTE, Json, body_of, compose_exam, register, take_paper
from tests.builders.people import People
from tests.conftest import TestClock


def exam_body(clock: TestClock, **changes: Any) -> Json:
    now = clock.now()
    body = {"title": "Prelims", "opens_at": now.isoformat(), "closes_at": (now + HOUR).isoformat()}
    return body | changes


def paper_body(made: PublishedTest, clock: TestClock, **changes: Any) -> Json:
    now = clock.now()
    return {
        "code": "GS1",
        "title": "General Studies",
        "test_id": str(made.id),
        "starts_at": now.isoformat(),
        "entry_closes_at": (now + MINUTE).isoformat(),
        "ends_at": (now + HOUR / 2).isoformat(),
    } | changes


class TestCreate:
    async def test_it_is_a_draft_that_candidates_do_not_see(
        self, author: httpx.AsyncClient, candidate: httpx.AsyncClient, clock: TestClock
    ) -> None:
        exam = body_of(await author.post("/exams", json=exam_body(clock, cutoffs={"general": "98.00"})), 201)
        assert (exam["status"], exam["title"]) == ("draft", {"en": "Prelims"})
        assert (await candidate.get(f"/exams/{exam['id']}")).status_code == 404
        assert (await candidate.post(f"/exams/{exam['id']}/register")).status_code == 404
        ids = [row["id"] for row in body_of(await candidate.get("/exams", params={"limit": 100}))["items"]]
        assert exam["id"] not in ids

    async def test_mistakes_are_named(self, author: httpx.AsyncClient, clock: TestClock) -> None:
        mistakes: list[tuple[Json, str]] = [
            ({"closes_at": "2020-01-01T00:00:00Z"}, "closes_at"),
            ({"opens_at": "2026-01-01T00:00:00"}, "opens_at"),
            ({"cutoffs": {"everybody": "98"}}, "cutoffs.everybody"),
            ({"cutoffs": {"general": "98,5"}}, "cutoffs.general"),
            ({"registration": "closed"}, "registration"),
            ({"invented": 1}, "invented"),
        ]
        for changes, field in mistakes:
            answer = await author.post("/exams", json=exam_body(clock, **changes))
            assert answer.status_code == 422, changes
            assert [error["field"] for error in answer.json()["errors"]] == [field]

    async def test_a_candidate_may_not(self, candidate: httpx.AsyncClient, clock: TestClock) -> None:
        assert (await candidate.post("/exams", json=exam_body(clock))).status_code == 403


class TestPlace:
    async def test_the_test_disappears_and_comes_back(
        self, author: httpx.AsyncClient, candidate: httpx.AsyncClient, made: PublishedTest, clock: TestClock
    ) -> None:
        held = await compose_exam(author, made, starts_at=clock.now(), publish=False)
        assert (await candidate.get(made.path)).status_code == 404
        assert (await author.delete(held.paper_path())).status_code == 204
        assert (await candidate.get(made.path)).status_code == 200

    async def test_what_candidates_know_already_cannot_be_an_exam(
        self, author: httpx.AsyncClient, candidate: httpx.AsyncClient, made: PublishedTest, clock: TestClock
    ) -> None:
        await take_test(candidate, made, {0: ["a"]})
        exam = body_of(await author.post("/exams", json=exam_body(clock)))
        answer = await author.post(f"/exams/{exam['id']}/papers", json=paper_body(made, clock))
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
        assert (await candidate.get(made.path)).status_code == 200

    async def test_what_staff_have_looked_at_can(
        self, author: httpx.AsyncClient, made: PublishedTest, clock: TestClock
    ) -> None:
        body_of(await author.post(f"{made.path}/start"))
        await compose_exam(author, made, starts_at=clock.now())

    async def test_the_same_test_or_code_twice_is_refused(
        self, author: httpx.AsyncClient, made: PublishedTest, engine: AsyncEngine, clock: TestClock
    ) -> None:
        async with unit_of_work(engine) as uow:
            other = await publish_test(uow)
        held = await compose_exam(author, made, starts_at=clock.now(), publish=False)
        for body in (paper_body(other, clock), paper_body(made, clock, code="GS2")):
            assert (await author.post(f"{held.path}/papers", json=body)).status_code == 409

    async def test_mistakes_are_named(
        self, author: httpx.AsyncClient, made: PublishedTest, clock: TestClock
    ) -> None:
        exam = body_of(await author.post("/exams", json=exam_body(clock)))
        mistakes: list[tuple[Json, str]] = [
            ({"entry_closes_at": "2020-01-01T00:00:00Z"}, "entry_closes_at"),
            ({"ends_at": "2020-01-01T00:00:00Z"}, "ends_at"),
            ({"test_id": "00000000-0000-4000-8000-000000000000"}, "test_id"),
            ({"qualifying_percent": 101}, "qualifying_percent"),
            ({"qualifying_percent": "a third"}, "qualifying_percent"),
            ({"code": ""}, "code"),
        ]
        for changes, field in mistakes:
            answer = await author.post(f"/exams/{exam['id']}/papers", json=paper_body(made, clock, **changes))
            assert answer.status_code == 422, changes
            assert field in [error["field"] for error in answer.json()["errors"]]

    async def test_a_paper_can_be_changed_until_the_exam_is_published(
        self, author: httpx.AsyncClient, made: PublishedTest, clock: TestClock
    ) -> None:
        held = await compose_exam(author, made, starts_at=clock.now(), publish=False)
        by_group = body_of(await author.patch(held.paper_path(), json={"group_percents": {"sc": "25"}}))
        assert by_group["group_percents"] == {"sc": "25"}
        changed = body_of(await author.patch(held.paper_path(), json={"qualifying_percent": "33.5"}))
        assert changed["qualifying_percent"] == 33.5
        body_of(await author.post(f"{held.path}/publish"))
        for call in (
            author.patch(held.paper_path(), json={"code": "X"}),
            author.delete(held.paper_path()),
            author.post(f"{held.path}/papers", json=paper_body(made, clock, code="GS9")),
        ):
            assert (await call).status_code == 409


class TestPublish:
    async def test_everything_that_stands_in_the_way_is_told_at_once(
        self, author: httpx.AsyncClient, engine: AsyncEngine, clock: TestClock
    ) -> None:
        async with unit_of_work(engine) as uow:
            tests = [await publish_test(uow) for _ in range(2)]
        body_of(await author.post(f"{tests[0].path}/archive"))
        started = clock.now() - 2 * HOUR
        held = await compose_exam(author, *tests, starts_at=started, publish=False)
        body = {"opens_at": (started + MINUTE).isoformat()}
        body_of(await author.patch(held.path, json=body))
        answer = await author.post(f"{held.path}/publish")
        assert (answer.status_code, answer.json()["code"]) == (409, "not_publishable")
        said = {(error["field"], error["message"]) for error in answer.json()["errors"]}
        assert said == {
            ("papers.0.starts_at", "Send a time that is not before the exam opens."),
            ("papers.0.ends_at", "This time has passed. Send a time in the future."),
            ("papers.1.starts_at", "Send a time that is not before the exam opens."),
            ("papers.1.ends_at", "This time has passed. Send a time in the future."),
            ("papers.0.test_id", "The test of paper GS1 is not published. Publish it first."),
        }

    async def test_an_exam_without_papers_is_not_published(
        self, author: httpx.AsyncClient, clock: TestClock
    ) -> None:
        exam = body_of(await author.post("/exams", json=exam_body(clock)))
        answer = await author.post(f"/exams/{exam['id']}/publish")
        assert [error["field"] for error in answer.json()["errors"]] == ["papers"]

    async def test_it_pins_the_version_of_then(
        self,
        author: httpx.AsyncClient,
        admin: httpx.AsyncClient,
        people: People,
        made: PublishedTest,
        clock: TestClock,
    ) -> None:
        held = await compose_exam(author, made, starts_at=clock.now())
        body_of(await admin.post(f"{made.path}/publish"))
        first = await register(await people.candidate(), held)
        assert body_of(await first.enter())["paper_version"] == 1
        again = body_of(await author.post(f"{held.path}/publish"))  # somebody has started
        assert (again["id"], again["unchanged"]["outdated"]) == (held.exam["id"], ["GS1"])
        assert "have started" in again["unchanged"]["detail"]
        second = await register(await people.candidate(), held)
        assert body_of(await second.enter())["paper_version"] == 1

    async def test_repeated_after_a_start_it_says_that_nothing_is_outdated(
        self, author: httpx.AsyncClient, candidate: httpx.AsyncClient, made: PublishedTest, clock: TestClock
    ) -> None:
        held = await compose_exam(author, made, starts_at=clock.now())
        body_of(await (await register(candidate, held)).enter())
        again = body_of(await author.post(f"{held.path}/publish"))
        assert again["unchanged"]["outdated"] == []
        actions = [entry["action"] for entry in body_of(await author.get(f"{held.path}/audit"))["items"]]
        assert actions.count("publish") == 1

    async def test_after_the_release_it_pins_nothing_anew(
        self, author: httpx.AsyncClient, admin: httpx.AsyncClient, made: PublishedTest, clock: TestClock
    ) -> None:
        """Nobody has started, and the window has not ended: the release alone stands in the way."""
        held = await compose_exam(author, made, starts_at=clock.now())
        body_of(await admin.post(f"{made.path}/publish"))
        body_of(await author.post(f"{held.paper_path()}/close"))
        await held.release()
        again = body_of(await author.post(f"{held.path}/publish"))
        assert again["unchanged"]["outdated"] == ["GS1"]
        assert "released" in again["unchanged"]["detail"]

    async def test_before_anybody_has_started_it_pins_anew(
        self,
        author: httpx.AsyncClient,
        admin: httpx.AsyncClient,
        candidate: httpx.AsyncClient,
        made: PublishedTest,
        clock: TestClock,
    ) -> None:
        held = await compose_exam(author, made, starts_at=clock.now())
        body_of(await admin.post(f"{made.path}/publish"))
        assert body_of(await author.post(f"{held.path}/publish"))["unchanged"] is None
        entrant = await register(candidate, held)
        assert body_of(await entrant.enter())["paper_version"] == 2

    async def test_then_its_times_stand(
        self, author: httpx.AsyncClient, made: PublishedTest, clock: TestClock
    ) -> None:
        held = await compose_exam(author, made, starts_at=clock.now())
        later = (clock.now() + 5 * HOUR).isoformat()
        assert (await author.patch(held.path, json={"closes_at": later})).status_code == 409
        changed = body_of(await author.patch(held.path, json={"title": "Renamed", "cutoffs": {"sc": "80"}}))
        assert (changed["title"], changed["cutoffs"]) == ({"en": "Renamed"}, {"sc": "80.00"})


class TestList:
    async def test_by_stage(
        self, author: httpx.AsyncClient, candidate: httpx.AsyncClient, engine: AsyncEngine, clock: TestClock
    ) -> None:
        now, found = clock.now(), {}
        for stage, starts_at, window in (
            ("scheduled", now + HOUR, HOUR),
            ("live", now, HOUR),
            ("closed", now, MINUTE),
            ("released", now, HOUR),
            ("cancelled", now, HOUR),
        ):
            async with unit_of_work(engine) as uow:
                made = await publish_test(uow)
            held = await compose_exam(author, made, starts_at=starts_at, window=window)
            if stage == "released":
                await held.release()
            if stage == "cancelled":
                body_of(await author.post(f"{held.path}/cancel", json={"reason": "flood"}))
            found[stage] = held.exam["id"]
        clock.advance(60)
        for stage, exam_id in found.items():
            assert body_of(await candidate.get(f"/exams/{exam_id}"))["status"] == stage
            listed = body_of(await candidate.get("/exams", params={"status": stage, "limit": 100}))["items"]
            assert exam_id in [row["id"] for row in listed]
            assert {row["status"] for row in listed} == {stage}


class TestRegister:
    async def test_category_and_disability_are_those_of_then(
        self, candidate: httpx.AsyncClient, author: httpx.AsyncClient, made: PublishedTest, clock: TestClock
    ) -> None:
        held = await compose_exam(author, made, starts_at=clock.now() + HOUR)
        body_of(await candidate.put("/users/profile", json={"category": "obc", "pwbd": 2}))
        place = body_of(await candidate.post(f"{held.path}/register"), 201)
        assert (place["category"], place["pwbd"], len(place["roll_number"])) == ("obc", 2, 8)
        body_of(await candidate.put("/users/profile", json={"category": "general", "pwbd": None}))
        again = body_of(await candidate.post(f"{held.path}/register"), 200)
        assert again == place

    async def test_until_the_last_entry_closes(
        self, candidate: httpx.AsyncClient, author: httpx.AsyncClient, engine: AsyncEngine, clock: TestClock
    ) -> None:
        async with unit_of_work(engine) as uow:
            tests = [await publish_test(uow) for _ in range(2)]
        afternoon = (clock.now() + HOUR / 2).isoformat()
        held = await compose_exam(
            author, *tests, starts_at=clock.now(), entry=MINUTE, papers=[{}, {"entry_closes_at": afternoon}]
        )
        clock.advance(29 * 60)
        body_of(await candidate.post(f"{held.path}/register"), 201)

    async def test_not_after_it(
        self, candidate: httpx.AsyncClient, author: httpx.AsyncClient, made: PublishedTest, clock: TestClock
    ) -> None:
        held = await compose_exam(author, made, starts_at=clock.now(), entry=MINUTE)
        clock.advance(60)
        answer = await candidate.post(f"{held.path}/register")
        assert (answer.status_code, answer.json()["code"]) == (409, "entry_closed")

    async def test_staff_see_who_is_registered_and_candidates_do_not(
        self, candidate: httpx.AsyncClient, author: httpx.AsyncClient, made: PublishedTest, clock: TestClock
    ) -> None:
        held = await compose_exam(author, made, starts_at=clock.now())
        await register(candidate, held)
        listed = body_of(await author.get(f"{held.path}/registrations"))["items"]
        assert [row["name"] for row in listed] == ["Asha Rao"]
        assert (await candidate.get(f"{held.path}/registrations")).status_code == 403


class TestAfterTheExam:
    async def test_a_held_test_is_still_held_by_a_second_exam(
        self, people: People, author: httpx.AsyncClient, made: PublishedTest, clock: TestClock
    ) -> None:
        held = await compose_exam(author, made, starts_at=clock.now())
        await take_paper(await people.candidate(), held, {})
        exam = body_of(await author.post("/exams", json=exam_body(clock)))
        answer = await author.post(f"/exams/{exam['id']}/papers", json=paper_body(made, clock))
        assert answer.status_code == 409


class TestTimes:
    async def test_a_moment_beyond_the_calendar_is_told(
        self, author: httpx.AsyncClient, clock: TestClock
    ) -> None:
        answer = await author.post("/exams", json=exam_body(clock, opens_at="0001-01-01T00:00:00+05:30"))
        assert answer.status_code == 422
        assert [error["field"] for error in answer.json()["errors"]] == ["opens_at"]
