"""A candidate's sitting: devices that follow the plan, an ending, and the result that comes of it."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import UUID

from rehearsal.account import Account
from rehearsal.client import Answer, Client, Tally, Unexpected, Watch
from rehearsal.devices import Device
from rehearsal.log import Log
from rehearsal.plans import Ending, Plan, Term

_SECRETS = ('"accepted"', '"explanation"', '"tolerance"')


@dataclass(frozen=True, slots=True)
class Hall:
    """What all candidates of a rehearsal share."""

    api_url: str
    label: str
    seed: int
    test_id: UUID
    question_ids: Sequence[UUID]
    seconds: int
    tally: Tally
    watch: Watch | None = None

    @property
    def path(self) -> str:
        """Under which the test is taken."""
        return f"/tests/{self.test_id}"

    @property
    def results_path(self) -> str:
        return f"/tests/{self.test_id}/results"

    def client(self, rng: Random) -> Client:
        """A device's connections."""
        return Client(self.api_url, self.tally, rng, self.watch)

    def account(self, number: int) -> Account:
        """The account of a candidate, which is still to be made."""
        return Account(f"rehearsal-{self.label}-{number}@example.org", f"Candidate {number}")


class Sitting:
    """One candidate. `log` is the truth of the client, `result` what the server says in the end."""

    ended_as = frozenset({"graded"})
    """What an attempt may be right after its candidate has submitted it."""

    def __init__(self, hall: Hall, plan: Plan, account: Account | None = None) -> None:
        self.plan = plan
        self.account = account or hall.account(plan.number)
        self.log = Log()
        self.result: dict[str, Any] | None = None
        self._hall = hall
        self._rng = self._random("candidate")
        self._devices: list[Device] = []
        self._seconds = float(hall.seconds)
        self._began = 0.0
        self._deadline = 0.0
        self._stack = AsyncExitStack()

    @property
    def attempt_id(self) -> str:
        return self._devices[0].attempt_id if self._devices else ""

    async def register(self) -> None:
        """Make the account."""
        await self.account.register(await self._client())
        self._hall.tally.counts["registered"] += 1

    async def sit(self) -> None:
        """Take the test by the plan. What goes wrong is noted, and nobody else hears of it."""
        try:
            await self._follow_plan()
            await self._end()
        except* Unexpected as errors:
            self.log.problems += [str(error) for error in errors.exceptions]
        self._hall.tally.counts["done"] += 1

    async def fetch_result(self) -> None:
        """The result as it stands now."""
        try:
            answer = await self._results(200)
        except Unexpected as error:
            self.log.problems.append(str(error))
        else:
            self.result = answer.body

    async def close(self) -> None:
        """Close the devices' connections."""
        await self._stack.aclose()

    async def _follow_plan(self) -> None:
        """Devices come one after the other, and each goes on until its own queue is empty."""
        self._began = asyncio.get_running_loop().time() + self._rng.uniform(0, 0.03) * self._seconds
        async with asyncio.TaskGroup() as devices:
            for term in self.plan.terms:
                await self._until(term.opens_at)
                device = await self._start(term)
                devices.create_task(self._follow_term(device, term))

    async def _start(self, term: Term) -> Device:
        name = f"device {len(self._devices) + 1}"
        device = self._new_device(await self._client(), self._random(name))
        await device.start(self.account.token, name)
        self._deadline = asyncio.get_running_loop().time() + device.seconds_left
        device.token = device.attempt_token if term.by_attempt_token else self.account.token
        self._devices.append(device)
        await self._read_paper(device)
        return device

    def _new_device(self, client: Client, rng: Random) -> Device:
        return Device(client, self._hall.path, self.log, self._hall.tally, rng)

    async def _read_paper(self, device: Device) -> None:
        """The whole paper and no key in it; a second look costs nothing."""
        path = f"{self._hall.path}/questions"
        paper = await device.client.call("paper", "GET", path, device.token, 200)
        etag = {"If-None-Match": paper.headers["ETag"]}
        await device.client.call("paper", "GET", path, device.token, 304, headers=etag)
        text = json.dumps(paper.body)
        if len(paper.body["questions"]) != len(self._hall.question_ids):
            self.log.problems.append("the paper is not complete")
        if any(secret in text for secret in _SECRETS):
            self.log.problems.append("the paper tells its key")

    async def _follow_term(self, device: Device, term: Term) -> None:
        for sync in term.syncs:
            await self._until(sync.at)
            await device.send(sync.touches, self._hall.question_ids)

    async def _end(self) -> None:
        """End it as planned. What is sent when it is graded must be refused; the check sees if it is not."""
        device = self._devices[-1]
        await self._finish(device)
        await self._wait_until_over()
        if self.plan.ending is not Ending.SUBMIT_WHILE_SAVING:
            await device.send(self.plan.late, self._hall.question_ids)

    async def _finish(self, device: Device) -> None:
        match self.plan.ending:
            case Ending.SUBMIT:
                await self._submit(device)
            case Ending.SUBMIT_TWICE:
                first, second = await asyncio.gather(self._submit(device), self._submit(device))
                if first != second:
                    self.log.problems.append(f"submitting twice gave {first} and {second}")
            case Ending.SUBMIT_WHILE_SAVING:
                late = device.send(self.plan.late, self._hall.question_ids)
                await asyncio.gather(late, self._submit(device))
            case Ending.NEVER:
                await asyncio.sleep(self._deadline - asyncio.get_running_loop().time())

    async def _submit(self, device: Device) -> dict[str, Any]:
        body = {"attempt_id": device.attempt_id}
        answer = await device.client.call(
            "submit", "POST", f"{self._hall.path}/submit", device.token, 200, json=body
        )
        if answer.body["status"] not in self.ended_as:
            self.log.problems.append(f"a submitted attempt is {answer.body['status']}")
        return dict(answer.body)

    async def _wait_until_over(self) -> None:
        """Ask now and then; the sweeper and the grading job take their time, more so when they are killed."""
        give_up_at = asyncio.get_running_loop().time() + 120
        while (await self._results(200, 409)).status == 409:
            if asyncio.get_running_loop().time() > give_up_at:
                raise Unexpected("results: not graded two minutes after the end")
            await asyncio.sleep(self._rng.uniform(0.5, 1.5))
        self.log.graded = True
        self._hall.tally.counts["graded"] += 1

    async def _results(self, *statuses: int) -> Answer:
        client, path = self._devices[-1].client, self._hall.results_path
        return await client.call(
            "results", "GET", path, self.account.token, *statuses, params={"attempt_id": self.attempt_id}
        )

    async def _until(self, share: float) -> None:
        """Sleep to a moment of the test; who is late for it hurries."""
        await asyncio.sleep(self._began + share * self._seconds - asyncio.get_running_loop().time())

    def _random(self, name: str) -> Random:
        return Random(f"{name} of {self.plan.number} {self._hall.seed}")  # noqa: S311 -- repeatable on purpose

    async def _client(self) -> Client:
        return await self._stack.enter_async_context(self._hall.client(self._rng))
