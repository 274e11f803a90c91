"""What builders prepare is as the services or requests make it: tests, exams and registrations."""

import re
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services import tests
from app.services.tests import SectionDraft
from app.services.unit_of_work import unit_of_work
from app.services.users import operator
from tests.builders.content import UPSC, publish_for, publish_test
from tests.builders.exams import Json, body_of, compose_exam, hold_exam, register
from tests.builders.people import People
from tests.conftest import TestClock

PAPERS: list[Json] = [
    {"group_percents": {"sc": "25"}, "section_percents": {"Paper": {"all": "50"}}},
    {"qualifying_percent": "33.5", "counts_for_merit": False, "title": {"en": "Aptitude"}},
]
EXAM: Json = {"cutoffs": {"general": "98.00"}, "registration": "open", "description": {"en": "For all"}}
OF_TEST = {
    "tests": "select to_jsonb(one) from ias.tests one where id = :id",
    "sections": "select to_jsonb(one) from ias.test_sections one where test_id = :id",
    "questions": """
        select to_jsonb(one) from ias.test_questions one
        where section_id in (select id from ias.test_sections where test_id = :id) order by position
    """,
    "papers": """
        select to_jsonb(one) || jsonb_build_object('document', cast(convert_from(document, 'UTF8') as jsonb))
        from ias.papers one where test_id = :id
    """,
    "places": """
        select to_jsonb(one) from ias.paper_questions one
        where paper_id in (select id from ias.papers where test_id = :id) order by position
    """,
    "keys": """
        select to_jsonb(one) from ias.paper_keys one
        where paper_id in (select id from ias.papers where test_id = :id)
    """,
    "audit": "select to_jsonb(one) from ias.audit_entries one where subject_id = :id",
}
OF_EXAM = {
    "exams": "select to_jsonb(one) from ias.exams one where id = :id",
    "papers": "select to_jsonb(one) from ias.exam_papers one where exam_id = :id order by code",
    "audit": "select to_jsonb(one) from ias.audit_entries one where exam_id = :id order by id",
    "registrations": "select to_jsonb(one) from ias.registrations one where exam_id = :id",
    "messages": """
        select jsonb_build_array(audience, type, data) from ias.messages
        where room = 'exam:' || cast(:id as text) order by number
    """,
    "jobs": """
        select jsonb_build_array(task, arguments) from ias.jobs where arguments ->> 'registration_id' in (
            select cast(id as text) from ias.registrations where exam_id = :id
        )
    """,
}
OF_ONE = {"roll_number", "request_id", "etag"}
"""What is drawn anew each time, is of one request, or depends on ids."""
OF_ITS_OWN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)")
"""An id or a time."""


def comparable(value: Any) -> Any:
    """The value without ids, times and what differs like them."""
    if isinstance(value, dict):
        return {name: name if name in OF_ONE else comparable(each) for name, each in value.items()}
    if isinstance(value, list):
        return [comparable(each) for each in value]
    return OF_ITS_OWN.sub("its own", value) if isinstance(value, str) else value


async def rows(engine: AsyncEngine, statements: Mapping[str, str], of_id: str) -> dict[str, Any]:
    async with engine.connect() as connection:
        return {
            name: comparable(list(await connection.scalars(text(statement), {"id": of_id})))
            for name, statement in statements.items()
        }


def counted(found: Mapping[str, Any]) -> dict[str, int]:
    return {name: len(each) for name, each in found.items()}


@pytest.fixture
def still(clock: TestClock) -> TestClock:
    """A clock that shows one time."""
    clock.stop_entirely()
    return clock


async def test_a_published_test(engine: AsyncEngine) -> None:
    async with unit_of_work(engine) as uow:
        prepared = await publish_test(uow, title={"en": "Mock"})
        sections = [SectionDraft({"en": "Paper"}, prepared.question_ids)]
        draft = tests.TestDraft({"en": "Mock"}, "full", duration_seconds=600, marking=UPSC, sections=sections)
        test = await tests.create(uow, operator(), draft)
        await tests.publish(uow, operator(), test.id, test.created_at)
    found = await rows(engine, OF_TEST, str(prepared.id))
    assert counted(found) == {
        "tests": 1,
        "sections": 1,
        "questions": 3,
        "papers": 1,
        "places": 3,
        "keys": 1,
        "audit": 1,
    }
    assert found == await rows(engine, OF_TEST, str(test.id))


async def test_an_exam(engine: AsyncEngine, author: httpx.AsyncClient, still: TestClock) -> None:
    prepared, requested = [
        await hold(
            author,
            *[await publish_for(engine, author) for _ in PAPERS],
            starts_at=still.now(),
            papers=PAPERS,
            **EXAM,
        )
        for hold in (hold_exam, compose_exam)
    ]
    assert comparable(prepared.exam) == comparable(requested.exam)
    assert comparable(prepared.papers) == comparable(requested.papers)
    found = await rows(engine, OF_EXAM, prepared.exam["id"])
    assert counted(found) == {
        "exams": 1,
        "papers": 2,
        "audit": 4,
        "registrations": 0,
        "messages": 0,
        "jobs": 0,
    }
    assert found == await rows(engine, OF_EXAM, requested.exam["id"])


async def test_a_registration(
    engine: AsyncEngine, author: httpx.AsyncClient, people: People, clock: TestClock
) -> None:
    prepared, requested = [
        await hold_exam(author, await publish_for(engine), starts_at=clock.now()) for _ in range(2)
    ]
    profile = {"category": "obc", "pwbd": 2}
    clients = [await people.candidate() for _ in range(2)]
    for client in clients:
        body_of(await client.put("/users/profile", json=profile))
    for _ in range(2):
        await register(clients[0], prepared)
        body_of(await clients[1].post(f"{requested.path}/register"))
    found = await rows(engine, OF_EXAM, prepared.exam["id"])
    assert (len(found["registrations"]), len(found["jobs"])) == (1, 1)
    assert found == await rows(engine, OF_EXAM, requested.exam["id"])
