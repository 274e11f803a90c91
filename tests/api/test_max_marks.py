"""The marks of a published test: printed by its own policy, never too fine to be stored."""

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.errors import NotPublishable
from app.services import tests
from app.services.tests import SectionDraft
from app.services.unit_of_work import UnitOfWork, unit_of_work
from app.services.users import operator
from tests.builders.attempts import take_test
from tests.builders.content import UPSC, PublishedTest, add_questions, publish_test

pytestmark = pytest.mark.anyio

PRIMES = (9973, 9967, 9949, 9941, 9931, 9929)


async def section_of(uow: UnitOfWork, *correct: str) -> SectionDraft:
    """A section whose questions are keyed `a` and earn so many marks."""
    question_ids = await add_questions(uow, [["a"]] * len(correct))
    marking = {
        question_id: {"correct": marks} for question_id, marks in zip(question_ids, correct, strict=True)
    }
    return SectionDraft(name={"en": "Paper"}, question_ids=question_ids, question_marking=marking)


class TestMaxMarks:
    @pytest.mark.parametrize(("rounding", "printed"), [("upsc", "0.34"), ("half_up", "0.33")])
    async def test_they_are_printed_like_a_score(
        self, candidate: httpx.AsyncClient, engine: AsyncEngine, rounding: str, printed: str
    ) -> None:
        async with unit_of_work(engine) as uow:
            made = await publish_test(uow, [["a"]], marking={"correct": "1/3", "rounding": rounding})
        assert (await candidate.get(made.path)).json()["max_marks"] == printed
        result = await take_test(candidate, made, {0: ["a"]})
        assert (result["score"], result["max_score"]) == (printed, printed)


class TestPublish:
    async def test_marks_too_fine_for_one_sum_are_refused(self, uow: UnitOfWork) -> None:
        """Their exact scores would have no room: nobody could submit."""
        section = await section_of(uow, *(f"1/{prime}" for prime in PRIMES))
        draft = tests.TestDraft({"en": "Mock"}, "full", 600, UPSC, [section])
        test = await tests.create(uow, operator(), draft)
        with pytest.raises(NotPublishable) as refusal:
            await tests.publish(uow, operator(), test.id, test.created_at)
        assert "too large a common denominator" in refusal.value.errors[0].message

    async def test_the_finest_allowed_can_be_submitted(
        self, candidate: httpx.AsyncClient, engine: AsyncEngine
    ) -> None:
        async with unit_of_work(engine) as uow:
            section = await section_of(uow, "1/9973", "1/9967", "1/997")
            made = PublishedTest((await publish_test(uow, sections=[section])).id, section.question_ids)
        result = await take_test(candidate, made, {0: ["a"], 1: ["a"], 2: ["a"]})
        assert result["correct"] == 3
