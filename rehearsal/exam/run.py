"""One rehearsed exam, from the accounts to the verdict."""

import asyncio
import math
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import uuid4

from app.config import get_settings
from rehearsal import limited
from rehearsal.client import Tally, Unexpected
from rehearsal.exam import looks, preparing, watching
from rehearsal.exam.candidates import Candidate
from rehearsal.exam.ears import Ear
from rehearsal.exam.halls import PaperHall
from rehearsal.exam.incidents import Incidents
from rehearsal.exam.options import ExamOptions
from rehearsal.exam.pulse import Pulse
from rehearsal.exam.secrecy import Secrecy
from rehearsal.exam.server_time import ServerTime
from rehearsal.exam.staff import ExamAuthor, Proctor
from rehearsal.exam.verdict import Evidence, mismatches
from rehearsal.kills import Killer, in_the_middle

_AT_ONCE = 20
_TOLD_WITHIN = 20.0
_EVENTS = 200


@dataclass
class ExamRehearsal:
    """What it holds while it runs is what the dashboard shows."""

    options: ExamOptions
    tally: Tally = field(default_factory=Tally)
    time: ServerTime = field(default_factory=ServerTime)
    secrecy: Secrecy = field(default_factory=Secrecy)
    pulse: Pulse = field(default_factory=Pulse)
    label: str = field(default_factory=lambda: uuid4().hex[:8])
    phase: str = ""
    phase_ends_at: datetime | None = None
    events: deque[tuple[float, str]] = field(default_factory=lambda: deque(maxlen=_EVENTS))
    candidates: Sequence[Candidate] = ()
    halls: Sequence[PaperHall] = ()
    killer: Killer | None = None
    proctor_ear: Ear | None = None
    released: dict[str, Any] = field(default_factory=dict)
    problems: Sequence[str] = ()

    def __post_init__(self) -> None:
        options = self.options
        self._author = ExamAuthor(options.api_url, self.label, self.tally)
        self._proctor = Proctor(options.api_url, self.label, self.tally, self.time, self.say)
        self._grace = get_settings().grace_seconds
        self._incidents: Incidents | None = None
        self._found: list[str] = []
        self._tasks: list[asyncio.Task[None]] = []

    def say(self, sentence: str) -> None:
        """A line for the log of the last events."""
        self.events.append((time.monotonic(), sentence))

    async def run(self) -> None:
        """All of it. Raises Unexpected where it cannot go on; then the exam is cancelled."""
        self._tasks.append(asyncio.create_task(self.pulse.beat()))
        try:
            await self._get_ready()
            await self._be_there()
            rows = await self._hold()
            merit_list = await self._release()
            self._enter("reconciling")
            self.problems = self._found + await mismatches(await self._evidence(rows, merit_list))
            await self._tidy_up()
        finally:
            if self.halls and not self.released:
                await self._author.cancel()
            await self._leave()

    def _enter(self, phase: str, until: datetime | None = None) -> None:
        self.phase, self.phase_ends_at = phase, until
        self.say(phase)

    async def _get_ready(self) -> None:
        """Staff, tests, accounts, and last the exam, which is to begin soon."""
        self._enter("writing the papers")
        await self._author.make_account()
        await self._proctor.make_account()
        await self.time.ask(self._author.client)
        written = await preparing.write_tests(self._author, self.options)
        self._enter("making accounts")
        self.candidates = preparing.people(self.options, self.label, self.tally, self.secrecy)
        await limited(_AT_ONCE, [candidate.make_account() for candidate in self.candidates])
        self.halls = await preparing.open_halls(
            self._author, self.options, written, self.time, self.tally, self.secrecy, self._grace
        )
        self._proctor.exam_path = f"/exams/{self._author.exam_id}"
        self._incidents = Incidents(self._author, self._proctor, self.candidates)

    async def _be_there(self) -> None:
        """Places, downloads, early grants, sockets. While not everybody is there, the exam is postponed."""
        arriving = asyncio.create_task(self._arrive())
        while True:
            self._enter("registration and downloads", self.halls[0].window.starts_at)
            left = self.time.seconds_until(self.halls[0].window.starts_at)
            margin = preparing.margin(self.options)
            await asyncio.wait([arriving], timeout=max(0.0, left - margin))
            if arriving.done():
                return await arriving
            await self._postpone(math.ceil(preparing.lead(self.options) / 2))

    async def _arrive(self) -> None:
        assert self._incidents is not None  # noqa: S101 -- made with the halls
        devices = self.options.devices
        plans = [preparing.plans_of(each, self.halls, devices) for each in self.candidates]
        arrivals = zip(self.candidates, plans, strict=True)
        await limited(_AT_ONCE, [candidate.take_place(self.halls, plans) for candidate, plans in arrivals])
        await self._incidents.before(self.options.seconds)
        if self.options.sockets:
            await limited(_AT_ONCE, [candidate.open_ear() for candidate in self.candidates])
            await self._listen_as_proctor()

    async def _listen_as_proctor(self) -> None:
        account = self._proctor.account
        rng = Random(0)  # noqa: S311 -- it only decides how long to wait
        self.proctor_ear = Ear(self._proctor.client, self._author.exam_id, account, self.tally, rng)
        self._tasks.append(asyncio.create_task(self.proctor_ear.listen()))

    async def _postpone(self, seconds: int) -> None:
        """What a real hall does that is not ready. Raises Unexpected where that was too late."""
        await self._proctor.postpone(seconds)
        timetable = self.halls[0].timetable
        timetable[:] = [window.later(timedelta(seconds=seconds)) for window in timetable]
        papers = (await self._proctor.ask("GET", f"{self._proctor.exam_path}/papers")).body["items"]
        starts = [datetime.fromisoformat(paper["starts_at"]) for paper in papers]
        if starts != [window.starts_at for window in timetable]:
            raise Unexpected("the papers could not be postponed before the first one began")

    async def _hold(self) -> dict[str, looks.Row]:
        """The papers, until nobody sits any more; the attempts as they stand then."""
        first, last = self.halls[0].window, self.halls[-1].window
        self.killer = Killer(self.options.home, in_the_middle(self.options.kill, first.seconds), self.say)
        self._tasks.append(asyncio.create_task(self._announce_phases()))
        await asyncio.gather(
            self._kill_from(first.starts_at),
            self._all_incidents(),
            *(candidate.take_part() for candidate in self.candidates),
        )
        self._enter("waiting for the end of the last window", last.ends_at)
        await self.time.wait_until(last.ends_at + timedelta(seconds=1))
        rows = await looks.attempts([hall.paper_id for hall in self.halls])
        await self._check_monitor(rows)
        return rows

    async def _kill_from(self, moment: datetime) -> None:
        await self.time.wait_until(moment)
        if self.killer is not None:
            await self.killer.run()

    async def _all_incidents(self) -> None:
        assert self._incidents is not None  # noqa: S101 -- made with the halls
        for hall in self.halls:
            await self._incidents.during(hall)

    async def _announce_phases(self) -> None:
        for hall in self.halls:
            await self.time.wait_until(hall.window.starts_at)
            window = hall.window
            self._enter(f"{hall.code} is open", window.starts_at + timedelta(seconds=window.seconds))
            await self.time.wait_until(window.starts_at + timedelta(seconds=window.seconds))
            self._enter(f"{hall.code}: extra time, grace, closing by the worker")

    async def _release(self) -> list[dict[str, Any]]:
        """Late answers of one are admitted, then everything is released; the merit list."""
        assert self._incidents is not None  # noqa: S101 -- made with the halls
        self._enter("late answers, release")
        await self._incidents.admit_late()
        self._found += self._incidents.problems
        self.secrecy.is_over = True
        self.released = await self._author.release()
        self.say(f"released: {self.released['participants']} are ranked")
        await limited(_AT_ONCE, [candidate.read_results() for candidate in self.candidates])
        await self._wait_until_told()
        return await self._merit_list()

    async def _merit_list(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        query: dict[str, Any] = {"limit": 100}
        while True:
            page = await self._proctor.ask("GET", f"{self._proctor.exam_path}/merit-list", params=query)
            rows += page.body["items"]
            if page.body["next_cursor"] is None:
                return rows
            query["cursor"] = page.body["next_cursor"]

    async def _wait_until_told(self) -> None:
        """Sockets hear of the release in their own time; then everything that was said has arrived."""
        give_up_at = time.monotonic() + _TOLD_WITHIN
        ears = [candidate.ear for candidate in self.candidates if candidate.ear is not None]
        while time.monotonic() < give_up_at:
            heard = [{message.type for message in ear.record.heard} for ear in ears]
            if all("results_released" in types for types in heard):
                return
            await asyncio.sleep(0.2)

    async def _check_monitor(self, rows: dict[str, looks.Row]) -> None:
        """What staff are shown reaches the truth: over HTTP at once, over the socket in a moment."""
        truth = watching.truth(list(rows.values()), [hall.paper_id for hall in self.halls])
        shown = (await self._proctor.ask("GET", f"{self._proctor.exam_path}/monitor")).body
        expected = (len([each for each in self.candidates if each.roll_number]), truth)
        if (shown["registered"], watching.shown(shown)) != expected:
            self._found.append(f"the monitor shows {watching.shown(shown)}, it should be {truth}")
        if self.proctor_ear is None:
            return
        give_up_at = time.monotonic() + _TOLD_WITHIN
        while time.monotonic() < give_up_at:
            told = self.proctor_ear.monitor or {}
            if (told.get("registered"), watching.shown(told)) == expected:
                return
            await asyncio.sleep(0.2)
        self._found.append(f"the socket's monitor tells {self.proctor_ear.monitor}, it should be {truth}")

    async def _evidence(self, rows: dict[str, looks.Row], merit_list: list[dict[str, Any]]) -> Evidence:
        outages = self.killer.outages if self.killer else []
        self._found += self.killer.problems if self.killer else []
        self._found += self.secrecy.problems
        return Evidence(
            candidates=self.candidates,
            halls=self.halls,
            orders=self._proctor.orders,
            grants=self._proctor.grants,
            announcements={
                each["id"]: datetime.fromisoformat(each["created_at"])
                for each in await self._proctor.announcements()
            },
            rows=rows,
            grace=timedelta(seconds=self._grace),
            outages=[(self.time.at(each.killed_at), self.time.at(each.back_at)) for each in outages],
            cutoffs=preparing.CUTOFFS,
            merit_list=merit_list,
            with_sockets=self.options.sockets,
        )

    async def _tidy_up(self) -> None:
        """Take the tests out of the candidates' lists."""
        self._enter("tidying up")
        for hall in self.halls:
            await self._author.archive(hall.test_id)

    async def _leave(self) -> None:
        if self.proctor_ear is not None:
            await self.proctor_ear.leave()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        leaving = [self._author.leave(), self._proctor.leave()]
        await asyncio.gather(*leaving, *(candidate.leave() for candidate in self.candidates))
