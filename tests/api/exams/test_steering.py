"""Steering attempts and exams over HTTP: at once, by who may, with what it leaves behind."""

from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services import attempts
from app.services.components import Components
from app.services.unit_of_work import unit_of_work
from tests.api.exams.worker_steps import sweep
from tests.builders.content import PublishedTest, publish_test
from tests.builders.exams import (
    HOUR,
    MINUTE,
    Entrant,
    HeldExam,
    Json,
    body_of,
    hold_exam,
    moment,
    register,
    take_paper,
)
from tests.builders.people import People
from tests.conftest import TestClock


@pytest.fixture
async def proctor(people: People) -> httpx.AsyncClient:
    return await people.member("proctor")


@pytest.fixture
async def entrant(candidate: httpx.AsyncClient, held: HeldExam) -> Entrant:
    entrant = await register(candidate, held)
    body_of(await entrant.enter(), 201)
    return entrant


async def grade(parts: Components, attempt: Json) -> None:
    """What a worker's job does."""
    async with unit_of_work(parts.engine) as uow:
        await attempts.grade_batch(uow, parts, [UUID(attempt["id"])], parts.clock.now())


async def count(engine: AsyncEngine, statement: str, **values: object) -> int:
    async with engine.connect() as connection:
        return int(await connection.scalar(text(statement), values) or 0)


async def told(engine: AsyncEngine, held: HeldExam, kind: str) -> list[Json]:
    """What the exam's room was told of this kind, in its order."""
    statement = "select data from ias.messages where room = :room and type = :kind order by id"
    async with engine.connect() as connection:
        rows = await connection.execute(text(statement), {"room": f"exam:{held.exam['id']}", "kind": kind})
        return [row.data for row in rows]


class TestExtend:
    async def test_a_running_attempt_gets_more(self, held: HeldExam, entrant: Entrant) -> None:
        after = body_of(await held.order("extend", entrant.attempt, seconds=300, reason="power cut"))
        gained = moment(after["deadline_at"]) - moment(entrant.attempt["deadline_at"])
        assert gained == timedelta(seconds=300)
        assert body_of(await entrant.save({0: ["a"]}))["deadline_at"] == after["deadline_at"]

    async def test_what_the_sweeper_closed_goes_on_and_is_graded_anew(
        self, parts: Components, held: HeldExam, entrant: Entrant, engine: AsyncEngine, clock: TestClock
    ) -> None:
        body_of(await entrant.save({0: ["a"]}))
        clock.advance(600 + 20)
        await sweep(parts)
        await grade(parts, entrant.attempt)
        histogram = "select coalesce(sum(candidates), 0) from ias.score_counts where cohort_id = :id"
        assert await count(engine, histogram, id=held.papers[0]["id"]) == 1
        late = await entrant.save({1: ["b"]})
        assert (late.status_code, late.json()["recorded"]) == (409, True)
        after = body_of(await held.order("extend", entrant.attempt, seconds=300, reason="power cut"))
        assert after["status"] == "in_progress"
        assert await count(engine, histogram, id=held.papers[0]["id"]) == 0
        body_of(await entrant.save({1: ["b"], 2: ["c"]}))
        body_of(await entrant.submit())
        await held.release()
        assert body_of(await entrant.client.get(f"{held.path}/results"))["total"] == "6.00"
        assert await count(engine, histogram, id=held.papers[0]["id"]) == 1

    async def test_what_its_candidate_submitted_is_not_extended(
        self, held: HeldExam, entrant: Entrant
    ) -> None:
        body_of(await entrant.submit())
        answer = await held.order("extend", entrant.attempt, seconds=300, reason="power cut")
        assert (answer.status_code, answer.json()["code"]) == (409, "not_possible")

    async def test_so_short_an_extension_that_it_is_over_says_what_to_do(
        self, held: HeldExam, entrant: Entrant, clock: TestClock
    ) -> None:
        clock.advance(600 + 900)
        answer = await held.order("extend", entrant.attempt, seconds=300, reason="power cut")
        assert answer.status_code == 409
        assert "reopen" in answer.json()["detail"]


