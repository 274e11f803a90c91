"""One institute's worth of real objects with an owner each, and everybody who may try to reach them.

`World.path` fills a route's template with these ids. A parameter that the world does not know is an error, so
that a new kind of object cannot be left out of the tests that use it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.ids import uuid7
from app.models import (
    DEFAULT_INSTITUTE_ID,
    Institute,
    MappedSheet,
    Membership,
    Notification,
    Registration,
    User,
)
from app.services.unit_of_work import UnitOfWork, unit_of_work
from tests.builders.attempts import start
from tests.builders.content import PublishedTest, publish_test
from tests.builders.exams import HeldExam, body_of, hold_exam, register
from tests.builders.images import new_image, uploaded
from tests.builders.objections import add_objection
from tests.builders.people import People, user_id_of

Json = dict[str, Any]

PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")
DAY = timedelta(days=1)
OWNER_NAME = "Meenakshi Venkataraman"
"""Nobody else is called so: where it is shown, somebody's data is shown."""


class Identity(StrEnum):
    """Who sends a request."""

    ANONYMOUS = "anonymous"
    EXPIRED = "expired token"
    BANNED = "banned"
    CANDIDATE = "candidate with nothing"
    OTHER_CANDIDATE = "candidate with objects of their own"
    FOREIGN_AUTHOR = "author of another institute"
    OWNER = "candidate who owns the objects"
    EVALUATOR = "evaluator"
    PROCTOR = "proctor"
    AUTHOR = "author who made the objects"
    OTHER_AUTHOR = "author who made none of them"
    ADMIN = "admin"
    ATTEMPT = "attempt token of the owner"
    PAPER_ATTEMPT = "attempt token of the owner at the exam"
    OTHER_ATTEMPT = "attempt token of another attempt"
    BANNED_ATTEMPT = "attempt token of the banned"
    BANNED_PAPER_ATTEMPT = "attempt token of the banned at the exam"


class UnknownParameter(AssertionError):
    """A route has a path parameter for which this module makes no object: add one to `_objects`."""


def named(template: str, ids: Mapping[str, str]) -> dict[str, str]:
    """The ids for the parameters of a template. A parameter without an id raises UnknownParameter."""
    parameters = PARAMETER.findall(template)
    if unknown := set(parameters) - ids.keys():
        raise UnknownParameter(f"no object for {sorted(unknown)} of {template}")
    return {name: ids[name] for name in parameters}


def path_of(template: str, ids: Mapping[str, str]) -> str:
    """A template with these ids in it. A parameter without an id raises UnknownParameter."""
    known = named(template, ids)
    return PARAMETER.sub(lambda match: quote(known[match[1]], safe=""), template)


@dataclass(frozen=True)
class Objects:
    """Objects of one author and one candidate, by the names of the path parameters that identify them."""

    ids: Mapping[str, str]
    attempt: Json
    """The candidate's attempt at the test."""
    paper_attempt: Json
    """The candidate's attempt at the exam paper."""
    draft_exam_id: str
    draft_paper_id: str

    def path(self, template: str, **instead: str) -> str:
        """A route's path with these objects in it; `instead` replaces some of them."""
        return path_of(template, {**self._ids(template), **instead})

    def named(self, template: str) -> dict[str, str]:
        """The parameters of a template with the ids of their objects."""
        return named(template, self._ids(template))

    def _ids(self, template: str) -> Mapping[str, str]:
        """The ids for a template. Below a test, the attempt is the one at the test."""
        at_test = "/tests/{test_id}/" in template
        return {**self.ids, "attempt_id": self.attempt["id"]} if at_test else self.ids


@dataclass(frozen=True)
class World:
    """What is there, and the `Authorization` header of each identity (None for nobody)."""

    mine: Objects
    theirs: Objects
    """Of another author and another candidate: for identities who own something, and for mixed paths."""
    banned: Objects
    """The owner's objects with the attempts of somebody who was banned afterwards."""
    headers: Mapping[Identity, str | None]

    def path(self, template: str, **instead: str) -> str:
        """A route's path with the objects of the owner in it."""
        return self.mine.path(template, **instead)


