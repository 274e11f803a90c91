"""Objections to the keys of an exam over HTTP: stages, what candidates see, clusters, decisions."""

import csv
import io
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services import notifications
from app.services.components import Components
from tests.builders.content import PublishedTest, publish_for
from tests.builders.exams import HOUR, MINUTE, HeldExam, Json, body_of, hold_exam, register, take_paper
from tests.builders.people import People, user_id_of
from tests.conftest import TestClock

SOURCES = [{"title": "Laxmikanth", "page": "4.2"}, {"title": "NCERT XI", "url": "https://ncert.nic.in/x"}]


@dataclass
class Dispute:
    """An exam of three questions (a, b, c are right) with a window for objections, and its candidates."""

    held: HeldExam
    made: PublishedTest
    first: httpx.AsyncClient
    second: httpx.AsyncClient
    clock: TestClock

    @property
    def path(self) -> str:
        return f"/tests/{self.made.id}/objections"

    def objection(self, number: int = 1, option: str = "d", **changes: Any) -> Json:
        return {
            "question_id": str(self.made.question_ids[number - 1]),
            "claimed_key": {"accepted": [[option]]},
            "explanation": "Article 368 says so.",
            "sources": SOURCES,
        } | changes

    def verdict(self, number: int = 1, option: str | None = "d", **changes: Any) -> Json:
        claimed = {"claimed_key": {"accepted": [[option]]}} if option else {}
        question_id = str(self.made.question_ids[number - 1])
        return {"question_id": question_id, "accept": True, "reason": "The source holds."} | claimed | changes

    async def objects(self, client: httpx.AsyncClient, *args: Any, **changes: Any) -> httpx.Response:
        return await client.post(self.path, json=self.objection(*args, **changes))

    async def stage(self, name: str, **body: Any) -> httpx.Response:
        return await self.held.staff.post(f"{self.held.path}/{name}", json=body)

    async def decides(self, *args: Any, **changes: Any) -> httpx.Response:
        return await self.held.staff.post(f"{self.path}/decide", json=self.verdict(*args, **changes))


@pytest.fixture
async def made(engine: AsyncEngine, author: httpx.AsyncClient) -> PublishedTest:
    return await publish_for(engine, author)


@pytest.fixture
async def dispute(
    author: httpx.AsyncClient, made: PublishedTest, people: People, clock: TestClock
) -> Dispute:
    """The paper is over, two candidates have sat it; objections are taken for twenty minutes."""
    window = {
        "opens_at": (clock.now() + 10 * MINUTE).isoformat(),
        "closes_at": (clock.now() + 30 * MINUTE).isoformat(),
        "sources_required": 2,
        "limit": 2,
    }
    held = await hold_exam(author, made, starts_at=clock.now(), window=5 * MINUTE, objections=window)
    first, second = await people.candidate(), await people.candidate()
    await take_paper(first, held, {0: ["d"], 1: ["b"]})
    await take_paper(second, held, {0: ["a"]})
    clock.advance(11 * 60)
    return Dispute(held, made, first, second, clock)


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


