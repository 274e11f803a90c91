"""The proof of the embargo (docs/decisions/0021): an exam held twice with different keys looks the same.

Each run has a database, a Redis and an application of its own. A script is played by candidates, by staff
of the paper's team and by staff outside it, among them an author with a test and an exam of the same
questions. What candidates and outsiders receive, byte by byte, must not depend on the key; ids, times and
secrets are replaced by the order in which they appear. Both runs see the same time, whatever the machine's
clock says meanwhile.
"""

import io
import re
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import text

from app.config import Settings
from app.core.tokens import is_attempt_token
from app.database import create_engine
from app.services import notifications
from app.services.components import Components
from app.services.unit_of_work import unit_of_work
from app.workers import tasks
from app.workers.runtime import TaskContext
from tests.api.document import create_documented_app
from tests.builders.auth_accounts import AuthAccounts
from tests.builders.exams import HOUR, MINUTE, Entrant, Json, body_of
from tests.builders.images import encoded, halves, uploaded
from tests.builders.people import People, user_id_of
from tests.builders.world import path_of
from tests.conftest import TestClock, cloned_database, running
from tests.thorough import THOROUGH

ONE = (["a"], ["b"], ["c"], {"value": "3.14", "tolerance": "0.01"})
OTHER = (["d"], ["b"], ["a"], {"value": "2.71", "tolerance": "0.2"})

# What differs between two runs of anything: ids, times, tokens, digests, roll numbers, sealed bytes.
VARIES = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"
    r"|eyJ[\w-]+\.[\w-]+\.[\w-]+"
    r"|\b[0-9a-f]{32,64}\b"
    r"|\b\d{8}\b"
    r"|(?<=\"package_key\":\")[\w-]+"
    r"|(?<=\"receipt\":\")[\w-]+"
    r"|(?<=\"value\":\")[\w-]{86}(?=\")"
    r"|(?<=\"remaining_seconds\":)\d+"
    r"|(?<=\"size_bytes\":)\d+"
    r"|(?<=\"seconds\":)\d+\.\d+"
)
NOT_COMPARED = ("/v1/health/ready", "/v1/health", "/v1/time")
BINARY = ("application/pdf", "application/octet-stream", "application/vnd.openxmlformats")


@dataclass
class Transcript:
    """What was received, in order, with what varies replaced by when it was first seen."""

    lines: list[str] = field(default_factory=list)
    seen: dict[str, str] = field(default_factory=dict)

    def add(self, who: str, what: str, answer: httpx.Response) -> None:
        kind = answer.headers.get("Content-Type", "")
        shown = "a file" if kind.startswith(BINARY) else answer.text  # such a file knows when it was made
        if kind == "application/zip" and answer.status_code == 200:
            shown = unpacked(answer.content)
        self.note(f"{who}: {what} -> {answer.status_code} {self._headers(answer)} {shown}")

    def note(self, line: str) -> None:
        self.lines.append(VARIES.sub(self._named, line))

    def _named(self, found: re.Match[str]) -> str:
        # The size of an archive depends on ids, and two sizes are equal by chance. Its content is compared.
        if found.string.endswith('"size_bytes":', 0, found.start()):
            return "<a size>"
        return self.seen.setdefault(found[0], f"<{len(self.seen)}>")

    def _headers(self, answer: httpx.Response) -> str:
        varying = {"x-request-id", "date", "content-length", "etag"}
        return str(sorted((name, value) for name, value in answer.headers.items() if name not in varying))


def unpacked(content: bytes) -> str:
    """The texts in a ZIP file."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return "\n".join(f"{name}: {archive.read(name).decode()}" for name in archive.namelist())


def a_full_minute() -> datetime:
    """A time a little ahead, so that the auth server's tokens are issued before it."""
    return (datetime.now(UTC) + timedelta(minutes=15)).replace(second=0, microsecond=0)


