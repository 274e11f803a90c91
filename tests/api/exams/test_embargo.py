"""The embargo belongs to questions: what other tests, exams and authors may learn of keys before it ends."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.builders.attempts import AttemptClient, start, take_test
from tests.builders.content import PublishedTest, publish_for
from tests.builders.exams import HOUR, HeldExam, Json, body_of, hold_exam, register, take_paper
from tests.builders.people import People, user_id_of
from tests.conftest import TestClock

AHEAD = timedelta(minutes=45)
ANSWERS = {0: ["a"], 1: ["c"]}


@pytest.fixture
async def owner(people: People) -> httpx.AsyncClient:
    return await people.member("author")


@pytest.fixture
async def other(people: People) -> httpx.AsyncClient:
    return await people.member("author")


@pytest.fixture
async def made(engine: AsyncEngine, owner: httpx.AsyncClient) -> PublishedTest:
    """The owner's test, of the owner's questions."""
    return await publish_for(engine, owner)


@pytest.fixture
async def twin(engine: AsyncEngine, made: PublishedTest) -> PublishedTest:
    """A practice test of nobody with the same questions, published before any exam."""
    return await publish_for(engine, None, made)


async def hold(owner: httpx.AsyncClient, made: PublishedTest, clock: TestClock, **more: Any) -> HeldExam:
    return await hold_exam(owner, made, starts_at=clock.now(), **more)


async def results(client: httpx.AsyncClient, made: PublishedTest) -> tuple[int, str]:
    answer = await client.get(f"{made.path}/results")
    return answer.status_code, answer.json().get("code", "")


def status_of(answer: httpx.Response) -> int:
    return answer.status_code


async def place(client: httpx.AsyncClient, made: PublishedTest, clock: TestClock) -> httpx.Response:
    """Place a test in a new draft exam of this author."""
    held = await hold_exam(client, starts_at=clock.now(), publish=False)
    paper = {
        "code": "GS",
        "title": "GS",
        "test_id": str(made.id),
        "starts_at": clock.now().isoformat(),
        "entry_closes_at": (clock.now() + HOUR / 2).isoformat(),
        "ends_at": (clock.now() + HOUR).isoformat(),
    }
    return await client.post(f"{held.path}/papers", json=paper)


class TestPractice:
    """A test that shares a question with a published exam tells nothing until the release (fault 3)."""

    async def test_it_is_hidden_until_the_release(
        self,
        owner: httpx.AsyncClient,
        candidate: httpx.AsyncClient,
        made: PublishedTest,
        twin: PublishedTest,
        clock: TestClock,
    ) -> None:
        assert status_of(await candidate.get(twin.path)) == 200
        held = await hold(owner, made, clock)
        assert status_of(await candidate.get(twin.path)) == 404
        assert status_of(await candidate.post(f"{twin.path}/start")) == 404
        listed = body_of(await candidate.get("/tests", params={"limit": 100}))["items"]
        assert str(twin.id) not in {each["id"] for each in listed}
        await held.release()
        assert status_of(await candidate.get(twin.path)) == 200

    async def test_a_draft_exam_hides_its_own_test_alone(
        self,
        owner: httpx.AsyncClient,
        candidate: httpx.AsyncClient,
        made: PublishedTest,
        twin: PublishedTest,
        clock: TestClock,
    ) -> None:
        await hold(owner, made, clock, publish=False)
        assert status_of(await candidate.get(made.path)) == 404
        assert status_of(await candidate.get(twin.path)) == 200

    async def test_a_result_from_before_waits_for_the_release(
        self,
        owner: httpx.AsyncClient,
        candidate: httpx.AsyncClient,
        made: PublishedTest,
        twin: PublishedTest,
        clock: TestClock,
    ) -> None:
        before = await take_test(candidate, twin, ANSWERS)
        held = await hold(owner, made, clock)
        assert await results(candidate, twin) == (409, "not_graded_yet")
        await held.release()
        after = body_of(await candidate.get(f"{twin.path}/results"))
        assert (after["score"], after["questions"]) == (before["score"], before["questions"])

    async def test_a_submit_shows_the_result_only_before_the_exam_and_after_the_release(
        self,
        owner: httpx.AsyncClient,
        people: People,
        made: PublishedTest,
        twin: PublishedTest,
        clock: TestClock,
    ) -> None:
        sittings = [await start(await people.candidate(), twin) for _ in range(6)]
        answered = []

        async def submit(sitting: AttemptClient, how: str) -> None:
            token, headers = sitting.attempt["attempt_token"], {"Content-Type": how}
            answer = await sitting.client.post(
                f"{twin.path}/submit",
                content=f'{{"attempt_id": "{sitting.id}"}}',
                headers={**headers, "Authorization": f"Bearer {token}"},
            )
            answered.append(body_of(answer)["result"] is not None)

        directly, by_the_route = "application/json", "application/json; charset=utf-8"
        await submit(sittings[0], directly)
        await submit(sittings[1], by_the_route)
        held = await hold(owner, made, clock)
        await submit(sittings[2], directly)
        await submit(sittings[3], by_the_route)
        await submit(sittings[0], by_the_route)
        await held.release()
        await submit(sittings[4], directly)
        await submit(sittings[5], by_the_route)
        await submit(sittings[2], by_the_route)
        assert answered == [True, True, False, False, False, True, True, True]

    async def test_an_attempt_under_way_loses_no_answer(
        self,
        owner: httpx.AsyncClient,
        candidate: httpx.AsyncClient,
        made: PublishedTest,
        twin: PublishedTest,
        clock: TestClock,
    ) -> None:
        sitting = await start(candidate, twin)
        held = await hold(owner, made, clock)
        again = await start(candidate, twin)
        assert again.id == sitting.id
        assert status_of(await again.save(again.response(0, ["a"]))) == 200
        submitted = await again.submit()
        assert submitted.status_code == 200
        assert not {"score", "correct", "rank"} & set(submitted.json())
        assert await results(candidate, twin) == (409, "not_graded_yet")
        await held.release()
        shown = body_of(await candidate.get(f"{twin.path}/results"))
        assert (shown["correct"], shown["score"]) == (1, "2.00")

    async def test_lists_and_progress_tell_nothing(
        self,
        owner: httpx.AsyncClient,
        candidate: httpx.AsyncClient,
        made: PublishedTest,
        twin: PublishedTest,
        clock: TestClock,
    ) -> None:
        await take_test(candidate, twin, ANSWERS)
        before = body_of(await candidate.get("/users/progress"))["questions"]
        assert before["correct"] == 1
        held = await hold(owner, made, clock)
        progress = body_of(await candidate.get("/users/progress"))["questions"]
        assert (progress["seen"], progress["correct"], progress["accuracy"]) == (0, 0, None)
        [attempt] = body_of(await candidate.get("/users/attempts"))["items"]
        assert (attempt["status"], attempt["score"]) == ("submitted", None)
        graded = body_of(await candidate.get("/users/attempts", params={"status": "graded"}))
        assert graded["items"] == []
        await held.release()
        assert body_of(await candidate.get("/users/progress"))["questions"] == before

    async def test_a_cancelled_exam_lifts_it(
        self,
        owner: httpx.AsyncClient,
        candidate: httpx.AsyncClient,
        made: PublishedTest,
        twin: PublishedTest,
        clock: TestClock,
    ) -> None:
        await take_test(candidate, twin, ANSWERS)
        held = await hold(owner, made, clock)
        body_of(await owner.post(f"{held.path}/cancel", json={"reason": "flood"}))
        assert (await results(candidate, twin))[0] == 200

    async def test_one_release_lifts_only_what_no_other_exam_holds(
        self,
        owner: httpx.AsyncClient,
        candidate: httpx.AsyncClient,
        made: PublishedTest,
        twin: PublishedTest,
        clock: TestClock,
    ) -> None:
        await take_test(candidate, twin, ANSWERS)
        first = await hold(owner, made, clock)
        second = await hold(owner, made, clock)
        await take_paper(candidate, first, {0: ["a"]})
        await first.release()
        assert await results(candidate, twin) == (409, "not_graded_yet")
        assert (await candidate.get(f"{first.path}/results")).json()["code"] == "results_not_released"
        await second.release()
        assert (await results(candidate, twin))[0] == 200
        assert body_of(await candidate.get(f"{first.path}/results"))["total"] == "2.00"

    async def test_a_retired_question_is_held_like_any(
        self,
        owner: httpx.AsyncClient,
        candidate: httpx.AsyncClient,
        made: PublishedTest,
        twin: PublishedTest,
        clock: TestClock,
    ) -> None:
        await take_test(candidate, twin, ANSWERS)
        await hold(owner, made, clock)
        for question_id in made.question_ids:
            body_of(await owner.post(f"/questions/{question_id}/retire"))
        assert await results(candidate, twin) == (409, "not_graded_yet")


class TestStaffsOwnTests:
    """Another author's test of the same questions is no way to their keys (fault 2)."""

    async def test_their_preview_has_no_result(
        self,
        engine: AsyncEngine,
        owner: httpx.AsyncClient,
        other: httpx.AsyncClient,
        made: PublishedTest,
        clock: TestClock,
    ) -> None:
        theirs = await publish_for(engine, other, made)
        for publish in (False, True):
            await hold(owner, made, clock, publish=publish)
            sitting = await start(other, theirs)
            await sitting.save(sitting.response(0, ["a"]))
            await sitting.submit()
            assert await results(other, theirs) == (409, "not_graded_yet")
            assert body_of(await other.get("/users/progress"))["questions"]["correct"] == 0

    async def test_what_stands_in_the_way_of_publishing_does_not_tell_of_keys(
        self,
        engine: AsyncEngine,
        owner: httpx.AsyncClient,
        other: httpx.AsyncClient,
        made: PublishedTest,
        clock: TestClock,
    ) -> None:
        theirs = await publish_for(engine, other, made)
        statement = (
            """update ias.question_versions set key = '{"dropped": true}' where question_id = any(:ids)"""
        )
        async with engine.begin() as connection:
            await connection.execute(text(statement), {"ids": list(made.question_ids)})
        dropped = body_of(await other.get(f"{theirs.path}/preview"))["obstacles"]
        assert "drops them all" in str(dropped)
        await hold(owner, made, clock)
        obstacles = body_of(await other.get(f"{theirs.path}/preview"))["obstacles"]
        assert {each["message"] for each in obstacles} == {
            "The question is in an exam that is not released yet."
        }
        refused = body_of(await other.post(f"{theirs.path}/publish"), 409)
        assert {each["message"] for each in refused["errors"]} == {each["message"] for each in obstacles}