class TestStages:
    async def test_show_keys_in_their_order(self, dispute: Dispute, people: People) -> None:
        held, key = dispute.held, f"{dispute.held.paper_path()}/key"
        stranger, absent = await people.candidate(), await people.candidate()
        assert problem(await dispute.first.get(key)) == (409, "key_not_shown")
        assert problem(await dispute.objects(dispute.first)) == (409, "key_not_shown")
        assert problem(await stranger.get(key)) == (409, "not_registered")

        tried = body_of(await dispute.stage("provisional-key", dry_run=True))
        assert (tried["dry_run"], tried["candidates"], tried["undecided"]) == (True, 2, 0)
        assert [(each["code"], each["version"], each["questions"]) for each in tried["keys"]] == [
            ("GS1", 1, 3)
        ]
        assert problem(await dispute.first.get(key)) == (409, "key_not_shown")

        shown = body_of(await dispute.stage("provisional-key"))
        assert shown == tried | {"dry_run": False}
        assert body_of(await dispute.stage("provisional-key")) == shown
        exam = body_of(await dispute.first.get(held.path))
        assert (exam["status"], exam["objections"]["sources_required"]) == ("provisional_key", 2)

        seen = body_of(await dispute.first.get(key))
        rows = [(q["answer"], q["provisional_key"], q["final_key"]) for q in seen["questions"]]
        assert rows == [
            (["d"], {"accepted": [["a"]]}, None),
            (["b"], {"accepted": [["b"]]}, None),
            (None, {"accepted": [["c"]]}, None),
        ]
        assert not {"score", "marks", "outcome", "rank", "correct"} & set(str(seen).split("'"))
        assert problem(await absent.get(key)) == (409, "not_registered")
        # Nobody has a result, and the test stays hidden.
        assert problem(await dispute.first.get(f"{held.path}/results")) == (409, "results_not_released")
        assert (await dispute.first.get(f"/tests/{dispute.made.id}/results")).status_code == 404
        assert (await dispute.first.get(f"/tests/{dispute.made.id}")).status_code == 404

        assert problem(await dispute.stage("final-key")) == (409, "objections_open")
        dispute.clock.advance(20 * 60)
        final = body_of(await dispute.stage("final-key"))
        assert (final["status"], final["keys"][0]["changed"]) == ("final_key", [])
        assert body_of(await dispute.stage("final-key", dry_run=True)) == final | {"dry_run": True}
        assert problem(await dispute.stage("provisional-key")) == (409, "not_possible")
        rows = body_of(await dispute.first.get(key))["questions"]
        assert [row["final_key"] for row in rows] == [{"accepted": [[each]]} for each in "abc"]
        said = body_of(await dispute.first.get(f"{held.path}/announcements"))["items"]
        assert [each["text"]["en"][:19] for each in said] == ["The final key is pu", "The provisional key"]
        assert all(each["text"]["hi"] for each in said)

        await held.release()
        assert body_of(await dispute.first.get(held.path))["status"] == "released"
        assert body_of(await dispute.first.get(key))["status"] == "final_key"
        assert problem(await dispute.objects(dispute.first)) == (409, "objections_closed")

    async def test_wait_for_papers_and_attempts(
        self, author: httpx.AsyncClient, made: PublishedTest, people: People, clock: TestClock
    ) -> None:
        held = await hold_exam(author, made, starts_at=clock.now(), window=5 * MINUTE)
        entrant = await register(await people.candidate(), held)
        body_of(await entrant.enter())
        body_of(await held.order("extend", entrant.attempt, seconds=7200, reason="a power cut"))
        for stage in ("provisional-key", "final-key"):
            assert problem(await author.post(f"{held.path}/{stage}")) == (409, "papers_not_over")
        clock.advance(6 * 60)
        for stage in ("provisional-key", "final-key"):
            assert problem(await author.post(f"{held.path}/{stage}")) == (409, "attempts_in_progress")
        body_of(await entrant.submit())
        # The provisional key may be skipped, and an exam without a window takes no objections.
        shown = body_of(await author.post(f"{held.path}/final-key"))
        assert (shown["objections"], shown["candidates"]) == (None, 1)
        [row, *_] = body_of(await entrant.client.get(f"{held.paper_path()}/key"))["questions"]
        assert (row["provisional_key"], row["final_key"]) == (None, {"accepted": [["a"]]})
        await held.release()
        assert problem(await author.post(f"{held.path}/provisional-key")) == (409, "not_possible")

    async def test_are_for_who_made_the_exam(self, dispute: Dispute, people: People) -> None:
        other, candidate = await people.member("author"), await people.candidate()
        for client in (other, candidate):
            answer = await client.post(f"{dispute.held.path}/provisional-key")
            assert problem(answer) == (403, "forbidden")

    async def test_a_draft_or_cancelled_exam_has_none(
        self, author: httpx.AsyncClient, made: PublishedTest, clock: TestClock
    ) -> None:
        held = await hold_exam(author, made, starts_at=clock.now() + HOUR, publish=False)
        assert problem(await author.post(f"{held.path}/provisional-key")) == (409, "not_possible")
        body_of(await author.post(f"{held.path}/publish"))
        body_of(await author.post(f"{held.path}/cancel", json={"reason": "flood"}))
        assert problem(await author.post(f"{held.path}/provisional-key")) == (409, "not_possible")


