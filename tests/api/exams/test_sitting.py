"""Sitting an exam's paper over HTTP: windows, places, leases, the package, and what comes after."""

import base64
from datetime import timedelta
from math import ceil

import httpx
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.unit_of_work import unit_of_work
from tests.builders.content import PublishedTest, publish_test
from tests.builders.exams import (
    HOUR,
    MINUTE,
    Entrant,
    HeldExam,
    body_of,
    hold_exam,
    moment,
    register,
    take_paper,
)
from tests.builders.people import People
from tests.conftest import TestClock


@pytest.fixture
async def held(author: httpx.AsyncClient, made: PublishedTest, clock: TestClock) -> HeldExam:
    """An exam whose paper has opened a minute ago, for an hour; entry is for half an hour."""
    return await hold_exam(author, made, starts_at=clock.now() - MINUTE, entry=HOUR / 2)


def wait(now: str, until: str) -> int:
    """The whole seconds to wait, rounded up."""
    return ceil((moment(until) - moment(now)).total_seconds())


class TestStart:
    async def test_a_registered_candidate_sits_until_duration_is_over(
        self, candidate: httpx.AsyncClient, held: HeldExam
    ) -> None:
        entrant = await register(candidate, held)
        answer = await entrant.enter()
        assert answer.status_code == 201
        attempt = answer.json()
        assert attempt["exam_paper_id"] == held.papers[0]["id"]
        assert not attempt["practice"]
        assert moment(attempt["deadline_at"]) - moment(attempt["started_at"]) == timedelta(seconds=600)
        assert len(base64.urlsafe_b64decode(attempt["package_key"] + "=")) == 32

    async def test_again_gives_the_next_lease(self, candidate: httpx.AsyncClient, held: HeldExam) -> None:
        entrant = await register(candidate, held)
        first = body_of(await entrant.enter(), 201)
        again = body_of(await entrant.enter(), 200)
        assert (again["id"], again["lease"]) == (first["id"], 2)

    async def test_who_starts_late_ends_with_the_window(
        self, candidate: httpx.AsyncClient, author: httpx.AsyncClient, made: PublishedTest, clock: TestClock
    ) -> None:
        held = await hold_exam(author, made, starts_at=clock.now() - MINUTE, window=5 * MINUTE)
        entrant = await register(candidate, held)
        attempt = body_of(await entrant.enter())
        assert attempt["deadline_at"] == held.papers[0]["ends_at"]

    async def test_without_a_place_nobody_enters(self, candidate: httpx.AsyncClient, held: HeldExam) -> None:
        answer = await Entrant(candidate, held).enter()
        assert (answer.status_code, answer.json()["code"]) == (409, "not_registered")

    async def test_with_open_registration_starting_registers(
        self, candidate: httpx.AsyncClient, author: httpx.AsyncClient, made: PublishedTest, clock: TestClock
    ) -> None:
        held = await hold_exam(author, made, starts_at=clock.now() - MINUTE, registration="open")
        body_of(await Entrant(candidate, held).enter(), 201)
        assert (await candidate.get(held.path)).json()["my_registration"]["roll_number"]

    async def test_before_its_time_the_paper_is_not_open(
        self, candidate: httpx.AsyncClient, author: httpx.AsyncClient, made: PublishedTest, clock: TestClock
    ) -> None:
        held = await hold_exam(author, made, starts_at=clock.now() + MINUTE)
        entrant = await register(candidate, held)
        early = await entrant.enter()
        assert (early.status_code, early.json()["code"]) == (409, "paper_not_open")
        starts_at = held.papers[0]["starts_at"]
        assert (early.json()["starts_at"], early.json()["opens_at"]) == (starts_at, starts_at)
        assert int(early.headers["Retry-After"]) == wait(early.json()["server_time"], starts_at)
        clock.advance(60)
        body_of(await entrant.enter(), 201)

    async def test_a_moment_before_its_time_it_says_one_second(
        self, candidate: httpx.AsyncClient, author: httpx.AsyncClient, made: PublishedTest, clock: TestClock
    ) -> None:
        clock.stop_entirely()
        held = await hold_exam(author, made, starts_at=clock.now() + MINUTE)
        entrant = await register(candidate, held)
        clock.advance(59.999)
        assert (await entrant.enter()).headers["Retry-After"] == "1"

    async def test_after_entry_has_closed_only_who_is_inside_goes_on(
        self, people: People, held: HeldExam, clock: TestClock
    ) -> None:
        inside, outside = [await register(await people.candidate(), held) for _ in range(2)]
        body_of(await inside.enter(), 201)
        body_of(await held.order("extend", inside.attempt, seconds=3600, reason="power cut"))
        clock.advance(30 * 60)
        late = await outside.enter()
        assert (late.status_code, late.json()["code"]) == (409, "entry_closed")
        body_of(await inside.enter(), 200)

    async def test_a_sitting_that_is_over_is_not_begun_again(
        self, candidate: httpx.AsyncClient, held: HeldExam
    ) -> None:
        entrant = await take_paper(candidate, held, {0: ["a"]})
        again = await entrant.enter()
        assert (again.status_code, again.json()["code"]) == (409, "attempts_exhausted")

    async def test_another_exams_path_is_not_found(
        self, candidate: httpx.AsyncClient, author: httpx.AsyncClient, held: HeldExam, clock: TestClock
    ) -> None:
        other = await hold_exam(author, starts_at=clock.now(), publish=False)
        entrant = await register(candidate, held)
        body_of(await entrant.enter())
        wrong = f"{other.path}/papers/{held.papers[0]['id']}"
        body = {"attempt_id": entrant.attempt["id"]}
        assert (await candidate.post(f"{wrong}/start")).status_code == 404
        assert (await candidate.post(f"{wrong}/submit", json=body)).status_code == 404
        assert (await candidate.get(f"{wrong}/questions")).status_code == 404


