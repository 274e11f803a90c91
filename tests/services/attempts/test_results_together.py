"""Results of many candidates at one test, read together: each gets what `result` gives to them alone."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.errors import NotFound, NotGradedYet
from app.schemas.results import ResultOut
from app.services import attempts
from app.services.attempts import ResultView
from app.services.components import Components
from app.services.unit_of_work import reading, unit_of_work
from app.services.users import Principal
from tests.builders.attempts import add_candidate, graded_attempt, start_attempt
from tests.builders.content import PublishedTest, publish_test

Outcome = ResultOut | str


@dataclass(frozen=True)
class Hall:
    """A test, candidates with different answers, one whose attempt runs, and one who has not started."""

    engine: AsyncEngine
    parts: Components
    made: PublishedTest
    graded: list[Principal]
    running: Principal
    absent: Principal

    @property
    def everybody(self) -> list[Principal]:
        return [*self.graded, self.running, self.absent]

    async def together(self, people: list[Principal]) -> list[Outcome]:
        return await asyncio.gather(
            *(outcome_of(attempts.result_together(self.parts, each, self.made.id)) for each in people)
        )

    async def alone(self, person: Principal) -> Outcome:
        async with reading(self.engine) as reads:
            return await outcome_of(attempts.result(reads, self.parts, person, self.made.id, None))


@pytest.fixture
async def hall(engine: AsyncEngine, parts: Components) -> Hall:
    now = parts.clock.now()
    async with unit_of_work(engine) as uow:
        made = await publish_test(uow)
        people = [await add_candidate(uow) for _ in range(5)]
        *graded, running, _ = people
        right = {position: key["accepted"][0] for position, key in enumerate(made.keys)}
        for number, person in enumerate(graded):
            answers = dict(list(right.items())[number:])
            await graded_attempt(uow, parts, person, made, answers, now, time_spent_ms=1000 * number)
        await start_attempt(uow, parts, made, now, running)
    return Hall(engine, parts, made, graded, *people[3:])


async def outcome_of(result: Awaitable[ResultView]) -> Outcome:
    try:
        return ResultOut.of(await result)
    except (NotFound, NotGradedYet) as error:
        return error.code


async def test_each_gets_what_they_get_alone(hall: Hall) -> None:
    together = await hall.together([*hall.everybody, hall.graded[0]])
    assert together == [await hall.alone(each) for each in [*hall.everybody, hall.graded[0]]]
    shown = [each for each in together if isinstance(each, ResultOut)]
    assert [each.rank for each in shown] == [1, 2, 3, 1]
    assert [each.questions and each.questions[-1].time_spent_ms for each in shown] == [0, 1000, 2000, 0]
    assert together[3:5] == [NotGradedYet.code, NotFound.code]


async def test_a_void_attempt_has_no_result_for_its_candidate_only(hall: Hall) -> None:
    void, other, *_ = hall.graded
    async with hall.engine.begin() as connection:
        change = text("update ias.attempts set status = 'void' where user_id = :id")
        await connection.execute(change, {"id": void.id})
    assert await hall.together([void, other]) == [NotFound.code, await hall.alone(other)]


async def test_without_the_review_no_question_is_shown(hall: Hall) -> None:
    async with hall.engine.begin() as connection:
        change = text("update ias.tests set review = 'never' where id = :id")
        await connection.execute(change, {"id": hall.made.id})
    together = await hall.together(hall.graded)
    assert together == [await hall.alone(each) for each in hall.graded]
    assert [isinstance(each, ResultOut) and each.questions is None for each in together] == [True] * 3