class TestTheWindow:
    async def test_can_be_changed_until_the_final_key(self, dispute: Dispute) -> None:
        path, staff = dispute.held.path, dispute.held.staff
        body_of(await dispute.stage("provisional-key"))
        body_of(await dispute.objects(dispute.first))
        now = dispute.clock.now()
        later = {
            "opens_at": (now + 5 * MINUTE).isoformat(),
            "closes_at": (now + 9 * MINUTE).isoformat(),
            "sources_required": 0,
        }
        body_of(await staff.patch(path, json={"objections": later}))
        early = await dispute.objects(dispute.second)
        assert problem(early) == (409, "objections_closed")
        assert {"opens_at", "closes_at"} < set(early.json())
        # A new announcement is made.
        said = body_of(await dispute.first.get(f"{path}/announcements"))["items"]
        assert len(said) == 2
        body_of(await staff.patch(path, json={"objections": None}))
        assert problem(await dispute.objects(dispute.second)) == (409, "objections_closed")
        body_of(await dispute.stage("final-key"))
        assert problem(await staff.patch(path, json={"objections": later})) == (409, "not_possible")

    @pytest.mark.parametrize(
        "window",
        [
            {"opens_at": "2026-06-07T10:00:00Z", "sources_required": 3},
            {"opens_at": "2026-06-08T10:00:00Z", "closes_at": "2026-06-07T10:00:00Z", "sources_required": 3},
            {"opens_at": "2026-06-07T10:00:00Z", "closes_at": "2026-06-08T10:00:00Z", "sources_required": 11},
            {"opens_at": "2026-06-07T10:00:00Z", "closes_at": "2026-06-08T10:00:00Z", "days": 3},
        ],
    )
    async def test_is_refused_if_invalid(self, dispute: Dispute, window: Json) -> None:
        answer = await dispute.held.staff.patch(dispute.held.path, json={"objections": window})
        assert problem(answer) == (422, "invalid")


class TestObjecting:
    async def test_once_for_each_claimed_key(self, dispute: Dispute) -> None:
        body_of(await dispute.stage("provisional-key"))
        first = body_of(await dispute.objects(dispute.first), 201)
        assert (first["status"], first["number"], first["claimed_key"]) == ("open", 1, {"accepted": [["d"]]})
        assert first["sources"][0] == {"title": "Laxmikanth", "page": "4.2", "url": None}
        again = body_of(await dispute.objects(dispute.first, claimed_key=[" d "]), 201)
        assert again == first
        edited = body_of(await dispute.objects(dispute.first, explanation="Article 370."), 201)
        assert (edited["id"], edited["explanation"]) == (first["id"], "Article 370.")
        other = body_of(await dispute.objects(dispute.first, claimed_key={"dropped": True}), 201)
        limit = await dispute.objects(dispute.first, 2)
        assert (problem(limit), limit.json()["limit"]) == ((409, "objection_limit_reached"), 2)
        own = body_of(await dispute.first.get(dispute.path))["items"]
        assert [each["id"] for each in own] == [first["id"], other["id"]]
        assert body_of(await dispute.second.get(dispute.path))["items"] == []

        theirs = await dispute.second.delete(f"{dispute.path}/{first['id']}")
        assert problem(theirs) == (404, "not_found")
        for _ in range(2):
            gone = await dispute.first.delete(f"{dispute.path}/{first['id']}")
        assert problem(gone) == (404, "not_found")
        body_of(await dispute.objects(dispute.first, 2), 201)

    async def test_is_refused_if_invalid_late_or_from_a_stranger(
        self, dispute: Dispute, people: People
    ) -> None:
        body_of(await dispute.stage("provisional-key"))
        stranger = await people.candidate()
        assert problem(await dispute.objects(stranger)) == (404, "not_found")
        one = await dispute.objects(dispute.first, sources=SOURCES[:1] * 3)
        assert (problem(one), one.json()["errors"][0]["field"]) == ((422, "invalid"), "sources")
        same = await dispute.objects(dispute.first, option="a")
        assert same.json()["errors"][0]["field"] == "claimed_key"
        unknown = await dispute.objects(dispute.first, option="x")
        assert unknown.json()["errors"][0]["field"] == "claimed_key.accepted.0"
        wrong: list[Json] = [{"accepted": []}, {"value": "3"}, {"pairs": {}}]
        for claimed in wrong:
            assert problem(await dispute.objects(dispute.first, claimed_key=claimed)) == (422, "invalid")
        script = [{"title": "A", "url": "javascript:alert(1)"}]
        assert problem(await dispute.objects(dispute.first, sources=script)) == (422, "invalid")
        foreign = await dispute.objects(dispute.first, question_id="00000000-0000-0000-0000-000000000001")
        assert problem(foreign) == (404, "not_found")
        assert body_of(await dispute.held.staff.get(dispute.path))["items"] == []
        dispute.clock.advance(20 * 60)
        late = await dispute.objects(dispute.first)
        assert problem(late) == (409, "objections_closed")

    async def test_with_a_void_attempt_is_refused(self, dispute: Dispute) -> None:
        listed = body_of(await dispute.held.staff.get(f"{dispute.held.path}/attempts"))["items"]
        me = str(await user_id_of(dispute.first))
        mine = next(each for each in listed if each["user_id"] == me)
        body_of(await dispute.held.order("void", mine, reason="a phone"))
        body_of(await dispute.stage("provisional-key"))
        assert problem(await dispute.objects(dispute.first)) == (404, "not_found")
        assert problem(await dispute.first.get(f"{dispute.held.paper_path()}/key")) == (404, "not_found")


