"""An exam like the Prelims: one paper counts, the other must be passed."""

from datetime import datetime
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.builders.content import PublishedTest, publish_for
from tests.builders.exams import HOUR, HeldExam, body_of, hold_exam, take_paper
from tests.builders.people import People
from tests.conftest import TestClock

Answers = dict[int, Any]
RIGHT: Answers = {0: ["a"], 1: ["b"], 2: ["c"]}
"""Three right answers of 2 marks each; any other loses two thirds."""


@pytest.fixture
async def prelims(
    author: httpx.AsyncClient, made: PublishedTest, engine: AsyncEngine, clock: TestClock
) -> HeldExam:
    return await hold_prelims(author, made, engine, clock.now())


async def hold_prelims(
    author: httpx.AsyncClient, made: PublishedTest, engine: AsyncEngine, now: datetime
) -> HeldExam:
    """General Studies counts, CSAT must be passed at a third of its 6 marks."""
    return await hold_exam(
        author,
        made,
        await publish_for(engine),
        starts_at=now,
        window=HOUR,
        papers=[{"code": "GS"}, {"code": "CSAT", "qualifying_percent": 33, "counts_for_merit": False}],
        cutoffs={"general": "3.00", "obc": "2.00"},
    )


async def sit_both(
    people: People, held: HeldExam, gs: Answers, csat: Answers | None, **profile: object
) -> httpx.AsyncClient:
    client = await people.candidate()
    if profile:
        body_of(await client.put("/users/profile", json=profile))
    await take_paper(client, held, gs)
    if csat is not None:
        await take_paper(client, held, csat, 1)
    return client
