"""The counts that staff are shown of an exam, and the counts that they must show."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from rehearsal.exam.database_checks import StoredAttempt

_STATUSES = ("in_progress", "paused", "submitted", "graded", "void")

Counts = dict[str, dict[str, int]]


def expected_counts(rows: Sequence[StoredAttempt], paper_ids: Sequence[UUID]) -> Counts:
    """The number of attempts by paper and status; zeros are left out."""
    return {
        str(paper_id): dict(Counter(row.status for row in rows if row.paper_id == paper_id))
        for paper_id in paper_ids
    }


def displayed_counts(monitor: Mapping[str, Any]) -> Counts:
    """The same counts in the monitor's document, which is equal over HTTP and over a socket."""
    return {
        paper["paper_id"]: {status: paper[status] for status in _STATUSES if paper.get(status)}
        for paper in monitor.get("papers", [])
    }