class TestUnderEmbargo:
    async def test_the_test_is_not_there(
        self, candidate: httpx.AsyncClient, held: HeldExam, made: PublishedTest
    ) -> None:
        entrant = await take_paper(candidate, held, {0: ["a"]})
        for path in (made.path, f"{made.path}/questions", f"{made.path}/results"):
            assert (await candidate.get(path)).status_code == 404, path
        assert (await candidate.post(f"{made.path}/start")).status_code == 404
        listed = body_of(await candidate.get("/users/attempts"))["items"]
        assert [(row["id"], row["status"]) for row in listed] == [(entrant.attempt["id"], "submitted")]
        assert all(row["score"] is None for row in listed)

    async def test_submit_shows_no_score_and_again_gives_the_same(
        self, candidate: httpx.AsyncClient, held: HeldExam
    ) -> None:
        entrant = await register(candidate, held)
        await entrant.enter()
        first, second = body_of(await entrant.submit()), body_of(await entrant.submit())
        assert first == second
        assert first["status"] == "submitted"
        answer = await candidate.get(f"{held.path}/results")
        assert (answer.status_code, answer.json()["code"]) == (409, "results_not_released")


class TestAttemptToken:
    async def test_it_is_enough_for_the_whole_sitting(
        self, people: People, candidate: httpx.AsyncClient, held: HeldExam
    ) -> None:
        entrant = await register(candidate, held)
        await entrant.enter()
        async with people.client(entrant.attempt["attempt_token"]) as holder:
            entrant.client = holder
            assert (await holder.get(f"{entrant.path}/questions")).status_code == 200
            assert (await holder.get(f"{entrant.path}/attempt")).json()["status"] == "in_progress"
            assert body_of(await entrant.save({0: ["b"]}))["saved"] == 1
            assert body_of(await entrant.submit())["status"] == "submitted"

    async def test_it_is_good_for_no_test_route(
        self, people: People, candidate: httpx.AsyncClient, held: HeldExam, made: PublishedTest
    ) -> None:
        entrant = await register(candidate, held)
        await entrant.enter()
        async with people.client(entrant.attempt["attempt_token"]) as holder:
            assert (await holder.get(f"{made.path}/questions")).status_code == 404
            body = {"attempt_id": entrant.attempt["id"]}
            assert (await holder.post(f"{made.path}/submit", json=body)).status_code == 404