class TestPauseAndResume:
    async def test_a_paused_attempt_takes_nothing_and_loses_nothing(
        self, parts: Components, held: HeldExam, entrant: Entrant, clock: TestClock
    ) -> None:
        clock.advance(60)
        assert body_of(await held.order("pause", entrant.attempt))["status"] == "paused"
        clock.advance(1800)  # over the deadline
        await sweep(parts)
        refused = await entrant.save({0: ["a"]})
        assert (refused.status_code, refused.json()["code"]) == (409, "attempt_not_in_progress")
        standing = body_of(await entrant.client.get(f"{entrant.path}/attempt"))
        assert standing["status"] == "paused"
        after = body_of(await held.order("resume", entrant.attempt))
        assert abs(moment(after["deadline_at"]) - clock.now() - timedelta(seconds=540)) < timedelta(seconds=5)
        assert body_of(await entrant.save({0: ["a"]}))["saved"] == 1

    async def test_a_second_click_is_harmless(self, held: HeldExam, entrant: Entrant) -> None:
        first = body_of(await held.order("pause", entrant.attempt))
        assert body_of(await held.order("pause", entrant.attempt)) == first
        body_of(await held.order("resume", entrant.attempt))
        again = body_of(await held.order("resume", entrant.attempt))
        assert again["status"] == "in_progress"
        audit = body_of(await held.staff.get(f"{held.path}/audit"))["items"]
        assert [row["action"] for row in audit] == ["resume", "pause", "publish", "add_paper", "create"]

    async def test_a_candidate_may_submit_while_paused(self, held: HeldExam, entrant: Entrant) -> None:
        body_of(await held.order("pause", entrant.attempt))
        assert body_of(await entrant.submit())["status"] == "submitted"


class TestEnd:
    async def test_staff_end_an_attempt_and_reopen_it(
        self, held: HeldExam, entrant: Entrant, clock: TestClock, engine: AsyncEngine
    ) -> None:
        ended = body_of(await held.order("submit", entrant.attempt))
        assert ended["status"] == "submitted"
        assert (await entrant.save({0: ["a"]})).json()["code"] == "attempt_not_in_progress"
        clock.advance(120)
        after = body_of(await held.order("reopen", entrant.attempt, reason="by mistake"))
        assert after["status"] == "in_progress"
        gained = moment(after["deadline_at"]) - moment(entrant.attempt["deadline_at"])
        assert timedelta(seconds=119) < gained < timedelta(seconds=125)
        assert [message["status"] for message in await told(engine, held, "force_submitted")] == ["submitted"]
        assert [m["status"] for m in await told(engine, held, "attempt_changed")] == ["in_progress"]

    async def test_a_void_attempt_counts_nowhere(
        self, parts: Components, held: HeldExam, people: People, engine: AsyncEngine
    ) -> None:
        cheat, honest = [await take_paper(await people.candidate(), held, {0: ["a"]}) for _ in range(2)]
        for each in (cheat, honest):
            await grade(parts, each.attempt)
        body_of(await held.order("void", cheat.attempt, reason="copied"))
        assert body_of(await cheat.client.get(f"{cheat.path}/attempt"))["status"] == "void"
        released = await held.release()
        assert released["participants"] == 1
        mine = body_of(await cheat.client.get(f"{held.path}/results"))
        assert (mine["outcome"], mine["rank"], mine["papers"][0]["score"]) == ("void", None, None)
        theirs = body_of(await honest.client.get(f"{held.path}/results"))
        assert (theirs["rank"], theirs["participants"], theirs["percentile"]) == (1, 1, 100.0)
        rows = "select count(*) from ias.results where attempt_id = :id"
        assert await count(engine, rows, id=cheat.attempt["id"]) == 0

    async def test_a_voiding_by_mistake_is_taken_back(
        self, parts: Components, held: HeldExam, entrant: Entrant
    ) -> None:
        body_of(await entrant.save({0: ["a"]}))
        body_of(await entrant.submit())
        await grade(parts, entrant.attempt)
        body_of(await held.order("void", entrant.attempt, reason="copied"))
        assert body_of(await held.order("reopen", entrant.attempt, reason="no"))["status"] == "submitted"
        await held.release()
        assert body_of(await entrant.client.get(f"{held.path}/results"))["total"] == "2.00"


class TestAdmitLate:
    async def test_late_answers_count_once_staff_say_so(
        self, parts: Components, held: HeldExam, entrant: Entrant, clock: TestClock
    ) -> None:
        body_of(await entrant.save({0: ["a"]}))
        clock.advance(600 + 20)
        await sweep(parts)
        await grade(parts, entrant.attempt)
        assert (await entrant.save({1: ["b"]})).json()["recorded"]
        body_of(await held.order("admit-late", entrant.attempt, reason="network of the hall"))
        await held.release()
        assert body_of(await entrant.client.get(f"{held.path}/results"))["total"] == "4.00"