@dataclass
class World:
    """One run: an application of its own, and everybody in it."""

    app: FastAPI
    parts: Components
    people: People
    clock: TestClock
    mails: Path
    transcript: Transcript = field(default_factory=Transcript)

    async def hears(
        self, who: str, client: httpx.AsyncClient, method: str, path: str, **more: Any
    ) -> httpx.Response:
        """A request whose answer goes into the transcript."""
        answer = await client.request(method, path, **more)
        self.transcript.add(who, f"{method} {path} {more or ''}", answer)
        return answer


def question(number: int, key: Any, subject_id: str) -> Json:
    options = [{"id": letter, "text": f"Option {letter}"} for letter in "abcd"]
    return {
        "subject_id": subject_id,
        "type": "numeric" if "value" in key else "single_choice",
        "text": f"What is the answer to question {number}, which nobody knows?",
        "options": [] if "value" in key else options,
        "key": key if isinstance(key, dict) else {"accepted": [key]},
        "explanation": f"Because it is {key}.",
        "external_id": f"Q{number}",
    }


async def prepare(author: httpx.AsyncClient, keys: Any) -> Json:
    """Questions of a passage with an image, and a practice test of them: none of it in the transcript."""
    subject = body_of(await author.post("/subjects", json={"slug": "polity", "name": "Polity"}))
    image = await uploaded(author, encoded(halves()))
    text = {"text": "Read this.", "media": [image["id"]]}
    passage = body_of(await author.post("/passages", json=text))
    shown = {"passage_id": passage["id"], "media": [image["id"]]}
    question_ids = [
        body_of(await author.post("/questions", json=question(number, key, subject["id"]) | shown))["id"]
        for number, key in enumerate(keys, start=1)
    ]
    ids = {
        "subject_id": subject["id"],
        "passage_id": passage["id"],
        "media_id": image["id"],
        "question_ids": question_ids,
    }
    return ids | {"practice_id": await published_test(author, ids)}


async def published_test(author: httpx.AsyncClient, ids: Json, **changes: Any) -> str:
    """The id of a test of all these questions that this author has published."""
    marking = {
        "correct": "2",
        "incorrect": "-2/3",
        "unattempted": "0",
        "dropped": "prorate",
        "rounding": "upsc",
    }
    draft = {
        "title": "Practice",
        "kind": "full",
        "duration_seconds": 600,
        "marking": marking,
        "sections": [{"name": "Paper", "question_ids": ids["question_ids"]}],
        "access": "free",
        "review": "after_submit",
        "attempts_allowed": 3,
        "shuffle": {"questions": False, "options": False},
    }
    test = body_of(await author.post("/tests", json=draft | changes))
    body_of(await author.post(f"/tests/{test['id']}/publish"))
    return str(test["id"])


async def draft_exam(world: World, author: httpx.AsyncClient, test_id: str) -> tuple[str, httpx.Response]:
    """A draft exam of this author, and what they are told when they place the test in it."""
    now = world.clock.now()
    times = {"opens_at": now.isoformat(), "closes_at": (now + HOUR).isoformat()}
    exam = body_of(await author.post("/exams", json={"title": "All-India mock"} | times))
    paper = {
        "code": "GS",
        "title": "GS",
        "test_id": test_id,
        "starts_at": now.isoformat(),
        "entry_closes_at": (now + HOUR / 2).isoformat(),
        "ends_at": (now + HOUR).isoformat(),
    }
    return str(exam["id"]), await author.post(f"/exams/{exam['id']}/papers", json=paper)


async def hold(world: World, author: httpx.AsyncClient, ids: Json) -> Json:
    """The team's exam, published. The ids of all that was made."""
    test_id = await published_test(author, ids, title="Mock", review="after_release")
    exam_id, placed = await draft_exam(world, author, test_id)
    body_of(await author.post(f"/exams/{exam_id}/publish"))
    return ids | {
        "question_id": ids["question_ids"][0],
        "test_id": test_id,
        "exam_id": exam_id,
        "paper_id": body_of(placed)["id"],
        "version": "1",
        "number": "1",
        "cluster_id": placed.json()["id"],
    }


