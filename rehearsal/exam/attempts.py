"""A candidate's attempt at one paper of an exam, from the download of the paper to its end."""

import asyncio
import base64
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from rehearsal.account import Account
from rehearsal.attempts import Attempt
from rehearsal.client import ApiResponse, Client, Metrics, UnexpectedResponse
from rehearsal.devices import Device, StartRefused
from rehearsal.exam.interruption import Interruption
from rehearsal.exam.papers import RehearsedPaper
from rehearsal.exam.scenarios import Arrival, Intervention, Scenario
from rehearsal.plans import DevicePlan, Plan
from rehearsal.response_log import RehearsedLog, ResponseEvent

_RUNNING = ("in_progress", "paused")
_SUBMITS_FROM, _SUBMITS_UNTIL = 0.82, 0.97
_MAX_PAUSE_SECONDS = 300.0
_DOWNLOADS_AGAIN = 0.2
_LATE_ARRIVALS = (0.42, 0.55)
"""Shares of the entry time: late enough for the window to shorten the attempt, early enough to enter after an
outage."""
_OVER_WITHIN = 240.0
_OPENED_WITHIN = 5.0
_BEFORE_OPENING = timedelta(seconds=2)
_MAX_CORRECTION = timedelta(seconds=5)
"""A busy server dates a request back by at most so much (app/core/arrival.py) and may judge a start by a time
before its arrival."""
_AFTER_ENTRY = _MAX_CORRECTION + timedelta(seconds=1)


class PaperDevice(Device):
    """A device that keeps its responses in its queue while the attempt is paused or interrupted."""

    package_key = ""
    started_at = datetime.max.replace(tzinfo=UTC)
    is_paused = False
    saved_at = 0.0

    def __init__(
        self,
        client: Client,
        path: str,
        log: RehearsedLog,
        metrics: Metrics,
        rng: Random,
        interruption: Interruption,
    ) -> None:
        super().__init__(client, path, log, metrics, rng)
        self._interruption = interruption

    async def _start(self, access_token: str, name: str) -> ApiResponse:
        response = await self._start_when_open(access_token, name)
        self.package_key = response.body["package_key"]
        self.started_at = datetime.fromisoformat(response.body["started_at"])
        return response

    async def _start_when_open(self, access_token: str, name: str) -> ApiResponse:
        """Start, and try again while the server says that the paper opens later than now."""
        give_up_at = time.monotonic() + _MAX_CORRECTION.total_seconds() + _OPENED_WITHIN
        while True:
            await self._interruption.wait_until_over()
            try:
                return await super()._start(access_token, name)
            except StartRefused as refused:
                if self._interruption.is_ended_by_mistake:
                    continue
                if refused.code != "paper_not_open" or time.monotonic() > give_up_at:
                    raise
            self._metrics.counts["starts before the opening"] += 1
            await asyncio.sleep(self._rng.uniform(0.2, 0.5))

    async def _post(self, events: Sequence[ResponseEvent]) -> ApiResponse:
        give_up_at = time.monotonic() + _MAX_PAUSE_SECONDS
        maybe_processed = False
        try:
            while True:
                await self._interruption.wait_for_power()
                was_ended = self._interruption.is_ended_by_mistake
                response = await super()._post(events)
                maybe_processed |= response.maybe_processed
                is_ended = was_ended or self._interruption.is_ended_by_mistake
                self.is_paused = response.status == 409 and (
                    response.body.get("attempt_status") == "paused"
                    or (is_ended and response.code == "attempt_not_in_progress")
                )
                if not self.is_paused:
                    break
                if time.monotonic() > give_up_at:
                    raise UnexpectedResponse(f"save: the attempt is paused for {_MAX_PAUSE_SECONDS:.0f} s")
                await asyncio.sleep(self._rng.uniform(0.5, 1.5))
        finally:
            self.is_paused = False
        if response.status == 200:
            self.saved_at = time.monotonic()
        return ApiResponse(response.status, response.content, response.headers, maybe_processed)


