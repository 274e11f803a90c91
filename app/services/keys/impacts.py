"""The impact of a key revision: everybody is graded by the new keys, and nothing is stored but the sums."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any
from uuid import UUID

from app.engine.answers import answer_of
from app.engine.grading import Grader
from app.engine.marks import printed
from app.engine.qualifying import Qualification
from app.engine.revision_impact import Change, Impact, ImpactCount, Mark, Regraded
from app.engine.scoring import PaperKey
from app.models import Keep
from app.repositories.attempts.key_revisions import GradedSheet
from app.services.components import Components
from app.services.keys.changes import RevisedPaper
from app.services.tests.papers import paper_key
from app.services.unit_of_work import Reading

AT_ONCE = 1_000
MOST_IN_A_REQUEST = 5_000
"""A dry run of more attempts is computed by a job."""


async def impact_of(
    reads: Reading, parts: Components, test_id: UUID, revised: Sequence[RevisedPaper], keep: str
) -> dict[str, Any]:
    """The impact as it is stored: see `Impact`. Reads in batches, and grades in a thread."""
    new_keys = {each.paper.id: _NewKey.of(each) for each in revised}
    counted, after = ImpactCount(), None
    while True:
        sheets = await reads.key_revisions.graded_sheets(test_id, list(new_keys), after, AT_ONCE)
        old_keys = {
            key_id: (await parts.papers.key(reads, key_id)).rules
            for key_id in {sheet.key_id for sheet in sheets}
        }
        await asyncio.to_thread(_count, counted, sheets, old_keys, new_keys, keep)
        if len(sheets) < AT_ONCE:
            return stored(await asyncio.to_thread(counted.impact))
        after = sheets[-1].attempt_id


@dataclass(frozen=True, slots=True)
class _NewKey:
    """What a paper would be marked by."""

    rules: PaperKey
    grader: Grader

    @classmethod
    def of(cls, revised: RevisedPaper) -> "_NewKey":
        rules = paper_key(revised.paper.rules, revised.key)
        return cls(rules, Grader(rules))


def _count(
    counted: ImpactCount,
    sheets: Sequence[GradedSheet],
    old_keys: Mapping[UUID, PaperKey],
    new_keys: Mapping[UUID, _NewKey],
    keep: str,
) -> None:
    for sheet in sheets:
        before = _mark_before(sheet, old_keys[sheet.key_id])
        after = _mark_after(sheet, new_keys[sheet.paper_id])
        if keep == Keep.HIGHER and before.score > after.score:
            after = before
        counted.add(sheet.attempt_id, Regraded(sheet.cohort_id, before, after))


def _mark_before(sheet: GradedSheet, key: PaperKey) -> Mark:
    return Mark(sheet.score, _printed(key, sheet.raw), sheet.counted, sheet.qualification)


def _mark_after(sheet: GradedSheet, new: _NewKey) -> Mark:
    graded = new.grader.grade([answer_of(answer) for answer in sheet.answers])
    was_disqualified = sheet.qualification == Qualification.DISQUALIFIED
    may_rank = sheet.counted or (was_disqualified and not sheet.practice and not sheet.was_staff)
    is_ranked = may_rank and graded.qualification is not Qualification.DISQUALIFIED
    return Mark(graded.score, _printed(new.rules, graded.raw), is_ranked, graded.qualification)


def _printed(key: PaperKey, raw: Fraction) -> str:
    return _printed_by(raw, key.factor, key.rounding)


_printed_by = lru_cache(maxsize=8_192)(printed)
"""A paper has few scores."""


def stored(impact: Impact) -> dict[str, Any]:
    """The impact as JSON: scores as they are printed."""
    return {
        "attempts": impact.attempts,
        "scores_changed": impact.scores_changed,
        "ranks_changed": impact.ranks_changed,
        "qualified_changed": impact.qualified_changed,
        "biggest_changes": [_shown(change) for change in impact.biggest_changes],
        "distribution": [{"marks": marks, "attempts": attempts} for marks, attempts in impact.distribution],
    }


def _shown(change: Change) -> dict[str, Any]:
    return {
        "attempt_id": str(change.attempt_id),
        "score_before": change.before.printed,
        "score_after": change.after.printed,
        "rank_before": change.rank_before,
        "rank_after": change.rank_after,
        "qualification_before": change.before.qualification,
        "qualification_after": change.after.qualification,
    }
