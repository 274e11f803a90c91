"""A candidate's attempt at a test: devices that follow the plan, an ending, and the result."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any
from uuid import UUID

from rehearsal.account import Account
from rehearsal.client import ApiResponse, Client, Metrics, Observer, UnexpectedResponse
from rehearsal.devices import Device, StartRefused
from rehearsal.plans import DevicePlan, Ending, Plan
from rehearsal.response_log import RehearsedLog
from rehearsal.result_checks import own_figures

_SECRETS = ('"accepted"', '"explanation"', '"tolerance"')
_GRADED_WITHIN = 240.0
"""Seconds after the end in which an attempt must be graded, also if the worker was killed."""


@dataclass(frozen=True, slots=True)
class RehearsedTest:
    """What all candidates of a test share."""

    api_url: str
    label: str
    seed: int
    test_id: UUID
    question_ids: Sequence[UUID]
    seconds: int
    metrics: Metrics
    observe: Observer | None = None

    @property
    def path(self) -> str:
        """The path under which the test is taken."""
        return f"/tests/{self.test_id}"

    @property
    def results_path(self) -> str:
        return f"/tests/{self.test_id}/results"

    def client(self, rng: Random) -> Client:
        """The connections of one device."""
        return Client(self.api_url, self.metrics, rng, self.observe)

    def account(self, number: int) -> Account:
        """The account of a candidate, not registered yet."""
        return Account(f"rehearsal-{self.label}-{number}@example.org", f"Candidate {number}")


class Attempt:
    """One candidate's attempt. `log` is what the client knows, `result` what the server shows at the end."""

    submitted_statuses = frozenset({"graded"})
    """The statuses that an attempt may have after its candidate has submitted it."""

    def __init__(self, test: RehearsedTest, plan: Plan, account: Account | None = None) -> None:
        self.plan = plan
        self.account = account or test.account(plan.number)
        self.log = RehearsedLog()
        self.result: dict[str, Any] | None = None
        self._test = test
        self._rng = self._random("candidate")
        self._devices: list[Device] = []
        self._seconds = float(test.seconds)
        self._began = 0.0
        self._deadline = 0.0
        self._stack = AsyncExitStack()

    @property
    def attempt_id(self) -> str:
        return self._devices[0].attempt_id if self._devices else ""

    async def register(self) -> None:
        """Make the candidate's account."""
        await self.account.register(await self._client())
        self._test.metrics.counts["registered"] += 1

    async def take(self) -> None:
        """Take the test by the plan. Problems are recorded, and other candidates go on."""
        try:
            await self._follow_plan()
            if self._devices:
                await self._end()
        except* UnexpectedResponse as errors:
            self.log.problems += [str(error) for error in errors.exceptions]
        self._test.metrics.counts["done"] += 1

    async def fetch_result(self) -> None:
        """Read the result as it is now."""
        try:
            response = await self._results(200)
        except UnexpectedResponse as error:
            self.log.problems.append(str(error))
        else:
            self.result = response.body

    async def close(self) -> None:
        """Close the devices' connections."""
        await self._stack.aclose()

    async def _follow_plan(self) -> None:
        """Start one device after the other. Each goes on until its own queue is empty."""
        self._began = asyncio.get_running_loop().time() + self._rng.uniform(0, 0.03) * self._seconds
        async with asyncio.TaskGroup() as devices:
            for device_plan in self.plan.device_plans:
                await self._until(device_plan.opens_at)
                try:
                    device = await self._start(device_plan)
                except StartRefused as refused:
                    if not await self._is_refused_in_time(refused.code):
                        raise
                    self.log.delays.append(f"device {len(self._devices) + 1} came too late: {refused.code}")
                    return
                devices.create_task(self._follow_device_plan(device, device_plan))

    async def _is_refused_in_time(self, code: str) -> bool:
        """Whether a device may be refused with this code now: by the server's clock, the time is over."""
        if not self._devices or code != "attempts_exhausted":
            return False
        answer = await self._devices[-1].client.call("time", "GET", "/time", None, 200)
        return datetime.fromisoformat(answer.body["server_time"]) >= self._devices[-1].deadline_at

    async def _start(self, device_plan: DevicePlan) -> Device:
        name = f"device {len(self._devices) + 1}"
        device = self._new_device(await self._client(), self._random(name))
        await device.start(self.account.token, name)
        self._deadline = asyncio.get_running_loop().time() + device.seconds_left
        device.token = device.attempt_token if device_plan.by_attempt_token else self.account.token
        self._devices.append(device)
        await self._read_paper(device)
        return device

    def _new_device(self, client: Client, rng: Random) -> Device:
        return Device(client, self._test.path, self.log, self._test.metrics, rng)

    async def _read_paper(self, device: Device) -> None:
        """Check that the paper is complete and holds no key, and that its ETag saves a second download."""
        path = f"{self._test.path}/questions"
        paper = await device.client.call("paper", "GET", path, device.token, 200)
        etag = {"If-None-Match": paper.headers["ETag"]}
        await device.client.call("paper", "GET", path, device.token, 304, headers=etag)
        text = json.dumps(paper.body)
        if len(paper.body["questions"]) != len(self._test.question_ids):
            self.log.problems.append("the paper is not complete")
        if any(secret in text for secret in _SECRETS):
            self.log.problems.append("the paper shows its key")

    async def _follow_device_plan(self, device: Device, device_plan: DevicePlan) -> None:
        for sync in device_plan.syncs:
            await self._until(sync.at)
            await device.send(sync.edits, self._test.question_ids)

    async def _end(self) -> None:
        """End the attempt as planned. What is sent after the result must be refused; the checks see it."""
        device = self._devices[-1]
        await self._finish(device)
        await self._wait_until_over()
        if self.plan.ending is not Ending.SUBMIT_WHILE_SAVING and self._is_complete:
            await device.send(self.plan.late, self._test.question_ids)

    @property
    def _is_complete(self) -> bool:
        """Whether every device could start. Otherwise the revisions of `late` are not the last device's."""
        return len(self._devices) == len(self.plan.device_plans)

    async def _finish(self, device: Device) -> None:
        match self.plan.ending:
            case Ending.SUBMIT_WHILE_SAVING if self._is_complete:
                late = device.send(self.plan.late, self._test.question_ids)
                await asyncio.gather(late, self._submit(device))
            case Ending.SUBMIT | Ending.SUBMIT_WHILE_SAVING:
                await self._submit(device)
            case Ending.SUBMIT_TWICE:
                first, second = await asyncio.gather(self._submit(device), self._submit(device))
                if own_figures(first) != own_figures(second):
                    self.log.problems.append(f"submitting twice gave {first} and {second}")
            case Ending.NEVER:
                await asyncio.sleep(self._deadline - asyncio.get_running_loop().time())

    async def _submit(self, device: Device) -> dict[str, Any]:
        body = {"attempt_id": device.attempt_id}
        response = await device.client.call(
            "submit", "POST", f"{self._test.path}/submit", device.token, 200, json=body
        )
        if response.body["status"] not in self.submitted_statuses:
            self.log.problems.append(f"a submitted attempt is {response.body['status']}")
        return dict(response.body)

    async def _wait_until_over(self) -> None:
        """Ask for the result until there is one."""
        give_up_at = asyncio.get_running_loop().time() + _GRADED_WITHIN
        while (await self._results(200, 409)).status == 409:
            if asyncio.get_running_loop().time() > give_up_at:
                raise UnexpectedResponse(f"results: not graded {_GRADED_WITHIN:.0f} s after the end")
            await asyncio.sleep(self._rng.uniform(0.5, 1.5))
        self.log.graded = True
        self._test.metrics.counts["graded"] += 1

    async def _results(self, *statuses: int) -> ApiResponse:
        client, path = self._devices[-1].client, self._test.results_path
        return await client.call(
            "results", "GET", path, self.account.token, *statuses, params={"attempt_id": self.attempt_id}
        )

    async def _until(self, share: float) -> None:
        """Sleep until a share of the time has passed; return at once if it has."""
        await asyncio.sleep(self._began + share * self._seconds - asyncio.get_running_loop().time())

    def _random(self, name: str) -> Random:
        return Random(f"{name} of {self.plan.number} {self._test.seed}")  # noqa: S311 -- repeatable on purpose

    async def _client(self) -> Client:
        return await self._stack.enter_async_context(self._test.client(self._rng))
