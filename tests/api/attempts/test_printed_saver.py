"""The save loop that docs/api.md prints, executed as printed: it loses nothing that could be saved.

One exam day over a bad network: timed sections, two devices, an app that is killed, odd numbers, a pause, and
a login that ends. Faults, answers and times are drawn from a seed; the clock is the test's.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import anyio
import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.services.tests import SectionDraft
from app.services.unit_of_work import reading, unit_of_work
from tests.bad_network import BadNetwork, Network
from tests.builders.attempts import AttemptClient, start
from tests.builders.content import PublishedTest, add_questions, publish_test
from tests.builders.people import People
from tests.conftest import TestClock
from tests.thorough import count, part

PAGE = Path(__file__).parents[3] / "docs" / "api.md"
BASE = "http://api.test/v1"
SEEDS = range(4)
SECTION_SECONDS = 300
LAST_ANSWERS = 80  # seconds before the end of a section: each answer until then can be saved
RIGHT_NUMBERS = ("-5", "\u22125", "-\u096b", "-5.", "\u20135")
NUMBERS = (*RIGHT_NUMBERS, " -5 ", "7", "22/7", None)
UNREADABLE = ("about five", "3,14", "5 cm", "1 000")
CHOICES = (["a"], ["b"], ["c"], ["d"], ["a", "b"], None)


def printed_code() -> str:
    """The example of the page."""
    chapter = PAGE.read_text().partition("### A save loop")[2]
    return chapter.partition("```python\n")[2].partition("```")[0]


@dataclass
class Given:
    """An answer that a person gave, and whether it can be saved."""

    lease: int
    revision: int
    answer: Any


@dataclass
class Device:
    """An app with the printed saver. It notes what the person answered."""

    code: Mapping[str, Any]
    network: BadNetwork
    made: PublishedTest
    given: dict[UUID, list[Given]]
    attempt: dict[str, Any]
    saver: Any = None
    told: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.saver = self.code["Saver"](BASE, str(self.made.id), self.attempt)
        headers = self.saver.http.headers
        self.saver.http = httpx.Client(transport=self.network, headers=headers)
        self.saver.tell = self.told.__setitem__

    def answer(self, number: int, answer: Any, *, counts: bool = True) -> None:
        question_id = self.made.question_ids[number]
        self.saver.answer(str(question_id), answer)
        if counts:
            revision = self.saver.revisions[str(question_id)]
            self.given.setdefault(question_id, []).append(Given(self.saver.lease, revision, trimmed(answer)))

    def flush(self) -> None:
        self.saver.flush()

    def killed(self, attempt: dict[str, Any]) -> "Device":
        """The app after it was killed and has called `start`: what is on disk goes on."""
        again = Device(self.code, self.network, self.made, self.given, attempt)
        again.saver.waiting = dict(self.saver.waiting)
        return again


def outcome_of(answer: Any) -> str:
    """The letter of the outcome: the key of a choice is a, that of a number -5."""
    if answer is None:
        return "u"
    return "c" if answer == ["a"] or answer in RIGHT_NUMBERS else "i"


def trimmed(answer: Any) -> Any:
    return answer.strip() if isinstance(answer, str) else answer


@dataclass
class ExamDay:
    """A candidate with two devices, and what they should have at the end."""

    engine: AsyncEngine
    clock: TestClock
    sitting: AttemptClient
    code: Mapping[str, Any]
    network: BadNetwork
    rng: Random
    devices: list[Device] = field(default_factory=list)
    given: dict[UUID, list[Given]] = field(default_factory=dict)

    @property
    def started_at(self) -> datetime:
        return datetime.fromisoformat(self.sitting.attempt["started_at"])

    @property
    def seconds(self) -> float:
        return (self.clock.now() - self.started_at).total_seconds()

    async def start(self) -> dict[str, Any]:
        return (await start(self.sitting.client, self.sitting.made)).attempt

    def device(self, attempt: dict[str, Any]) -> Device:
        made = self.sitting.made
        self.devices.append(Device(self.code, self.network, made, self.given, attempt))
        return self.devices[-1]

    async def run(self, work: Callable[[], None]) -> None:
        await anyio.to_thread.run_sync(work)

    async def answer_until(self, end: float, numbers: range) -> None:
        """Answer questions of a section on both devices until so many seconds from the start."""
        while self.seconds < end:
            device = self.rng.choice(self.devices)
            self._answer(device, self.rng.choice(numbers))
            self.network.meanwhile = self._maybe_answers_meanwhile(device, numbers)
            if self.rng.random() < 0.6:  # Otherwise the person goes on before anything is sent.
                await self.run(device.flush)
            self.network.meanwhile = lambda: None
            if self.rng.random() < 0.1:
                await self._mistypes(device, numbers)
            self.clock.advance(self.rng.uniform(2, 20))
        await self.flush_all()

    def _maybe_answers_meanwhile(self, device: Device, numbers: range) -> Callable[[], None]:
        def answer() -> None:
            if self.rng.random() < 0.2:
                self._answer(device, self.rng.choice(numbers))

        return answer

    def _answer(self, device: Device, number: int) -> None:
        device.answer(number, self.rng.choice(NUMBERS if number % 3 == 0 else CHOICES))

    async def _mistypes(self, device: Device, numbers: range) -> None:
        """A number that cannot be read, beside a choice. What was answered before stands."""
        await self.run(device.flush)
        number = self.rng.choice([each for each in numbers if each % 3 == 0])
        device.answer(number, self.rng.choice(UNREADABLE), counts=False)
        self._answer(device, self.rng.choice([each for each in numbers if each % 3]))
        await self.run(device.flush)
        assert device.told.pop(str(device.made.question_ids[number]))

    async def flush_all(self) -> None:
        for device in self.devices:
            await self.run(device.flush)

    async def set_status(self, status: str) -> None:
        async with self.engine.begin() as connection:
            await connection.execute(
                text("update ias.attempts set status = :status where id = :id"),
                {"status": status, "id": self.sitting.id},
            )

    def latest(self) -> dict[UUID, Given]:
        """What should count: the answer of the highest lease and revision to each question."""
        return {
            question_id: max(given, key=lambda each: (each.lease, each.revision))
            for question_id, given in self.given.items()
        }

    def marked_wrong(self, outcomes: Mapping[UUID, str]) -> list[str]:
        """Answers that were not marked by their meaning."""
        return [
            f"{given.answer!r} was marked {outcomes[question_id]}"
            for question_id, given in self.latest().items()
            if outcomes[question_id] != outcome_of(given.answer)
        ]

    def lost(self, standing: Mapping[UUID, tuple[int, int, Any]]) -> list[str]:
        """What the person answered in time and does not stand."""
        problems = []
        for question_id, latest in self.latest().items():
            expected = (latest.lease, latest.revision, latest.answer)
            if standing.get(question_id) != expected:
                number = self.sitting.made.question_ids.index(question_id)
                problems.append(f"question {number}: {standing.get(question_id)} instead of {expected}")
        return problems


@pytest.fixture(scope="module")
async def made(engine: AsyncEngine) -> PublishedTest:
    """Two locked sections, of six and seven questions; every third question asks for a number."""
    key = {"value": "-5", "tolerance": "0"}
    async with unit_of_work(engine) as uow:
        ids = await add_questions(uow, [key if number % 3 == 0 else ["a"] for number in range(13)])
        sections = [
            SectionDraft({"en": name}, section_ids, duration_seconds=SECTION_SECONDS)
            for name, section_ids in (("Reasoning", ids[:6]), ("Comprehension", ids[6:]))
        ]
        published = await publish_test(uow, sections=sections, duration_seconds=2 * SECTION_SECONDS + 600)
    return PublishedTest(published.id, ids)


@dataclass
class Sitter:
    """Lets one candidate after the other sit the exam day with some code."""

    app: FastAPI
    engine: AsyncEngine
    people: People
    clock: TestClock
    made: PublishedTest

    async def sit(self, code: str, seed: int) -> tuple[ExamDay, list[str]]:
        """A whole exam day. Returns it, and what was lost."""
        day = await self.begin(code, seed)
        await self._take(day)
        standing = await self.standing(day)
        async with reading(self.engine) as reads:
            result = await reads.attempts.result(day.sitting.id)
        assert result is not None
        outcomes = dict(zip(self.made.question_ids, result.outcomes, strict=True))
        return day, day.lost(standing) + day.marked_wrong(outcomes)

    async def begin(self, code: str, seed: int) -> ExamDay:
        """A candidate who has started."""
        rng = Random(seed)
        self.clock.stop()
        sitting = await start(await self.people.candidate(), self.made)
        network = BadNetwork(self.app, asyncio.get_running_loop(), self.clock, rng)
        return ExamDay(self.engine, self.clock, sitting, self._executed(code, rng), network, rng)

    async def standing(self, day: ExamDay) -> dict[UUID, tuple[int, int, Any]]:
        """What counts on the server: lease, revision and answer by question."""
        async with reading(self.engine) as reads:
            events = await reads.attempts.standing(day.sitting.id)
        return {each.question_id: (each.lease, each.revision, each.answer) for each in events}

    def _executed(self, code: str, rng: Random) -> dict[str, Any]:
        """The code with the test's clock and the seed's random numbers."""
        names: dict[str, Any] = {}
        exec(compile(code, str(PAGE), "exec"), names)  # noqa: S102 -- the page of this repository
        names["time"] = SimpleNamespace(sleep=self.clock.advance, monotonic=self._seconds)
        names["random"] = rng
        return names

    def _seconds(self) -> float:
        return self.clock.now().timestamp()

    async def _take(self, day: ExamDay) -> None:
        reasoning, comprehension = range(6), range(6, 12)
        phone = day.device(day.sitting.attempt)
        phone.answer(12, "-5")  # Its section has not begun: the answer waits for that.
        await day.answer_until(60, reasoning)
        await self._start_a_second_device(day)
        day.clock.advance(1)
        await day.sitting.client.post("/auth/logout", json={"scope": "global"})
        assert (await day.sitting.client.get("/auth/me")).status_code == 401
        await day.answer_until(120, reasoning)
        await self._pause(day, reasoning)
        await day.answer_until(SECTION_SECONDS - LAST_ANSWERS, reasoning)
        day.clock.advance(SECTION_SECONDS + 15 - day.seconds)
        for device in day.devices:  # Too late for the first section, beside an answer to the second.
            device.answer(day.rng.choice(reasoning), None, counts=False)
            device.answer(8, ["a"])
            await day.run(device.flush)
        await day.answer_until(2 * SECTION_SECONDS - LAST_ANSWERS, comprehension)
        await day.run(day.network.deliver_held)
        await self._submit(day)

    async def _start_a_second_device(self, day: ExamDay) -> None:
        """A laptop resumes; then the phone's app is killed with answers that wait, and resumes too."""
        day.device(await day.start())
        phone = day.devices[0]
        phone.answer(1, ["c"])
        phone.answer(3, "\u22125")
        day.devices[0] = phone.killed(await day.start())

    async def _pause(self, day: ExamDay, numbers: range) -> None:
        """Staff pause the attempt, and resume it after 10 s. The apps do not know it at once."""
        await day.set_status("paused")
        for device in day.devices:
            day._answer(device, day.rng.choice(numbers))
            await day.run(device.flush)
            assert device.saver.waiting
        await day.set_status("in_progress")
        day.clock.advance(25)

    async def _submit(self, day: ExamDay) -> None:
        headers = {"Authorization": f"Bearer {day.devices[0].attempt['attempt_token']}"}
        submitted = await day.sitting.client.post(
            f"{day.sitting.made.path}/submit", json={"attempt_id": day.sitting.attempt["id"]}, headers=headers
        )
        assert submitted.status_code == 200, submitted.text


