"""What `ias exam export` wrote: read, compared with what candidates know, and before with after."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from rehearsal.dispute.candidates import Candidate

Row = Mapping[str, Any]
_RESULT = ("outcome", "total", "rank", "category_rank", "percentile")


@dataclass(frozen=True, slots=True)
class Export:
    """An exam and its candidates by roll number."""

    exam: Mapping[str, Any]
    rows: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> "Export":
        """An export from its file."""
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        return cls(lines[0], {row["roll_number"]: row for row in lines[1:]})


@dataclass(frozen=True, slots=True)
class Change:
    """A candidate's score and rank before and after the revision."""

    roll_number: str
    before: Row
    after: Row

    @property
    def is_told(self) -> bool:
        """Whether the candidate must hear of it."""
        return self.changes_score or self.changes_rank

    @property
    def changes_score(self) -> bool:
        return self.gain != 0

    @property
    def changes_rank(self) -> bool:
        return bool(self.before["rank"] != self.after["rank"])

    @property
    def gain(self) -> Fraction:
        """Marks that were gained, exactly."""
        return _exact(self.after) - _exact(self.before)

    @property
    def places(self) -> int:
        """Places that were gained."""
        return int(self.before["rank"] - self.after["rank"])

    @property
    def clears(self) -> tuple[bool, bool]:
        """Whether the candidate cleared the cut-off before, and clears it after."""
        return self.before["cutoff"]["cleared"], self.after["cutoff"]["cleared"]


def changes(before: Export, after: Export) -> list[Change]:
    """The change of each candidate."""
    return [Change(number, row, after.rows[number]) for number, row in before.rows.items()]


def mismatches(export: Export, candidates: Sequence[Candidate], key: int, reading: int) -> Iterator[str]:
    """Where an export differs from what candidates sent, and from the results that they have read.

    `key` is the version by which everybody must be marked, `reading` the index in `Candidate.results`.
    """
    if len(export.rows) != len(candidates):
        yield f"the export has {len(export.rows)} candidates, not {len(candidates)}"
    for candidate in candidates:
        row = export.rows.get(candidate.roll_number)
        name = f"Candidate {candidate.person.number}"
        if row is None:
            yield f"{name} is not in the export"
            continue
        [sheet] = row["papers"]
        sent = [list(answer) if answer else None for answer in candidate.person.final]
        if sheet["answers"] != sent:
            yield f"{name}: the answers in the export are not those that were sent"
        if sheet["key"] != key:
            yield f"{name} is marked by version {sheet['key']} of the key, not {key}"
        own = candidate.results[reading]
        if any(own[field] != row[field] for field in _RESULT):
            yield f"{name}: the own result and the export differ"


def revision_mismatches(found: Sequence[Change], candidates: Sequence[Candidate]) -> Iterator[str]:
    """Where the revision in a candidate's own result is not what has changed."""
    of_number = {candidate.roll_number: candidate for candidate in candidates}
    for change in found:
        candidate = of_number[change.roll_number]
        shown = [
            (each["score_before"], each["score_after"], each["rank_before"], each["rank_after"])
            for each in candidate.results[-1]["revisions"]
        ]
        before, after = change.before, change.after
        if shown != [(before["total"], after["total"], before["rank"], after["rank"])]:
            yield f"Candidate {candidate.person.number}: the own result shows the revisions {shown}"


def impact_mismatches(found: Sequence[Change], impact: Mapping[str, Any]) -> Iterator[str]:
    """Where the dry run foretold something else than what happened."""
    happened = {
        "attempts": len(found),
        "scores_changed": sum(change.changes_score for change in found),
        "ranks_changed": sum(change.changes_rank for change in found),
    }
    for name, count in happened.items():
        if impact[name] != count:
            yield f"the dry run foretold {name}: {impact[name]}; it was {count}"


def _exact(row: Row) -> Fraction:
    return Fraction(row["papers"][0]["score_exact"])
