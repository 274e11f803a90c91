"""Exports: what is in them, who gets them, and how often."""

import csv
import io
import json
import re
import zipfile
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.file_lifetimes import expiry_after_download, expiry_when_ready, expiry_while_waiting
from app.repositories.privacy.exports import DATASETS
from app.services import account_exports, avatars
from app.services.components import Components
from app.services.unit_of_work import unit_of_work
from tests.builders.accounts import DAY, Worker, delete_account
from tests.builders.attempts import take_test
from tests.builders.content import publish_test
from tests.builders.exams import HOUR, body_of, hold_exam, register, take_paper
from tests.builders.images import new_image
from tests.builders.people import People, user_id_of
from tests.conftest import TestClock

Json = dict[str, Any]
MINUTE = timedelta(minutes=1)
RATED = "computed from the results, which the export has as far as the person may see them"
NOT_EXPORTED = {
    "account_deletions": "the person cannot sign in any more",
    "account_exports": "the export itself",
    "invitations": "that the person was invited by mail; there is none without a profile",
    "kept_answers": "answers that the person got within the last day",
    "messages": "hints to sockets within the last day",
    "candidate_ratings": RATED,
    "chapter_answers": RATED,
    "results": "services/account_exports/contents.py shows them as far as the person may see them",
    "review_cards": RATED,
    "revocations": "sessions that were ended",
    "socket_tickets": "digests of secrets that are valid for half a minute",
    "subject_abilities": RATED,
    "subject_ratings": RATED,
    "test_consents": "between authors, about tests of the institute",
}
"""Tables with a `user_id` that no set of rows reads, and why."""


@pytest.fixture
def worker(parts: Components, engine: AsyncEngine, clock: TestClock) -> Worker:
    return Worker(parts, engine, clock)


async def exported(client: httpx.AsyncClient, worker: Worker) -> zipfile.ZipFile:
    """A new export of the person, downloaded."""
    export = body_of(await client.post("/users/export"), 202)
    await worker.do_jobs("export_account")
    answer = await client.get(f"/users/exports/{export['id']}/file")
    assert answer.status_code == 200, answer.text
    return zipfile.ZipFile(io.BytesIO(answer.content))


def rows(archive: zipfile.ZipFile, name: str) -> list[Json]:
    return list(json.loads(archive.read(f"{name}.json")))


class TestContent:
    async def test_it_has_what_is_kept(
        self, candidate: httpx.AsyncClient, author: httpx.AsyncClient, engine: AsyncEngine, worker: Worker
    ) -> None:
        async with unit_of_work(engine) as uow:
            made, placed = await publish_test(uow), await publish_test(uow)
        held = await hold_exam(author, placed, starts_at=worker.clock.now() - MINUTE, window=2 * HOUR)
        await take_paper(candidate, held, {0: ["a"]})
        await held.release()
        result = await take_test(candidate, made, {0: ["a"], 1: ["b"]})
        await candidate.put("/users/avatar", files={"file": ("me.png", new_image())})
        await candidate.put("/users/profile", json={"name": "=cmd|calc"})
        archive = await exported(candidate, worker)
        assert archive.testzip() is None
        names = set(archive.namelist())
        assert {"README.txt", "avatar.jpg"} < names
        assert {name.partition(".")[0] for name in names if name.endswith(".json")} == {
            name.partition(".")[0] for name in names if name.endswith(".csv")
        }
        (profile,) = rows(archive, "profile")
        assert profile["id"] == str(await user_id_of(candidate))
        attempts = {row["id"]: row for row in rows(archive, "attempts")}
        mine = attempts[result["attempt"]["id"]]
        assert (mine["score"], mine["rank"]) == (result["score"], result["rank"])
        assert len(rows(archive, "responses")) == 3
        marked = [row for row in rows(archive, "answers") if row["attempt_id"] == mine["id"]]
        assert [row["outcome"] is not None for row in marked] == [True, True]
        assert len(rows(archive, "registrations")) == len(rows(archive, "official_results")) == 1
        table = csv.reader(io.TextIOWrapper(archive.open("profile.csv"), "utf-8-sig"))
        header, values = list(table)
        assert values[header.index("name")] == "'=cmd|calc"

    async def test_reasons_of_staff_for_orders_on_attempts_are_left_out(
        self, candidate: httpx.AsyncClient, author: httpx.AsyncClient, engine: AsyncEngine, worker: Worker
    ) -> None:
        """As in the signed response sheet: the candidate learns what was done, not what staff noted."""
        async with unit_of_work(engine) as uow:
            made = await publish_test(uow)
        held = await hold_exam(author, made, starts_at=worker.clock.now() - MINUTE, window=2 * HOUR)
        entrant = await register(candidate, held)
        body_of(await entrant.enter())
        body_of(await held.order("extend", entrant.attempt, seconds=60, reason="We suspect somebody."))
        archive = await exported(candidate, worker)
        [entry] = [row for row in rows(archive, "audit") if row["attempt_id"] == entrant.attempt["id"]]
        assert (entry["action"], entry["by"], entry["reason"]) == ("extend", "staff", None)
        assert "suspect" not in archive.read("audit.csv").decode("utf-8-sig")

    async def test_a_lost_picture_is_left_out(
        self, candidate: httpx.AsyncClient, parts: Components, worker: Worker
    ) -> None:
        await candidate.put("/users/avatar", files={"file": ("me.png", new_image())})
        await avatars.delete_file(parts, await user_id_of(candidate))
        archive = await exported(candidate, worker)
        assert "README.txt" in archive.namelist()
        assert "avatar.jpg" not in archive.namelist()

    async def test_an_embargo_holds(
        self, people: People, author: httpx.AsyncClient, engine: AsyncEngine, worker: Worker
    ) -> None:
        """Two candidates with a right and a wrong answer in an exam that is not released."""
        async with unit_of_work(engine) as uow:
            made = await publish_test(uow)
        held = await hold_exam(author, made, starts_at=worker.clock.now() - MINUTE, window=2 * HOUR)
        told = []
        for answer in ("a", "b"):
            client = await people.candidate()
            await take_paper(client, held, {0: [answer]})
            await worker.do_jobs("grade_attempts")
            archive = await exported(client, worker)
            (attempt,), (given,) = rows(archive, "attempts"), rows(archive, "answers")
            assert rows(archive, "official_results") == []
            told.append([attempt[name] for name in ("status", "score", "score_exact", "rank", "percentile")])
            told[-1] += [given["outcome"], given["marks"]]
        assert told == [["submitted", None, None, None, None, None, None]] * 2

    async def test_each_table_of_persons_is_in_a_set_or_has_a_reason(self, engine: AsyncEngine) -> None:
        columns = "select table_name from information_schema.columns where table_schema = 'ias'"
        async with engine.connect() as connection:
            found = await connection.scalars(text(f"{columns} and column_name = 'user_id'"))
            tables = set(found)
        read = {table for each in DATASETS for table in re.findall(r"ias\.(\w+)", str(each.statement))}
        assert tables - read == set(NOT_EXPORTED)