@pytest.fixture
def sitter(
    app: FastAPI, engine: AsyncEngine, people: People, clock: TestClock, made: PublishedTest
) -> Sitter:
    return Sitter(app, engine, people, clock, made)


# Faults in the code of the page, each with the text that it replaces: the exam day must notice every one.
PLANTED = {
    "gives up at the first refusal": (
        "        done, keep = self.sort(status, document, batch)",
        "        done, keep = self.sort(status, document, batch)\n        if status == 409: done = set(sent)",
    ),
    "drops what a closed section did not take": (
        "return set(questions) - closed, closed",
        "return set(questions), set()",
    ),
    "drops what is beside a wrong answer": ("return set(named), set()", "return set(questions), set()"),
    "takes every answer for the server's": (
        "if not isinstance(document, dict) or expected not in document:",
        "document = {'closed': [], **document}\n        if False:",
    ),
    "forgets what is answered while it sends": (
        "if self.waiting.get(question_id) is not sent[question_id]:",
        "if question_id not in self.waiting:",
    ),
    "sends old answers under the new lease": ('"lease": batch[0]["lease"]', '"lease": self.lease'),
    "does not try again": ("TRY_AGAIN = 20", "TRY_AGAIN = 100_000"),
    "takes a lost request for a saved one": (
        "            return None, None",
        "            self.waiting.clear()\n            return None, None",
    ),
}