async def build_world(people: People, engine: AsyncEngine) -> World:
    """Make everybody and everything; takes a few seconds."""
    author, other_author = await people.member("author"), await people.member("author")
    owner, other = await people.candidate(OWNER_NAME), await people.candidate("Farhan Qureshi")
    mine = await _objects(engine, author, owner)
    theirs = await _objects(engine, other_author, other)
    admin, banned = await people.member("admin"), await people.candidate()
    clients = {
        Identity.BANNED: banned,
        Identity.CANDIDATE: await people.candidate(),
        Identity.OTHER_CANDIDATE: other,
        Identity.FOREIGN_AUTHOR: await _foreign_author(people, engine),
        Identity.OWNER: owner,
        Identity.EVALUATOR: await people.member("evaluator"),
        Identity.PROCTOR: await people.member("proctor"),
        Identity.AUTHOR: author,
        Identity.OTHER_AUTHOR: other_author,
        Identity.ADMIN: admin,
    }
    ended = await _sat_too(mine, banned)
    status = {"active": False}
    body_of(await admin.put(f"/users/{await user_id_of(banned)}/status", json=status))
    headers: dict[Identity, str | None] = {
        identity: client.headers["Authorization"] for identity, client in clients.items()
    }
    headers |= {
        Identity.ANONYMOUS: None,
        Identity.EXPIRED: admin.headers["Authorization"],
        Identity.ATTEMPT: f"Bearer {mine.attempt['attempt_token']}",
        Identity.PAPER_ATTEMPT: f"Bearer {mine.paper_attempt['attempt_token']}",
        Identity.OTHER_ATTEMPT: f"Bearer {theirs.paper_attempt['attempt_token']}",
        Identity.BANNED_ATTEMPT: f"Bearer {ended.attempt['attempt_token']}",
        Identity.BANNED_PAPER_ATTEMPT: f"Bearer {ended.paper_attempt['attempt_token']}",
    }
    return World(mine, theirs, ended, headers)


async def _objects(engine: AsyncEngine, author: httpx.AsyncClient, candidate: httpx.AsyncClient) -> Objects:
    """Everything that routes name in their paths, made by who may make it."""
    subject = body_of(await author.post("/subjects", json={"slug": f"s-{uuid4().hex}", "name": "Polity"}))
    chapters = f"/subjects/{subject['id']}/chapters"
    chapter = body_of(await author.post(chapters, json={"slug": "union", "name": "The Union"}))
    image = await uploaded(author)
    passage = body_of(await author.post("/passages", json={"text": "Read this.", "media": [image["id"]]}))
    place = {"subject_id": subject["id"], "chapter_id": chapter["id"]}
    shown = {"passage_id": passage["id"], "media": [image["id"]]}
    question = await _question(author, **place, **shown)
    # The exam's questions stand in no test outside it: what an exam withholds must not hide the rest.
    made = await _test(engine, author, question)
    placed = [await _test(engine, author, await _question(author, **place)) for _ in range(2)]
    held, draft = await _exam(author, placed[0]), await _exam(author, placed[1], publish=False)
    reviewed = await start(candidate, await _test(engine, author, question, review="after_submit"))
    body_of(await reviewed.submit())
    attempt = (await start(candidate, made)).attempt
    paper_attempt = body_of(await (await register(candidate, held)).enter())
    user_id, token = str(await user_id_of(candidate)), f"fcm:{uuid4().hex}"
    body_of(await candidate.put(f"/devices/{token}", json={"platform": "android"}))
    body_of(await candidate.put("/users/avatar", files={"file": ("me.png", new_image())}))
    export = body_of(await candidate.post("/users/export"), 202)
    # Dismissed already, so that it stays the candidate's when other tests are published.
    advice = body_of(await candidate.get("/analytics/recommendations"))["items"][0]["id"]
    await candidate.post(f"/analytics/recommendations/{advice}/dismiss")
    changes = [{"question_id": question, "key": ["a"]}]
    revision = {"changes": changes, "reason": "The key was wrong."}
    number = body_of(await author.post(f"{made.path}/key-revisions", json=revision), 201)["number"]
    async with unit_of_work(engine) as uow:
        notification_id = await _notification(uow, UUID(user_id))
        roll_number = await _place_that_waits(uow, UUID(held.exam["id"]))
        columns = {"Right one": "key"}
        await uow.column_mappings.put(
            DEFAULT_INSTITUTE_ID, MappedSheet.QUESTIONS, uuid4().hex, ["right one"], columns, None
        )
        saved = await uow.column_mappings.newest(DEFAULT_INSTITUTE_ID, MappedSheet.QUESTIONS)
        objection = await add_objection(uow, made.id, UUID(question), UUID(user_id))
    ids = {
        "subject_id": subject["id"],
        "chapter_id": chapter["id"],
        "passage_id": passage["id"],
        "media_id": image["id"],
        "question_id": question,
        "version": "1",
        "test_id": str(made.id),
        "exam_id": held.exam["id"],
        "paper_id": held.papers[0]["id"],
        "attempt_id": paper_attempt["id"],
        "roll_number": roll_number,
        "user_id": user_id,
        "token": token,
        "notification_id": str(notification_id),
        "verb": "pause",
        "number": str(number),
        "export_id": export["id"],
        # There is none before the release of an exam.
        "file_id": str(uuid4()),
        "document_id": str(uuid4()),
        "recommendation_id": advice,
        "mapping_id": str(saved[0].mapping.id),
        "objection_id": str(objection.id),
        "cluster_id": str(objection.cluster_id),
    }
    return Objects(ids, attempt, paper_attempt, draft.exam["id"], draft.papers[0]["id"])


async def _sat_too(objects: Objects, candidate: httpx.AsyncClient) -> Objects:
    """The same objects, with this candidate's attempts at the test and the exam paper."""
    body_of(await candidate.post(objects.path("/exams/{exam_id}/register")))
    attempt = body_of(await candidate.post(objects.path("/tests/{test_id}/start")))
    paper_attempt = body_of(await candidate.post(objects.path("/exams/{exam_id}/papers/{paper_id}/start")))
    return replace(objects, attempt=attempt, paper_attempt=paper_attempt)