class TestBulk:
    async def test_one_that_refuses_stops_no_other(
        self, held: HeldExam, people: People, proctor: httpx.AsyncClient
    ) -> None:
        sitting, over = [await register(await people.candidate(), held) for _ in range(2)]
        for each in (sitting, over):
            body_of(await each.enter())
        body_of(await over.submit())
        body = {"attempt_ids": "all", "seconds": 60, "reason": "siren"}
        report = body_of(await proctor.post(f"{held.path}/attempts/extend", json=body))
        assert (report["changed"], report["unchanged"]) == (1, 0)
        assert [refusal["attempt_id"] for refusal in report["refused"]] == [over.attempt["id"]]
        assert [attempt["id"] for attempt in report["attempts"]] == [sitting.attempt["id"]]

    async def test_a_stranger_among_them_stops_all(self, held: HeldExam, entrant: Entrant) -> None:
        body = {"attempt_ids": [entrant.attempt["id"], held.exam["id"]]}
        answer = await held.staff.post(f"{held.path}/attempts/pause", json=body)
        assert answer.status_code == 404
        assert (await held.attempt(entrant.attempt))["status"] == "in_progress"

    async def test_mistakes_are_named(self, held: HeldExam) -> None:
        mistakes: list[tuple[str, Json, str]] = [
            ("extend", {"attempt_ids": "all", "reason": "x"}, "seconds"),
            ("extend", {"attempt_ids": "all", "seconds": 60}, "reason"),
            ("pause", {"attempt_ids": "all", "seconds": 60}, "seconds"),
            ("void", {"attempt_ids": "all"}, "reason"),
            ("pause", {"attempt_ids": "some"}, "attempt_ids"),
            ("pause", {"attempt_ids": []}, "attempt_ids"),
        ]
        for verb, body, field in mistakes:
            answer = await held.staff.post(f"{held.path}/attempts/{verb}", json=body)
            assert answer.status_code == 422, (verb, body)
            assert any(error["field"].startswith(field) for error in answer.json()["errors"]), (verb, body)

    async def test_an_unknown_verb_is_told(self, held: HeldExam) -> None:
        answer = await held.staff.post(f"{held.path}/attempts/punish", json={"attempt_ids": "all"})
        assert answer.status_code == 422


class TestClose:
    async def test_a_paper_ends_now(
        self, held: HeldExam, entrant: Entrant, people: People, engine: AsyncEngine
    ) -> None:
        closed = body_of(await held.staff.post(f"{held.paper_path()}/close"))
        assert (closed["status"], closed["attempts_ended"]) == ("closed", 1)
        assert (await held.attempt(entrant.attempt))["closed_by"] == "staff"
        other = Entrant(await people.candidate(), held)
        answer = await other.client.post(f"{held.path}/register")
        assert (answer.status_code, answer.json()["code"]) == (409, "entry_closed")
        assert len(await told(engine, held, "force_submitted")) == 1
        assert body_of(await held.staff.post(f"{held.paper_path()}/close"))["attempts_ended"] == 0


class TestPostpone:
    async def test_papers_that_wait_move_with_the_exam(
        self, author: httpx.AsyncClient, candidate: httpx.AsyncClient, made: PublishedTest, clock: TestClock
    ) -> None:
        held = await hold_exam(author, made, starts_at=clock.now() + MINUTE)
        entrant = await register(candidate, held)
        body = {"seconds": 1800, "reason": "rain"}
        after = body_of(await author.post(f"{held.path}/postpone", json=body))
        assert moment(after["opens_at"]) - moment(held.exam["opens_at"]) == HOUR / 2
        paper = body_of(await candidate.get(f"{held.path}/papers"))["items"][0]
        for name in ("starts_at", "entry_closes_at", "ends_at"):
            assert moment(paper[name]) - moment(held.papers[0][name]) == HOUR / 2
        clock.advance(60)
        assert (await entrant.enter()).json()["code"] == "paper_not_open"
        said = body_of(await candidate.get(f"{held.path}/announcements"))["items"]
        assert said[0]["text"]["en"] == "Postponed by 30 min: GS1. rain"

    async def test_what_has_begun_is_not_postponed(self, held: HeldExam) -> None:
        body = {"seconds": 1800, "reason": "rain"}
        assert (await held.staff.post(f"{held.path}/postpone", json=body)).status_code == 409


class TestCancel:
    async def test_nobody_enters_and_nothing_counts(
        self, held: HeldExam, entrant: Entrant, people: People, made: PublishedTest
    ) -> None:
        for _ in range(2):  # twice: a second click is harmless
            after = body_of(await held.staff.post(f"{held.path}/cancel", json={"reason": "leak"}))
            assert after["status"] == "cancelled"
        assert (await held.attempt(entrant.attempt))["status"] == "void"
        assert (await entrant.save({0: ["a"]})).status_code == 409
        late = Entrant(await people.candidate(), held)
        assert (await late.client.post(f"{held.path}/register")).status_code == 409
        assert (await entrant.enter()).status_code == 409
        assert (await held.staff.post(f"{held.path}/release-results")).status_code == 409


