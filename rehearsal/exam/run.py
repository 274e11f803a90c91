"""The rehearsal of an exam, from the accounts to the reconciliation."""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import uuid4

from app.config import get_settings
from rehearsal.client import Metrics, UnexpectedResponse
from rehearsal.concurrency import run_limited
from rehearsal.exam import monitor, preparation, reconciliation
from rehearsal.exam.bad_day import BadDayScript
from rehearsal.exam.candidates import SimulatedCandidate
from rehearsal.exam.database_checks import StoredAttempt, attempt_rows
from rehearsal.exam.load_meter import LoadMeter
from rehearsal.exam.options import ExamOptions
from rehearsal.exam.papers import RehearsedPaper
from rehearsal.exam.reconciliation import ExamRecord
from rehearsal.exam.script import ExamScript
from rehearsal.exam.secret_scanner import SecretScanner
from rehearsal.exam.server_clock import ServerClock
from rehearsal.exam.socket_client import SocketClient
from rehearsal.exam.staff import ExamAuthor, Proctor
from rehearsal.process_killer import ProcessKiller, kill_schedule

_RECEIVED_WITHIN = 60.0
_SHOWN_EVENTS = 200
_POSTPONED_SECONDS = 2


class NotReadyInTime(UnexpectedResponse):
    """The exam began before all candidates were ready, and could not be postponed any more."""


