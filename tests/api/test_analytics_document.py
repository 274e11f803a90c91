"""docs/analytics.md shows what the API answers, and the teacher's words have no other figures."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.components import Components
from tests.builders.exams import body_of
from tests.builders.people import People
from tests.builders.three_candidates import CANDIDATES, Taken, three_candidates
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "analytics.md").read_text()
BLOCK = re.compile(r"<!-- ([^;]+); GET (\S+) -->\n```json\n(.*?)```", re.DOTALL)
NUMBER = re.compile(r"\d+(?:\.\d+)?")
IN_WORDS = {"100"}
"""In "4 of 100 cases"."""


def differences(shown: Any, answered: Any, at: str) -> Iterator[str]:
    """Where a shown extract says something else than the answer. An object may leave out members."""
    if isinstance(shown, Mapping) and isinstance(answered, Mapping):
        for name, value in shown.items():
            yield from differences(value, answered.get(name, "nothing"), f"{at}.{name}")
    elif isinstance(shown, list) and isinstance(answered, list):
        for position, value in enumerate(shown):
            yield from differences(
                value, answered[position] if position < len(answered) else None, f"{at}[{position}]"
            )
    elif isinstance(shown, float) and isinstance(answered, int | float):
        if answered != pytest.approx(shown, rel=0.01, abs=0.006):
            yield f"{at}: {shown} is shown, the answer has {answered}"
    elif shown != answered:
        yield f"{at}: {shown} is shown, the answer has {answered}"


def figures(shown: Any) -> Iterator[float]:
    """All numbers of an extract, shares also in percent."""
    if isinstance(shown, Mapping | list):
        for value in shown.values() if isinstance(shown, Mapping) else shown:
            yield from figures(value)
    elif isinstance(shown, int | float) or (isinstance(shown, str) and NUMBER.fullmatch(shown)):
        yield from (float(shown), 100 * float(shown))


def path_of(template: str, taken: Taken) -> str:
    return template.format(test_id=taken.made.id, **{name: str(id_) for name, id_ in taken.subjects.items()})


async def test_each_extract_is_an_answer(engine: AsyncEngine, parts: Components, people: People) -> None:
    taken = await three_candidates(engine, parts, people)
    wrong: list[str] = []
    for name, template, text in BLOCK.findall(PAGE):
        answer = body_of(await taken.clients[name].get(path_of(template, taken)))
        wrong += differences(json.loads(text), answer, f"{name}: {template}")
    assert wrong == [], "\n".join(wrong)


@pytest.mark.parametrize("name", [candidate.name for candidate in CANDIDATES])
def test_the_words_have_figures_of_the_extracts(name: str) -> None:
    """A figure of the words is one of the candidate's extracts, rounded."""
    section = next(part for part in PAGE.split("\n### ") if part.lower().startswith(name))
    known = [figure for found in BLOCK.findall(section) for figure in figures(json.loads(found[2]))]
    words = " ".join(line for line in section.splitlines() if line.startswith(">"))
    said = set(NUMBER.findall(words)) - IN_WORDS
    assert said
    unknown = {
        text for text in said if not any(f"{each:.{len(text.partition('.')[2])}f}" == text for each in known)
    }
    assert unknown == set()