class TestPlacing:
    """A test of another author, and questions that another's exam holds, need their consent (fault 2)."""

    async def test_of_another_author(
        self, other: httpx.AsyncClient, made: PublishedTest, clock: TestClock
    ) -> None:
        assert status_of(await place(other, made, clock)) == 403

    async def test_of_another_author_that_is_hidden(
        self, owner: httpx.AsyncClient, other: httpx.AsyncClient, made: PublishedTest, clock: TestClock
    ) -> None:
        await hold(owner, made, clock)
        refused = body_of(await place(other, made, clock), 422)
        assert refused == body_of(await place(other, PublishedTest(uuid4(), ()), clock), 422) | {
            "request_id": refused["request_id"]
        }

    async def test_questions_that_a_published_exam_holds(
        self,
        engine: AsyncEngine,
        owner: httpx.AsyncClient,
        other: httpx.AsyncClient,
        made: PublishedTest,
        clock: TestClock,
    ) -> None:
        theirs = await publish_for(engine, other, made)
        await hold(owner, made, clock)
        assert status_of(await place(other, theirs, clock)) == 403

    async def test_an_exam_that_was_drafted_before_is_not_published(
        self,
        engine: AsyncEngine,
        owner: httpx.AsyncClient,
        other: httpx.AsyncClient,
        made: PublishedTest,
        clock: TestClock,
    ) -> None:
        theirs = await publish_for(engine, other, made)
        drafted = await hold(other, theirs, clock, publish=False)
        await hold(owner, made, clock)
        refused = body_of(await other.post(f"{drafted.path}/publish"), 409)
        assert (refused["code"], refused["errors"][0]["field"]) == ("not_publishable", "papers.0.test_id")

    async def test_two_who_publish_at_once(
        self,
        engine: AsyncEngine,
        owner: httpx.AsyncClient,
        other: httpx.AsyncClient,
        made: PublishedTest,
        clock: TestClock,
    ) -> None:
        """One of them is first, and the other one sees it: never are both published."""
        theirs = await publish_for(engine, other, made)
        exams = [
            await hold(owner, made, clock, publish=False),
            await hold(other, theirs, clock, publish=False),
        ]
        answers = await asyncio.gather(*(held.staff.post(f"{held.path}/publish") for held in exams))
        assert sorted(map(status_of, answers)) == [200, 409]

    async def test_an_admin_may(
        self, admin: httpx.AsyncClient, owner: httpx.AsyncClient, made: PublishedTest, clock: TestClock
    ) -> None:
        await hold(owner, made, clock)
        assert status_of(await place(admin, made, clock)) == 201

    async def test_an_admin_publishes_and_the_others_results_wait(
        self,
        engine: AsyncEngine,
        admin: httpx.AsyncClient,
        owner: httpx.AsyncClient,
        other: httpx.AsyncClient,
        candidate: httpx.AsyncClient,
        made: PublishedTest,
        clock: TestClock,
    ) -> None:
        """The attack itself, if an admin lets the exam through: exact scores come with the last release."""
        theirs = await publish_for(engine, other, made)
        copy = await hold(other, theirs, clock, publish=False)
        held = await hold(owner, made, clock)
        body_of(await admin.post(f"{copy.path}/publish"))
        await take_paper(candidate, copy, ANSWERS)
        early = {"early": True, "reason": "attack"}
        for body in (early, early | {"dry_run": True}):
            refused = body_of(await other.post(f"{copy.path}/release-results", json=body), 409)
            assert refused["code"] == "not_possible"
        body_of(await admin.post(f"{copy.path}/release-results", json=early))
        for path in ("/merit-list", "/merit-list?format=csv", "/export"):
            answer = await other.get(f"{copy.path}{path}")
            assert (answer.status_code, answer.json()["code"]) == (409, "results_not_released")
        assert status_of(await candidate.get(f"{copy.path}/results")) == 409
        assert status_of(await candidate.get(theirs.path)) == 404
        body_of(await admin.post(f"{held.path}/release-results", json=early))
        assert status_of(await other.get(f"{copy.path}/merit-list")) == 200
        assert status_of(await candidate.get(f"{copy.path}/results")) == 200


