"""An author's week, by the API and the command line: from an empty sheet to a printed paper and back."""

import asyncio
import csv
import io
import itertools
import os
from collections.abc import Awaitable, Callable
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.config import Settings
from tests.builders.content import UPSC
from tests.builders.images import new_image
from tests.fork_server import ForkServer, Program
from tests.thorough import count
from tests.waiting import PATIENCE

ROWS = count(120, 1_000)
CONSONANTS, VOWELS = "bdghjklmnprstvyz", "aeiouaeiouaeioua"


def words(seed: str, count: int) -> str:
    """Made words, always the same for a seed: no two rows are alike."""
    digits = "".join(sha256(f"{seed}{part}".encode()).hexdigest() for part in range(count // 8 + 1))
    syllables = [CONSONANTS[int(one, 16)] + VOWELS[int(two, 16)] for one, two in itertools.pairwise(digits)]
    return " ".join("".join(syllables[at : at + 3]) for at in range(0, 3 * count, 3)).capitalize()


def rows(institute: str, passage: str) -> list[dict[str, str]]:
    """A bank of all kinds of questions in two languages, with what spreadsheets stumble over."""
    made = []
    for number in range(1, ROWS + 1):
        seed = f"{institute}-{number}"
        row = {
            "external_id": f"{institute}/{number}",
            "subject": institute,
            "chapter": f"Chapter {number % 7}",
            "question": f"{words(seed, 20)}?\n1. {words(seed + 'i', 8)}\n2. {words(seed + 'j', 8)}",
            "question_hi": f"निम्नलिखित कथन {number} पर विचार कीजिए: क्या यह क्षेत्र श्रृंखला में है?",
            "key": "abcd"[number % 4],
            "explanation": f"=see {words(seed, 5)}",
            "difficulty": ("easy", "medium", "hard")[number % 3],
            "tags": f"week, part {number % 10}, one\\, two",
            "source": f"Mock of {institute}",
            "number": str(number),
        }
        row |= {f"option_{letter}": f"-{words(seed + letter, 3)}" for letter in "abcd"}
        row |= {f"option_{letter}_hi": f"विकल्प {letter} {number}" for letter in "abcd"}
        kind = number % 25
        if kind == 1:
            row |= {"passage_id": passage}
        if kind == 2:
            row |= {"type": "numeric", "key": "3.14±0.01", **dict.fromkeys(_options(row), "")}
        if kind == 3:
            row |= {"type": "true_false", "key": "true", **dict.fromkeys(_options(row), "")}
        if kind == 4:
            row |= {"key": "bd|a"}
        made.append(row)
    return made


def _options(row: dict[str, str]) -> list[str]:
    return [name for name in row if name.startswith("option_")]


def as_csv(sheet: list[dict[str, str]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(dict.fromkeys(name for row in sheet for name in row)))
    writer.writeheader()
    writer.writerows(sheet)
    return out.getvalue().encode("utf-8-sig")


@pytest.fixture
def environment(settings: Settings) -> dict[str, str]:
    """Where the command line finds the servers of the tests."""
    return os.environ | {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "REDIS_URL": settings.redis,
        "MEDIA_URL": str(settings.media_url),
        "COLUMNS": "200",
    }


Ias = Callable[..., Awaitable[str]]


@pytest.fixture
def ias(environment: dict[str, str], fork_server: ForkServer, tmp_path: Path) -> Ias:
    """Run a command as an author's colleague would, and return what it prints."""
    numbers = itertools.count()

    async def run(*arguments: str | Path) -> str:
        output = tmp_path / f"output-{next(numbers)}"
        program = Program("app.cli", [*map(str, arguments)], environment, output, output)
        code = await asyncio.to_thread(fork_server.start(program).wait, PATIENCE)
        assert code == 0, output.read_text()
        return output.read_text()

    return run


async def sent(client: httpx.AsyncClient, method: str, path: str, **request: Any) -> dict[str, Any]:
    answer = await client.request(method, path, timeout=60, **request)
    assert answer.is_success, answer.text
    return dict(answer.json())


async def imported(author: httpx.AsyncClient, file: bytes, **options: str) -> dict[str, Any]:
    return await sent(author, "post", "/questions/import", files={"file": file}, data=options)


def counts(report: dict[str, Any]) -> tuple[int, int, int]:
    assert report["errors"] == []
    return report["created"], report["updated"], report["unchanged"]


async def test_an_authors_week(
    author: httpx.AsyncClient, candidate: httpx.AsyncClient, ias: Ias, tmp_path: Path
) -> None:
    name = f"Week {uuid4().hex[:12]}"

    # Monday: a subject, a passage with an image, and a first question, one by one.
    subject = await sent(author, "post", "/subjects", json={"slug": uuid4().hex, "name": name})
    image = await sent(author, "post", "/media", files={"file": new_image()})
    text = {"en": f"Read this of {name}.", "hi": "यह पढ़िए।"}
    passage = await sent(
        author, "post", "/passages", json={"text": text, "media": [image["id"]], "external_id": name}
    )
    first = await sent(author, "post", "/questions", json=_first(subject["id"], passage["id"], name))

    # Tuesday: a whole sheet. One mistake stops all of it; mended, it comes in by the command line.
    sheet = rows(name, passage["external_id"])
    wrong = [row | ({"key": "e"} if number == ROWS // 2 else {}) for number, row in enumerate(sheet)]
    refused = await imported(author, as_csv(wrong), dry_run="true")
    assert [(error["row"], error["field"]) for error in refused["errors"]] == [(ROWS // 2 + 2, "key")]
    file = tmp_path / "week.csv"
    file.write_bytes(as_csv(sheet))
    assert f"created: {ROWS}, updated: 0, unchanged: 0" in await ias("import", "questions", file)
    assert counts(await imported(author, file.read_bytes())) == (0, 0, ROWS)

    # Wednesday: find what is wrong, and mend it. What it said before stays.
    of_subject = {"subject_id": subject["id"]}
    found = await sent(author, "get", "/questions", params={**of_subject, "tag": "part 3", "limit": "100"})
    assert len(found["items"]) == ROWS // 10
    by_words = await sent(author, "get", "/questions", params={**of_subject, "query": "श्रृंखला"})
    assert by_words["items"][0]["text"]["hi"].startswith("निम्नलिखित")
    (mended,) = (await sent(author, "get", "/questions", params={"query": f"{name}/40"}))["items"]
    path = f"/questions/{mended['id']}"
    assert (await sent(author, "patch", path, json={"key": ["d"]}))["version"] == 2
    diff = await sent(author, "get", f"{path}/versions/2/diff")
    assert [change["field"] for change in diff["changes"]] == ["key"]
    assert len((await sent(author, "get", path))["versions"]) == 2

    # Thursday: compose, look, publish, print.
    items = await _every(author, of_subject)
    assert len(items) == ROWS + 1
    chosen = [first["id"], *(item["id"] for item in items if item["id"] != first["id"])][:100]
    test = await sent(author, "post", "/tests", json=_test(name, subject["id"], chosen))
    preview = await sent(author, "get", f"/tests/{test['id']}/preview")
    assert (preview["obstacles"], len(preview["document"]["questions"])) == ([], 100)
    assert (await sent(author, "post", f"/tests/{test['id']}/publish"))["paper_version"] == 1
    for language in ("en", "hi"):
        for part in ("paper", "solutions"):
            wanted = {"language": language, "part": part}
            pdf = await author.get(f"/tests/{test['id']}/print", params=wanted, timeout=PATIENCE)
            assert pdf.content.startswith(b"%PDF-"), pdf.text
    assert (await candidate.post(f"/tests/{test['id']}/start")).status_code == 201

    # Friday: a second edition from the first, which stays as it is.
    clone = await sent(author, "post", f"/tests/{test['id']}/clone")
    assert clone["title"]["en"] == f"{name} (copy)"
    assert (await sent(author, "post", f"/tests/{clone['id']}/publish"))["paper_version"] == 1
    assert (await sent(author, "post", f"/tests/{clone['id']}/archive"))["status"] == "archived"

    # Saturday: the bank as a file, by both ways and in both formats. It comes back unchanged.
    before = await _every(author, of_subject)
    for sheet_format in ("csv", "xlsx"):
        body = {**of_subject, "format": sheet_format}
        answer = await author.post("/questions/export", json=body, timeout=60)
        assert answer.headers["x-questions-exported"] == str(ROWS + 1)
        assert counts(await imported(author, answer.content)) == (0, 0, ROWS + 1)
        out = tmp_path / f"out.{sheet_format}"
        told = await ias("export", "questions", out, "--subject", name)
        assert f"Questions exported: {ROWS + 1}" in told
        told = await ias("import", "questions", out)
        assert f"created: 0, updated: 0, unchanged: {ROWS + 1}" in told
    assert await _every(author, of_subject) == before


def _first(subject_id: str, passage_id: str, name: str) -> dict[str, Any]:
    return {
        "subject_id": subject_id,
        "type": "single_choice",
        "text": {"en": f"What does the passage of {name} say?", "hi": "गद्यांश क्या कहता है?"},
        "options": [
            {"id": "a", "text": {"en": "This", "hi": "यह"}},
            {"id": "b", "text": {"en": "That", "hi": "वह"}},
        ],
        "key": ["b"],
        "explanation": {"en": "It says that.", "hi": "वह कहता है।"},
        "external_id": f"{name}/first",
        "passage_id": passage_id,
    }


def _test(title: str, subject_id: str, question_ids: list[str]) -> dict[str, Any]:
    return {
        "title": {"en": title, "hi": f"{title} (हिन्दी)"},
        "kind": "full",
        "subject_id": subject_id,
        "duration_seconds": 7_200,
        "languages": ["en", "hi"],
        "marking": UPSC,
        "sections": [{"name": {"en": "Paper", "hi": "प्रश्न पत्र"}, "question_ids": question_ids}],
    }


async def _every(author: httpx.AsyncClient, wanted: dict[str, str]) -> list[dict[str, Any]]:
    """All questions of a list, page by page."""
    items: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        after = {"cursor": cursor} if cursor else {}
        page = await sent(author, "get", "/questions", params={**wanted, "limit": "100", **after})
        items, cursor = items + page["items"], page["next_cursor"]
    return items
