"""Who may see what of a held key: each kind of person, at each place that shows something, in each state."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.builders.attempts import take_test
from tests.builders.content import PublishedTest, publish_for
from tests.builders.exams import HOUR, HeldExam, body_of, hold_exam, register, set_exam
from tests.builders.people import People, user_id_of
from tests.thorough import THOROUGH

NOW = datetime.now(UTC)
NEVER: dict[str, datetime | None] = {"published_at": None, "released_at": None, "cancelled_at": None}
STATES: Mapping[str, Mapping[str, datetime | None]] = {
    "draft": NEVER,
    "published": NEVER | {"published_at": NOW, "opens_at": NOW + HOUR, "closes_at": NOW + 2 * HOUR},
    "running": NEVER | {"published_at": NOW, "opens_at": NOW - HOUR, "closes_at": NOW + HOUR},
    "ended": NEVER | {"published_at": NOW, "opens_at": NOW - 2 * HOUR, "closes_at": NOW - HOUR},
    "released": NEVER | {"published_at": NOW, "released_at": NOW},
    "cancelled": NEVER | {"published_at": NOW, "cancelled_at": NOW},
}
HELD = ("published", "running", "ended")
CANDIDATES = ("candidate", "registered candidate")
OUTSIDERS = ("other author", "evaluator", "proctor")
PEOPLE = (*CANDIDATES, *OUTSIDERS, "owner", "exam creator", "admin")


@dataclass(frozen=True)
class Stage:
    """An exam of somebody who placed the owner's test by consent, and everybody around it."""

    held: HeldExam
    made: PublishedTest
    twin: PublishedTest
    """A test of nobody with the same questions, which everybody has taken before."""
    clients: Mapping[str, httpx.AsyncClient]


@pytest.fixture(scope="module")
async def stage(engine: AsyncEngine, people: People, admin: httpx.AsyncClient) -> Stage:
    roles = dict.fromkeys(("other author", "owner", "exam creator"), "author")
    roles |= {"evaluator": "evaluator", "proctor": "proctor"}
    clients = {name: await people.member(role) for name, role in roles.items()}
    clients |= {name: await people.candidate() for name in CANDIDATES}
    clients["admin"] = admin
    made = await publish_for(engine, clients["owner"])
    twin = await publish_for(engine, None, made)
    for client in clients.values():
        await take_test(client, twin, {0: ["a"]})
    creator = clients["exam creator"]
    body_of(await clients["owner"].put(f"{made.path}/consents/{await user_id_of(creator)}"))
    held = await hold_exam(creator, made, starts_at=NOW + timedelta(minutes=1))
    await register(clients["registered candidate"], held)
    return Stage(held, made, twin, clients)


async def the_test(stage: Stage, client: httpx.AsyncClient) -> Any:
    return (await client.get(stage.made.path)).status_code == 200


async def the_draft(stage: Stage, client: httpx.AsyncClient) -> Any:
    return (await client.get(f"{stage.made.path}/preview")).status_code == 200


async def the_key(stage: Stage, client: httpx.AsyncClient) -> Any:
    answer = await client.get(f"/questions/{stage.made.question_ids[0]}")
    return answer.status_code == 200 and answer.json()["key"] is not None


async def a_practice_test(stage: Stage, client: httpx.AsyncClient) -> Any:
    return (await client.get(stage.twin.path)).status_code == 200


async def a_practice_result(stage: Stage, client: httpx.AsyncClient) -> Any:
    answer = await client.get(f"{stage.twin.path}/results")
    assert answer.status_code == 200 or answer.json()["code"] == "not_graded_yet"
    return answer.status_code == 200


async def its_line_in_the_list(stage: Stage, client: httpx.AsyncClient) -> Any:
    listed = await client.get("/users/attempts", params={"test_id": str(stage.twin.id)})
    [attempt] = body_of(listed)["items"]
    assert (attempt["status"] == "graded") is (attempt["score"] is not None)
    return attempt["score"] is not None


async def progress(stage: Stage, client: httpx.AsyncClient) -> Any:
    question = body_of(await stage.clients["admin"].get(f"/questions/{stage.made.question_ids[0]}"))
    shown = body_of(await client.get(f"/subjects/{question['subject_id']}/progress"))
    return shown["questions"]["correct"] > 0


async def the_merit_list(stage: Stage, client: httpx.AsyncClient) -> Any:
    return (await client.get(f"{stage.held.path}/merit-list")).status_code == 200


Surface = Callable[[Stage, httpx.AsyncClient], Awaitable[Any]]
READERS = ("other author", "evaluator", "owner", "exam creator", "admin")
AUTHORS = ("other author", "owner", "exam creator", "admin")
KNOWING = ("owner", "admin")
TEAM = ("owner", "exam creator", "admin")

# By place: who sees something while the exam is a draft, while it holds the questions, and afterwards.
TABLE: Mapping[Surface, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    the_test: (TEAM, TEAM, PEOPLE),
    the_draft: (TEAM, TEAM, AUTHORS),
    the_key: (KNOWING, KNOWING, READERS),
    a_practice_test: (PEOPLE, (*OUTSIDERS, *TEAM), PEOPLE),
    a_practice_result: ((*CANDIDATES, *KNOWING), KNOWING, PEOPLE),
    its_line_in_the_list: ((*CANDIDATES, *KNOWING), KNOWING, PEOPLE),
    progress: ((*CANDIDATES, *KNOWING), KNOWING, PEOPLE),
    the_merit_list: ((), (), ("other author", "proctor", "owner", "exam creator", "admin")),
}


@pytest.mark.parametrize("state", STATES)
async def test_everybody_everywhere(engine: AsyncEngine, stage: Stage, state: str) -> None:
    """`make test` looks at half of the places in each state that holds keys, and at a third in others.

    The states that hold keys have each place together, and so have the others.
    """
    await set_exam(engine, stage.held.exam["id"], **STATES[state])
    column = 0 if state == "draft" else 1 if state in HELD else 2
    order = list(STATES).index(state)
    one_of = 1 if THOROUGH else 2 if state in HELD else 3
    surfaces = [each for place, each in enumerate(TABLE) if (place + order) % one_of == 0]
    expected = {surface.__name__: set(TABLE[surface][column]) for surface in surfaces}
    if state == "cancelled" and the_merit_list in surfaces:
        expected["the_merit_list"] = set()
    seen = {
        surface.__name__: {name for name, client in stage.clients.items() if await surface(stage, client)}
        for surface in surfaces
    }
    assert seen == expected
