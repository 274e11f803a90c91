"""`/analytics/tests/{id}/similarity` and `/report`, and `ias report test`."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine
from typer.testing import CliRunner, Result

from app.cli import app as cli
from app.config import get_settings
from app.models import AuditEntry
from app.services.analytics import refreshing, similarity
from app.services.components import Components
from app.services.unit_of_work import reading, unit_of_work
from tests.builders.attempts import Json
from tests.builders.content import PublishedTest, publish_test
from tests.builders.exams import body_of
from tests.builders.key_revisions import revise
from tests.builders.people import People, user_id_of
from tests.builders.results import GRADED_AT, add_results, simulated_sheets

KEYS = "abcd" * 20
SHORT_KEYS = "abcdab"
HOSTILE = "Mock <script>alert(1)</script> & more"


@dataclass(frozen=True)
class Stage:
    """An author with a long test, in which one candidate copied, and a short one with a wrong key."""

    owner: httpx.AsyncClient
    made: PublishedTest
    attempts: list[UUID]
    short: PublishedTest

    async def similarity(self, made: PublishedTest | None = None, **params: Any) -> Json:
        path = f"/analytics/tests/{(made or self.made).id}/similarity"
        return body_of(await self.owner.get(path, params=params))


@pytest.fixture(scope="module")
async def stage(engine: AsyncEngine, people: People, parts: Components) -> Stage:
    owner = await people.member("author")
    created_by = await user_id_of(owner)
    sheets = simulated_sheets(KEYS, 120)
    sheets[-1][:60] = sheets[0][:60]
    async with unit_of_work(engine) as uow:
        made = await publish_test(uow, [[key] for key in KEYS], created_by=created_by)
        attempts = await add_results(uow, parts, made, sheets)
        short = await publish_test(
            uow, [[key] for key in SHORT_KEYS], created_by=created_by, title={"en": HOSTILE}
        )
        # The key of the third question is c, and strong candidates answer d.
        await add_results(uow, parts, short, simulated_sheets("abddab", 150))
    async with unit_of_work(engine) as uow:
        await refreshing.refresh(uow, parts, short.id, GRADED_AT)
    return Stage(owner, made, attempts, short)


class TestSimilarity:
    async def test_a_candidate_whose_higher_score_was_kept_is_compared(
        self, engine: AsyncEngine, people: People, parts: Components
    ) -> None:
        """And is in the item analysis, marked by the new key like everybody."""
        owner = await people.member("author")
        created_by = await user_id_of(owner)
        async with unit_of_work(engine) as uow:
            made = await publish_test(uow, [[key] for key in KEYS], created_by=created_by)
            attempts = await add_results(uow, parts, made, simulated_sheets(KEYS, 100, blank=0))
        await revise(parts, owner, made, (0, ["b"]), keep="higher")
        async with reading(engine) as reads:
            kept = await reads.session.scalar(
                text("select attempt_id from ias.revised_results where kept and attempt_id = any(:ids)"),
                {"ids": attempts},
            )
        assert kept is not None
        path = f"/analytics/tests/{made.id}"
        compared = body_of(await owner.get(f"{path}/similarity", params={"attempt_id": str(kept)}))
        assert (compared["participants"], compared["pairs"]) == (100, 99)
        async with unit_of_work(engine) as uow:
            await refreshing.refresh(uow, parts, made.id, GRADED_AT)
        found = body_of(await owner.get(f"{path}/items"))
        assert (found["rests_on"]["attempts"], found["rests_on"]["key_version"]) == (100, 2)
        first = found["items"][0]
        (right,) = [option for option in first["options"] if option["right"]]
        assert (right["id"], right["chosen"]) == ("b", first["figures"]["correct"])

    async def test_a_copy_is_flagged(self, stage: Stage, engine: AsyncEngine) -> None:
        found = await stage.similarity()
        assert (found["questions"], found["participants"], found["pairs"]) == (80, 120, 7140)
        assert (found["paper_version"], found["exam_paper_id"], found["reason"]) == (1, None, None)
        assert found["false_flags"] == pytest.approx(0.05)
        assert found["caution"]["en"] != found["caution"]["hi"]
        (pair,) = found["items"]
        ids = [candidate["attempt_id"] for candidate in pair["candidates"]]
        assert ids == [str(stage.attempts[0]), str(stage.attempts[-1])]
        assert pair["candidates"][0]["name"] == "Asha Rao"
        assert pair["equal"] == pair["equal_right"] + pair["equal_wrong"] > pair["expected"]
        assert pair["both_answered"] >= pair["equal"]
        assert len(pair["wrong_questions"]) == pair["equal_wrong"]
        assert pair["probability"] <= found["threshold"]
        async with reading(engine) as reads:
            wanted = select(AuditEntry.details).where(
                AuditEntry.action == "read_similarity", AuditEntry.subject_id == stage.made.id
            )
            entries = (await reads.session.scalars(wanted)).all()
        assert {"kind": "all", "compared": 7140, "flagged": 1} in entries

    async def test_fewer_pairs(self, stage: Stage) -> None:
        last = str(stage.attempts[-1])
        one = await stage.similarity(attempt_id=last)
        assert (one["pairs"], one["flagged"]) == (119, 1)
        for pairs in ("device", "minute", "neighbors"):
            nothing = await stage.similarity(pairs=pairs)
            assert (nothing["pairs"], nothing["threshold"], nothing["items"]) == (0, None, [])
            assert nothing["reason"]["en"] != nothing["reason"]["hi"]

    async def test_of_others(self, stage: Stage) -> None:
        path = f"/analytics/tests/{stage.made.id}/similarity"
        for params in ({"attempt_id": str(uuid4())}, {"paper_version": 2}, {"exam_paper_id": str(uuid4())}):
            assert (await stage.owner.get(path, params=params)).status_code == 404, params

    async def test_useless_with_few_questions(self, stage: Stage) -> None:
        found = await stage.similarity(stage.short)
        assert (found["questions"], found["pairs"], found["items"]) == (6, 0, [])
        assert "fewer than 80 questions; this one has 6" in found["reason"]["en"]

    async def test_nobody_has_taken_it(self, stage: Stage, engine: AsyncEngine) -> None:
        async with unit_of_work(engine) as uow:
            unused = await publish_test(uow, created_by=await user_id_of(stage.owner))
        found = await stage.similarity(unused)
        assert (found["paper_version"], found["participants"], found["pairs"]) == (None, 0, 0)
        page = await stage.owner.get(f"/analytics/tests/{unused.id}/report")
        assert page.status_code == 200
        assert "have not been analyzed yet" in page.text

    async def test_too_many_pairs(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(similarity, "MAX_PAIRS", 100)
        path = f"/analytics/tests/{stage.made.id}/similarity"
        for params in ({}, {"attempt_id": [str(each) for each in stage.attempts[:2]]}):
            answer = await stage.owner.get(path, params=params)
            assert answer.status_code == 422
            (error,) = answer.json()["errors"]
            assert error["field"] == "pairs"
            assert "pairs=neighbors" in error["message"]


class TestReport:
    async def test_one_page_for_screen_and_print(self, stage: Stage) -> None:
        answer = await stage.owner.get(f"/analytics/tests/{stage.short.id}/report")
        page = answer.text
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        first = page[page.index("What to look at first") : page.index("What this report cannot say")]
        assert 'href="#q3"' in first
        assert "Option D of question 3 attracts strong candidates: check the key." in first
        # Nothing is loaded and nothing runs; a text of an author is a text.
        assert "<script" not in page
        assert "&lt;script&gt;alert(1)" in page
        assert set(re.findall(r"https?://[^\"' ]+", page)) <= {"http://www.w3.org/2000/svg"}
        assert re.findall(r'(?:src|href)="(?!#)[^"]*"', page) == []
        # Each figure is said in words, and its ids are its own.
        figures = re.findall(r'<figure role="img" aria-label="([^"]+)">', page)
        assert len(figures) == page.count("<svg") == 4 + 2 * len(SHORT_KEYS)
        assert all(len(words) > 60 for words in figures)
        defined = re.findall(r'<clipPath id="([^"]+)"', page)
        assert len(defined) == len(set(defined))

    async def test_who_may_read_it(self, stage: Stage, people: People) -> None:
        for role, status in (("author", 403), ("evaluator", 200), ("proctor", 403)):
            client = await people.member(role)
            path = f"/analytics/tests/{stage.short.id}/similarity"
            assert (await client.get(path)).status_code == status, role

    async def test_of_a_version_without_statistics(self, stage: Stage) -> None:
        path = f"/analytics/tests/{stage.short.id}/report"
        assert (await stage.owner.get(path, params={"paper_version": 9})).status_code == 404


class TestCommand:
    @pytest.fixture(autouse=True)
    def on_the_tests_database(self, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        monkeypatch.setenv("DATABASE_URL", database_url)
        get_settings.cache_clear()
        yield
        get_settings.cache_clear()

    async def test_writes_a_file(self, stage: Stage, tmp_path: Path) -> None:
        """The statistics are computed first."""
        file = tmp_path / "report.html"
        result = await asyncio.to_thread(run, "report", "test", str(stage.short.id), "--out", str(file))
        assert result.exit_code == 0, result.output
        assert "What to look at first" in file.read_text()

    async def test_an_unknown_test_writes_nothing(self, tmp_path: Path) -> None:
        file = tmp_path / "report.html"
        result = await asyncio.to_thread(run, "report", "test", str(uuid4()), "--out", str(file))
        assert result.exit_code == 1
        assert not file.exists()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)
