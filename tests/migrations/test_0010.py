"""Migration 0010 on a database of the version before: every result reads as it did, and there is a way back.

`version_0009.json` was written by commit 881c1fc: the rows of its tables after 14 attempts at four papers (a
dropped question under each rule, typed numbers, partial marks, sections with a choice, two devices, a late
answer, a retake), and what its API answered to each of the candidates.
"""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from alembic import command
from alembic.config import Config
from pydantic import SecretStr
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.config import Settings
from app.database import create_engine
from app.repositories.analytics.progress import AttemptFilter
from app.repositories.base import PageRequest
from app.schemas.analytics.progress import MyAttemptOut
from app.schemas.results import ResultOut
from app.services import attempts
from app.services.analytics import progress
from app.services.components import Components
from app.services.unit_of_work import reading
from app.services.users import principal_of
from tests.conftest import ROOT, cloned_database

BEFORE = json.loads((ROOT / "tests" / "migrations" / "version_0009.json").read_text())
LOADED = (
    "users",
    "memberships",
    "subjects",
    "questions",
    "tests",
    "papers",
    "attempts",
    "response_events",
    "results",
    "score_counts",
)


@pytest.fixture
def database(superuser_url: str, template: str) -> Iterator[str]:
    with cloned_database(superuser_url, template) as url:
        yield url


@pytest.fixture
async def owner(database: str) -> AsyncIterator[AsyncEngine]:
    """A database of version 0009 with the rows of that version."""
    engine = create_engine(Settings(database_url=SecretStr(database)), pool_size=2)
    await migrate(engine, "0009")
    async with engine.begin() as connection:
        for table in LOADED:
            load = f"insert into ias.{table} select * from jsonb_populate_recordset(null::ias.{table}, :rows)"
            await connection.execute(text(load), {"rows": json.dumps(BEFORE["rows"][table])})
    yield engine
    await engine.dispose()


async def migrate(engine: AsyncEngine, to: str) -> None:
    def run(connection: Connection) -> None:
        config = Config(ROOT / "alembic.ini")
        config.attributes["connection"] = connection
        (command.upgrade if to == "head" else command.downgrade)(config, to)

    async with engine.begin() as connection:
        await connection.run_sync(run)


async def answers_of_today(engine: AsyncEngine, parts: Components) -> dict[str, Any]:
    """What the API answers to each candidate."""
    found = {}
    for attempt_id, before in BEFORE["answers"].items():
        async with reading(engine) as reads:
            member = await reads.users.member(UUID(before["user_id"]))
            assert member is not None
            user = principal_of(member, "session", datetime.now(UTC))
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


async def rows(engine: AsyncEngine, table: str, order: str) -> list[dict[str, Any]]:
    statement = f"select coalesce(jsonb_agg(to_jsonb(row) order by {order}), '[]') from ias.{table} as row"
    async with engine.connect() as connection:
        return list(await connection.scalar(text(statement)))


async def version(engine: AsyncEngine) -> str:
    async with engine.connect() as connection:
        return str(await connection.scalar(text("select version_num from ias.alembic_version")))


async def test_every_answer_stays_the_same_and_the_way_back_restores_every_row(
    owner: AsyncEngine, parts: Components
) -> None:
    await migrate(owner, "head")
    assert await answers_of_today(owner, parts) == BEFORE["answers"]
    assert await rows(owner, "score_counts", "cohort_id, numerator") == sorted(
        BEFORE["rows"]["score_counts"], key=lambda row: (row["cohort_id"], row["numerator"])
    )
    await migrate(owner, "0009")
    for table, order in (("results", "attempt_id"), ("papers", "id")):
        assert await rows(owner, table, order) == sorted(BEFORE["rows"][table], key=lambda row: row[order])
    await migrate(owner, "head")
    assert await answers_of_today(owner, parts) == BEFORE["answers"]


async def test_a_result_names_the_first_version_of_its_papers_key(owner: AsyncEngine) -> None:
    await migrate(owner, "head")
    keys = {row["id"]: row for row in await rows(owner, "paper_keys", "id")}
    assert {row["paper_id"]: row["key"] for row in keys.values()} == {
        row["id"]: row["key"] for row in BEFORE["rows"]["papers"]
    }
    assert {row["number"] for row in keys.values()} == {1}
    paper_of = {row["id"]: row["paper_id"] for row in BEFORE["rows"]["attempts"]}
    for row in await rows(owner, "results", "attempt_id"):
        assert keys[row["key_id"]]["paper_id"] == paper_of[row["attempt_id"]]


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param("jsonb_set(scorecard, '{items,0,marks}', '\"7/5\"')", id="marks"),
        pytest.param("jsonb_set(scorecard, '{items,0,outcome}', '\"excellent\"')", id="outcome"),
        pytest.param("scorecard #- '{items,0}'", id="a question is missing"),
    ],
)
async def test_a_result_that_does_not_add_up_stops_it(owner: AsyncEngine, damage: str) -> None:
    async with owner.begin() as connection:
        one = "(select attempt_id from ias.results order by attempt_id limit 1)"
        await connection.execute(
            text(f"update ias.results set scorecard = {damage} where attempt_id = {one}")
        )
    before = await rows(owner, "results", "attempt_id")
    with pytest.raises(RuntimeError, match="1 results do not add up"):
        await migrate(owner, "head")
    assert await version(owner) == "0009"
    assert await rows(owner, "results", "attempt_id") == before
