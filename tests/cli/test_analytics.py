"""`ias analytics rebuild`: the same rows as the tasks have made, also after another key and a kill."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import delete, text, update
from sqlalchemy.ext.asyncio import AsyncEngine
from typer.testing import CliRunner, Result

from app.cli import app
from app.config import get_settings
from app.database import create_engine
from app.models import AttemptFigures
from app.services import attempts
from app.services.analytics import figures, rebuilding
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork, unit_of_work
from tests.builders.attempts import add_candidate, graded_attempt
from tests.builders.content import publish_test
from tests.builders.key_versions import correct
from tests.conftest import cloned_database

NOW = datetime(2026, 6, 7, 4, 0, tzinfo=UTC)
ROWS = text("select to_jsonb(attempt_figures) from ias.attempt_figures where attempt_id = any(:ids)")


@pytest.fixture
def own_url(superuser_url: str, template: str) -> Iterator[str]:
    """A database for the command, which works on all results that it finds."""
    with cloned_database(superuser_url, template) as url:
        yield url


@pytest.fixture
async def own_database(
    own_url: str, parts: Components, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[None]:
    """The same with one result, which has no figures."""
    engine = create_engine(parts.settings.model_copy(update={"database_url": SecretStr(own_url)}))
    async with unit_of_work(engine) as uow:
        made = await publish_test(uow)
        await graded_attempt(uow, parts, await add_candidate(uow), made, {0: ["b"]}, NOW)
    await engine.dispose()
    monkeypatch.setenv("DATABASE_URL", own_url)
    monkeypatch.setenv("REDIS_URL", parts.settings.redis)
    monkeypatch.setenv("COLUMNS", "200")
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


async def run(*arguments: str, answer: str | None = None) -> Result:
    """Run the command in a thread, because it has an event loop of its own."""
    command = ["analytics", "rebuild", *arguments]
    return await asyncio.to_thread(CliRunner().invoke, app, command, input=answer, catch_exceptions=False)


async def test_it_asks_and_reports(own_database: None) -> None:
    refused = await run(answer="n\n")
    assert refused.exit_code == 1
    assert "Results: 1, of which 1 have no figures" in refused.output
    assert "Figures computed" not in refused.output
    done = await run("--yes", "--missing")
    assert done.exit_code == 0, done.output
    assert "Figures computed: 1" in done.output
    assert "Results: 1, of which 0 have no figures" in (await run(answer="n\n")).output


async def test_rows_equal_those_of_the_tasks(
    engine: AsyncEngine, parts: Components, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two attempts, one graded again by another key; the rebuild is stopped after the first of them."""
    async with unit_of_work(engine) as uow:
        made = await publish_test(uow)
        answers = {0: ["b"], 1: ["b"]}
        first = await graded_attempt(
            uow, parts, await add_candidate(uow), made, answers, NOW, time_spent_ms=70
        )
        second = await graded_attempt(uow, parts, await add_candidate(uow), made, answers, NOW)
        await correct(uow, second.paper_id, made.question_ids[0], "b")
        await attempts.withdraw_results(uow, [second.id])
        second.status = "submitted"
        await uow.attempts.flush()
        await attempts.grade_batch(uow, parts, [second.id], NOW)
        await figures.calculate(uow, parts, [first.id, second.id])
        ids = sorted([first.id, second.id])
        expected = await rows_of(uow, ids)
        assert len(expected) == 2
        wrong = update(AttemptFigures).where(AttemptFigures.attempt_id == ids[0])
        await uow.session.execute(wrong.values(net_marks=99, confidence="?"))
        await uow.session.execute(delete(AttemptFigures).where(AttemptFigures.attempt_id == ids[1]))

    monkeypatch.setattr(rebuilding, "BATCH", 1)
    steps = rebuilding.rebuild_figures(parts, UUID(int=ids[0].int - 1))
    count, last = await anext(steps)
    assert (count, last) == (1, ids[0])
    async for _, done in rebuilding.rebuild_figures(parts, last):
        if done >= ids[1]:
            break
    async with unit_of_work(engine) as uow:
        assert await rows_of(uow, ids) == expected


async def rows_of(uow: UnitOfWork, ids: Sequence[UUID]) -> list[dict[str, Any]]:
    rows = await uow.session.scalars(ROWS, {"ids": list(ids)})
    return sorted(rows.all(), key=lambda row: str(row["attempt_id"]))