class TestAnnounce:
    async def test_everybody_in_the_exam_reads_it(
        self, held: HeldExam, entrant: Entrant, people: People, engine: AsyncEngine
    ) -> None:
        text = {"en": "Question 3: read 1950.", "hi": "प्रश्न 3: 1950 पढ़ें।"}
        said = body_of(await held.staff.post(f"{held.path}/announcements", json={"text": text}), 201)
        listed = body_of(await entrant.client.get(f"{held.path}/announcements"))["items"]
        assert listed == [said]
        assert [message["text"] for message in await told(engine, held, "announcement")] == [text]
        stranger = await people.candidate()
        assert (await stranger.get(f"{held.path}/announcements")).status_code == 404


class TestWatch:
    async def test_counts_and_the_hall(
        self, held: HeldExam, people: People, proctor: httpx.AsyncClient
    ) -> None:
        sitting, over, _absent = [await register(await people.candidate(), held) for _ in range(3)]
        for each in (sitting, over):
            body_of(await each.enter())
        body_of(await sitting.save({0: ["a"]}))
        body_of(await over.submit())
        seen = body_of(await proctor.get(f"{held.path}/monitor"))
        assert seen["registered"] == 3
        (paper,) = seen["papers"]
        assert (paper["started"], paper["in_progress"], paper["submitted"]) == (2, 1, 1)
        rows = body_of(await proctor.get(f"{held.path}/attempts"))["items"]
        saved = {row["id"]: row["last_saved_at"] for row in rows}
        assert saved[sitting.attempt["id"]] is not None
        assert saved[over.attempt["id"]] is None
        place = body_of(await sitting.client.get(held.path))["my_registration"]
        params = {"query": place["roll_number"]}
        found = body_of(await proctor.get(f"{held.path}/attempts", params=params))["items"]
        assert [row["id"] for row in found] == [sitting.attempt["id"]]
        assert not {"score", "result", "answer", "responses"} & set(rows[0])

    async def test_candidates_do_not(self, held: HeldExam, entrant: Entrant) -> None:
        for path in ("monitor", "attempts", "audit", "accommodations", "merit-list"):
            assert (await entrant.client.get(f"{held.path}/{path}")).status_code == 403, path


class TestWhoMay:
    async def test_candidates_steer_nothing(self, held: HeldExam, entrant: Entrant) -> None:
        before = await held.attempt(entrant.attempt)
        for verb in ("extend", "pause", "resume", "submit", "reopen", "void", "admit-late"):
            more = {"seconds": 60} if verb in ("extend", "reopen") else {}
            path = f"{held.path}/attempts/{entrant.attempt['id']}/{verb}"
            single = await entrant.client.post(path, json={"reason": "please"} | more)
            bulk = {"attempt_ids": "all", "reason": "please"}
            answers = [single, await entrant.client.post(f"{held.path}/attempts/{verb}", json=bulk)]
            assert [answer.status_code for answer in answers] == [403, 403], verb
        assert await held.attempt(entrant.attempt) == before

    async def test_another_exams_attempt_is_not_there(
        self, author: httpx.AsyncClient, engine: AsyncEngine, entrant: Entrant, clock: TestClock
    ) -> None:
        async with unit_of_work(engine) as uow:
            other = await publish_test(uow)
        elsewhere = await hold_exam(author, other, starts_at=clock.now())
        answer = await elsewhere.order("pause", entrant.attempt)
        assert answer.status_code == 404

    async def test_what_was_done_is_in_the_audit_with_its_reason(
        self, held: HeldExam, entrant: Entrant
    ) -> None:
        body_of(await held.order("extend", entrant.attempt, seconds=60, reason="power cut"))
        entry = body_of(await held.staff.get(f"{held.path}/audit"))["items"][0]
        me = body_of(await held.staff.get("/auth/me"))["id"]
        assert (entry["action"], entry["reason"], entry["attempt_id"]) == (
            "extend",
            "power cut",
            entrant.attempt["id"],
        )
        assert (entry["actor_id"], entry["details"]) == (me, {"seconds": 60})


class TestWhoMadeTheExam:
    async def test_what_lifts_the_embargo_is_theirs_and_the_admins(
        self, held: HeldExam, people: People
    ) -> None:
        outsider = await people.member("author")
        calls: list[tuple[str, str, Json]] = [
            ("PATCH", "", {"title": "Mine"}),
            ("POST", "/publish", {}),
            ("POST", "/cancel", {"reason": "to see the key"}),
            ("POST", "/release-results", {}),
        ]
        for method, path, body in calls:
            answer = await outsider.request(method, f"{held.path}{path}", json=body)
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), path

    async def test_an_admin_may(self, held: HeldExam, admin: httpx.AsyncClient) -> None:
        body_of(await admin.post(f"{held.path}/cancel", json={"reason": "flood"}))