class TestPrintedSaver:
    @pytest.mark.parametrize("seed", SEEDS[: count(1, 4)])
    async def test_loses_nothing(self, sitter: Sitter, seed: int) -> None:
        day, lost = await sitter.sit(printed_code(), seed)
        assert lost == []
        assert day.network.counts[Network.GOOD] > 0
        assert sum(day.network.counts.values()) > 30

    async def test_a_late_answer_to_a_closed_section_does_not_lose_the_next_one(self, sitter: Sitter) -> None:
        day = await sitter.begin(printed_code(), seed=1)
        day.network.is_good = True
        device = day.device(day.sitting.attempt)
        day.clock.advance(SECTION_SECONDS + 15)
        device.answer(1, ["a"], counts=False)
        device.answer(7, ["a"])
        await day.run(device.flush)
        device.answer(8, ["a"])
        await day.run(device.flush)
        assert day.lost(await sitter.standing(day)) == []

    async def test_goes_on_above_what_stands_if_the_count_of_revisions_was_lost(self, sitter: Sitter) -> None:
        """The app was reinstalled and goes on with the stored answer of `start`, without its count."""
        day = await sitter.begin(printed_code(), seed=1)
        day.network.is_good = True
        for answers in ([["a"], ["b"], ["c"]], [["d"]]):
            device = day.device(day.sitting.attempt)
            for answer in answers:
                device.answer(1, answer)
                device.answer(2, answer)
                await day.run(device.flush)
        standing = await sitter.standing(day)
        assert [standing[question_id][2] for question_id in sitter.made.question_ids[1:3]] == [["d"], ["d"]]

    @pytest.mark.parametrize("name", part(list(PLANTED), "planted", 2))
    async def test_a_planted_fault_is_seen(self, sitter: Sitter, name: str) -> None:
        printed, planted = PLANTED[name]
        code = printed_code()
        assert printed in code
        for seed in SEEDS:
            try:
                _, lost = await sitter.sit(code.replace(printed, planted), seed)
            except (AssertionError, KeyError):
                return  # The code fails in the middle of the exam.
            if lost:
                return
        pytest.fail("nothing was lost")