async def read_everything(world: World, who: str, client: httpx.AsyncClient, ids: Json, share: int) -> None:
    """Every GET of the API, with the ids of this exam. A parameter without an id raises UnknownParameter.

    `make test` reads a third of them as each person: three candidates together read all, and so do staff.
    The first of each has an export made of what is kept of them, and reads it.
    """
    ids = ids | {
        "user_id": str(await user_id_of(client)),
        "file_id": ids["exam_id"],
        "document_id": ids.get("attempt_id", ids["exam_id"]),
    }
    if THOROUGH or share == 0:
        ids["export_id"] = body_of(await client.post("/users/export"), 202)["id"]
        await work(world)
    for template in shared_out(world.app.openapi()["paths"], share):
        path = path_of(template.removeprefix("/v1"), ids)
        printed = "?version=1&digest=AAAAA" if "document_id" in template else ""
        await world.hears(who, client, "GET", path + printed)


def shared_out(paths: Json, share: int) -> list[str]:
    """What one of three people reads, and each in a thorough run."""
    readable = [
        template for template, item in paths.items() if "get" in item and template not in NOT_COMPARED
    ]
    return [
        template
        for place, template in enumerate(readable)
        if THOROUGH or (0 if "{export_id}" in template else place % 3) == share
    ]


async def sit(world: World, ids: Json, who: str, answers: dict[int, Any]) -> tuple[Entrant, Json]:
    """A candidate registers, starts, answers and submits; all of it is heard.

    Returns also the ids of the exam with those of the candidate's attempt and registration.
    """
    client = await world.people.candidate()
    exam = f"/exams/{ids['exam_id']}"
    paper = f"{exam}/papers/{ids['paper_id']}"
    registered = body_of(await world.hears(who, client, "POST", f"{exam}/register"))
    await world.hears(who, client, "GET", f"{paper}/package")
    attempt = body_of(await world.hears(who, client, "POST", f"{paper}/start"))
    assert is_attempt_token(attempt["attempt_token"])
    for revision, (place, answer) in enumerate(answers.items(), start=1):
        response = {"question_id": ids["question_ids"][place], "revision": revision, "answer": answer}
        body = {"attempt_id": attempt["id"], "lease": attempt["lease"], "responses": [response]}
        await world.hears(who, client, "POST", f"{paper}/responses", json=body)
    await world.hears(who, client, "POST", f"{paper}/submit", json={"attempt_id": attempt["id"]})
    await work(world)
    mine = ids | {"attempt_id": attempt["id"], "roll_number": registered["roll_number"]}
    params = {"attempt_id": attempt["id"]}
    await world.hears(who, client, "GET", f"/tests/{ids['test_id']}/results", params=params)
    return Entrant(client, None, attempt=attempt), mine  # type: ignore[arg-type] # nothing here asks for the exam


async def work(world: World) -> None:
    """What the workers do: every job that waits, and every mail that is due. Mails are heard, too."""
    now = world.clock.now() + MINUTE
    async with unit_of_work(world.parts.engine) as uow:
        waiting = await uow.jobs.lease_due(now, MINUTE)
        for job in sorted(waiting, key=lambda job: job.id):
            await getattr(tasks, job.task)(TaskContext(uow, world.clock.now(), world.parts), **job.arguments)
            await uow.jobs.finish(job.id, now)
    await notifications.deliver_due(world.parts)
    # Their order is that of random ids, and so are the names that `note` would give to what varies in them.
    for mail in sorted(VARIES.sub("<>", read_mail(path)) for path in world.mails.glob("*.eml")):
        world.transcript.note(f"mail: {mail}")


def read_mail(path: Path) -> str:
    """Subject and texts of a mail, which is gone then."""
    message = message_from_bytes(path.read_bytes(), policy=default)
    path.unlink()
    texts = (part.get_content() for part in message.walk() if part.get_content_maintype() == "text")
    return "\n".join([message["Subject"], *texts])