class TestPackage:
    async def test_it_opens_with_the_key_of_the_start(
        self, candidate: httpx.AsyncClient, author: httpx.AsyncClient, made: PublishedTest, clock: TestClock
    ) -> None:
        held = await hold_exam(author, made, starts_at=clock.now() + 30 * MINUTE)
        entrant = await register(candidate, held)
        package = await candidate.get(f"{entrant.path}/package")
        assert package.status_code == 200
        assert package.headers["Content-Type"] == "application/octet-stream"
        assert package.content == (await candidate.get(f"{entrant.path}/package")).content
        clock.advance(30 * 60)
        started = body_of(await entrant.enter())
        key = base64.urlsafe_b64decode(started["package_key"] + "=")
        opened = AESGCM(key).decrypt(package.content[:12], package.content[12:], None)
        assert opened == (await candidate.get(f"{entrant.path}/questions")).content

    async def test_before_it_is_not_there_and_strangers_get_none(
        self, people: People, author: httpx.AsyncClient, made: PublishedTest, clock: TestClock
    ) -> None:
        held = await hold_exam(author, made, starts_at=clock.now() + 31 * MINUTE)
        entrant = await register(await people.candidate(), held)
        early = await entrant.client.get(f"{entrant.path}/package")
        assert (early.status_code, early.json()["code"]) == (409, "paper_not_open")
        times = early.json()
        assert times["starts_at"] == held.papers[0]["starts_at"]
        assert wait(times["opens_at"], times["starts_at"]) == 30 * 60
        assert int(early.headers["Retry-After"]) == wait(times["server_time"], times["opens_at"])
        clock.advance(60)
        stranger = await people.candidate()
        answer = await stranger.get(f"{entrant.path}/package")
        assert (answer.status_code, answer.json()["code"]) == (409, "not_registered")

    async def test_each_paper_has_a_key_of_its_own(
        self, candidate: httpx.AsyncClient, author: httpx.AsyncClient, engine: AsyncEngine, clock: TestClock
    ) -> None:
        async with unit_of_work(engine) as uow:
            tests = [await publish_test(uow) for _ in range(2)]
        held = await hold_exam(author, *tests, starts_at=clock.now())
        entrants = [await register(candidate, held, number) for number in range(2)]
        keys = {body_of(await entrant.enter())["package_key"] for entrant in entrants}
        assert len(keys) == 2


class TestAfterRelease:
    async def test_the_paper_is_practice_for_everybody(
        self, people: People, held: HeldExam, made: PublishedTest
    ) -> None:
        sat, stranger = await people.candidate(), await people.candidate()
        await take_paper(sat, held, {0: ["a"]})
        await held.release()
        for client in (sat, stranger):
            entrant = Entrant(client, held)
            attempt = body_of(await entrant.enter(), 201)
            assert attempt["practice"]
            body_of(await entrant.save({0: ["a"], 1: ["b"], 2: ["c"]}))
            assert body_of(await entrant.submit())["status"] == "graded"
            params = {"attempt_id": attempt["id"]}
            result = body_of(await client.get(f"{made.path}/results", params=params))
            assert (result["score"], result["rank"], result["percentile"]) == ("6.00", None, None)

    async def test_the_test_is_practice_too(
        self, candidate: httpx.AsyncClient, held: HeldExam, made: PublishedTest
    ) -> None:
        await held.release()
        assert body_of(await candidate.post(f"{made.path}/start"))["practice"]


class TestStaff:
    async def test_what_they_sit_is_practice_and_counts_for_nothing(
        self, author: httpx.AsyncClient, candidate: httpx.AsyncClient, held: HeldExam
    ) -> None:
        assert (await author.post(f"{held.path}/register")).status_code == 403
        preview = Entrant(author, held)
        assert body_of(await preview.enter(), 201)["practice"]
        body_of(await preview.submit())
        await take_paper(candidate, held, {0: ["a"]})
        await held.release()
        assert body_of(await candidate.get(f"{held.path}/results"))["participants"] == 1