class PaperAttempt(Attempt):
    """One candidate's attempt at one paper. `package` is the sealed paper, downloaded before the start."""

    def __init__(self, paper: RehearsedPaper, plan: Plan, account: Account, scenario: Scenario) -> None:
        super().__init__(paper, plan, account)
        self.paper = paper
        self.package = b""
        self.is_over = False
        self.is_voided = False
        self.devices: list[PaperDevice] = []
        self.interruption = Interruption()
        self._scenario = scenario
        self._submits_at = self._rng.uniform(_SUBMITS_FROM, _SUBMITS_UNTIL)
        self._may_be_voided = scenario.intervention is Intervention.VOIDED and paper.index == 0
        self.submitted_statuses = frozenset({"submitted", "void"} if self._may_be_voided else {"submitted"})

    @property
    def started_at(self) -> datetime:
        """When the attempt began, by the server's clock."""
        return self.devices[0].started_at

    @property
    def has_started(self) -> bool:
        return bool(self.attempt_id)

    @property
    def arrives_after_entry(self) -> bool:
        """Whether the scenario lets the candidate come too late to this paper, which is their first one."""
        is_first = self.paper.index == min(self._scenario.papers)
        return self._scenario.arrival is Arrival.TOO_LATE and is_first

    async def download(self, client: Client) -> None:
        """Download the sealed paper before the start."""
        path = f"{self.paper.path}/package"
        self.package = (await client.call("package", "GET", path, self.account.token, 200)).content

    async def take(self) -> None:
        """Arrive as the scenario says, and take the paper unless entry is closed."""
        try:
            if not await self._arrive():
                return
        except UnexpectedResponse as error:
            self.log.problems.append(str(error))
            return
        await super().take()

    async def _arrive(self) -> bool:
        """Wait for the time of arrival. Returns False if the candidate comes after entry has closed."""
        window, clock = self.paper.window, self.paper.clock
        if self.arrives_after_entry:
            await clock.wait_until(window.entry_closes_at + _AFTER_ENTRY + timedelta(seconds=clock.error))
            await self._try_to_enter("entry_closed")
            return False
        if self._scenario.arrival is Arrival.TOO_EARLY and clock.seconds_until(window.starts_at) > 0:
            await clock.wait_until(window.starts_at - _BEFORE_OPENING)
            await self._try_to_enter("paper_not_open")
        if self._scenario.arrival is Arrival.LATE:
            await clock.wait_until(window.entry_moment(self._rng.uniform(*_LATE_ARRIVALS)))
        else:
            spread = timedelta(seconds=clock.error + self._rng.uniform(0, window.start_spread_seconds))
            await clock.wait_until(window.starts_at + spread)
        return True

    async def _try_to_enter(self, code: str) -> None:
        """Try to start while the server must refuse it with `code`.

        A request before the opening may arrive after it, on a slow machine, and then starts the attempt.
        """
        client, path = await self._client(), f"{self.paper.path}/start"
        response = await client.call("early or late start", "POST", path, self.account.token, 200, 201, 409)
        if response.status == 409 and response.code != code:
            if not await self._is_refused_in_time(response.code):
                raise UnexpectedResponse(f"start: 409 {response.code}, not {code}")
            self.log.delays.append(f"the early start came too late: {response.code}")
        if response.status != 409 and code == "entry_closed":
            raise UnexpectedResponse("start: let in after entry has closed")

    async def _is_refused_in_time(self, code: str) -> bool:
        """Whether a start may be refused now: entry is closed, or the attempt is over on the server."""
        if not self._devices:
            return code == "entry_closed" and self.paper.clock.latest() >= self.paper.window.entry_closes_at
        return code in ("attempts_exhausted", "entry_closed") and _is_over(await self._attempt())

    async def _start(self, device_plan: DevicePlan) -> Device:
        if self._devices and self._scenario.signs_in_again:
            await self.account.sign_in(await self._client())
        device = await super()._start(device_plan)
        if len(self._devices) == 1:
            self._seconds = device.seconds_left
            if self.started_at < self.paper.window.starts_at:
                self.log.problems.append(f"{self.paper.code} was started before its time")
        return device

    def _new_device(self, client: Client, rng: Random) -> PaperDevice:
        device = PaperDevice(client, self.paper.path, self.log, self.paper.metrics, rng, self.interruption)
        self.devices.append(device)
        return device

    async def _read_paper(self, device: Device) -> None:
        """Check that the downloaded package opens with the key of the start and equals the served paper.

        Only some candidates download the paper again, because packages exist to make that unnecessary.
        """
        document = _opened(self.package, self.devices[-1].package_key)
        is_known = len(self._devices) == 1 and self.paper.is_known(document)
        if is_known and self._rng.random() > _DOWNLOADS_AGAIN:
            return
        path = f"{self.paper.path}/questions"
        paper = await device.client.call("paper", "GET", path, device.token, 200)
        self.log.problems += self.paper.document_problems(paper.content)
        if document != paper.content:
            self.log.problems.append("the downloaded package is not the paper that is served")

    async def _finish(self, device: Device) -> None:
        await self._until(self._submits_at)
        await super()._finish(device)

    async def _wait_until_over(self) -> None:
        """Ask for the attempt's status until it is over."""
        give_up_at = time.monotonic() + _OVER_WITHIN
        longest_pause = min(2.0, 0.1 * self.paper.seconds)
        while (attempt := await self._attempt())["status"] in _RUNNING:
            if time.monotonic() > give_up_at:
                raise UnexpectedResponse(f"attempt: {attempt['status']} long after its deadline")
            pause = self._rng.uniform(0.5, 1) * longest_pause
            await asyncio.sleep(min(5, attempt["remaining_seconds"]) + pause)
        self.log.graded = True
        self.is_over = True

    async def _attempt(self) -> dict[str, Any]:
        """The attempt's state. A voided attempt is not shown any more."""
        device, path = self._devices[-1], f"{self.paper.path}/attempt"
        statuses = (200, 404) if self._may_be_voided else (200,)
        response = await device.client.call("attempt", "GET", path, device.token, *statuses)
        return dict(response.body) if response.status == 200 else {"status": "void"}


def _is_over(attempt: Mapping[str, Any]) -> bool:
    """Whether the time of an attempt is over, also if the worker has not closed it yet."""
    if attempt["status"] not in _RUNNING:
        return True
    server_time = datetime.fromisoformat(attempt["server_time"])
    return attempt["status"] == "in_progress" and server_time >= datetime.fromisoformat(
        attempt["deadline_at"]
    )


def _opened(package: bytes, key: str) -> bytes:
    """The document in a package of nonce, ciphertext and tag; empty if the key does not open it."""
    try:
        return AESGCM(base64.urlsafe_b64decode(key + "=")).decrypt(package[:12], package[12:], None)
    except (InvalidTag, ValueError):
        return b""