async def pry(world: World, who: str, client: httpx.AsyncClient, ids: Json) -> None:
    """An author outside the team tries whatever might tell the key by what it answers."""
    test, hears = f"/tests/{ids['test_id']}", world.hears
    guess = question(1, ["a"], ids["subject_id"]) | {"explanation": "Because it is ['a']."}
    changes = {name: guess[name] for name in ("key", "explanation")}
    await hears(who, client, "PATCH", f"/questions/{ids['question_id']}", json=changes)
    await hears(who, client, "POST", "/questions", json=guess)
    letters = "".join(f",option_{letter}" for letter in "abcd")
    sheet = f"external_id,question{letters},key\nQ1,{guess['text']},A,B,C,D,a\n"
    for dry_run in ("true", "false"):
        files, data = {"file": ("guess.csv", sheet)}, {"dry_run": dry_run, "subject": "Polity"}
        await hears(who, client, "POST", "/questions/import", files=files, data=data)
    await hears(who, client, "POST", "/questions/export", json={"format": "csv"})
    for which in ("paper", "solutions"):
        await hears(who, client, "GET", f"{test}/print", params={"part": which})
    for verb in ("clone", "publish", "archive", "start"):
        await hears(who, client, "POST", f"{test}/{verb}")
    await hears(who, client, "GET", f"{test}/preview")
    await try_keys(world, who, client, ids, test)


async def try_keys(world: World, who: str, client: httpx.AsyncClient, ids: Json, test: str) -> None:
    """Revisions to keys of which one is right: the answer must not tell which."""
    for option in "abcd":
        changes = [{"question_id": ids["question_ids"][0], "key": [option]}]
        body = {"changes": changes, "reason": "to see what it says"}
        await world.hears(who, client, "POST", f"{test}/key-revisions", json=body)
        claim = {"question_id": ids["question_ids"][0], "claimed_key": [option]}
        objection = claim | {"explanation": "to see what it says"}
        await world.hears(who, client, "POST", f"{test}/objections", json=objection)
        verdict = claim | {"accept": True, "reason": "to see what it says"}
        await world.hears(who, client, "POST", f"{test}/objections/decide", json=verdict)


async def practise(client: httpx.AsyncClient, test_id: str) -> Json:
    """Start a test and answer a question, before there is an exam. Not in the transcript."""
    attempt = body_of(await client.post(f"/tests/{test_id}/start"))
    document = body_of(await client.get(f"/tests/{test_id}/questions"))
    response = {"question_id": document["questions"][0]["id"], "revision": 1, "answer": ["a"]}
    body = {"attempt_id": attempt["id"], "lease": attempt["lease"], "responses": [response]}
    body_of(await client.post(f"/tests/{test_id}/responses", json=body))
    return attempt


async def look_at_practice(
    world: World, who: str, client: httpx.AsyncClient, ids: Json, test_id: str, attempt: Json
) -> None:
    """End an attempt, and look wherever something of it is shown."""
    test, hears = f"/tests/{test_id}", world.hears
    await hears(who, client, "POST", f"{test}/submit", json={"attempt_id": attempt["id"]})
    await hears(who, client, "GET", f"{test}/results", params={"attempt_id": attempt["id"]})
    await work(world)
    screens = "/users/attempts", "/users/progress", "/users/home", "/analytics/overview"
    await hears(who, client, "GET", "/analytics/recommendations")
    for path in (test, f"{test}/questions", *screens):
        await hears(who, client, "GET", path)
    for path in ("/analytics/performance", "/users/analytics", "/users/bookmarks"):
        await hears(who, client, "GET", path)
    await hears(who, client, "PUT", f"/users/bookmarks/{attempt['question_order'][0]}", json={})
    for query in ({}, {"category": "general"}, {"around_me": True}):
        await hears(who, client, "GET", "/analytics/leaderboard", params={"test_id": test_id, **query})
    for order in ("newest", "title", "popular"):
        await hears(who, client, "GET", "/tests", params={"sort": order})
    await hears(who, client, "GET", "/tests", params={"taken": True})
    analysis = f"/analytics/test/{test_id}"
    await hears(who, client, "GET", analysis, params={"attempt_id": attempt["id"]})
    await hears(who, client, "GET", f"/subjects/{ids['subject_id']}/progress")
    await hears(who, client, "GET", f"/analytics/subject/{ids['subject_id']}")
    await hears(who, client, "GET", "/users/attempts", params={"status": "graded"})
    await hears(who, client, "POST", f"{test}/start")


