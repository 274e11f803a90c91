"""The states of many attempts, read together: one that cannot be read leaves the others as they are."""

import asyncio
from dataclasses import replace

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services import attempts
from app.services.components import Components
from app.services.tests.papers import PaperStore
from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import ref_of, start_attempt
from tests.builders.content import publish_test


async def test_a_damaged_paper_does_not_harm_those_of_other_papers(
    engine: AsyncEngine, parts: Components
) -> None:
    async with unit_of_work(engine) as uow:
        whole, damaged = [
            await start_attempt(uow, parts, await publish_test(uow), parts.clock.now()) for _ in range(2)
        ]
        statement = text("update ias.papers set rules = '{}' where id = :id")
        await uow.session.execute(statement, {"id": damaged.paper_id})
    restarted = replace(parts, papers=PaperStore())  # Nothing is in memory.
    shown, left = await asyncio.gather(
        *(attempts.view_together(restarted, ref_of(each)) for each in (whole, damaged))
    )
    assert shown is not None
    assert shown.attempt.id == whole.id
    assert left is None
