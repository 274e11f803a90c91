"""A simulated candidate of a rehearsed exam, from the account to the official result."""

import asyncio
import time
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from random import Random
from typing import Any

from rehearsal.account import Account
from rehearsal.client import Client, Metrics, UnexpectedResponse
from rehearsal.exam.attempts import PaperAttempt
from rehearsal.exam.papers import RehearsedPaper
from rehearsal.exam.scenarios import Intervention, Scenario
from rehearsal.exam.socket_client import SocketClient
from rehearsal.plans import Ending, Plan

STATES = (
    "without an account",
    "expected",
    "registered",
    "downloaded",
    "in progress",
    "paused",
    "between papers",
    "done",
    "with a result",
)
_SAVED_RECENTLY = 10.0
_CONNECTED_WITHIN = 90


class SimulatedCandidate:
    """`problems` are those that belong to no paper."""

    def __init__(self, scenario: Scenario, account: Account, client: Client, metrics: Metrics) -> None:
        self.scenario = scenario
        self.account = account
        self.client = client
        self.attempts: list[PaperAttempt] = []
        self.user_id = ""
        self.roll_number = ""
        self.result: dict[str, Any] | None = None
        self.problems: list[str] = []
        self.socket: SocketClient | None = None
        self._metrics = metrics
        self._exam_path = ""
        self._tasks: list[asyncio.Task[None]] = []
        self._is_done = False

    @property
    def number(self) -> int:
        return self.scenario.number

    @property
    def started_attempts(self) -> list[PaperAttempt]:
        return [attempt for attempt in self.attempts if attempt.has_started]

    @property
    def state(self) -> str:
        """One of STATES."""
        running = [attempt for attempt in self.started_attempts if not attempt.is_over]
        if running:
            return "paused" if any(device.is_paused for device in running[0].devices) else "in progress"
        if self._is_done:
            return "with a result" if self.result is not None else "done"
        if self.started_attempts:
            return "between papers"
        if self.attempts and all(attempt.package for attempt in self.attempts):
            return "downloaded"
        if self.roll_number:
            return "registered"
        return "expected" if self.account.token else "without an account"

    @property
    def has_saved_recently(self) -> bool:
        since = time.monotonic() - _SAVED_RECENTLY
        return any(device.saved_at > since for each in self.started_attempts for device in each.devices)

    async def make_account(self) -> None:
        """Make an account with a profile, from which the registration takes category and disability."""
        await self.account.register(self.client)
        body = {"category": self.scenario.category, "pwbd": self.scenario.pwbd}
        await self.client.call("profile", "PUT", "/users/profile", self.account.token, 200, json=body)
        self._metrics.counts["accounts"] += 1

    async def register_for_exam(self, papers: Sequence[RehearsedPaper], plans: Sequence[Plan]) -> None:
        """Register for the exam, and download the papers that will be taken."""
        self._exam_path = f"/exams/{papers[0].exam_id}"
        self.attempts = [
            PaperAttempt(
                paper, _without_submit(plan, self.scenario, paper.index), self.account, self.scenario
            )
            for paper, plan in zip(papers, plans, strict=True)
            if paper.index in self.scenario.papers
        ]
        path = f"{self._exam_path}/register"
        registration = await self.client.call("registration", "POST", path, self.account.token, 200, 201)
        self.roll_number, self.user_id = registration.body["roll_number"], registration.body["user_id"]
        for attempt in self.attempts:
            await attempt.download(self.client)

    async def open_socket(self) -> None:
        """Connect to the exam's room, and wait until the server has greeted the connection."""
        if not self.attempts:
            return
        rng = Random(f"socket {self.number}")  # noqa: S311 -- repeatable on purpose
        exam_id = self.attempts[0].paper.exam_id
        self.socket = SocketClient(self.client, exam_id, self.account, self._metrics, rng)
        self._tasks.append(asyncio.create_task(self.socket.listen()))
        with suppress(TimeoutError):
            async with asyncio.timeout(_CONNECTED_WITHIN):
                await self.socket.connected.wait()

    async def take_part(self) -> None:
        """Take one paper after the other, and check that nothing is shown before the release."""
        for attempt in self.attempts:
            if self.socket is not None:
                self._tasks.append(asyncio.create_task(self._disconnect_at_times(attempt.paper)))
            await attempt.take()
        self._is_done = True
        await self._record_problem(self._check_embargo())

    async def read_results(self) -> None:
        """Read the official result, and the result of each paper with its questions."""
        await self._record_problem(self._read_official_result())
        for attempt in self.started_attempts:
            if not attempt.is_voided:
                await attempt.fetch_result()

    async def close(self) -> None:
        """Close every connection."""
        if self.socket is not None:
            await self.socket.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(self.client.__aexit__(), *(attempt.close() for attempt in self.attempts))

    async def _disconnect_at_times(self, paper: RehearsedPaper) -> None:
        for share in sorted(self.scenario.disconnects):
            await paper.clock.wait_until(paper.window.at(share))
            if self.socket is not None:
                self.socket.disconnect()

    async def _check_embargo(self) -> None:
        """Before the release, no candidate can see a result, a test or the merit list."""
        exam, token = self._exam_path, self.account.token
        answer = await self.client.call("results", "GET", f"{exam}/results", token, 200, 409)
        if answer.status != 409 or answer.code != "results_not_released":
            self.problems.append(f"before the release, results are {answer.status} {answer.code}")
        await self.client.call("merit list", "GET", f"{exam}/merit-list", token, 403)
        await self.client.call("attempts", "GET", "/users/attempts", token, 200)
        for attempt in self.attempts:
            test = f"/tests/{attempt.paper.test_id}"
            await self.client.call("test", "GET", test, token, 404)
            await self.client.call("results", "GET", f"{test}/results", token, 404)

    async def _read_official_result(self) -> None:
        path = f"{self._exam_path}/results"
        answer = await self.client.call("results", "GET", path, self.account.token, 200)
        self.result = dict(answer.body)

    async def _record_problem(self, coroutine: Coroutine[Any, Any, None]) -> None:
        try:
            await coroutine
        except UnexpectedResponse as error:
            self.problems.append(str(error))


def _without_submit(plan: Plan, scenario: Scenario, index: int) -> Plan:
    """The plan; the candidate whose late answers are admitted must not submit the first paper."""
    if scenario.intervention is not Intervention.ADMITTED or index != 0:
        return plan
    return Plan(plan.number, plan.device_plans, Ending.NEVER, plan.late)
