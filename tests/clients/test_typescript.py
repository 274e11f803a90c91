"""The TypeScript client: generated, compiled strictly, and run by Node against the application."""

import asyncio
import json
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.builders.content import publish_for
from tests.builders.exams import hold_exam
from tests.builders.people import People
from tests.npm import installed_packages, run
from tests.sockets import opened
from tests.thorough import thorough_only
from tests.waiting import PATIENCE

pytestmark = [pytest.mark.anyio, thorough_only]

SOURCE = Path(__file__).parent / "typescript"
Json = dict[str, Any]


@pytest.fixture(scope="session")
def compiled(
    document_file: Path, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with the compiled programs. Compiling fails where the generated types do not fit their use."""
    folder = tmp_path_factory.mktemp("typescript")
    packages = installed_packages(SOURCE, "typescript-client", pytestconfig)
    shutil.copytree(SOURCE, folder, dirs_exist_ok=True)
    (folder / "node_modules").symlink_to(packages / "node_modules")
    generate = ["openapi-typescript", str(document_file), "--output", "src/api.d.ts"]
    for program, *arguments in (generate, ["tsc"]):
        result = run([f"node_modules/.bin/{program}", *arguments], folder, os.environ)
        assert result.returncode == 0, result.stdout + result.stderr
    return folder / "dist"


async def play(compiled: Path, program: str, **environment: str) -> Json:
    """What a program prints: one line of JSON."""
    process = await asyncio.create_subprocess_exec(
        "node",
        str(compiled / program),
        env={"PATH": os.environ["PATH"], **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE):
        printed, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return dict(json.loads(printed))


async def title_of(client: httpx.AsyncClient, path: str) -> str:
    return str((await client.get(path)).json()["title"]["en"])


async def test_plays_the_core_loop(
    compiled: Path, api_url: str, engine: AsyncEngine, candidate: httpx.AsyncClient
) -> None:
    made = await publish_for(engine)
    title = await title_of(candidate, made.path)
    assert await play(compiled, "core_loop.js", API_URL=api_url, TITLE=title) == {
        "questions": 3,
        "saved": 2,
        "early": "not_graded_yet",
        "status": "graded",
        "score": "2.00",
        "correct": 1,
        "outcome": "correct",
        "accepted": [["a"]],
        "stale": "invalid_token",
    }


async def test_plays_an_exam(
    compiled: Path, api_url: str, sockets_url: str, engine: AsyncEngine, people: People
) -> None:
    staff = await people.member("admin")
    held = await hold_exam(staff, await publish_for(engine), starts_at=datetime.now(UTC))
    told = await play(
        compiled,
        "exam.js",
        API_URL=api_url,
        STAFF_TOKEN=staff.headers["Authorization"].removeprefix("Bearer "),
        EXAM_ID=held.exam["id"],
        PAPER_ID=held.papers[0]["id"],
    )
    ticket = told.pop("ticket")
    assert told.pop("rollNumber")
    assert told == {
        "samePaper": True,
        "saved": 3,
        "status": "submitted",
        "withheld": "results_not_released",
        "score": "0.66",
        "rank": 1,
        "participants": 1,
    }
    async with opened(sockets_url, f"/ws/exam/{held.exam['id']}", ticket=ticket) as socket:
        assert socket.hello["type"] == "hello"


async def test_renders_the_screens_of_an_app(
    compiled: Path, api_url: str, engine: AsyncEngine, candidate: httpx.AsyncClient
) -> None:
    made = await publish_for(engine)
    title = await title_of(candidate, made.path)
    shown = await play(
        compiled, "screens.js", API_URL=api_url, TEST_ID=str(made.id), TITLE=title, READER_LANGUAGE="en"
    )
    home = [line for line in shown["home"].pop("lines") if not line.startswith(("try ", "exam "))]
    assert home == ["Asha Rao, 0 unread, 1 days", f"result {title}: 1.34 of 6.00"]
    assert {name: screen["lines"] for name, screen in shown.items() if name != "home"} == {
        "list": [f"{title} · 3 questions, 10 min, 6.00 marks"],
        "player": [
            "3 questions, 10 min left",
            "1. Question 1 ● Option a ○ Option b ○ Option c ○ Option d ⚑",
            "2. Question 2 ● Option a ○ Option b ○ Option c ○ Option d",
            "3. Question 3 ○ Option a ○ Option b ○ Option c ○ Option d",
        ],
        "review": [
            "1.34 of 6.00, rank 1 of 1",
            "1. Question 1 you a ⚑ (guess), right a: 2.00",
            "2. Question 2 you a, right b: -0.66",
            "3. Question 3 you —, right c: 0.00",
        ],
        "profile": ["Asha Rao, general", "1 tests, 1 right and 1 wrong"],
    }
    assert {name: screen["calls"] for name, screen in shown.items()} == {
        "home": 1,
        "list": 1,
        "player": 2,
        "review": 2,
        "profile": 2,
    }
