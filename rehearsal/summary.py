"""What a rehearsal shows at the terminal: bars while it runs, a table when it is over."""

import asyncio
import re
from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from rehearsal import Rehearsal
from rehearsal.client import Tally

_MOST_PROBLEMS = 20
_KIND_LENGTH = 120
_FIGURES = re.compile(r"[0-9a-f]{8}-[-0-9a-f]{27}|[0-9][-0-9:./]*")
_LATENCIES = ("start", "save", "submit", "results")


async def show(rehearsal: Rehearsal, console: Console) -> None:
    """Move the bars until cancelled."""
    options, counts = rehearsal.options, rehearsal.tally.counts
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        registered = progress.add_task("Candidates registered", total=options.candidates)
        answers = progress.add_task("Answers acknowledged", total=None)
        graded = progress.add_task("Attempts graded", total=options.candidates)
        try:
            while True:
                planned = sum(sitting.plan.touch_count for sitting in rehearsal.sittings)
                acknowledged = sum(len(sitting.log.acknowledged) for sitting in rehearsal.sittings)
                progress.update(registered, completed=counts["registered"])
                progress.update(answers, completed=acknowledged, total=planned or None)
                progress.update(graded, completed=counts["graded"])
                await asyncio.sleep(0.25)
        finally:
            progress.update(graded, completed=counts["graded"])


def print_summary(rehearsal: Rehearsal, console: Console, seconds: float) -> None:
    """Numbers, latencies, and what is wrong."""
    options, counts = rehearsal.options, rehearsal.tally.counts
    table = Table("What", "How much", title=f"Rehearsal in {seconds:.0f} s", title_justify="left")
    table.columns[1].justify = "right"
    rows: dict[str, int | str] = {
        "Candidates": options.candidates,
        "  with several devices": sum(len(sitting.plan.terms) > 1 for sitting in rehearsal.sittings),
        "Questions": options.questions,
        "Requests": counts["requests"],
        "Saves acknowledged": len(rehearsal.tally.latencies["save"]),
        "Answers acknowledged": sum(len(sitting.log.acknowledged) for sitting in rehearsal.sittings),
        "Answers refused as too late": counts["answers refused"],
        "Server's answers thrown away": counts["answers lost"],
        "Requests cancelled under way": counts["requests cancelled"],
        "Duplicates sent": counts["duplicates"],
        "Contradictions reported": counts["conflicts reported"],
        "Connections lost": counts["connections lost"],
        "Asked to wait (429 and 503)": counts["answers 429"] + counts["answers 503"],
        "Retries": counts["retries"],
        "Results equal to what was acknowledged": f"{_right(rehearsal)} of {options.candidates}",
        "  and to what was meant, where all arrived": f"{rehearsal.compared_with_meaning} of them",
    }
    for name, value in rows.items():
        table.add_row(name, f"{value:,}" if isinstance(value, int) else value)
    for name, back_after in rehearsal.killer.back_after if rehearsal.killer else []:
        table.add_row(f"{name} killed, back after", f"{back_after:.1f} s")
    table.add_row("Mismatches", str(len(rehearsal.problems)), style="red" if rehearsal.problems else "green")
    console.print(table, latency_table(rehearsal.tally, _LATENCIES))
    print_problems(rehearsal.problems, console)


def print_problems(problems: Sequence[str], console: Console) -> None:
    """The first of them, and how many there are of each kind: where one thing is wrong, many others are."""
    for sentence in problems[:_MOST_PROBLEMS]:
        console.print(sentence, style="red", markup=False)
    if len(problems) <= _MOST_PROBLEMS:
        return
    console.print(f"… and {len(problems) - _MOST_PROBLEMS} more. By kind, with figures as #:", style="red")
    kinds = Counter(_FIGURES.sub("#", sentence)[:_KIND_LENGTH] for sentence in problems)
    for kind, count in kinds.most_common(_MOST_PROBLEMS):
        console.print(f"{count:6,} × {kind}", style="red", markup=False, highlight=False)


def _right(rehearsal: Rehearsal) -> int:
    wrong = {sentence.partition(":")[0] for sentence in rehearsal.problems}
    names = {f"Candidate {sitting.plan.number}" for sitting in rehearsal.sittings}
    return len(names - wrong)


def latency_table(tally: Tally, kinds: Sequence[str]) -> Table:
    """How long clients waited for answers, by kind of request."""
    table = Table("Milliseconds", title="Latency, as the clients saw it", title_justify="left")
    for name in ("requests", "p50", "p95", "p99", "longest"):
        table.add_column(name, justify="right")
    for kind in kinds:
        if latencies := sorted(tally.latencies[kind]):
            marks = [percentile(latencies, share) * 1000 for share in (0.5, 0.95, 0.99, 1)]
            table.add_row(kind, f"{len(latencies):,}", *(f"{mark:,.0f}" for mark in marks))
    return table


def percentile(ascending: Sequence[float], share: float) -> float:
    """The value below which this share lies."""
    return ascending[min(len(ascending) - 1, int(share * len(ascending)))]
