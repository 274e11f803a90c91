"""What a dispute shows at the terminal: progress, sentences as things happen, and ranks before and after."""

import asyncio
from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from rehearsal.dispute.dispute import Dispute
from rehearsal.dispute.exports import Change
from rehearsal.summary import latency_table, print_problems

_SHOWN = 10
_LATENCIES = ("start", "save", "submit", "results", "objection")


async def show(dispute: Dispute, console: Console) -> None:
    """Update the progress bars, and print the account, until cancelled."""
    counts, total = dispute.metrics.counts, dispute.options.candidates
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        submitted = progress.add_task("Papers submitted", total=total)
        read = progress.add_task("Results read, before and after", total=2 * total)
        try:
            while True:
                progress.update(submitted, completed=counts["submitted"])
                progress.update(read, completed=counts["results read"])
                _print_events(dispute, progress.console)
                await asyncio.sleep(0.25)
        finally:
            progress.update(submitted, completed=counts["submitted"])
            progress.update(read, completed=counts["results read"])
            _print_events(dispute, progress.console)


def print_summary(dispute: Dispute, console: Console, seconds: float) -> None:
    """Print ranks before and after, latencies, and problems."""
    if dispute.changes:
        console.print(_figures(dispute.changes), _biggest(dispute.changes))
    console.print(latency_table(dispute.metrics, _LATENCIES))
    outcome = f"{len(dispute.problems)} mismatches" if dispute.problems else "No mismatch"
    style = "red" if dispute.problems else "green"
    console.print(f"{outcome}. The dispute took {seconds:.0f} s.", style=style)
    print_problems(dispute.problems, console)


def _print_events(dispute: Dispute, console: Console) -> None:
    while dispute.events:
        console.print(dispute.events.popleft()[1], markup=False, highlight=False, soft_wrap=True)


def _figures(changes: Sequence[Change]) -> Table:
    rows = {
        "Candidates": len(changes),
        "Score higher": sum(change.gain > 0 for change in changes),
        "Score lower": sum(change.gain < 0 for change in changes),
        "Rank better": sum(change.places > 0 for change in changes),
        "Rank worse": sum(change.places < 0 for change in changes),
        "Clear the cut-off only now": sum(change.clears == (False, True) for change in changes),
        "Clear the cut-off no more": sum(change.clears == (True, False) for change in changes),
    }
    table = Table("What", "How many", title="The revision", title_justify="left")
    table.columns[1].justify = "right"
    for name, count in rows.items():
        table.add_row(name, f"{count:,}")
    return table


def _biggest(changes: Sequence[Change]) -> Table:
    """The candidates whose rank changes most."""
    table = Table("Roll number", "Score", "Rank", title="Biggest changes of rank", title_justify="left")
    for change in sorted(changes, key=lambda each: -abs(each.places))[:_SHOWN]:
        before, after = change.before, change.after
        table.add_row(
            change.roll_number,
            f"{before['total']} → {after['total']}",
            f"{before['rank']:,} → {after['rank']:,}",
        )
    return table
