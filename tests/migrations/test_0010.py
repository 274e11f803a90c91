"""Migration 0010 on a database of the version before: results read as they did, and there is a way back."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.repositories.analytics.progress import AttemptFilter
from app.repositories.base import PageRequest
from app.schemas.analytics.progress import MyAttemptOut
from app.schemas.results import ResultOut
from app.services import attempts
from app.services.analytics import progress
from app.services.components import Components
from app.services.unit_of_work import reading
from app.services.users import principal_of
from tests.migrations.conftest import BEFORE, downgrade, rows, upgrade
from tests.thorough import thorough_only

pytestmark = thorough_only

DAMAGES = {
    "marks": "jsonb_set(scorecard, '{items,0,marks}', '\"7/5\"')",
    "outcome": "jsonb_set(scorecard, '{items,0,outcome}', '\"excellent\"')",
    "a question is missing": "scorecard #- '{items,0}'",
}


async def answers_of_today(engine: AsyncEngine, parts: Components) -> dict[str, Any]:
    """What the API answers to each candidate."""
    found = {}
    for attempt_id, before in BEFORE["answers"].items():
        async with reading(engine) as reads:
            member = await reads.users.member(UUID(before["user_id"]))
            assert member is not None
            user = principal_of(member.summary, "session", datetime.now(UTC))
            result = await attempts.result(reads, parts, user, UUID(before["test_id"]), UUID(attempt_id))
            page = await progress.attempts(reads, user, AttemptFilter(), PageRequest(limit=100))
        found[attempt_id] = before | {
            "result": as_before(json.loads(ResultOut.of(result).model_dump_json())),
            "listed": [json.loads(MyAttemptOut.of(each).model_dump_json()) for each in page.items],
        }
        found[attempt_id] = members_of(before, found[attempt_id])
    return found


def members_of(before: Any, today: Any) -> Any:
    """Today's answer without the members that later versions have added."""
    if isinstance(before, dict) and isinstance(today, dict):
        return {name: members_of(before[name], today[name]) for name in before}
    if isinstance(before, list) and isinstance(today, list) and len(before) == len(today):
        return [members_of(old, new) for old, new in zip(before, today, strict=True)]
    return today


def as_before(result: dict[str, Any]) -> dict[str, Any]:
    """A result without the fields of later migrations, which say nothing of an older one."""
    cohort = result.pop("cohort")
    assert (cohort["exam_paper_id"], cohort["paper_versions"]) == (None, [cohort["paper_version"]])
    assert result.pop("qualification") == "qualified"
    for section in result["sections"]:
        assert (section.pop("minimum_marks"), section.pop("minimum_reached")) == (None, None)
    return result


async def version(engine: AsyncEngine) -> str:
    async with engine.connect() as connection:
        return str(await connection.scalar(text("select version_num from ias.alembic_version")))


async def test_every_answer_stays_the_same_and_the_way_back_restores_every_row(
    owner: AsyncEngine, parts: Components
) -> None:
    await upgrade(owner)
    assert await answers_of_today(owner, parts) == BEFORE["answers"]
    assert await rows(owner, "score_counts", "cohort_id, numerator") == sorted(
        BEFORE["rows"]["score_counts"], key=lambda row: (row["cohort_id"], row["numerator"])
    )
    await names_the_first_version_of_each_key(owner)
    await downgrade(owner, "0009")
    for table, order in (("results", "attempt_id"), ("papers", "id")):
        assert await rows(owner, table, order) == sorted(BEFORE["rows"][table], key=lambda row: row[order])
    await upgrade(owner)
    assert await answers_of_today(owner, parts) == BEFORE["answers"]


async def names_the_first_version_of_each_key(owner: AsyncEngine) -> None:
    """A result names the first version of its paper's key."""
    keys = {row["id"]: row for row in await rows(owner, "paper_keys", "id")}
    assert {row["paper_id"]: row["key"] for row in keys.values()} == {
        row["id"]: row["key"] for row in BEFORE["rows"]["papers"]
    }
    assert {row["number"] for row in keys.values()} == {1}
    paper_of = {row["id"]: row["paper_id"] for row in BEFORE["rows"]["attempts"]}
    for row in await rows(owner, "results", "attempt_id"):
        assert keys[row["key_id"]]["paper_id"] == paper_of[row["attempt_id"]]


async def test_a_result_that_does_not_add_up_stops_it(owner: AsyncEngine) -> None:
    one = "(select attempt_id from ias.results order by attempt_id limit 1)"
    async with owner.begin() as connection:
        right = await connection.scalar(text(f"select scorecard from ias.results where attempt_id = {one}"))
    restore = text(f"update ias.results set scorecard = :right where attempt_id = {one}")
    for name, damage in DAMAGES.items():
        async with owner.begin() as connection:
            await connection.execute(restore, {"right": json.dumps(right)})
            await connection.execute(
                text(f"update ias.results set scorecard = {damage} where attempt_id = {one}")
            )
        before = await rows(owner, "results", "attempt_id")
        with pytest.raises(RuntimeError, match="1 results do not add up"):
            await upgrade(owner)
        assert await version(owner) == "0009", name
        assert await rows(owner, "results", "attempt_id") == before, name