class TestConsent:
    async def test_it_lets_somebody_place_the_test_and_shows_no_key(
        self, owner: httpx.AsyncClient, other: httpx.AsyncClient, made: PublishedTest, clock: TestClock
    ) -> None:
        consents = f"{made.path}/consents/{await user_id_of(other)}"
        given = body_of(await owner.put(consents))
        assert given == body_of(await owner.put(consents))
        listed = body_of(await owner.get(f"{made.path}/consents"))
        assert listed == {**given, "next_cursor": None}
        assert [(each["user_id"], each["granted_by"]) for each in given["items"]] == [
            (str(await user_id_of(other)), str(await user_id_of(owner)))
        ]
        await hold(other, made, clock)
        assert status_of(await other.get(f"{made.path}/preview")) == 200
        question = body_of(await other.get(f"/questions/{made.question_ids[0]}"))
        assert (question["key"], question["withheld"]) == (None, True)
        sitting = await start(other, made)
        await sitting.submit()
        assert await results(other, made) == (409, "not_graded_yet")

    async def test_it_ends_when_it_is_withdrawn(
        self, owner: httpx.AsyncClient, other: httpx.AsyncClient, made: PublishedTest, clock: TestClock
    ) -> None:
        consent = f"{made.path}/consents/{await user_id_of(other)}"
        body_of(await owner.put(consent))
        drafted = await hold(other, made, clock, publish=False)
        for _ in range(2):
            assert status_of(await owner.delete(consent)) == 204
        assert status_of(await other.post(f"{drafted.path}/publish")) == 409
        assert status_of(await other.get(made.path)) == 404

    async def test_only_who_made_the_test_and_admins_give_it(
        self, admin: httpx.AsyncClient, other: httpx.AsyncClient, made: PublishedTest
    ) -> None:
        path = f"{made.path}/consents/{await user_id_of(other)}"
        for method in ("PUT", "DELETE"):
            assert status_of(await other.request(method, path)) == 403
        assert status_of(await other.get(f"{made.path}/consents")) == 403
        assert status_of(await admin.put(path)) == 200

    async def test_only_to_authors(
        self, people: People, owner: httpx.AsyncClient, candidate: httpx.AsyncClient, made: PublishedTest
    ) -> None:
        proctor = await people.member("proctor")
        for user_id in (await user_id_of(candidate), await user_id_of(proctor), uuid4()):
            assert status_of(await owner.put(f"{made.path}/consents/{user_id}")) == 422

    async def test_it_is_in_the_audit(
        self, engine: AsyncEngine, owner: httpx.AsyncClient, other: httpx.AsyncClient, made: PublishedTest
    ) -> None:
        path = f"{made.path}/consents/{await user_id_of(other)}"
        body_of(await owner.put(path))
        await owner.delete(path)
        await owner.delete(path)
        statement = text(
            "select action from ias.audit_entries"
            " where subject_id = :id and action like '%consent' order by created_at, action"
        )
        async with engine.connect() as connection:
            rows = await connection.execute(statement, {"id": made.id})
            assert [row.action for row in rows] == ["consent", "withdraw_consent"]