async def analyze(world: World, who: str, client: httpx.AsyncClient, test_id: str) -> None:
    """Have the statistics of a test computed, and read them."""
    path = f"/analytics/tests/{test_id}"
    await world.hears(who, client, "POST", f"{path}/refresh")
    await work(world)
    for what in ("summary", "items", "items?paper_version=1"):
        await world.hears(who, client, "GET", f"{path}/{what}")


@dataclass
class Rival:
    """An author outside the team with a test and a draft exam of the same questions, from before the exam."""

    client: httpx.AsyncClient
    test_id: str
    exam_id: str
    attempt: Json

    async def attack(self, world: World, ids: Json) -> None:
        """Whatever might tell a key by way of their own test and exam."""
        who, hears = "author with a test of their own", world.hears
        test, exam = f"/tests/{self.test_id}", f"/exams/{self.exam_id}"
        await look_at_practice(world, who, self.client, ids, self.test_id, self.attempt)
        await analyze(world, who, self.client, self.test_id)
        await hears(who, self.client, "POST", f"{exam}/publish")
        _, placed = await draft_exam(world, self.client, ids["test_id"])
        world.transcript.add(who, "place the exam's test", placed)
        _, placed = await draft_exam(world, self.client, ids["practice_id"])
        world.transcript.add(who, "place a test that shares its questions", placed)
        for path in ("/preview", "/print?part=solutions", "/print?part=solutions&version=draft"):
            await hears(who, self.client, "GET", f"{test}{path}")
        await try_keys(world, who, self.client, ids, test)
        for path in (f"{test}/publish", f"{test}/clone", f"{exam}/release-results"):
            await hears(who, self.client, "POST", path)
        for wanted in ({"dry_run": True}, {}):
            early = {"early": True, "reason": "to see the ranks"} | wanted
            await hears(who, self.client, "POST", f"{exam}/release-results", json=early)
        for path in (f"{exam}/merit-list", f"{exam}/results"):
            await hears(who, self.client, "GET", path)


async def rival_of(world: World, ids: Json) -> Rival:
    """Their preparations, before there is an exam."""
    client = await world.people.member("author")
    test_id = await published_test(client, ids, title="Theirs")
    attempt = await practise(client, test_id)
    other_id = await published_test(client, ids, title="Theirs too")
    exam_id, placed = await draft_exam(world, client, other_id)
    body_of(placed)
    return Rival(client, test_id, exam_id, attempt)


