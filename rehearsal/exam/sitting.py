"""A candidate at one paper of an exam: they arrive, open what they downloaded, sit, and are ended somehow."""

import asyncio
import base64
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.engine.responses import Event
from rehearsal.account import Account
from rehearsal.client import Answer, Client, Unexpected
from rehearsal.devices import Device
from rehearsal.exam.cast import Arrival, Fate, Part
from rehearsal.exam.halls import PaperHall
from rehearsal.plans import Plan, Term
from rehearsal.sittings import Sitting

_RUNNING = ("in_progress", "paused")
_LEAVES_FROM, _LEAVES_UNTIL = 0.82, 0.97
_LONGEST_PAUSE = 300.0
_ASKS_AGAIN = 0.2
_LATECOMERS = (0.42, 0.55)
"""When they come, as shares of the entry: late enough for the window to cut them short, early enough to get
in after an outage."""
_PATIENCE = 240.0
_BEFORE_THE_DOOR = timedelta(seconds=2)
_BEHIND_THE_DOOR = timedelta(seconds=1)


class PaperDevice(Device):
    """A device that waits while its attempt is paused, with its answers in its queue."""

    package_key = ""
    started_at = datetime.max.replace(tzinfo=UTC)
    is_paused = False
    saved_at = 0.0

    async def _start(self, access_token: str, name: str) -> Answer:
        answer = await super()._start(access_token, name)
        self.package_key = answer.body["package_key"]
        self.started_at = datetime.fromisoformat(answer.body["started_at"])
        return answer

    async def _post(self, events: Sequence[Event]) -> Answer:
        give_up_at = time.monotonic() + _LONGEST_PAUSE
        unsure = False
        try:
            while True:
                answer = await super()._post(events)
                unsure |= answer.unsure
                self.is_paused = answer.status == 409 and answer.body.get("attempt_status") == "paused"
                if not self.is_paused:
                    break
                if time.monotonic() > give_up_at:
                    raise Unexpected(f"save: the attempt is paused for {_LONGEST_PAUSE:.0f} s")
                await asyncio.sleep(self._rng.uniform(0.5, 1.5))
        finally:
            self.is_paused = False
        if answer.status == 200:
            self.saved_at = time.monotonic()
        return Answer(answer.status, answer.content, answer.headers, unsure)