class TestBeforeItOpens:
    """Staff outside the team see of a paper what candidates see (fault 5)."""

    @pytest.mark.parametrize("role", ["proctor", "evaluator", "author"])
    async def test_nobody_reads_it_ahead(
        self, people: People, owner: httpx.AsyncClient, made: PublishedTest, clock: TestClock, role: str
    ) -> None:
        staff = await people.member(role)
        held = await hold_exam(owner, made, starts_at=clock.now() + AHEAD)
        paths = ["", "/questions", "/results"] + (["/preview", "/print"] if role == "author" else [])
        assert {path: status_of(await staff.get(made.path + path)) for path in paths} == dict.fromkeys(
            paths, 404
        )
        assert status_of(await staff.post(f"{made.path}/start")) == 404
        paper = held.paper_path()
        assert (await staff.post(f"{paper}/start")).json()["code"] == "paper_not_open"
        assert (await staff.get(f"{paper}/package")).json()["code"] == "paper_not_open"
        assert status_of(await staff.get(f"{paper}/questions")) == 404
        if role == "author":
            writes = [("PATCH", ""), ("POST", "/publish"), ("POST", "/archive"), ("POST", "/clone")]
            for method, path in writes:
                body = {"kind": "practice"} if method == "PATCH" else {}
                assert status_of(await staff.request(method, made.path + path, json=body)) == 404
        clock.advance(AHEAD.total_seconds())
        assert status_of(await staff.post(f"{paper}/start")) == 201

    async def test_the_team_does(
        self, admin: httpx.AsyncClient, owner: httpx.AsyncClient, made: PublishedTest, clock: TestClock
    ) -> None:
        await hold_exam(owner, made, starts_at=clock.now() + AHEAD)
        for member in (owner, admin):
            assert status_of(await member.get(f"{made.path}/preview")) == 200
            assert status_of(await member.post(f"{made.path}/start")) == 201


