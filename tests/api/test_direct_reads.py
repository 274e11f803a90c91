"""Results, boards and analytics that were sent before: sent again only while they are what the route says."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from random import Random
from typing import TypeAlias

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.errors import Unavailable
from app.core.response_memory import KeptBody, ResponseMemory
from app.repositories.analytics.read_versions import ReadVersionRepository
from app.services.components import Components
from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import take_test
from tests.builders.content import PublishedTest, publish_for
from tests.builders.exams import HOUR, body_of, hold_exam, set_exam
from tests.builders.key_revisions import revise
from tests.builders.people import People, user_id_of
from tests.builders.statistics import add_statistics, calculate
from tests.conftest import TestClock
from tests.thorough import count

MARKER = b'{"sent":"again"}'
Answer: TypeAlias = tuple[int, str]


@dataclass(frozen=True)
class Scene:
    """A candidate with a result, another participant who shows the name, and who changes what they see."""

    engine: AsyncEngine
    parts: Components
    author: httpx.AsyncClient
    admin: httpx.AsyncClient
    clock: TestClock
    candidate: httpx.AsyncClient
    other: httpx.AsyncClient
    third: httpx.AsyncClient
    made: PublishedTest

    @property
    def paths(self) -> list[str]:
        board = f"/analytics/leaderboard?test_id={self.made.id}"
        return [
            f"{self.made.path}/results",
            f"/analytics/test/{self.made.id}",
            "/analytics/overview",
            board,
            f"{board}&around_me=true",
        ]

    async def get(self, path: str, scheme: str = "Bearer") -> Answer:
        """An answer. Only the usual form of the scheme is answered directly."""
        token = self.candidate.headers["Authorization"].split()[1]
        answer = await self.candidate.get(path, headers={"Authorization": f"{scheme} {token}"})
        return answer.status_code, answer.json()["code"] if answer.is_error else answer.text

    async def read(self) -> list[Answer]:
        """All answers, which must be those of the documented routes."""
        direct = [await self.get(path) for path in self.paths]
        assert direct == [await self.get(path, "bearer") for path in self.paths]
        return direct

    async def sql(self, statement: str, **values: object) -> None:
        async with self.engine.begin() as connection:
            await connection.execute(text(statement), values)


@pytest.fixture
async def scene(
    engine: AsyncEngine,
    parts: Components,
    people: People,
    author: httpx.AsyncClient,
    admin: httpx.AsyncClient,
    clock: TestClock,
) -> Scene:
    clock.advance(0)  # It stands from now on, so that no minute ends.
    candidate, other = await people.candidate(), await people.candidate("Bina Das")
    # Made now: a token that is issued 10 seconds later begins after the time at which the clock stands.
    third = await people.candidate()
    body_of(await other.put("/users/profile", json={"preferences": {"show_name": True}}))
    made = await publish_for(engine, author)
    await take_test(candidate, made, {0: ["a"], 1: ["d"]})
    await take_test(other, made, {0: ["a"], 1: ["b"]})
    return Scene(engine, parts, author, admin, clock, candidate, other, third, made)


async def others_take_the_test(scene: Scene) -> None:
    await take_test(scene.third, scene.made, {0: ["b"]})


async def another_attempt(scene: Scene) -> None:
    await take_test(scene.candidate, scene.made, {0: ["b"]})


async def key_revised(scene: Scene) -> None:
    await revise(scene.parts, scene.author, scene.made, (1, {"accepted": [["d"]]}))


async def review_closed(scene: Scene) -> None:
    body_of(await scene.author.patch(scene.made.path, json={"review": "never"}))


async def published_again(scene: Scene) -> None:
    body_of(await scene.author.patch(scene.made.path, json={"duration_seconds": 4000}))
    body_of(await scene.author.post(f"{scene.made.path}/publish", json={}))


async def name_changed(scene: Scene) -> None:
    body_of(await scene.other.put("/users/profile", json={"name": "Bina Sen"}))


async def name_hidden(scene: Scene) -> None:
    body_of(await scene.other.put("/users/profile", json={"preferences": {"show_name": False}}))


async def figures_calculated(scene: Scene) -> None:
    await calculate(scene.engine, scene.parts, await user_id_of(scene.candidate))


async def embargoed(scene: Scene) -> None:
    twin = await publish_for(scene.engine, scene.author, scene.made)
    await hold_exam(scene.author, twin, starts_at=scene.clock.now() + HOUR)


async def voided(scene: Scene) -> None:
    await scene.sql(
        "update ias.attempts set status = 'void' where user_id = :id", id=await user_id_of(scene.candidate)
    )


async def banned(scene: Scene) -> None:
    await scene.sql(
        "update ias.users set active = false where id = :id", id=await user_id_of(scene.candidate)
    )


async def signed_out(scene: Scene) -> None:
    answer = await scene.admin.post(f"/users/{await user_id_of(scene.candidate)}/sign-out")
    assert answer.status_code == 204


async def other_deleted(scene: Scene) -> None:
    await scene.sql(
        "update ias.users set active = false, deleted_at = now() where id = :id",
        id=await user_id_of(scene.other),
    )


Change: TypeAlias = Callable[[Scene], Awaitable[None]]
HARMLESS: list[Change] = [
    figures_calculated,
    others_take_the_test,
    another_attempt,
    key_revised,
    review_closed,
    published_again,
    name_changed,
    name_hidden,
]
"""In this order each of them changes an answer."""
FINAL: list[Change] = [embargoed, voided, banned, signed_out, other_deleted]


async def test_an_unchanged_answer_is_sent_again(scene: Scene) -> None:
    await scene.read()
    plant(scene.parts.sent_responses)
    assert [await scene.get(path) for path in scene.paths] == [(200, MARKER.decode())] * len(scene.paths)


async def test_the_next_answer_after_a_change_is_new(scene: Scene) -> None:
    before = await scene.read()
    for change in HARMLESS:
        await change(scene)
        after = await scene.read()
        assert after != before, change.__name__
        before = after


@pytest.mark.parametrize("change", FINAL, ids=lambda change: change.__name__)
async def test_the_next_answer_after_a_final_change_is_new(scene: Scene, change: Change) -> None:
    before = await scene.read()
    assert {status for status, _ in before} == {200}
    await change(scene)
    assert await scene.read() != before


async def test_an_embargo_is_lifted(scene: Scene) -> None:
    before = await scene.read()
    twin = await publish_for(scene.engine, scene.author, scene.made)
    held = await hold_exam(scene.author, twin, starts_at=scene.clock.now() + HOUR)
    assert {status for status, _ in await scene.read()} != {200}
    await set_exam(scene.engine, held.exam["id"], cancelled_at=scene.clock.now())
    after = await scene.read()
    assert [after[0], *after[3:]] == [before[0], *before[3:]]
    assert {status for status, _ in after} == {200}


async def test_statistics_of_the_test_are_new(scene: Scene) -> None:
    before = await scene.read()
    body = body_of(await scene.candidate.get(scene.paths[0]))
    async with unit_of_work(scene.engine) as uow:
        await add_statistics(uow, body["attempt"]["id"])
    assert await scene.read() != before


async def test_what_depends_on_the_time_is_new_after_a_minute(scene: Scene) -> None:
    await scene.read()
    plant(scene.parts.sent_responses)
    scene.clock.advance(60)
    assert [MARKER.decode() in (await scene.get(path))[1] for path in scene.paths] == [True, *[False] * 4]


async def test_answers_of_another_person_stay_apart(scene: Scene) -> None:
    await scene.read()
    another = replace(scene, candidate=scene.other)
    assert await another.read() != await scene.read()


async def test_staff_read_by_the_documented_routes(scene: Scene) -> None:
    await scene.read()
    plant(scene.parts.sent_responses)
    user_id = await user_id_of(scene.candidate)
    body_of(await scene.admin.put(f"/users/{user_id}/role", json={"role": "proctor"}))
    assert MARKER.decode() not in [content for _, content in await scene.read()]


async def test_the_documented_routes_answer_while_no_version_can_be_read(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await scene.read()
    monkeypatch.setattr(ReadVersionRepository, "of", _too_busy)
    assert await scene.read() == before


async def _too_busy(*_: object) -> None:
    raise Unavailable


async def test_the_board_of_a_category_is_not_kept(scene: Scene) -> None:
    path = f"/analytics/leaderboard?test_id={scene.made.id}&category=obc"
    before = await scene.get(path)
    plant(scene.parts.sent_responses)
    assert await scene.get(path) == before


@pytest.mark.parametrize("seed", range(count(1, thorough=2)))
async def test_changes_in_any_order(scene: Scene, seed: int) -> None:
    random = Random(seed)
    for change in random.sample(HARMLESS, k=count(4, thorough=len(HARMLESS))):
        await scene.read()
        await change(scene)
    await scene.read()
    await random.choice(FINAL)(scene)
    await scene.read()


def plant(memory: ResponseMemory) -> None:
    """Put a body that no route answers with in the place of each kept one."""
    for key, kept in list(memory._kept.items()):
        memory.put(key, KeptBody(kept.version, MARKER, kept.profiles))
