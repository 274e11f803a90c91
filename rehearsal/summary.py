"""What a rehearsal of a test shows at the terminal: progress bars, and a table at the end."""

import asyncio
import re
from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from rehearsal.client import Metrics
from rehearsal.run import Rehearsal

_MAX_PROBLEMS = 20
_KIND_LENGTH = 120
_FIGURES = re.compile(r"[0-9a-f]{8}-[-0-9a-f]{27}|[0-9][-0-9:./]*")
_LATENCIES = ("start", "save", "submit", "results")


async def show(rehearsal: Rehearsal, console: Console) -> None:
    """Update the progress bars until cancelled."""
    options, counts = rehearsal.options, rehearsal.metrics.counts
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        registered = progress.add_task("Candidates registered", total=options.candidates)
        answers = progress.add_task("Answers acknowledged", total=None)
        graded = progress.add_task("Attempts graded", total=options.candidates)
        try:
            while True:
                planned = sum(attempt.plan.edit_count for attempt in rehearsal.attempts)
                acknowledged = sum(len(attempt.log.acknowledged) for attempt in rehearsal.attempts)
                progress.update(registered, completed=counts["registered"])
                progress.update(answers, completed=acknowledged, total=max(planned, acknowledged) or None)
                progress.update(graded, completed=counts["graded"])
                await asyncio.sleep(0.25)
        finally:
            progress.update(graded, completed=counts["graded"])


def print_summary(rehearsal: Rehearsal, console: Console, seconds: float) -> None:
    """Print figures, latencies, delays and problems."""
    options, counts = rehearsal.options, rehearsal.metrics.counts
    table = Table("What", "How much", title=f"Rehearsal in {seconds:.0f} s", title_justify="left")
    table.columns[1].justify = "right"
    rows: dict[str, int | str] = {
        "Candidates": options.candidates,
        "  with several devices": sum(len(attempt.plan.device_plans) > 1 for attempt in rehearsal.attempts),
        "Questions": options.questions,
        "Requests": counts["requests"],
        "Saves acknowledged": len(rehearsal.metrics.latencies["save"]),
        "Answers acknowledged": sum(len(attempt.log.acknowledged) for attempt in rehearsal.attempts),
        "Answers refused as too late": counts["answers refused"],
        "Responses that the devices threw away": counts["responses lost"],
        "Requests that the devices cancelled": counts["requests cancelled"],
        "Duplicates sent": counts["duplicates"],
        "Conflicts reported": counts["conflicts reported"],
        "Other connections lost": counts["connections lost"],
        "Asked to wait (429 and 503)": counts["responses 429"] + counts["responses 503"],
        "Retries after these": counts["retries"],
        "Results equal to what was acknowledged": f"{_right(rehearsal)} of {options.candidates}",
        "  and to the plan, where all answers arrived": f"{rehearsal.compared_with_plan} of them",
    }
    for name, value in rows.items():
        table.add_row(name, f"{value:,}" if isinstance(value, int) else value)
    for name, seconds_away in rehearsal.killer.recovery_times if rehearsal.killer else []:
        table.add_row(f"{name} killed, back after", f"{seconds_away:.1f} s")
    table.add_row("Delays", str(len(rehearsal.delays)), style="red" if rehearsal.delays else "green")
    table.add_row("Mismatches", str(len(rehearsal.problems)), style="red" if rehearsal.problems else "green")
    console.print(table, latency_table(rehearsal.metrics, _LATENCIES))
    print_problems([*rehearsal.problems, *rehearsal.delays], console)


def print_problems(problems: Sequence[str], console: Console) -> None:
    """Print the first problems and the number of each kind, because one error may cause many problems."""
    for sentence in problems[:_MAX_PROBLEMS]:
        console.print(sentence, style="red", markup=False)
    if len(problems) <= _MAX_PROBLEMS:
        return
    console.print(f"… and {len(problems) - _MAX_PROBLEMS} more. By kind, with figures as #:", style="red")
    kinds = Counter(_FIGURES.sub("#", sentence)[:_KIND_LENGTH] for sentence in problems)
    for kind, count in kinds.most_common(_MAX_PROBLEMS):
        console.print(f"{count:6,} × {kind}", style="red", markup=False, highlight=False)


def _right(rehearsal: Rehearsal) -> int:
    wrong = {sentence.partition(":")[0] for sentence in rehearsal.problems}
    names = {f"Candidate {attempt.plan.number}" for attempt in rehearsal.attempts}
    return len(names - wrong)


def latency_table(metrics: Metrics, kinds: Sequence[str]) -> Table:
    """The latencies that clients measured, by kind of request."""
    table = Table("Milliseconds", title="Latency, as the clients saw it", title_justify="left")
    for name in ("requests", "p50", "p95", "p99", "longest"):
        table.add_column(name, justify="right")
    for kind in kinds:
        if latencies := sorted(metrics.latencies[kind]):
            marks = [percentile(latencies, share) * 1000 for share in (0.5, 0.95, 0.99, 1)]
            table.add_row(kind, f"{len(latencies):,}", *(f"{mark:,.0f}" for mark in marks))
    return table


def percentile(ascending: Sequence[float], share: float) -> float:
    """The value below which a share of the values lies."""
    return ascending[min(len(ascending) - 1, int(share * len(ascending)))]
