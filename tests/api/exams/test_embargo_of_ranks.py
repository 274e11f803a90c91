"""A rank compares scores of all versions of a test's paper, of which one may have questions under embargo."""

from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.builders.attempts import start, take_test
from tests.builders.content import publish_for
from tests.builders.exams import body_of, hold_exam
from tests.builders.people import People
from tests.conftest import TestClock


@pytest.mark.parametrize("option", ["a", "b"])
async def test_a_rank_does_not_tell_who_was_right_about_a_held_question(
    engine: AsyncEngine, people: People, admin: httpx.AsyncClient, clock: TestClock, option: str
) -> None:
    owner, other = await people.member("author"), await people.member("author")
    made = await publish_for(engine, owner)
    theirs = await publish_for(engine, other, made)
    early, late = await people.candidate(), await people.candidate()
    sitting = await start(early, theirs)
    held = await hold_exam(owner, made, starts_at=clock.now())
    # The next version has none of the held questions, so candidates may take it, and see their results.
    fresh = await publish_for(engine, other)
    section: dict[str, Any] = {"name": {"en": "Paper"}, "question_ids": list(map(str, fresh.question_ids))}
    body_of(await other.patch(theirs.path, json={"sections": [section]}))
    body_of(await other.post(f"{theirs.path}/publish", json={"ranked_with": 1}))
    await take_test(late, theirs, {})
    await sitting.save(sitting.response(0, [option]))
    assert (await sitting.submit()).status_code == 200

    shown = body_of(await late.get(f"{theirs.path}/results"))
    assert (shown["rank"], shown["percentile"], shown["participants"]) == (None, None, 2)
    await held.release()
    after = body_of(await late.get(f"{theirs.path}/results"))
    assert after["rank"] == (2 if option == "a" else 1)
