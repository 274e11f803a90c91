"""Turns of one person: a few at once, the rest in order, and others are not held up."""

import asyncio

import pytest

from app.core.errors import TooManyRequests
from app.core.turns import REQUESTS_AT_ONCE, REQUESTS_IN_ALL, PersonalTurns


class Requests:
    """Requests that end when they are told to."""

    def __init__(self, turns: PersonalTurns) -> None:
        self.turns = turns
        self.may_end = asyncio.Event()
        self.begun: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def send(self, person: str, count: int) -> None:
        self.tasks += [asyncio.create_task(self._run(person)) for _ in range(count)]
        await asyncio.sleep(0)

    async def _run(self, person: str) -> None:
        async with self.turns.turn(person):
            self.begun.append(person)
            await self.may_end.wait()

    async def end(self) -> None:
        self.may_end.set()
        await asyncio.gather(*self.tasks)


async def test_the_rest_of_a_person_waits_and_others_pass() -> None:
    requests = Requests(PersonalTurns())
    await requests.send("asha", 30)
    await requests.send("ravi", 1)
    assert requests.begun == ["asha"] * REQUESTS_AT_ONCE + ["ravi"]
    await requests.end()
    assert requests.begun.count("asha") == 30


async def test_more_than_may_wait_are_refused_until_there_is_room() -> None:
    turns = PersonalTurns()
    requests = Requests(turns)
    await requests.send("asha", REQUESTS_IN_ALL)
    with pytest.raises(TooManyRequests):
        async with turns.turn("asha"):
            pytest.fail("let in")
    await requests.end()
    async with turns.turn("asha"):
        requests.begun.append("again")
    assert requests.begun[-1] == "again"


async def test_who_gives_up_leaves_no_place_taken() -> None:
    turns = PersonalTurns()
    requests = Requests(turns)
    await requests.send("asha", 30)
    for task in requests.tasks:
        task.cancel()
    await asyncio.gather(*requests.tasks, return_exceptions=True)
    again = Requests(turns)
    await again.send("asha", REQUESTS_AT_ONCE)
    assert len(again.begun) == REQUESTS_AT_ONCE
    await again.end()
