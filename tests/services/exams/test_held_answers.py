"""An answer that waits for a blocked event loop: only its candidate or staff end its attempt before."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.arrival import MAX_CORRECTION_SECONDS
from app.models import Attempt
from app.services import attempts
from app.services.components import Components
from app.services.unit_of_work import unit_of_work
from tests.services.exams.pairs import Scene, make_content, make_scene, outcome_of
from tests.two_connections import alone

TICK = timedelta(microseconds=1)


async def scene_after_the_deadline(engine: AsyncEngine, parts: Components, later: timedelta) -> Scene:
    """An attempt in progress whose grace and the longest hold ended `later` ago."""
    scene = await make_scene(engine, parts, await make_content(engine, parts.clock.now()), "extend")
    waited = timedelta(seconds=parts.settings.grace_seconds + MAX_CORRECTION_SECONDS) + later
    statement = text("update ias.attempts set deadline_at = :deadline_at where exam_paper_id = :paper_id")
    async with unit_of_work(engine) as uow:
        values = {"deadline_at": scene.now - waited, "paper_id": scene.paper_id}
        await uow.session.execute(statement, values)
    return scene


@pytest.mark.parametrize(
    ("action", "later", "outcome"),
    [
        pytest.param("release", timedelta(), "running", id="a release, while an answer may wait"),
        pytest.param("release", TICK, "ok", id="a release, after it"),
        pytest.param("pause", timedelta(), "ok", id="an action of staff, while an answer may wait"),
        pytest.param("pause", TICK, "refused", id="an action of staff, after it"),
    ],
)
async def test_who_ends_an_attempt_for_its_deadline_waits_for_the_longest_hold(
    engine: AsyncEngine, parts: Components, action: str, later: timedelta, outcome: str
) -> None:
    scene = await scene_after_the_deadline(engine, parts, later)
    assert outcome_of(await alone(engine, scene.act(action))) == outcome


@pytest.mark.parametrize("later", [pytest.param(timedelta(), id="in time"), pytest.param(TICK, id="after")])
async def test_the_worker_waits_equally_long(
    engine: AsyncEngine, parts: Components, later: timedelta
) -> None:
    scene = await scene_after_the_deadline(engine, parts, later)
    assert scene.attempt is not None
    async with unit_of_work(engine) as uow:
        await attempts.close_overdue(uow, scene.now, attempts.closing_delay(parts.settings))
        attempt = await uow.session.get_one(Attempt, scene.attempt.id, populate_existing=True)
        assert (attempt.status == "submitted") is (later > timedelta())
