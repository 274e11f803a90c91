"""The impact of a key revision: everybody is graded by the new keys, and nothing is stored but the sums."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from app.core import full_collections
from app.engine.revision_impact import Change, Impact, ImpactCount, ResultMark
from app.engine.revision_impact import Regraded as Counted
from app.services.components import Components
from app.services.keys.changes import RevisedPaper
from app.services.keys.cohorts import cohort_changes, cohorts_after
from app.services.keys.regrading import AT_ONCE, FIRST, Regraded, Regrader
from app.services.keys.scales import NewScores
from app.services.unit_of_work import Reading

MAX_PER_REQUEST = 5_000
"""A dry run of more attempts is computed by a job."""


async def impact_of(
    reads: Reading, parts: Components, test_id: UUID, revised: Sequence[RevisedPaper], keep: str
) -> dict[str, Any]:
    """The impact as it is stored: see `Impact`. Reads in batches, and grades in a thread."""
    regrader, counted, after = Regrader(revised, keep), ImpactCount(), FIRST
    cohorts = await cohorts_after(reads, test_id, revised)
    scores = await NewScores.of(reads, revised)
    with full_collections.disabled():
        while gradings := await reads.regrading.graded(test_id, regrader.paper_ids, after, AT_ONCE):
            await regrader.load_old_keys(reads, parts, gradings)
            regraded = await asyncio.to_thread(regrader.regrade_all, gradings)
            await asyncio.to_thread(_count, counted, regraded, cohorts)
            scores.add(regraded)
            after = gradings[-1].attempt_id
        histograms = {each: await reads.attempts.histogram(each) for each in sorted(counted.cohorts)}
        impact = stored(await asyncio.to_thread(counted.impact, histograms))
    return impact | {
        "cohorts": await cohort_changes(reads, test_id, cohorts),
        "obstacle": await scores.obstacle(reads),
    }


def _count(counted: ImpactCount, regraded: Sequence[Regraded], cohorts: Mapping[UUID, UUID]) -> None:
    """Equal changes are counted at once: comparing texts is cheaper than comparing fractions."""
    equal: dict[tuple[Any, ...], list[Regraded]] = {}
    for each in regraded:
        equal.setdefault(_signature(each), []).append(each)
    for group in equal.values():
        counted.add_all([each.stored.attempt_id for each in group], _change(group[0], cohorts))


def _signature(each: Regraded) -> tuple[Any, ...]:
    first, graded = each.stored, each.graded
    places = first.cohort_id, first.paper_id, first.exam_paper_id
    before = first.score_numerator, first.score_denominator, each.printed_before
    after = graded.score.numerator, graded.score.denominator, each.printed_after, graded.qualification
    return *places, *before, first.counted, first.qualification, *after, each.kept, each.is_counted


def _change(each: Regraded, cohorts: Mapping[UUID, UUID]) -> Counted:
    first, graded = each.stored, each.graded
    places = first.cohort_id, first.exam_paper_id or cohorts[first.paper_id]
    before = ResultMark(each.exact_before, each.printed_before, first.counted, first.qualification)
    if each.kept:
        return Counted(before, before, *places)
    after = ResultMark(graded.score, each.printed_after, each.is_counted, graded.qualification)
    return Counted(before, after, *places)


def stored(impact: Impact) -> dict[str, Any]:
    """The impact as JSON: scores as they are printed."""
    return {
        "attempts": impact.attempts,
        "scores_changed": impact.scores_changed,
        "ranks_changed": impact.ranks_changed,
        "other_ranks_changed": impact.other_ranks_changed,
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
