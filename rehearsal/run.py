"""The rehearsal of a test: many candidates take it at once, and every result is checked."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

from rehearsal import database_checks
from rehearsal.attempts import Attempt, RehearsedTest
from rehearsal.author import Author
from rehearsal.client import Metrics
from rehearsal.concurrency import run_limited
from rehearsal.plans import Plan, make_plan
from rehearsal.process_killer import ProcessKiller, kill_schedule
from rehearsal.questions import Question, generate_questions
from rehearsal.result_checks import all_planned_answers_arrived, mismatches


@dataclass(frozen=True, slots=True)
class Options:
    """The size of the rehearsal and the installation that it uses. `run_file` is the run.json of `ias up`."""

    api_url: str
    run_file: Path
    candidates: int
    questions: int
    seconds: int
    devices: int
    seed: int
    kill: tuple[str, ...] = ()


@dataclass
class Rehearsal:
    """One run.

    `problems` are errors of the server; `delays` are steps that came too late by the server's clock.
    """

    options: Options
    metrics: Metrics = field(default_factory=Metrics)
    questions: Sequence[Question] = ()
    question_ids: Sequence[UUID] = ()
    attempts: Sequence[Attempt] = ()
    killer: ProcessKiller | None = None
    problems: Sequence[str] = ()
    delays: Sequence[str] = ()

    @property
    def compared_with_plan(self) -> int:
        """The number of results that were also compared with what the candidate planned."""
        return sum(all_planned_answers_arrived(attempt) for attempt in self.attempts)

    async def run(self) -> None:
        """Prepare, take the test, wait for the results and check them.

        Raises UnexpectedResponse if the rehearsal cannot begin.
        """
        options, label = self.options, uuid4().hex[:8]
        author = Author(options.api_url, label)
        await author.make_account()
        self.questions = generate_questions(options.questions, options.seed)
        test_id, self.question_ids = await author.publish(self.questions, options.seconds)
        test = RehearsedTest(
            options.api_url, label, options.seed, test_id, self.question_ids, options.seconds, self.metrics
        )
        self.attempts = [Attempt(test, plan) for plan in self._plans()]
        try:
            await run_limited([attempt.register() for attempt in self.attempts])
            await self._take_test()
            # Ranks are final only now that every attempt is graded.
            await run_limited([attempt.fetch_result() for attempt in self.attempts if attempt.attempt_id])
            await author.archive(test_id)
        finally:
            await asyncio.gather(author.close(), *(attempt.close() for attempt in self.attempts))
        self.problems = await self._check(test_id)
        self.delays = [
            f"Candidate {attempt.plan.number}: {sentence}"
            for attempt in self.attempts
            for sentence in attempt.log.delays
        ]

    def _plans(self) -> list[Plan]:
        options = self.options
        numbers = range(1, options.candidates + 1)
        return [make_plan(options.seed, number, self.questions, options.devices) for number in numbers]

    async def _take_test(self) -> None:
        options = self.options
        self.killer = ProcessKiller(options.run_file, kill_schedule(options.kill, options.seconds))
        await asyncio.gather(self.killer.run(), *(attempt.take() for attempt in self.attempts))

    async def _check(self, test_id: UUID) -> list[str]:
        found = list(self.killer.problems) if self.killer else []
        found += mismatches(self.attempts, self.questions, self.question_ids)
        return found + await database_checks.mismatches(test_id, self.attempts)
