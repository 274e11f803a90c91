"""Signed response sheets of tests and exam papers: content, signature, who may have them, and when."""

import asyncio
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from pypdf import PdfReader
from sqlalchemy.ext.asyncio import AsyncEngine
from typer.testing import CliRunner

from app.cli import app as cli
from app.core.signing import canonical, digest_of, from_base64url, is_signed
from app.core.verifying import check_receipt, read_keys
from tests.builders.attempts import start, take_test
from tests.builders.content import publish_for
from tests.builders.exams import HeldExam, Json, body_of, hold_exam, register, take_paper
from tests.builders.people import People, user_id_of
from tests.conftest import TestClock

MINUTE = timedelta(minutes=1)


async def sheet_at(client: httpx.AsyncClient, path: str, **params: Any) -> Json:
    """The sheet of an answer whose signature is genuine."""
    signed = body_of(await client.get(f"{path}/response-sheet", params=params))
    await check(client, signed)
    return dict(signed["sheet"])


async def check(client: httpx.AsyncClient, signed: Json) -> None:
    keys = {key["id"]: key for key in body_of(await client.get("/response-sheets/keys"))["items"]}
    signature = signed["signature"]
    public_key = from_base64url(keys[signature["key_id"]]["public_key"])
    assert is_signed(public_key, from_base64url(signature["value"]), canonical(signed["sheet"]))
    assert signed["sheet"]["log_digest"] == digest_of(signed["sheet"]["log"]).hex()


class TestOfTests:
    async def test_it_says_what_was_answered_and_how(
        self, engine: AsyncEngine, author: httpx.AsyncClient, people: People
    ) -> None:
        made = await publish_for(engine, author)
        client = await people.candidate("राधा Rao")
        body_of(await client.post(f"{made.path}/start", json={"device": "phone"}))
        sitting = await start(client, made)  # a resumption
        await sitting.save(sitting.response(0, ["a"], 1, time_spent_ms=5000, confidence="sure"))
        await sitting.save(sitting.response(0, ["b"], 2, time_spent_ms=9000), sitting.response(2, None))
        running = await client.get(f"{made.path}/response-sheet")
        assert (running.status_code, running.json()["code"]) == (409, "not_possible")
        body_of(await sitting.submit())
        sheet = await sheet_at(client, made.path)
        assert sheet["candidate"] == {"name": "राधा Rao", "roll_number": None}
        assert (sheet["exam"], sheet["orders"]) == (None, [])
        assert sheet["attempt"]["id"] == str(sitting.id)
        assert (sheet["attempt"]["status"], sheet["attempt"]["closed_by"]) == ("submitted", "candidate")
        first, second, third = sheet["questions"]
        assert (first["answer"], first["lease"], first["revision"]) == (["b"], 2, 2)
        assert (first["time_spent_ms"], first["changes"]) == (9000, 1)
        assert (second["answer"], second["received_at"], third["answer"]) == (None, None, None)
        assert third["received_at"] is not None
        assert [(each["lease"], each["device"]) for each in sheet["leases"]] == [(1, "phone"), (2, None)]
        assert [each["answer"] for each in sheet["log"]].count(["a"]) == 1
        assert len(sheet["log"]) == 3
        assert sheet["as_of"] >= max(each["received_at"] for each in sheet["log"])

    async def test_late_answers_are_in_the_log_and_do_not_stand(
        self, engine: AsyncEngine, author: httpx.AsyncClient, candidate: httpx.AsyncClient, clock: TestClock
    ) -> None:
        made = await publish_for(engine, author)
        sitting = await start(candidate, made)
        body_of(await sitting.save(sitting.response(0, ["a"])))
        clock.advance(3600)
        late = await sitting.save(sitting.response(0, ["b"], 2))
        assert (late.status_code, late.json()["code"]) == (409, "deadline_passed")
        body_of(await sitting.submit())
        sheet = await sheet_at(candidate, made.path)
        assert sheet["questions"][0]["answer"] == ["a"]
        assert [(each["answer"], each["late"]) for each in sheet["log"]] == [(["a"], False), (["b"], True)]
        assert sheet["as_of"] == sheet["log"][1]["received_at"]
        assert sheet["attempt"]["closed_by"] == "deadline"

    async def test_two_downloads_are_equal_and_a_change_is_found(
        self, engine: AsyncEngine, author: httpx.AsyncClient, candidate: httpx.AsyncClient
    ) -> None:
        made = await publish_for(engine, author)
        await take_test(candidate, made, {0: ["a"]})
        path = f"{made.path}/response-sheet"
        one, other = await asyncio.gather(candidate.get(path), candidate.get(path))
        assert one.content == other.content
        forged = orjson.loads(one.content)
        forged["sheet"]["questions"][0]["answer"] = ["c"]
        with pytest.raises(AssertionError):
            await check(candidate, forged)

    async def test_its_title_is_that_of_the_attempts_paper(
        self, engine: AsyncEngine, author: httpx.AsyncClient, candidate: httpx.AsyncClient
    ) -> None:
        """What the author writes into the draft is not published yet, and two downloads are equal."""
        made = await publish_for(engine, author)
        await take_test(candidate, made, {0: ["a"]})
        before = (await candidate.get(f"{made.path}/response-sheet")).content
        body_of(await author.patch(made.path, json={"title": "A secret title"}))
        assert (await candidate.get(f"{made.path}/response-sheet")).content == before
        body_of(await author.post(f"{made.path}/publish"))
        assert (await candidate.get(f"{made.path}/response-sheet")).content == before

    async def test_whose_it_is(
        self, engine: AsyncEngine, people: People, author: httpx.AsyncClient, candidate: httpx.AsyncClient
    ) -> None:
        owner = await people.member("author")
        made = await publish_for(engine, owner)
        result = await take_test(candidate, made, {0: ["a"]})
        params = {"attempt_id": result["attempt"]["id"]}
        path = f"{made.path}/response-sheet"
        seen = await sheet_at(owner, made.path, **params)
        assert seen == await sheet_at(candidate, made.path)
        assert (await (await people.candidate()).get(path, params=params)).status_code == 404
        assert (await (await people.member("proctor")).get(path, params=params)).status_code == 404
        assert (await author.get(path, params=params)).status_code == 403