@dataclass
class ExamRehearsal:
    """One run; the dashboard shows its attributes while it runs.

    `problems` are errors of the server, `delays` are steps that came too late by the server's clock, and
    `skipped` are steps of the script that came after the attempts that they were meant for.
    """

    options: ExamOptions
    metrics: Metrics = field(default_factory=Metrics)
    clock: ServerClock = field(default_factory=ServerClock)
    scanner: SecretScanner = field(default_factory=SecretScanner)
    load_meter: LoadMeter = field(default_factory=LoadMeter)
    label: str = field(default_factory=lambda: uuid4().hex[:8])
    phase: str = ""
    phase_ends_at: datetime | None = None
    phases: list[tuple[str, float]] = field(default_factory=list)
    """Each phase with the moment of its begin, by this process's monotonic clock."""
    events: deque[tuple[float, str]] = field(default_factory=lambda: deque(maxlen=_SHOWN_EVENTS))
    candidates: Sequence[SimulatedCandidate] = ()
    papers: Sequence[RehearsedPaper] = ()
    killer: ProcessKiller | None = None
    proctor_socket: SocketClient | None = None
    released: dict[str, Any] = field(default_factory=dict)
    problems: Sequence[str] = ()
    delays: Sequence[str] = ()
    skipped: Sequence[str] = ()

    def __post_init__(self) -> None:
        options = self.options
        self._author = ExamAuthor(options.api_url, self.label, self.metrics)
        self._proctor = Proctor(options.api_url, self.label, self.metrics, self.clock, self.report)
        self._grace = get_settings().grace_seconds
        self._script = ExamScript(self._author, self._proctor, ())
        self._found: list[str] = []
        self._tasks: list[asyncio.Task[None]] = []

    def report(self, sentence: str) -> None:
        """Add a line to the list of events."""
        self.events.append((time.monotonic(), sentence))

    async def run(self) -> None:
        """Hold the exam and check everything.

        Raises UnexpectedResponse if it cannot go on; then the exam is cancelled.
        """
        self._tasks.append(asyncio.create_task(self.load_meter.run()))
        try:
            await self._prepare()
            await self._register_everybody()
            rows = await self._hold()
            merit_list = await self._release()
            self._enter("reconciliation")
            record = await self._exam_record(rows, merit_list)
            self.problems = self._found + await reconciliation.mismatches(record)
            self.delays, self.skipped = reconciliation.delays(record), self._script.skipped
            await self._archive_tests()
        finally:
            if self.papers and not self.released:
                await self._author.cancel()
            await self._close()

    def _enter(self, phase: str, until: datetime | None = None) -> None:
        if phase != self.phase:
            self.phases.append((phase, time.monotonic()))
        self.phase, self.phase_ends_at = phase, until
        self.report(phase)

    async def _prepare(self) -> None:
        """Make staff, tests and accounts, and then the exam, which begins soon."""
        self._enter("publishing the tests")
        await self._author.make_account()
        await self._proctor.make_account()
        await self.clock.synchronize(self._author.client)
        tests = await preparation.publish_tests(self._author, self.options)
        self._enter("making accounts")
        self.candidates = preparation.make_candidates(self.options, self.label, self.metrics, self.scanner)
        await run_limited([candidate.make_account() for candidate in self.candidates])
        self.papers = await preparation.publish_exam(
            self._author, self.options, tests, self.clock, self.metrics, self.scanner, self._grace
        )
        self._proctor.exam_path = f"/exams/{self._author.exam_id}"
        script = BadDayScript if self.options.bad_day else ExamScript
        self._script = script(self._author, self._proctor, self.candidates)

    async def _register_everybody(self) -> None:
        """Register all candidates, and postpone the exam until they are ready."""
        registering = asyncio.create_task(self._register())
        while True:
            starts_at = self.papers[0].window.starts_at
            self._enter("registration and downloads", starts_at)
            left = self.clock.seconds_until(starts_at) - preparation.margin_seconds(self.options)
            await asyncio.wait([registering], timeout=max(0.0, left))
            if registering.done():
                await registering
                if self.options.bad_day:
                    await self._postpone(_POSTPONED_SECONDS)
                return
            await self._postpone(math.ceil(preparation.lead_seconds(self.options) / 2))

    async def _register(self) -> None:
        devices = self.options.devices
        plans = [preparation.plans_of(each, self.papers, devices) for each in self.candidates]
        pairs = zip(self.candidates, plans, strict=True)
        await run_limited([candidate.register_for_exam(self.papers, plans) for candidate, plans in pairs])
        await self._script.before(self.options.seconds)
        if self.options.sockets:
            await run_limited([candidate.open_socket() for candidate in self.candidates])
            self._open_proctor_socket()

    def _open_proctor_socket(self) -> None:
        proctor, exam_id = self._proctor, self._author.exam_id
        rng = Random(0)  # noqa: S311 -- it decides only how long to wait
        self.proctor_socket = SocketClient(proctor.client, exam_id, proctor.account, self.metrics, rng)
        self._tasks.append(asyncio.create_task(self.proctor_socket.listen()))

    async def _postpone(self, seconds: int) -> None:
        """Postpone all papers. Raises NotReadyInTime if the first one has begun."""
        await self._proctor.postpone(seconds)
        timetable = self.papers[0].timetable
        timetable[:] = [window.postponed(timedelta(seconds=seconds)) for window in timetable]
        papers = (await self._proctor.ask("GET", f"{self._proctor.exam_path}/papers?limit=100")).body["items"]
        starts = [datetime.fromisoformat(paper["starts_at"]) for paper in papers]
        if starts != [window.starts_at for window in timetable]:
            raise NotReadyInTime("the papers could not be postponed before the first one began")

    async def _hold(self) -> dict[str, StoredAttempt]:
        """Hold the papers until nobody takes one any more. Returns the attempts as they are then."""
        first, last = self.papers[0].window, self.papers[-1].window
        schedule = kill_schedule(self.options.kill, first.seconds)
        self.killer = ProcessKiller(self.options.run_file, schedule, self.report)
        self._tasks.append(asyncio.create_task(self._report_phases()))
        await asyncio.gather(
            self._kill_from(first.starts_at),
            self._run_script(),
            *(candidate.take_part() for candidate in self.candidates),
        )
        self._enter("waiting for the end of the last window", last.ends_at)
        await self.clock.wait_until(last.ends_at + timedelta(seconds=1))
        rows = await attempt_rows([paper.paper_id for paper in self.papers])
        await self._check_monitor(rows)
        return rows

    async def _kill_from(self, moment: datetime) -> None:
        await self.clock.wait_until(moment)
        if self.killer is not None:
            await self.killer.run()

    async def _run_script(self) -> None:
        for paper in self.papers:
            await self._script.during(paper)

    async def _report_phases(self) -> None:
        for paper in self.papers:
            window = paper.window
            await self.clock.wait_until(window.starts_at)
            self._enter(f"{paper.code} is open", window.starts_at + timedelta(seconds=window.seconds))
            await self.clock.wait_until(window.starts_at + timedelta(seconds=window.seconds))
            self._enter(f"{paper.code}: extra time, grace, closing by the worker")

    async def _release(self) -> list[dict[str, Any]]:
        """Admit the late answers, release the results, and return the merit list."""
        self._enter("late answers, release")
        await self._script.admit_late()
        self._found += self._script.problems + self.scanner.problems
        self.scanner.is_released = True
        self.released = await self._author.release()
        self.report(f"released: {self.released['participants']} are ranked")
        await run_limited([candidate.read_results() for candidate in self.candidates])
        await self._wait_for_release_messages()
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

    async def _wait_for_release_messages(self) -> None:
        """Wait until every socket has received the release, which is the last message."""
        sockets = [candidate.socket for candidate in self.candidates if candidate.socket is not None]

        def all_received() -> bool:
            types = ({message.type for message in socket.log.received} for socket in sockets)
            return all("results_released" in each for each in types)

        await _wait_for(all_received)

    async def _check_monitor(self, rows: dict[str, StoredAttempt]) -> None:
        """The monitor must show the counts of the database: over HTTP at once, over the socket soon."""
        counts = monitor.expected_counts(list(rows.values()), [paper.paper_id for paper in self.papers])
        expected = (len([each for each in self.candidates if each.roll_number]), counts)
        shown = (await self._proctor.ask("GET", f"{self._proctor.exam_path}/monitor")).body
        if (shown["registered"], monitor.displayed_counts(shown)) != expected:
            self._found.append(f"the monitor shows {monitor.displayed_counts(shown)}, it should be {counts}")
        socket = self.proctor_socket
        if socket is None:
            return

        def is_shown() -> bool:
            message = socket.monitor or {}
            return (message.get("registered"), monitor.displayed_counts(message)) == expected

        if not await _wait_for(is_shown):
            self._found.append(f"the socket's monitor shows {socket.monitor}, it should be {counts}")

    async def _exam_record(
        self, rows: dict[str, StoredAttempt], merit_list: Sequence[dict[str, Any]]
    ) -> ExamRecord:
        announcements = {
            each["id"]: datetime.fromisoformat(each["created_at"])
            for each in await self._proctor.announcements()
        }
        outages = self.killer.outages if self.killer else []
        self._found += self.killer.problems if self.killer else []
        return ExamRecord(
            candidates=self.candidates,
            papers=self.papers,
            actions=self._proctor.actions,
            grants=self._proctor.grants,
            announcements=announcements,
            rows=rows,
            grace=timedelta(seconds=self._grace),
            outages=[(self.clock.at(each.killed_at), self.clock.at(each.back_at)) for each in outages],
            cutoffs=preparation.CUTOFFS,
            merit_list=merit_list,
            with_sockets=self.options.sockets,
        )

    async def _archive_tests(self) -> None:
        """Remove the tests from the candidates' lists."""
        self._enter("archiving the tests")
        for paper in self.papers:
            await self._author.archive(paper.test_id)

    async def _close(self) -> None:
        if self.proctor_socket is not None:
            await self.proctor_socket.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        closing = [self._author.close(), self._proctor.close()]
        await asyncio.gather(*closing, *(candidate.close() for candidate in self.candidates))


async def _wait_for(condition: Callable[[], bool]) -> bool:
    """Wait until the condition is true. Returns False after `_RECEIVED_WITHIN` seconds."""
    give_up_at = time.monotonic() + _RECEIVED_WITHIN
    while time.monotonic() < give_up_at:
        if condition():
            return True
        await asyncio.sleep(0.2)
    return condition()