class TestOnesOwnQuestions:
    """Nobody is locked out of their own questions by an exam of somebody else (fault 8)."""

    async def seen(self, client: httpx.AsyncClient, question_id: object) -> Json:
        return body_of(await client.get(f"/questions/{question_id}"))

    async def test_not_by_a_draft_exam(
        self,
        engine: AsyncEngine,
        owner: httpx.AsyncClient,
        other: httpx.AsyncClient,
        made: PublishedTest,
        clock: TestClock,
    ) -> None:
        await hold(other, await publish_for(engine, other, made), clock, publish=False)
        shown = await self.seen(owner, made.question_ids[0])
        assert (shown["withheld"], shown["key"]) == (False, {"accepted": [["a"]]})
        assert status_of(await owner.patch(f"/questions/{made.question_ids[0]}", json={"tags": ["x"]})) == 200
        again = await publish_for(engine, owner, made)
        assert status_of(await owner.post(f"{again.path}/publish")) == 200

    async def test_nor_by_a_published_one_while_nobody_else_has_revised_them(
        self,
        engine: AsyncEngine,
        owner: httpx.AsyncClient,
        other: httpx.AsyncClient,
        made: PublishedTest,
        clock: TestClock,
    ) -> None:
        revised, untouched = made.question_ids[:2]
        body_of(await other.patch(f"/questions/{revised}", json={"key": ["d"]}))
        await hold(other, await publish_for(engine, other, made), clock)
        assert (await self.seen(owner, untouched))["withheld"] is False
        assert (await self.seen(owner, revised))["key"] is None

    async def test_candidates_go_on_practising_with_them(
        self,
        engine: AsyncEngine,
        other: httpx.AsyncClient,
        candidate: httpx.AsyncClient,
        made: PublishedTest,
        clock: TestClock,
    ) -> None:
        await hold(other, await publish_for(engine, other, made), clock, publish=False)
        assert (await take_test(candidate, made, ANSWERS))["correct"] == 1