async def _question(author: httpx.AsyncClient, **more: Any) -> str:
    body = {
        "type": "single_choice",
        "text": f"Which of these is right? {uuid4()}",
        "options": [{"id": name, "text": name} for name in "abcd"],
        "key": ["b"],
        "explanation": "SECRET-EXPLANATION",
    }
    return str(body_of(await author.post("/questions", json=body | more))["id"])


async def _test(
    engine: AsyncEngine, author: httpx.AsyncClient, question_id: str, review: str = "never"
) -> PublishedTest:
    """A test of six hours with this question."""
    same = PublishedTest(UUID(int=0), [UUID(question_id)])
    fields: Json = {"duration_seconds": 6 * 3600, "review": review}
    async with unit_of_work(engine) as uow:
        return await publish_test(uow, same_as=same, created_by=await user_id_of(author), **fields)


async def _exam(author: httpx.AsyncClient, made: PublishedTest, *, publish: bool = True) -> HeldExam:
    """An exam whose one paper is open now, for a day."""
    now = datetime.now(UTC) - timedelta(seconds=1)
    return await hold_exam(author, made, starts_at=now, window=DAY, entry=DAY / 2, publish=publish)


async def _notification(uow: UnitOfWork, user_id: UUID) -> UUID:
    notification = Notification(
        id=uuid7(),
        user_id=user_id,
        kind="registered",
        dedupe_key=f"world:{uuid4().hex}",
        title={"en": f"For {(await uow.session.get_one(User, user_id)).name}"},
        body={"en": "You are registered."},
        data={},
    )
    uow.session.add(notification)
    await uow.session.flush()
    return notification.id


async def _place_that_waits(uow: UnitOfWork, exam_id: UUID) -> str:
    """A roll number that nobody has claimed yet: the only kind that a route names."""
    place = Registration(
        id=uuid7(), exam_id=exam_id, roll_number=uuid4().hex[:8], name=OWNER_NAME, category="general"
    )
    uow.session.add(place)
    await uow.session.flush()
    return place.roll_number


async def _foreign_author(people: People, engine: AsyncEngine) -> httpx.AsyncClient:
    """Somebody who writes for another institute, and is a candidate of ours."""
    client = await people.candidate()
    async with unit_of_work(engine) as uow:
        institute = Institute(id=uuid7(), slug=f"other-{uuid4().hex}", name="Another institute")
        uow.session.add(institute)
        await uow.session.flush()
        member = {"institute_id": institute.id, "user_id": await user_id_of(client), "role": "author"}
        uow.session.add(Membership(id=uuid7(), **member))
    return client


async def standing(engine: AsyncEngine, objects: Objects) -> list[str]:
    """Every row of these objects as it stands, to see that nothing has changed."""
    ids, owner = objects.ids, objects.ids["user_id"]
    wanted = {
        "users": f"id = '{ids['user_id']}'",
        "memberships": f"user_id = '{ids['user_id']}' and institute_id = '{DEFAULT_INSTITUTE_ID}'",
        "subjects": f"id = '{ids['subject_id']}'",
        "chapters": f"subject_id = '{ids['subject_id']}'",
        "questions": f"subject_id = '{ids['subject_id']}'",
        "question_versions": f"question_id = '{ids['question_id']}'",
        "passages": f"id = '{ids['passage_id']}'",
        "passage_versions": f"passage_id = '{ids['passage_id']}'",
        "media": f"id = '{ids['media_id']}'",
        "tests": f"id = '{ids['test_id']}'",
        "papers": f"test_id = '{ids['test_id']}'",
        "exams": f"id in ('{ids['exam_id']}', '{objects.draft_exam_id}')",
        "exam_papers": f"exam_id in ('{ids['exam_id']}', '{objects.draft_exam_id}')",
        "registrations": f"exam_id = '{ids['exam_id']}' and coalesce(user_id, '{owner}') = '{owner}'",
        "accommodations": f"exam_id = '{ids['exam_id']}'",
        "announcements": f"exam_id = '{ids['exam_id']}'",
        "attempts": f"user_id = '{ids['user_id']}'",
        "response_events": f"attempt_id = '{ids['attempt_id']}'",
        "notifications": f"user_id = '{ids['user_id']}'",
        "notification_settings": f"user_id = '{ids['user_id']}'",
        "objections": f"test_id = '{ids['test_id']}'",
        "objection_clusters": f"test_id = '{ids['test_id']}'",
        "column_mappings": f"id = '{ids['mapping_id']}'",
        "bookmarks": f"user_id = '{ids['user_id']}'",
        "dismissals": f"user_id = '{ids['user_id']}'",
        "devices": f"user_id = '{ids['user_id']}'",
    }
    statements = [
        f"select '{table} ' || to_jsonb(row)::text from ias.{table} row where {condition}"
        for table, condition in wanted.items()
    ]
    async with unit_of_work(engine) as uow:
        return sorted(await uow.session.scalars(text(" union all ".join(statements))))
