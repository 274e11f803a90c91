"""Each pair of calls at once, on two connections: the outcome that docs/concurrency-pairs.md promises.

The table of the page is what is tested: there is no other copy of it. `make test` runs a quarter of it.
"""

import re
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.components import Components
from app.services.unit_of_work import UnitOfWork
from tests.conftest import ROOT
from tests.services.exams.pairs import Content, inconsistencies, make_content, make_scene, outcome_of
from tests.thorough import part
from tests.two_connections import overlap

PAGE = ROOT / "docs" / "concurrency-pairs.md"
ACTIONS = (
    "enter",
    "save",
    "submit",
    "register",
    "extend",
    "pause",
    "resume",
    "end",
    "reopen",
    "void",
    "admit-late",
    "accommodate",
    "close",
    "postpone",
    "publish",
    "cancel",
    "release",
    "grade",
)
NEEDS_ATTEMPT = {"save", "submit", "grade"}
HAVE_NO_ATTEMPT = {"enter", "register", "publish"}


def promised() -> dict[str, list[str]]:
    """The table of the page: by the first of a pair, the cells of its row."""
    rows = re.findall(r"^\| \*\*([a-z-]+)\*\* \|(.*)\|$", PAGE.read_text(), re.MULTILINE)
    return {name: [cell.strip() for cell in cells.split("|")] for name, cells in rows}


async def found(engine: AsyncEngine, parts: Components, content: Content, first: str, second: str) -> str:
    """What happens: the word for the second one's outcome, in italics if it has waited for the first."""
    if first in HAVE_NO_ATTEMPT and second in NEEDS_ATTEMPT:
        return "–"
    scene = await make_scene(engine, parts, content, first)

    async def a_second_later(uow: UnitOfWork) -> str:
        scene.now += timedelta(seconds=1)
        return await scene.act(second)(uow)

    both = await overlap(engine, scene.act(first), a_second_later)
    assert both.first.error is None, (first, both.first.error)
    assert await inconsistencies(engine, scene) == [], (first, second)
    word = outcome_of(both.second)
    return f"*{word}*" if both.waited else word


@pytest.fixture(scope="module")
async def content(engine: AsyncEngine, parts: Components) -> Content:
    return await make_content(engine, parts.clock.now())


def test_the_page_has_every_pair() -> None:
    assert {name: len(cells) for name, cells in promised().items()} == dict.fromkeys(ACTIONS, len(ACTIONS))


@pytest.mark.parametrize("first", ACTIONS)
async def test_pairs(engine: AsyncEngine, parts: Components, content: Content, first: str) -> None:
    cells = dict(zip(ACTIONS, promised()[first], strict=True))
    for second in part(ACTIONS, first, 4):
        if first == "release":  # A start is practice then, unless another exam holds the test.
            content = await make_content(engine, parts.clock.now())
        assert await found(engine, parts, content, first, second) == cells[second], second
