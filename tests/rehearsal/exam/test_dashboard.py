"""The dashboard of a rehearsed exam."""

import asyncio
import io
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
from rich.console import Console

from rehearsal.account import Account
from rehearsal.client import Client
from rehearsal.exam.candidates import SimulatedCandidate
from rehearsal.exam.dashboard import Dashboard
from rehearsal.exam.options import ExamOptions
from rehearsal.exam.run import ExamRehearsal
from rehearsal.exam.scenarios import Scenario
from tests.waiting import PATIENCE

URL = "http://127.0.0.1:1"


@pytest.fixture
async def rehearsal(tmp_path: Path) -> ExamRehearsal:
    """A rehearsal that has just begun: one of two candidates is registered."""
    rehearsal = ExamRehearsal(ExamOptions(URL, tmp_path / "run.json", 2, 10, 60, 2, 2, seed=1))
    for number in (1, 2):
        client = Client(URL, rehearsal.metrics, Random(0))
        scenario = Scenario(number, "general", None, frozenset())
        account = Account("one@example.org", "One")
        rehearsal.candidates = [
            *rehearsal.candidates,
            SimulatedCandidate(scenario, account, client, rehearsal.metrics),
        ]
    rehearsal.candidates[0].roll_number = "12345678"
    rehearsal.metrics.latencies["save"] += [0.010, 0.020, 0.030]
    rehearsal.phase = "registration and downloads"
    rehearsal.report("extra time: 15 s for pwbd")
    return rehearsal


class Screen(io.StringIO):
    """A terminal's output, with an event for the phase."""

    def __init__(self) -> None:
        super().__init__()
        self.written = asyncio.Event()

    def write(self, text: str) -> int:
        if "registration and downloads" in text:
            self.written.set()
        return super().write(text)


async def shown(rehearsal: ExamRehearsal, *, terminal: bool) -> str:
    """The output until the phase was shown."""
    screen = Screen()
    console = Console(file=screen, force_terminal=terminal, width=160, height=50)
    showing = asyncio.create_task(Dashboard(rehearsal, console).show())
    async with asyncio.timeout(PATIENCE):
        await screen.written.wait()
    showing.cancel()
    with suppress(asyncio.CancelledError):
        await showing
    return screen.getvalue()


class TestShow:
    async def test_without_a_terminal_there_are_lines(self, rehearsal: ExamRehearsal) -> None:
        text = await shown(rehearsal, terminal=False)

        assert "s  extra time: 15 s for pwbd" in text
        assert "1 without an account, 1 registered; 0 saves/s; registration and downloads" in text
        assert "\x1b" not in text

    async def test_at_a_terminal_there_are_panels(self, rehearsal: ExamRehearsal) -> None:
        text = await shown(rehearsal, terminal=True)

        for title in ("Candidates", "latency in ms", "Traffic", "Events"):
            assert title in text
        assert "extra time: 15 s for pwbd" in text