class TestDownload:
    async def test_while_it_is_made_there_is_one_and_no_file(
        self, candidate: httpx.AsyncClient, worker: Worker
    ) -> None:
        first = body_of(await candidate.post("/users/export"), 202)
        assert (first["status"], first["file_url"]) == ("waiting", None)
        assert body_of(await candidate.post("/users/export"), 202) == first
        path = f"/users/exports/{first['id']}"
        assert (await candidate.get(f"{path}/file")).status_code == 409
        await worker.do_jobs("export_account")
        ready = body_of(await candidate.get(path))
        assert (ready["status"], ready["file_url"]) == ("ready", f"/v1{path}/file")
        assert body_of(await candidate.post("/users/export"), 202) == ready

    async def test_may_be_repeated_for_a_while_then_the_file_is_deleted(
        self, candidate: httpx.AsyncClient, worker: Worker
    ) -> None:
        worker.clock.stop()
        export = body_of(await candidate.post("/users/export"), 202)
        await worker.do_jobs("export_account")
        path = f"/users/exports/{export['id']}/file"
        first = await candidate.get(path)
        assert len(first.content) == int(first.headers["Content-Length"])
        with worker.clock.moved(14 * 60):
            assert (await candidate.get(path)).content == first.content
        with worker.clock.moved(15 * 60 + 1):
            assert (await candidate.get(path)).status_code == 404
            await account_exports.delete_expired(worker.parts)
            again = body_of(await candidate.post("/users/export"), 202)
        assert again["id"] != export["id"]
        assert (await candidate.get(path)).status_code == 404

    async def test_is_the_persons_own(
        self, people: People, candidate: httpx.AsyncClient, worker: Worker
    ) -> None:
        export = body_of(await candidate.post("/users/export"), 202)
        await worker.do_jobs("export_account")
        other, admin = await people.candidate(), await people.member("admin")
        for client in (other, admin):
            for path in (f"/users/exports/{export['id']}", f"/users/exports/{export['id']}/file"):
                assert (await client.get(path)).status_code == 404

    async def test_is_over_when_the_account_is_deleted(
        self, candidate: httpx.AsyncClient, worker: Worker, engine: AsyncEngine
    ) -> None:
        """Also if the job runs after the deletion."""
        body_of(await candidate.post("/users/export"), 202)
        user_id = await user_id_of(candidate)
        await delete_account(candidate)
        await worker.do_jobs("export_account")
        await account_exports.delete_expired(worker.parts)
        async with unit_of_work(engine) as uow:
            assert await uow.exports.of(user_id) == []


def test_times(clock: TestClock) -> None:
    now = clock.now()
    assert expiry_while_waiting(now) == now + DAY
    assert expiry_when_ready(now) == now + 7 * DAY
    for expires_at, ends_at in ((now + DAY, now + 15 * MINUTE), (now + MINUTE, now + MINUTE)):
        assert expiry_after_download(expires_at, now) == ends_at
