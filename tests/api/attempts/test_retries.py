"""Retries that are refused: the refusal says how many of the answers were saved before."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.engine.save_limits import Pace
from app.services.attempts.save_memory import AttemptMemory
from app.services.components import Components
from app.services.tests import SectionDraft
from app.services.unit_of_work import unit_of_work
from tests.builders.attempts import AttemptClient, log_rows, start
from tests.builders.content import PublishedTest, add_questions, publish_test
from tests.conftest import TestClock

SECTION_SECONDS = 100


@dataclass
class Sitting:
    """An attempt with its surroundings: what a case changes so that answers are refused."""

    attempt: AttemptClient
    engine: AsyncEngine
    parts: Components
    clock: TestClock

    @property
    def memory(self) -> AttemptMemory:
        grant = self.parts.attempt_tokens.read(self.attempt.attempt["attempt_token"])
        return self.parts.save_memory.admit(grant.attempt.user_id, self.attempt.id, self.clock.now())

    async def set_status(self, status: str, closed_by: str | None) -> None:
        statement = text("update ias.attempts set status = :status, closed_by = :closed_by where id = :id")
        async with self.engine.begin() as connection:
            values = {"status": status, "closed_by": closed_by, "id": self.attempt.id}
            await connection.execute(statement, values)


@pytest.fixture
async def sitting(
    engine: AsyncEngine, parts: Components, clock: TestClock, candidate: httpx.AsyncClient
) -> Sitting:
    """Three questions in a locked section of 100 s, two in one that follows."""
    async with unit_of_work(engine) as uow:
        ids = await add_questions(uow, [["a"], ["b"], ["c"], ["d"], ["a"]])
        sections = [
            SectionDraft({"en": "Reasoning"}, ids[:3], duration_seconds=SECTION_SECONDS),
            SectionDraft({"en": "Comprehension"}, ids[3:], duration_seconds=SECTION_SECONDS),
        ]
        published = await publish_test(uow, sections=sections)
    clock.stop()
    attempt = await start(candidate, PublishedTest(published.id, ids))
    return Sitting(attempt, engine, parts, clock)


def ended(status: str, closed_by: str | None) -> Callable[[Sitting], Awaitable[None]]:
    async def change(sitting: Sitting) -> None:
        await sitting.set_status(status, closed_by)

    return change


def after(seconds: float) -> Callable[[Sitting], Awaitable[None]]:
    async def change(sitting: Sitting) -> None:
        sitting.clock.advance(seconds)

    return change


async def log_full(sitting: Sitting) -> None:
    sitting.memory.is_full = True


async def too_fast(sitting: Sitting) -> None:
    sitting.clock.stop_entirely()
    sitting.memory.pace = Pace(sitting.clock.now(), calls=0)


REFUSALS: list[tuple[str, Callable[[Sitting], Awaitable[None]], str]] = [
    ("the deadline", after(700), "deadline_passed"),
    ("closed by the sweeper", ended("submitted", "deadline"), "deadline_passed"),
    ("submitted", ended("submitted", "candidate"), "attempt_not_in_progress"),
    ("ended by staff", ended("submitted", "staff"), "attempt_not_in_progress"),
    ("paused", ended("paused", None), "attempt_not_in_progress"),
    ("void", ended("void", None), "attempt_not_in_progress"),
]
cases = pytest.mark.parametrize(
    ("change", "code"), [case[1:] for case in REFUSALS], ids=[case[0] for case in REFUSALS]
)


class TestRefusedRetries:
    @cases
    async def test_what_was_saved_before_is_known(
        self, sitting: Sitting, change: Callable[[Sitting], Awaitable[None]], code: str
    ) -> None:
        attempt = sitting.attempt
        sent = [attempt.response(0, ["a"]), attempt.response(1, ["b"])]
        assert (await attempt.save(*sent)).json()["saved"] == 2
        before = await log_rows(sitting.engine, attempt)
        await change(sitting)
        refused = await attempt.save(*sent)
        problem = refused.json()
        assert (refused.status_code, problem["code"], problem["known"]) == (409, code, 2)
        assert "2 of the answers" in problem["detail"]
        assert await log_rows(sitting.engine, attempt) == before

    @cases
    async def test_another_answer_under_the_same_revision_is_not_known(
        self, sitting: Sitting, change: Callable[[Sitting], Awaitable[None]], code: str
    ) -> None:
        attempt = sitting.attempt
        await attempt.save(attempt.response(0, ["a"]), attempt.response(1, ["b"]))
        await change(sitting)
        refused = await attempt.save(attempt.response(0, ["a"]), attempt.response(1, ["c"]))
        assert (refused.json()["code"], refused.json()["known"]) == (code, 1)
        assert refused.json().get("recorded", False) is False

    @cases
    async def test_what_is_new_is_not_known(
        self, sitting: Sitting, change: Callable[[Sitting], Awaitable[None]], code: str
    ) -> None:
        attempt = sitting.attempt
        await attempt.save(attempt.response(0, ["a"]))
        await change(sitting)
        refused = await attempt.save(attempt.response(0, ["a"]), attempt.response(1, ["b"]))
        assert (refused.status_code, refused.json()["code"], refused.json()["known"]) == (409, code, 1)

    async def test_a_full_log_knows_what_it_has(self, sitting: Sitting) -> None:
        attempt = sitting.attempt
        sent = [attempt.response(0, ["a"]), attempt.response(1, ["b"])]
        await attempt.save(*sent)
        await log_full(sitting)
        again = await attempt.save(*sent)
        assert (again.status_code, again.json()["known"]) == (200, 2)
        refused = await attempt.save(*sent, attempt.response(2, ["c"]))
        problem = refused.json()
        assert (refused.status_code, problem["code"], problem["known"]) == (409, "save_limit_reached", 2)
        sitting.clock.advance(700)
        assert (await attempt.save(attempt.response(2, ["c"]))).json()["code"] == "save_limit_reached"
        assert len(await log_rows(sitting.engine, attempt)) == 2

    async def test_a_closed_section_knows_what_it_has(self, sitting: Sitting) -> None:
        attempt = sitting.attempt
        sent = [attempt.response(0, ["a"]), attempt.response(1, ["b"])]
        await attempt.save(*sent)
        sitting.clock.advance(SECTION_SECONDS + 20)
        again = await attempt.save(*sent)
        assert (again.status_code, again.json()["known"], again.json()["closed"]) == (200, 2, [])

    async def test_too_fast(self, sitting: Sitting) -> None:
        """A retry may be refused for its pace. The sentence is right for what was saved before, too."""
        attempt = sitting.attempt
        await attempt.save(attempt.response(0, ["a"]))
        await too_fast(sitting)
        refused = await attempt.save(attempt.response(0, ["a"]))
        assert refused.status_code == 429
        assert "None of the answers" not in refused.json()["detail"]
        assert "saved before" in refused.json()["detail"]

    async def test_an_invalid_response_beside_a_saved_one(self, sitting: Sitting) -> None:
        attempt = sitting.attempt
        await attempt.save(attempt.response(0, ["a"]))
        refused = await attempt.save(attempt.response(0, ["a"]), attempt.response(1, ["x"]))
        assert refused.status_code == 422
        assert "None of the responses" not in refused.json()["detail"]
