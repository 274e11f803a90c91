"""The table at a rehearsed exam's end: numbers, latencies, what was killed, and what is wrong."""

from collections import Counter

from rich.console import Console
from rich.table import Table

from rehearsal.checks import compared_with_meaning
from rehearsal.exam.run import ExamRehearsal
from rehearsal.summary import latency_table, percentile, print_problems

_LATENCIES = (
    "register",
    "place",
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
    """Everything that a person wants to know the evening before."""
    table = Table("What", "How much", title=f"Rehearsed exam in {seconds:.0f} s", title_justify="left")
    table.columns[1].justify = "right"
    rows = _people(rehearsal) | _traffic(rehearsal) | _sockets(rehearsal) | _verdict(rehearsal)
    for name, value in rows.items():
        table.add_row(name, f"{value:,}" if isinstance(value, int) else value)
    for name, back_after in rehearsal.killer.back_after if rehearsal.killer else []:
        table.add_row(f"{name} killed, back after", f"{back_after:.1f} s")
    table.add_row("Mismatches", str(len(rehearsal.problems)), style="red" if rehearsal.problems else "green")
    console.print(table, latency_table(rehearsal.tally, _LATENCIES))
    print_problems(rehearsal.problems, console)


def _people(rehearsal: ExamRehearsal) -> dict[str, int | str]:
    results = [each.result for each in rehearsal.candidates if each.result is not None]
    outcomes = Counter(result["outcome"] for result in results)
    begun = [sitting for each in rehearsal.candidates for sitting in each.begun]
    return {
        "Candidates": len(rehearsal.candidates),
        "Papers, questions in each": f"{len(rehearsal.halls)}, {rehearsal.options.questions}",
        "Attempts": len(begun),
        "  with several devices": sum(len(sitting.devices) > 1 for sitting in begun),
        "Outcomes": ", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common()),
    }


def _traffic(rehearsal: ExamRehearsal) -> dict[str, int | str]:
    counts = rehearsal.tally.counts
    return {
        "Requests": counts["requests"],
        "Saves acknowledged": len(rehearsal.tally.latencies["save"]),
        "Answers acknowledged": counts["answers acknowledged"],
        "Answers refused, kept as late": f"{counts['answers refused']:,}, {counts['answers kept late']:,}",
        "Server's answers thrown away": counts["answers lost"],
        "Requests cancelled under way": counts["requests cancelled"],
        "Duplicates sent": counts["duplicates"],
        "Contradictions reported": counts["conflicts reported"],
        "Connections lost": counts["connections lost"],
        "Asked to wait (429 and 503)": counts["answers 429"] + counts["answers 503"],
        "Answers searched for secrets": rehearsal.secrecy.looked_at,
    }


def _sockets(rehearsal: ExamRehearsal) -> dict[str, int | str]:
    counts = rehearsal.tally.counts
    if not rehearsal.options.sockets:
        return {"Sockets": "none"}
    dropped, lost = counts["sockets dropped"], counts["sockets lost"]
    return {
        "Sockets opened": counts["sockets greeted"],
        "  dropped by us, lost": f"{dropped:,}, {lost:,}",
        "  moved to another session": counts["sockets closed with 4403"],
        "Socket messages": counts["socket messages"],
        "  of them replayed": counts["messages replayed"],
        "  connections with a gap": counts["socket gaps"],
    }


def _verdict(rehearsal: ExamRehearsal) -> dict[str, int | str]:
    pulse = rehearsal.pulse
    graded = [
        sitting for each in rehearsal.candidates for sitting in each.begun if sitting.result is not None
    ]
    wrong = {sentence.partition(":")[0] for sentence in rehearsal.problems}
    right = [each for each in rehearsal.candidates if f"Candidate {each.number}" not in wrong]
    late = percentile(sorted(pulse.delays), 0.99) * 1000 if pulse.delays else 0.0
    return {
        "Candidates with everything right": f"{len(right)} of {len(rehearsal.candidates)}",
        "Papers equal to what was acknowledged": f"{len(graded)}",
        "  and to what was meant, where all arrived": f"{sum(map(compared_with_meaning, graded))} of them",
        "This program: share of a core, late by (p99)": f"{pulse.load:.0%}, {late:.0f} ms",
    }
