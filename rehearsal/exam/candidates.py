"""A candidate of a rehearsed exam, from the account to the official result."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from random import Random
from typing import Any

from rehearsal.account import Account
from rehearsal.client import Client, Tally, Unexpected
from rehearsal.exam.cast import Fate, Part
from rehearsal.exam.ears import Ear
from rehearsal.exam.halls import PaperHall
from rehearsal.exam.sitting import PaperSitting
from rehearsal.plans import Ending, Plan

STATES = ("expected", "registered", "downloaded", "in", "paused", "between papers", "done")
_SAVED_LATELY = 10.0


class Candidate:
    """`problems` are those that belong to no paper."""

    def __init__(self, part: Part, account: Account, client: Client, tally: Tally) -> None:
        self.part = part
        self.account = account
        self.client = client
        self.sittings: list[PaperSitting] = []
        self.user_id = ""
        self.roll_number = ""
        self.result: dict[str, Any] | None = None
        self.problems: list[str] = []
        self.ear: Ear | None = None
        self._tally = tally
        self._exam_path = ""
        self._tasks: list[asyncio.Task[None]] = []
        self._is_done = False

    @property
    def number(self) -> int:
        return self.part.number

    @property
    def begun(self) -> list[PaperSitting]:
        """The papers that they came to sit."""
        return [sitting for sitting in self.sittings if sitting.has_begun]

    @property
    def state(self) -> str:
        """One of STATES."""
        running = [sitting for sitting in self.begun if not sitting.is_over]
        if running:
            return "paused" if any(device.is_paused for device in running[0].devices) else "in"
        if self._is_done:
            return "done"
        if self.begun:
            return "between papers"
        if self.sittings and all(sitting.package for sitting in self.sittings):
            return "downloaded"
        return "registered" if self.roll_number else "expected"

    @property
    def has_saved_lately(self) -> bool:
        since = time.monotonic() - _SAVED_LATELY
        return any(device.saved_at > since for sitting in self.begun for device in sitting.devices)

    async def make_account(self) -> None:
        """An account with a profile: category and disability are taken from it at registration."""
        await self.account.register(self.client)
        body = {"category": self.part.category, "pwbd": self.part.pwbd}
        await self.client.call("profile", "PUT", "/users/profile", self.account.token, 200, json=body)
        self._tally.counts["accounts"] += 1

    async def take_place(self, halls: Sequence[PaperHall], plans: Sequence[Plan]) -> None:
        """Register for the exam, and download what will be sat."""
        self._exam_path = f"/exams/{halls[0].exam_id}"
        self.sittings = [
            PaperSitting(hall, _fated(plan, self.part, hall.place), self.account, self.part)
            for hall, plan in zip(halls, plans, strict=True)
            if hall.place in self.part.papers
        ]
        path = f"{self._exam_path}/register"
        place = await self.client.call("place", "POST", path, self.account.token, 200, 201)
        self.roll_number, self.user_id = place.body["roll_number"], place.body["user_id"]
        for sitting in self.sittings:
            await sitting.download(self.client)

    async def open_ear(self) -> None:
        """Connect to the exam's room, and wait for its greeting."""
        if not self.sittings:
            return
        rng = Random(f"ear {self.number}")  # noqa: S311 -- repeatable on purpose
        self.ear = Ear(self.client, self.sittings[0].hall.exam_id, self.account, self._tally, rng)
        self._tasks.append(asyncio.create_task(self.ear.listen()))
        with suppress(TimeoutError):
            async with asyncio.timeout(30):
                await self.ear.greeted.wait()

    async def take_part(self) -> None:
        """Sit one paper after the other, and look for what must not be seen yet."""
        for sitting in self.sittings:
            if self.ear is not None:
                self._tasks.append(asyncio.create_task(self._drop_at_times(sitting.hall)))
            await sitting.sit()
        self._is_done = True
        await self._noted(self._pry())

    async def read_results(self) -> None:
        """The official result, and each paper's question by question."""
        await self._noted(self._read_official())
        for sitting in self.begun:
            if not sitting.is_to_be_voided:
                await sitting.fetch_result()

    async def leave(self) -> None:
        """Close every connection."""
        if self.ear is not None:
            await self.ear.leave()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(self.client.__aexit__(), *(sitting.close() for sitting in self.sittings))

    async def _drop_at_times(self, hall: PaperHall) -> None:
        for share in sorted(self.part.drops):
            await hall.time.wait_until(hall.window.at(share))
            if self.ear is not None:
                self.ear.drop()

    async def _pry(self) -> None:
        """Before the release there is no result, no test and no merit list for any candidate."""
        exam, token = self._exam_path, self.account.token
        answer = await self.client.call("results", "GET", f"{exam}/results", token, 200, 409)
        if answer.status != 409 or answer.code != "results_not_released":
            self.problems.append(f"before the release, results are {answer.status} {answer.code}")
        await self.client.call("merit list", "GET", f"{exam}/merit-list", token, 403)
        await self.client.call("attempts", "GET", "/users/attempts", token, 200)
        for sitting in self.sittings:
            test = f"/tests/{sitting.hall.test_id}"
            await self.client.call("test", "GET", test, token, 404)
            await self.client.call("results", "GET", f"{test}/results", token, 404)

    async def _read_official(self) -> None:
        path = f"{self._exam_path}/results"
        answer = await self.client.call("results", "GET", path, self.account.token, 200)
        self.result = dict(answer.body)

    async def _noted(self, doing: Any) -> None:
        try:
            await doing
        except Unexpected as error:
            self.problems.append(str(error))


def _fated(plan: Plan, part: Part, place: int) -> Plan:
    """Whose late answers are to be admitted must not submit."""
    if part.fate is not Fate.ADMITTED or place != 0:
        return plan
    return Plan(plan.number, plan.terms, Ending.NEVER, plan.late)
