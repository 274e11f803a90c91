"""A resumed start of a batch and another call at the same moment: the outcome of both, in both orders.

The outcomes of a single start are in docs/concurrency-pairs.md, which `test_pairs.py` tests.
"""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.errors import DomainError, EntryClosed
from app.models import Attempt
from app.services import exams
from app.services.attempts import StartRequest
from app.services.components import Components
from app.services.exams import StartedPaper
from app.services.unit_of_work import UnitOfWork, unit_of_work
from app.services.users import Account
from tests.builders.attempts import until_blocking
from tests.services.exams.pairs import Content, Scene, inconsistencies, make_content, make_scene, outcome_of
from tests.two_connections import PID, alone, is_waited_for, overlap

BLOCKED = text("select pid from pg_stat_activity where :holder = any(pg_blocking_pids(pid))")
SECOND = (
    "enter",
    "save",
    "submit",
    "register",
    "extend",
    "pause",
    "end",
    "void",
    "accommodate",
    "close",
    "postpone",
    "publish",
    "cancel",
    "release",
)


@pytest.fixture(scope="module")
async def content(engine: AsyncEngine, parts: Components) -> Content:
    return await make_content(engine, parts.clock.now())


async def scene_with_attempt(engine: AsyncEngine, parts: Components, content: Content, first: str) -> Scene:
    """The candidate has started."""
    scene = await make_scene(engine, parts, content, first)
    if scene.attempt is None:
        async with unit_of_work(engine) as uow:
            await scene.enter(uow)
    return scene


async def resume(scene: Scene) -> StartedPaper | DomainError | None:
    account = Account(scene.candidate.id, scene.candidate.email, "", scene.now)
    request = StartRequest(account, scene.candidate.session_id, None, scene.now)
    try:
        return await exams.start_together(scene.parts, scene.exam_id, scene.paper_id, request)
    except DomainError as error:
        return error


@pytest.mark.parametrize(
    ("first", "outcome", "waits"),
    [
        ("enter", None, False),
        ("save", None, False),
        ("submit", None, False),
        ("register", StartedPaper, False),
        ("extend", None, False),
        ("pause", None, False),
        ("resume", None, False),
        ("end", None, False),
        ("void", None, False),
        ("accommodate", StartedPaper, True),
        ("close", EntryClosed, True),
        ("postpone", StartedPaper, True),
        ("publish", StartedPaper, True),
        ("cancel", None, True),
    ],
)
async def test_a_batch_comes_second(
    engine: AsyncEngine, parts: Components, content: Content, first: str, outcome: type | None, waits: bool
) -> None:
    """It waits for whoever has locked the entry of the exam. It leaves an attempt that is locked.

    Closing a paper ends its attempts, so that there is none to resume.
    """
    scene = await scene_with_attempt(engine, parts, content, first)
    async with unit_of_work(engine) as uow:
        await scene.act(first)(uow)
        await uow.session.flush()
        resuming = asyncio.create_task(resume(scene))
        waited = await is_waited_for(engine, await uow.session.scalar(PID) or 0, resuming)
    resumed = await resuming
    assert (None if resumed is None else type(resumed), waited) == (outcome, waits)
    assert await inconsistencies(engine, scene) == []
    if isinstance(resumed, StartedPaper):
        assert scene.attempt is not None
        async with unit_of_work(engine) as uow:
            stored = await uow.session.get_one(Attempt, scene.attempt.id)
            found = resumed.started.attempt
            assert (
                (found.lease, found.deadline_at)
                == (stored.lease, stored.deadline_at)
                == (2, stored.deadline_at)
            )


async def second_to_a_batch(engine: AsyncEngine, scene: Scene, second: str) -> tuple[str, bool]:
    """What becomes of the second call while a batch has not committed, and whether it waits for the batch.

    A lock of the table of leases holds the batch when it has locked the attempt.
    """
    async with unit_of_work(engine) as gate:
        await gate.session.execute(text("lock table ias.attempt_leases in share mode"))
        resuming = asyncio.create_task(resume(scene))
        await until_blocking(engine, gate)
        values = {"holder": await gate.session.scalar(PID)}
        async with engine.connect() as observer:
            batch = await observer.scalar(BLOCKED, values)
        other = asyncio.create_task(alone(engine, scene.act(second)))
        waited = await is_waited_for(engine, batch or 0, other)
    assert isinstance(await resuming, StartedPaper)
    return outcome_of(await other), waited


async def second_to_a_single_start(engine: AsyncEngine, scene: Scene, second: str) -> tuple[str, bool]:
    async def enter(uow: UnitOfWork) -> None:
        before = scene.attempt
        await scene.enter(uow)
        scene.attempt = before  # A save has the older lease.

    both = await overlap(engine, enter, scene.act(second))
    assert both.first.error is None
    return outcome_of(both.second), both.waited


@pytest.mark.parametrize("second", SECOND)
async def test_a_batch_comes_first(
    engine: AsyncEngine, parts: Components, content: Content, second: str
) -> None:
    """The other call has the same outcome as after a single start, and waits as it waits for that."""
    outcomes = []
    for way in (second_to_a_batch, second_to_a_single_start):
        scene = await scene_with_attempt(engine, parts, content, "save")
        outcomes.append(await way(engine, scene, second))
        assert await inconsistencies(engine, scene) == []
    assert outcomes[0] == outcomes[1]