class TestDeciding:
    async def test_a_cluster_once_and_tells_each_objector(
        self, dispute: Dispute, parts: Components, engine: AsyncEngine
    ) -> None:
        body_of(await dispute.stage("provisional-key"))
        body_of(await dispute.objects(dispute.first), 201)
        body_of(await dispute.objects(dispute.second, explanation="See the Act."), 201)
        body_of(await dispute.objects(dispute.second, 2, "c"), 201)
        assert problem(await dispute.decides()) == (409, "objections_open")
        dispute.clock.advance(20 * 60)

        staff = dispute.held.staff
        clusters = body_of(await staff.get(dispute.path))["items"]
        assert [(each["number"], each["objections"], each["status"]) for each in clusters] == [
            (1, 2, "open"),
            (2, 1, "open"),
        ]
        assert [each["explanation"] for each in clusters[0]["first"]] == [
            "Article 368 says so.",
            "See the Act.",
        ]
        assert clusters[0]["key"] == {"accepted": [["a"]]}
        assert "user_id" not in str(clusters)
        texts = body_of(await staff.get(f"{dispute.path}/clusters/{clusters[0]['id']}"))["items"]
        assert texts == clusters[0]["first"]

        accepted = body_of(await dispute.decides())
        assert (accepted["told"], accepted["clusters"][0]["status"]) == (2, "accepted")
        change = {"question_id": str(dispute.made.question_ids[0]), "key": {"accepted": [["d"]]}}
        assert accepted["revision"] == {
            "method": "POST",
            "path": f"/v1/tests/{dispute.made.id}/key-revisions",
            "body": {
                "changes": [change],
                "reason": "Accepted objections to questions: 1",
                "keep": "new",
            },
        }
        revision = accepted["revision"]
        body_of(await staff.post(revision["path"].removeprefix("/v1"), json=revision["body"]), 201)
        assert body_of(await dispute.decides()) == accepted | {"told": 0}
        other = await dispute.decides(accept=False)
        assert (problem(other), other.json()["accepted"]) == ((409, "objection_decided"), True)
        rejected = body_of(await dispute.decides(2, None, accept=False, reason="No."))
        assert (rejected["told"], rejected["clusters"][0]["status"]) == (1, "rejected")

        # Changes only the draft.
        body_of(await staff.patch(dispute.made.path, json={"title": "A secret title"}))
        assert await tell(dispute, parts, engine) == {"key_shown": 2, "decided": 3}
        inbox = body_of(await dispute.second.get("/notifications"))["items"]
        decisions = [each["data"] for each in inbox if each["kind"] == "objection_decided"]
        assert sorted((each["question_number"], each["accepted"], each["reason"]) for each in decisions) == [
            (1, True, "The source holds."),
            (2, False, "No."),
        ]
        assert all("secret" not in each["test_title"]["en"] for each in decisions)
        own = body_of(await dispute.second.get(dispute.path))["items"]
        assert [(each["status"], each["reason"]) for each in own] == [
            ("accepted", "The source holds."),
            ("rejected", "No."),
        ]
        open_ones = body_of(await staff.get(dispute.path, params={"decided": "false"}))["items"]
        assert open_ones == []

        replaced = body_of(await dispute.decides(accept=False, reason="A misprint.", replace=True))
        assert (replaced["told"], replaced["revision"]) == (2, None)
        body_of(await dispute.stage("final-key"))
        shown = body_of(await dispute.first.get(f"{dispute.held.paper_path()}/key"))["decisions"]
        assert [(each["number"], each["accepted"], each["reason"]) for each in shown] == [
            (1, False, "A misprint."),
            (2, False, "No."),
        ]

    async def test_claims_of_one_question_must_fit_together(self, dispute: Dispute) -> None:
        body_of(await dispute.stage("provisional-key"))
        body_of(await dispute.objects(dispute.first), 201)
        body_of(await dispute.objects(dispute.second, 1, "c"), 201)
        body_of(await dispute.objects(dispute.second, claimed_key={"dropped": True}), 201)
        dispute.clock.advance(20 * 60)
        assert problem(await dispute.decides(option=None)) == (422, "invalid")
        body_of(await dispute.decides())
        both = body_of(await dispute.decides(option="c"))
        assert both["revision"]["body"]["changes"][0]["key"] == {"accepted": [["c"], ["d"]]}
        dropped = await dispute.decides(claimed_key={"dropped": True})
        assert problem(dropped) == (409, "conflict")
        nothing = await dispute.decides(option="b")
        assert problem(nothing) == (404, "not_found")
        # The remaining undecided claim.
        rest = body_of(await dispute.decides(option=None, accept=False, reason="It has an answer."))
        assert [each["claimed_key"] for each in rest["clusters"]] == [{"dropped": True}]

    async def test_before_the_release_is_for_the_author_of_the_test_and_admins(
        self, dispute: Dispute, people: People
    ) -> None:
        body_of(await dispute.stage("provisional-key"))
        body_of(await dispute.objects(dispute.first), 201)
        dispute.clock.advance(20 * 60)
        other, evaluator, proctor, admin = [
            await people.member(role) for role in ("author", "evaluator", "proctor", "admin")
        ]
        # Until the release, the exam hides the test from authors and evaluators who did not make it.
        for client in (other, evaluator):
            assert (await client.get(dispute.path)).status_code == 404
            assert (await client.post(f"{dispute.path}/decide", json=dispute.verdict())).status_code == 404
        assert (await proctor.get(dispute.path)).status_code == 404
        assert (await proctor.post(f"{dispute.path}/decide", json=dispute.verdict())).status_code == 403
        for client in (dispute.held.staff, admin):
            assert len(body_of(await client.get(dispute.path))["items"]) == 1

    async def test_has_a_sheet_and_counts_of_answers(self, dispute: Dispute, parts: Components) -> None:
        body_of(await dispute.stage("provisional-key"))
        body_of(await dispute.objects(dispute.first, explanation="=cmd()"), 201)
        body_of(await dispute.objects(dispute.second), 201)
        staff = dispute.held.staff
        sheet = await staff.get(dispute.path, params={"format": "csv"})
        rows = list(csv.DictReader(io.StringIO(sheet.text.removeprefix("\ufeff"))))
        assert [(row["question"], row["objections"], row["decision"]) for row in rows] == [("1", "2", "")] * 2
        assert rows[0]["claimed_key"] == '{"accepted": [["d"]]}'
        assert not rows[0]["explanation"].startswith("=")
        assert rows[1]["sources"] == "Laxmikanth, p. 4.2\nNCERT XI, https://ncert.nic.in/x"
        xlsx = await staff.get(dispute.path, params={"format": "xlsx"})
        assert xlsx.content[:2] == b"PK"
        await dispute.held.release()
        question_id = str(dispute.made.question_ids[0])
        [cluster] = body_of(await staff.get(dispute.path, params={"question_id": question_id}))["items"]
        assert (cluster["objections"], cluster["answered_so"]) == (2, 1)


async def tell(dispute: Dispute, parts: Components, engine: AsyncEngine) -> dict[str, int]:
    """Run the jobs about keys of the dispute twice, and count the notifications that they create."""
    created = {"key_shown": 0, "decided": 0}
    statement = text(
        "select arguments from ias.jobs where task in ('notify_key_shown', :decided) order by id"
    )
    async with engine.connect() as connection:
        found = await connection.scalars(statement, {"decided": "notify_objections_decided"})
        jobs = list(found)
    now = dispute.clock.now()
    listed = body_of(await dispute.held.staff.get(dispute.path))["items"]
    for each in jobs * 2:
        if each.get("exam_id") == dispute.held.exam["id"]:
            shown = notifications.key_shown(parts, UUID(each["exam_id"]), each["stage"], now)
            created["key_shown"] += await shown
        elif each.get("cluster_id") in {cluster["id"] for cluster in listed}:
            cluster_id, decision = UUID(each["cluster_id"]), each["decision"]
            created["decided"] += await notifications.objections_decided(parts, cluster_id, decision, now)
    return created