class PaperSitting(Sitting):
    """One candidate, one paper. `package` is what they downloaded before the start."""

    def __init__(self, hall: PaperHall, plan: Plan, account: Account, part: Part) -> None:
        super().__init__(hall, plan, account)
        self.hall = hall
        self.package = b""
        self.is_over = False
        self.devices: list[PaperDevice] = []
        self._part = part
        self._leaves_at = self._rng.uniform(_LEAVES_FROM, _LEAVES_UNTIL)
        self.is_to_be_voided = part.fate is Fate.VOIDED and hall.place == 0
        self.ended_as = frozenset({"void" if self.is_to_be_voided else "submitted"})

    @property
    def started_at(self) -> datetime:
        """When the server says that it began."""
        return self.devices[0].started_at

    @property
    def has_begun(self) -> bool:
        return bool(self.attempt_id)

    @property
    def is_first(self) -> bool:
        """Whether it is the first paper of this candidate."""
        return self.hall.place == min(self._part.papers)

    @property
    def comes_too_late(self) -> bool:
        return self._part.arrival is Arrival.TOO_LATE and self.is_first

    async def download(self, client: Client) -> None:
        """Fetch the sealed paper ahead of the start."""
        path = f"{self.hall.path}/package"
        self.package = (await client.call("package", "GET", path, self.account.token, 200)).content

    async def sit(self) -> None:
        """Come, and sit if the door is open."""
        try:
            if not await self._arrive():
                return
        except Unexpected as error:
            self.log.problems.append(str(error))
            return
        await super().sit()

    async def _arrive(self) -> bool:
        """Wait for one's moment; False for whom the door stays closed."""
        window, moment = self.hall.window, self.hall.time.wait_until
        if self.comes_too_late:
            await moment(window.entry_closes_at + _BEHIND_THE_DOOR)
            await self._knock("entry_closed")
            return False
        if self._part.arrival is Arrival.TOO_EARLY and self.hall.time.seconds_until(window.starts_at) > 0:
            await moment(window.starts_at - _BEFORE_THE_DOOR)
            await self._knock("paper_not_open")
        if self._part.arrival is Arrival.LATE:
            await moment(window.in_entry(self._rng.uniform(*_LATECOMERS)))
        else:
            await moment(window.starts_at + timedelta(seconds=self._rng.uniform(0, window.herd_seconds)))
        return True

    async def _knock(self, code: str) -> None:
        """Try to start when it is not to be. On a slow machine the door may have opened on the way."""
        client, path = await self._client(), f"{self.hall.path}/start"
        answer = await client.call("knock", "POST", path, self.account.token, 200, 201, 409)
        if answer.status == 409 and answer.body["code"] != code:
            raise Unexpected(f"start: 409 {answer.body['code']}, not {code}")
        if answer.status != 409 and code == "entry_closed":
            raise Unexpected("start: let in after entry has closed")

    async def _start(self, term: Term) -> Device:
        if self._devices and self._part.signs_in_anew:
            await self.account.sign_in(await self._client())
        device = await super()._start(term)
        if len(self._devices) == 1:
            self._seconds = device.seconds_left
            if self.started_at < self.hall.window.starts_at:
                self.log.problems.append(f"{self.hall.code} was started before its time")
        return device

    def _new_device(self, client: Client, rng: Random) -> PaperDevice:
        device = PaperDevice(client, self.hall.path, self.log, self.hall.tally, rng)
        self.devices.append(device)
        return device

    async def _read_paper(self, device: Device) -> None:
        """What was downloaded opens with the key of the start, and is what is served.

        That is what downloads are for: of those who have one, only some ask for the paper once more.
        """
        document = _opened(self.package, self.devices[-1].package_key)
        if len(self._devices) == 1 and self.hall.is_known(document) and self._rng.random() > _ASKS_AGAIN:
            return
        path = f"{self.hall.path}/questions"
        paper = await device.client.call("paper", "GET", path, device.token, 200)
        self.log.problems += self.hall.complaints(paper.content)
        if document != paper.content:
            self.log.problems.append("the downloaded package is not the paper that is served")

    async def _finish(self, device: Device) -> None:
        await self._until(self._leaves_at)
        await super()._finish(device)

    async def _wait_until_over(self) -> None:
        """Ask how the attempt stands until it is over, whoever ended it."""
        give_up_at = time.monotonic() + _PATIENCE
        while (attempt := await self._attempt())["status"] in _RUNNING:
            if time.monotonic() > give_up_at:
                raise Unexpected(f"attempt: {attempt['status']} long after its deadline")
            patience = min(2.0, 0.1 * self.hall.seconds)
            await asyncio.sleep(min(5, attempt["remaining_seconds"]) + self._rng.uniform(0.5, 1) * patience)
        self.log.graded = True
        self.is_over = True

    async def _attempt(self) -> dict[str, Any]:
        """How it stands. A voided one is not shown any more, which tells as much."""
        device, path = self._devices[-1], f"{self.hall.path}/attempt"
        statuses = (200, 404) if self.is_to_be_voided else (200,)
        answer = await device.client.call("attempt", "GET", path, device.token, *statuses)
        return dict(answer.body) if answer.status == 200 else {"status": "void"}


def _opened(package: bytes, key: str) -> bytes:
    """The document in a package: nonce, ciphertext and tag."""
    try:
        return AESGCM(base64.urlsafe_b64decode(key + "=")).decrypt(package[:12], package[12:], None)
    except (InvalidTag, ValueError):
        return b""
