"""The live dashboard of a rehearsed exam. Without a terminal, it prints plain lines."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Iterable

from rich.console import Console, Group
from rich.layout import Layout
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from rehearsal.exam.candidates import STATES
from rehearsal.exam.run import ExamRehearsal
from rehearsal.summary import percentile

_STEP = 0.5
_PLAIN_STEP = 5.0
_RECENT = 2000
_SHOWN_EVENTS = 30
_KINDS = (
    "register",
    "registration",
    "package",
    "ticket",
    "start",
    "paper",
    "save",
    "attempt",
    "submit",
    "results",
)


class Dashboard:
    """Shows a rehearsal until cancelled, without changing it."""

    def __init__(self, rehearsal: ExamRehearsal, console: Console) -> None:
        self._rehearsal = rehearsal
        self._console = console
        self._began = time.monotonic()
        self._saves: deque[tuple[float, int]] = deque(maxlen=round(5 / _STEP))

    async def show(self) -> None:
        """Draw panels, or print lines if there is no terminal."""
        if self._console.is_terminal:
            await self._draw()
        else:
            await self._print()

    async def _draw(self) -> None:
        with Live(self._layout(), console=self._console, auto_refresh=False, screen=True) as live:
            while True:
                self._sample()
                live.update(self._layout(), refresh=True)
                await asyncio.sleep(_STEP)

    async def _print(self) -> None:
        """Print events as they happen, and the current state every few seconds."""
        printed_until, next_line = 0.0, 0.0
        try:
            while True:
                self._sample()
                printed_until = self._print_events(printed_until)
                if time.monotonic() >= next_line:
                    self._line(self._state())
                    next_line = time.monotonic() + _PLAIN_STEP
                await asyncio.sleep(_STEP)
        finally:
            self._print_events(printed_until)

    def _print_events(self, printed_until: float) -> float:
        for moment, sentence in list(self._rehearsal.events):
            if moment > printed_until:
                printed_until = moment
                self._line(sentence, moment)
        return printed_until

    def _line(self, sentence: str, moment: float | None = None) -> None:
        seconds = (moment or time.monotonic()) - self._began
        self._console.print(f"{seconds:6.1f} s  {sentence}", markup=False, highlight=False, soft_wrap=True)

    def _sample(self) -> None:
        self._saves.append((time.monotonic(), len(self._rehearsal.metrics.latencies["save"])))

    def _state(self) -> str:
        states = ", ".join(f"{count} {state}" for state, count in self._states().items() if count)
        return f"  {states}; {self._saves_a_second():.0f} saves/s; {self._countdown()}"

    def _states(self) -> dict[str, int]:
        candidates = self._rehearsal.candidates
        counts = Counter(candidate.state for candidate in candidates)
        sockets = [candidate.socket for candidate in candidates if candidate.socket is not None]
        return {
            **{state: counts[state] for state in STATES},
            "saved in the last 10 s": sum(candidate.has_saved_recently for candidate in candidates),
            "disconnected": sum(not socket.is_open for socket in sockets),
        }

    def _saves_a_second(self) -> float:
        if len(self._saves) < 2:
            return 0.0
        (first, before), (last, now) = self._saves[0], self._saves[-1]
        return (now - before) / max(0.001, last - first)

    def _countdown(self) -> str:
        rehearsal = self._rehearsal
        if rehearsal.phase_ends_at is None:
            return rehearsal.phase
        left = max(0.0, rehearsal.clock.seconds_until(rehearsal.phase_ends_at))
        return f"{rehearsal.phase}, {left // 60:02.0f}:{left % 60:02.0f} left"

    def _layout(self) -> Layout:
        layout = Layout()
        layout.split_column(Layout(self._header(), size=3), Layout(name="middle"), Layout(name="bottom"))
        layout["middle"].split_row(
            Layout(Panel(self._candidates(), title="Candidates")),
            Layout(Panel(self._latencies(), title="Recent latency in ms")),
        )
        layout["bottom"].split_row(
            Layout(Panel(self._traffic(), title="Traffic")),
            Layout(Panel(self._events(), title="Events"), ratio=2),
        )
        return layout

    def _header(self) -> Panel:
        seconds = time.monotonic() - self._began
        head = Text.assemble((self._countdown(), "bold"), f"   {seconds:.0f} s since the start")
        return Panel(head, title=f"Rehearsal of a live exam, {self._rehearsal.options.candidates} candidates")

    def _candidates(self) -> Table:
        table = _grid(3)
        total = max(1, self._rehearsal.options.candidates)
        for state, count in self._states().items():
            table.add_row(state, str(count), ProgressBar(total, count, width=20))
        return table

    def _latencies(self) -> Table:
        table = Table("", "p50", "p99", "requests", box=None, expand=True)
        for column in table.columns[1:]:
            column.justify = "right"
        for kind in _KINDS:
            latencies = self._rehearsal.metrics.latencies[kind]
            if recent := sorted(latencies[-_RECENT:]):
                marks = [f"{percentile(recent, share) * 1000:,.0f}" for share in (0.5, 0.99)]
                table.add_row(kind, *marks, f"{len(latencies):,}")
        return table

    def _traffic(self) -> Group:
        rehearsal, counts = self._rehearsal, self._rehearsal.metrics.counts
        sockets = [candidate.socket for candidate in rehearsal.candidates if candidate.socket is not None]
        rows = {
            "saves a second": f"{self._saves_a_second():.0f}",
            "answers acknowledged": f"{counts['answers acknowledged']:,}",
            "retries": f"{counts['retries']:,}",
            "duplicates": f"{counts['duplicates']:,}",
            "sockets open": f"{sum(socket.is_open for socket in sockets)} of {len(sockets)}",
            "socket messages": f"{counts['socket messages']:,}, {counts['messages replayed']} replayed",
            "this program": f"{rehearsal.load_meter.load_now:.0%} of a core",
        }
        table = _grid(2)
        for name, value in rows.items():
            table.add_row(name, value)
        kills = [f"{name} killed, back after {took:.1f} s" for name, took in self._outages()]
        return Group(table, *(Text(kill, style="yellow") for kill in kills))

    def _outages(self) -> Iterable[tuple[str, float]]:
        return self._rehearsal.killer.recovery_times if self._rehearsal.killer else ()

    def _events(self) -> Text:
        lines = [
            f"{moment - self._began:6.1f} s  {sentence}"
            for moment, sentence in list(self._rehearsal.events)[-_SHOWN_EVENTS:]
        ]
        return Text("\n".join(reversed(lines)), overflow="ellipsis", no_wrap=True)


def _grid(columns: int) -> Table:
    table = Table.grid(padding=(0, 2))
    for number in range(columns):
        table.add_column(justify="right" if number == 1 else "left")
    return table
