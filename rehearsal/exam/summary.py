"""The table at the end of a rehearsed exam: figures, latencies, outages, delays and problems."""

import time
from collections import Counter
from itertools import pairwise

from rich.console import Console
from rich.table import Table

from rehearsal.exam.run import ExamRehearsal
from rehearsal.result_checks import all_planned_answers_arrived
from rehearsal.summary import latency_table, percentile, print_problems

_LATENCIES = (
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


def print_summary(rehearsal: ExamRehearsal, console: Console, seconds: float) -> None:
    """Print the figures of the exam, its delays and its problems."""
    table = Table("What", "How much", title=f"Rehearsed exam in {seconds:.0f} s", title_justify="left")
    table.columns[1].justify = "right"
    rows = _candidates(rehearsal) | _traffic(rehearsal) | _sockets(rehearsal) | _outcome(rehearsal)
    for name, value in rows.items():
        table.add_row(name, f"{value:,}" if isinstance(value, int) else value)
    for name, seconds_away in rehearsal.killer.recovery_times if rehearsal.killer else []:
        table.add_row(f"{name} killed, back after", f"{seconds_away:.1f} s")
    table.add_row("Delays", str(len(rehearsal.delays)), style="red" if rehearsal.delays else "green")
    table.add_row("Steps of the script that came too late", str(len(rehearsal.skipped)))
    table.add_row("Mismatches", str(len(rehearsal.problems)), style="red" if rehearsal.problems else "green")
    console.print(table, _durations(rehearsal), latency_table(rehearsal.metrics, _LATENCIES))
    for sentence in rehearsal.skipped:
        console.print(f"came too late: {sentence}", style="yellow", markup=False)
    print_problems([*rehearsal.problems, *rehearsal.delays], console)


def _durations(rehearsal: ExamRehearsal) -> Table:
    """How long each part took."""
    table = Table("Part", "Seconds", title="Time of each part", title_justify="left")
    table.columns[1].justify = "right"
    phases = [*rehearsal.phases, ("", time.monotonic())]
    for (name, began), (_, ended) in pairwise(phases):
        table.add_row(name, f"{ended - began:.0f}")
    return table


def _candidates(rehearsal: ExamRehearsal) -> dict[str, int | str]:
    results = [each.result for each in rehearsal.candidates if each.result is not None]
    outcomes = Counter(result["outcome"] for result in results)
    started_attempts = [attempt for each in rehearsal.candidates for attempt in each.started_attempts]
    return {
        "Candidates": len(rehearsal.candidates),
        "Papers, questions in each": f"{len(rehearsal.papers)}, {rehearsal.options.questions}",
        "Attempts": len(started_attempts),
        "  with several devices": sum(len(attempt.devices) > 1 for attempt in started_attempts),
        "Outcomes": ", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common()),
    }


def _traffic(rehearsal: ExamRehearsal) -> dict[str, int | str]:
    counts = rehearsal.metrics.counts
    return {
        "Requests": counts["requests"],
        "Starts answered, refused (429 and 503)": (
            f"{len(rehearsal.metrics.latencies['start']):,}, {counts['start refused']:,}"
        ),
        "Saves acknowledged": len(rehearsal.metrics.latencies["save"]),
        "Answers acknowledged": counts["answers acknowledged"],
        "Answers refused, kept as late": f"{counts['answers refused']:,}, {counts['answers kept late']:,}",
        "Responses that the devices threw away": counts["responses lost"],
        "Requests that the devices cancelled": counts["requests cancelled"],
        "Duplicates sent": counts["duplicates"],
        "Conflicts reported": counts["conflicts reported"],
        "Other connections lost": counts["connections lost"],
        "Asked to wait (429 and 503)": counts["responses 429"] + counts["responses 503"],
        "Responses searched for secrets": rehearsal.scanner.scanned,
    }


def _sockets(rehearsal: ExamRehearsal) -> dict[str, int | str]:
    counts = rehearsal.metrics.counts
    if not rehearsal.options.sockets:
        return {"Sockets": "none"}
    disconnected, lost = counts["sockets disconnected"], counts["sockets lost"]
    return {
        "Sockets opened": counts["sockets opened"],
        "  disconnected by us, lost": f"{disconnected:,}, {lost:,}",
        "  replaced by another session": counts["sockets closed with 4403"],
        "Socket messages": counts["socket messages"],
        "  of them replayed": counts["messages replayed"],
        "  connections with a gap": counts["socket gaps"],
    }


def _outcome(rehearsal: ExamRehearsal) -> dict[str, int | str]:
    load_meter = rehearsal.load_meter
    graded = [
        attempt
        for each in rehearsal.candidates
        for attempt in each.started_attempts
        if attempt.result is not None
    ]
    wrong = {sentence.partition(":")[0] for sentence in rehearsal.problems}
    right = [each for each in rehearsal.candidates if f"Candidate {each.number}" not in wrong]
    late = percentile(sorted(load_meter.delays), 0.99) * 1000 if load_meter.delays else 0.0
    compared = sum(map(all_planned_answers_arrived, graded))
    return {
        "Candidates without a problem": f"{len(right)} of {len(rehearsal.candidates)}",
        "Papers equal to what was acknowledged": f"{len(graded)}",
        "  and to the plan, where all answers arrived": f"{compared} of them",
        "This program: share of a core, late by (p99)": f"{load_meter.load:.0%}, {late:.0f} ms",
    }
