"""What commands have imported into the database of the tests."""

import asyncio
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest

from app.config import get_settings


@pytest.fixture(autouse=True)
def on_the_tests_database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "200")
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def fetch(database_url: str, statement: str, *arguments: Any) -> list[dict[str, Any]]:
    async def rows() -> list[dict[str, Any]]:
        connection = await asyncpg.connect(database_url)
        found = await connection.fetch(statement, *arguments)
        await connection.close()
        return [dict(row) for row in found]

    return asyncio.run(rows())


def scores(database_url: str, title: str) -> list[tuple[str, str]]:
    statement = """
        select r.roll_number, s.score_numerator || '/' || s.score_denominator as score
        from ias.exams e join ias.registrations r on r.exam_id = e.id
        join ias.attempts a on a.registration_id = r.id join ias.results s on s.attempt_id = a.id
        where e.title->>'en' = $1 order by 1
    """
    return [(row["roll_number"], row["score"]) for row in fetch(database_url, statement, title)]
