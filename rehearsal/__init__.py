"""A rehearsal: many candidates take a test at once over a bad network, and every result is checked."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from app.cli.local.home import Home
from rehearsal.audit import audit
from rehearsal.author import Author
from rehearsal.checks import compared_with_meaning, mismatches
from rehearsal.client import Tally, Unexpected
from rehearsal.kills import Killer, in_the_middle
from rehearsal.plans import Plan, plan
from rehearsal.questions import Question, compose
from rehearsal.sittings import Hall, Sitting

_AT_ONCE = 20
"""So many register at the same time: hashing passwords is slow on purpose."""


@dataclass(frozen=True, slots=True)
class Options:
    """How big the rehearsal is, and where it happens."""

    api_url: str
    home: Home
    candidates: int
    questions: int
    seconds: int
    devices: int
    seed: int
    kill: tuple[str, ...] = ()


@dataclass
class Rehearsal:
    """One run, from the plans to the verdict."""

    options: Options
    tally: Tally = field(default_factory=Tally)
    questions: Sequence[Question] = ()
    question_ids: Sequence[UUID] = ()
    sittings: Sequence[Sitting] = ()
    killer: Killer | None = None
    problems: Sequence[str] = ()

    @property
    def compared_with_meaning(self) -> int:
        """How many results were also compared with what their candidates meant."""
        return sum(compared_with_meaning(sitting) for sitting in self.sittings)

    async def run(self) -> None:
        """Prepare, sit, wait for the results, compare. Raises Unexpected where it cannot even begin."""
        options, label = self.options, uuid4().hex[:8]
        author = Author(options.api_url, label)
        await author.make_account()
        self.questions = compose(options.questions, options.seed)
        test_id, self.question_ids = await author.publish(self.questions, options.seconds)
        hall = Hall(
            options.api_url, label, options.seed, test_id, self.question_ids, options.seconds, self.tally
        )
        self.sittings = [Sitting(hall, plan) for plan in self._plans()]
        try:
            await limited(_AT_ONCE, [sitting.register() for sitting in self.sittings])
            await self._sit()
            # Ranks stand still only now that everybody is graded.
            await limited(_AT_ONCE, [sitting.fetch_result() for sitting in self.sittings])
            await author.archive(test_id)
        finally:
            await asyncio.gather(author.leave(), *(sitting.close() for sitting in self.sittings))
        self.problems = await self._verdict(test_id)

    def _plans(self) -> list[Plan]:
        options = self.options
        numbers = range(1, options.candidates + 1)
        return [plan(options.seed, number, self.questions, options.devices) for number in numbers]

    async def _sit(self) -> None:
        self.killer = Killer(self.options.home, in_the_middle(self.options.kill, self.options.seconds))
        await asyncio.gather(self.killer.run(), *(sitting.sit() for sitting in self.sittings))

    async def _verdict(self, test_id: UUID) -> list[str]:
        killed = self.killer.problems if self.killer else []
        compared = mismatches(self.sittings, self.questions, self.question_ids)
        return [*killed, *compared, *await audit(test_id, self.sittings)]


async def limited(most: int, coroutines: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Run them all, `most` at a time."""
    places = asyncio.Semaphore(most)

    async def run(coroutine: Coroutine[Any, Any, None]) -> None:
        async with places:
            await coroutine

    await asyncio.gather(*(run(coroutine) for coroutine in coroutines))


__all__ = ["Options", "Rehearsal", "Unexpected"]