class TestExport:
    async def test_its_columns_do_not_tell_in_which_languages_explanations_are(
        self, owner: httpx.AsyncClient, other: httpx.AsyncClient, made: PublishedTest, clock: TestClock
    ) -> None:
        question = body_of(await owner.get(f"/questions/{made.question_ids[0]}"))
        body_of(await owner.patch(f"/questions/{question['id']}", json={"explanation": {"ta": "SECRET"}}))
        await hold(owner, made, clock)
        asked = {"format": "csv", "subject_id": question["subject_id"]}
        assert "explanation_ta" in (await owner.post("/questions/export", json=asked)).text
        assert "_ta" not in (await other.post("/questions/export", json=asked)).text


async def test_a_registered_candidate_sits_the_exam_all_the_same(
    owner: httpx.AsyncClient,
    candidate: httpx.AsyncClient,
    made: PublishedTest,
    twin: PublishedTest,
    clock: TestClock,
) -> None:
    sitting: AttemptClient = await start(candidate, twin)
    held = await hold(owner, made, clock)
    entrant = await register(candidate, held)
    body_of(await entrant.enter())
    assert status_of(await entrant.save({0: ["a"]})) == 200
    assert status_of(await sitting.save(sitting.response(1, ["b"]))) == 200
    assert status_of(await entrant.submit()) == 200