class TestOfExams:
    async def test_a_candidate_has_it_before_the_release_and_staff_after_the_papers(
        self, people: People, candidate: httpx.AsyncClient, held: HeldExam
    ) -> None:
        entrant = await take_paper(candidate, held, {0: ["a"]})
        sheet = await sheet_at(candidate, entrant.path)
        assert sheet["exam"]["paper"]["code"] == "GS1"
        assert sheet["candidate"]["roll_number"]
        params = {"attempt_id": entrant.attempt["id"]}
        path = f"{entrant.path}/response-sheet"
        assert (await (await people.candidate()).get(path, params=params)).status_code == 404
        assert (await (await people.member("evaluator")).get(path, params=params)).status_code == 404
        assert (await held.staff.get(path, params=params)).status_code == 409
        body_of(await held.staff.post(f"{held.paper_path()}/close"))
        assert await sheet_at(held.staff, entrant.path, **params) == sheet
        await held.release()
        assert await sheet_at(candidate, entrant.path) == sheet

    @pytest.mark.parametrize(
        "path", ["{test}/response-sheet?attempt_id={attempt}", "{test}/attempts/{attempt}/response-sheet"]
    )
    async def test_the_path_of_the_test_asks_staff_what_the_path_of_the_paper_asks(
        self,
        people: People,
        admin: httpx.AsyncClient,
        author: httpx.AsyncClient,
        engine: AsyncEngine,
        clock: TestClock,
        path: str,
    ) -> None:
        """All papers are over, evaluators read none, and the reading is in the audit log."""
        first, second = [await publish_for(engine, author) for _ in range(2)]
        later = {"starts_at": (clock.now() + 20 * MINUTE).isoformat()}
        later |= {name: (clock.now() + 30 * MINUTE).isoformat() for name in ("entry_closes_at", "ends_at")}
        held = await hold_exam(
            author, first, second, starts_at=clock.now(), window=10 * MINUTE, papers=[{}, later]
        )
        entrant = await take_paper(await people.candidate(), held, {0: ["a"]})
        attempt_id = entrant.attempt["id"]
        url = path.format(test=first.path, attempt=attempt_id)
        clock.advance(15 * 60)
        early = await author.get(url)
        assert (early.status_code, early.json()["code"]) == (409, "not_possible")
        clock.advance(20 * 60)
        query = {"subject": f"exam:{held.exam['id']}", "action": "read_response_sheet"}
        assert body_of(await admin.get("/audit", params=query))["items"] == []
        body_of(await author.get(url))
        [entry] = body_of(await admin.get("/audit", params=query))["items"]
        assert entry["details"]["attempt"] == attempt_id
        await held.release()
        refused = await (await people.member("evaluator")).get(url)
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")

    async def test_a_candidate_gets_the_same_by_the_path_of_the_test(
        self, people: People, admin: httpx.AsyncClient, candidate: httpx.AsyncClient, held: HeldExam
    ) -> None:
        """What somebody else, or a banned candidate, gets at either path does not differ."""
        entrant = await register(candidate, held)
        body_of(await entrant.enter())
        body_of(await entrant.save({0: ["a"]}))
        params = {"attempt_id": entrant.attempt["id"]}
        paths = [f"{path}/response-sheet" for path in (entrant.path, held.made[0].path)]

        async def answers(client: httpx.AsyncClient) -> list[httpx.Response]:
            return [await client.get(path, params=params) for path in paths]

        async def refusals(client: httpx.AsyncClient) -> list[tuple[int, str]]:
            return [(answer.status_code, answer.json()["code"]) for answer in await answers(client)]

        async def sheets() -> list[bytes]:
            found = await answers(candidate)
            assert [answer.status_code for answer in found] == [200, 200]
            return [answer.content for answer in found]

        other = (await take_paper(await people.candidate(), held, {0: ["b"]})).client
        assert await refusals(candidate) == [(409, "not_possible")] * 2
        body_of(await entrant.submit())
        of_paper, of_test = await sheets()
        assert of_paper == of_test
        assert await refusals(other) == [(404, "not_found")] * 2
        body_of(await held.staff.post(f"{held.paper_path()}/close"))
        assert await sheets() == [of_paper] * 2
        await held.release()
        assert await sheets() == [of_paper] * 2
        assert await refusals(other) == [(404, "not_found")] * 2
        assert (await candidate.get(paths[1])).status_code == 404
        user_id = await user_id_of(candidate)
        body_of(await admin.put(f"/users/{user_id}/status", json={"active": False}))
        assert [status for status, _ in await refusals(candidate)] == [401, 401]

    async def test_a_reopened_attempt_has_a_later_sheet_and_the_earlier_one_stays_genuine(
        self, candidate: httpx.AsyncClient, held: HeldExam
    ) -> None:
        entrant = await register(candidate, held)
        body_of(await entrant.enter())
        receipt = body_of(await entrant.save({0: ["a"]}))["receipt"]
        body_of(await held.order("extend", entrant.attempt, seconds=60, reason="a fire alarm"))
        body_of(await entrant.submit())
        path = f"{entrant.path}/response-sheet"
        earlier = body_of(await candidate.get(path))
        body_of(await held.order("reopen", entrant.attempt, reason="ended by mistake"))
        assert (await candidate.get(path)).status_code == 409
        body_of(await entrant.enter())
        body_of(await entrant.save({1: ["b"]}))
        body_of(await entrant.submit())
        later = await sheet_at(candidate, entrant.path)
        await check(candidate, earlier)
        keys = read_keys((await candidate.get("/response-sheets/keys")).content)
        assert str(check_receipt(receipt, keys, sheet=later).attempt_id) == entrant.attempt["id"]
        assert later["as_of"] > earlier["sheet"]["as_of"]
        assert [each["action"] for each in earlier["sheet"]["orders"]] == ["extend"]
        assert [(each["action"], each["seconds"]) for each in later["orders"]] == [
            ("extend", 60),
            ("reopen", None),
        ]
        assert "fire alarm" not in str(later)

    async def test_a_voided_attempt(self, candidate: httpx.AsyncClient, held: HeldExam) -> None:
        entrant = await register(candidate, held)
        body_of(await entrant.enter())
        body_of(await held.order("void", entrant.attempt, reason="an impostor"))
        params = {"attempt_id": entrant.attempt["id"]}
        sheet = await sheet_at(candidate, entrant.path, **params)
        assert sheet["attempt"]["status"] == "void"
        assert [each["action"] for each in sheet["orders"]] == ["void"]
        assert (await candidate.get(f"{entrant.path}/response-sheet")).status_code == 404

    async def test_the_pdf_has_the_same_file_attached_and_is_verified_against_the_api(
        self, candidate: httpx.AsyncClient, held: HeldExam, sockets_url: str, tmp_path: Path
    ) -> None:
        entrant = await take_paper(candidate, held, {0: ["a"], 2: ["b"]})
        signed = await candidate.get(f"{entrant.path}/response-sheet")
        answer = await candidate.get(f"{entrant.path}/response-sheet", params={"format": "pdf"})
        assert answer.headers["Content-Type"] == "application/pdf", answer.text
        reader = PdfReader(BytesIO(answer.content))
        assert reader.attachments["response-sheet.json"] == [signed.content]
        shown = " ".join(page.extract_text() for page in reader.pages)
        assert signed.json()["signature"]["key_id"] in shown
        assert signed.json()["sheet"]["log_digest"][:30] in shown
        file = tmp_path / "sheet.pdf"
        file.write_bytes(answer.content)
        command = ["verify", str(file), "--api-url", sockets_url.replace("ws", "http", 1)]
        verified = await asyncio.to_thread(CliRunner().invoke, cli, command)
        assert (verified.exit_code, verified.output[:8]) == (0, "Genuine:"), verified.output
