"""What staff are shown of an exam, and what it should be."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from rehearsal.exam.looks import Row

_STATES = ("in_progress", "paused", "submitted", "graded", "void")

Counts = dict[str, dict[str, int]]


def truth(rows: Sequence[Row], paper_ids: Sequence[UUID]) -> Counts:
    """By paper, how many attempts stand where; states with nobody in them are left out."""
    return {
        str(paper_id): dict(Counter(row.status for row in rows if row.paper_id == paper_id))
        for paper_id in paper_ids
    }


def shown(monitor: Mapping[str, Any]) -> Counts:
    """The same out of a monitor, over HTTP or a socket."""
    return {
        paper["paper_id"]: {state: paper[state] for state in _STATES if paper.get(state)}
        for paper in monitor.get("papers", [])
    }