async def play(world: World, team: httpx.AsyncClient, keys: Any) -> tuple[Entrant, Json]:
    """The whole exam until just before its release. Returns the first of its candidates, and its ids."""
    prepared = await prepare(team, keys)
    practising = await world.people.candidate()
    attempt = await practise(practising, prepared["practice_id"])
    rival = await rival_of(world, prepared)
    ids = await hold(world, team, prepared)
    outsiders = {role: await world.people.member(role) for role in ("author", "evaluator", "proctor")}
    right, wrong = "candidate who is right once", "candidate who answers c"
    first, of_first = await sit(world, ids, right, {0: ["a"], 1: ["b"], 3: "3.14"})
    await read_everything(world, right, first.client, of_first, 0)
    second, of_second = await sit(world, ids, wrong, {0: ["c"], 1: ["c"], 2: ["c"]})
    await read_everything(world, wrong, second.client, of_second, 1)
    exam = f"/exams/{ids['exam_id']}"
    for verb, body in (
        ("void", {"reason": "doubt"}),
        ("reopen", {"reason": "none"}),
        ("admit-late", {"reason": "network"}),
        ("reopen", {"reason": "more", "seconds": 60}),
        ("submit", {}),
    ):
        path = f"{exam}/attempts/{first.attempt['id']}/{verb}"
        await world.hears("proctor", outsiders["proctor"], "POST", path, json=body)
    await work(world)
    for share, (role, client) in enumerate(outsiders.items()):
        await read_everything(world, role, client, of_first, share)
        await world.hears(role, client, "POST", f"/tests/{ids['test_id']}/start")
        await world.hears(role, client, "POST", f"/tests/{ids['practice_id']}/start")
    await look_at_practice(world, "candidate who practises", practising, ids, ids["practice_id"], attempt)
    practised = of_first | {"attempt_id": attempt["id"]}
    await read_everything(world, "candidate who practises", practising, practised, 2)
    await analyze(world, "evaluator", outsiders["evaluator"], ids["practice_id"])
    await pry(world, "author outside", outsiders["author"], ids)
    await rival.attack(world, ids)
    async with world.parts.engine.connect() as connection:
        for row in await connection.execute(
            text("select room, audience, type, data from ias.messages order by number")
        ):
            world.transcript.note(f"socket: {row.room} {row.audience} {row.type} {row.data}")
    return first, ids


async def release(world: World, team: httpx.AsyncClient, ids: Json, entrant: Entrant) -> None:
    """The same candidate sees what the key made of the answers."""
    early = {"early": True, "reason": "a test does not wait"}
    body_of(await team.post(f"/exams/{ids['exam_id']}/release-results", json=early))
    path, params = f"/tests/{ids['test_id']}/results", {"attempt_id": entrant.attempt["id"]}
    body_of(await world.hears("candidate who is right once", entrant.client, "GET", path, params=params))


@asynccontextmanager
async def a_world(
    settings: Settings, accounts: AuthAccounts, database_url: str, redis_url: str, start: datetime
) -> AsyncIterator[World]:
    addresses = {"database_url": SecretStr(database_url), "redis_url": SecretStr(redis_url)}
    own, clock = settings.model_copy(update=addresses), TestClock()
    clock.stop(start)
    app = create_documented_app(own, clock=clock, monotonic=clock.monotonic)
    engine = create_engine(own, pool_size=2)
    async with running(app), People(app, engine, accounts) as people:
        yield World(app, app.state.components, people, clock, own.mail_folder or Path())
    await engine.dispose()


@pytest.fixture
def two_databases(superuser_url: str, template: str) -> Any:
    with cloned_database(superuser_url, template) as one, cloned_database(superuser_url, template) as other:
        yield one, other


async def test_what_is_received_depends_on_the_key_only_after_the_release(
    settings: Settings,
    auth_accounts: AuthAccounts,
    redis_url: str,
    two_databases: tuple[str, str],
    tmp_path: Path,
) -> None:
    before, after, start = [], [], a_full_minute()
    for number, (keys, database_url) in enumerate(zip((ONE, OTHER), two_databases, strict=True), start=5):
        own = settings.model_copy(update={"mail_folder": tmp_path / str(number)})
        async with a_world(
            own, auth_accounts, database_url, f"{redis_url.rpartition('/')[0]}/{number}", start
        ) as world:
            team = await world.people.member("author")
            entrant, ids = await play(world, team, keys)
            before.append(list(world.transcript.lines))
            await release(world, team, ids, entrant)
            after.append(world.transcript.lines[-1])
    one, other = before
    assert len(one) > 200
    assert any(line.startswith("mail: ") for line in one)
    assert any(line.startswith("socket: ") for line in one)
    assert any("attempts.json: " in line for line in one)
    for line, same in zip(one, other, strict=True):
        assert line == same
    assert after[0] != after[1]
