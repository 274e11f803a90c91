"""Regrading: the results of a revision's papers are replaced by results by the new keys.

The caller has locked the attempts and the keys. Answers come from the results, not from the log
(docs/decisions/0048), so that nobody reads the log of an old exam.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

from app.engine.answers import answer_of
from app.engine.marks import printed
from app.engine.qualifying import Qualification
from app.engine.ranking import Standing, standings
from app.models import Keep, KeyRevision
from app.repositories.attempts import Score
from app.repositories.attempts.key_revisions import GradedSheet
from app.services.components import Components
from app.services.tests.papers import CompiledKey
from app.services.unit_of_work import UnitOfWork

AT_ONCE = 1_000
JOB = 100
"""How many attempts a job of analytics takes."""


@dataclass(frozen=True, slots=True)
class Regraded:
    """One attempt: its result before, and the row by the new key."""

    attempt_id: UUID
    key_before: UUID
    key_after: UUID
    kept: bool
    before: Score
    after: Score
    was_counted: bool
    is_counted: bool
    printed_before: str
    printed_after: str


@dataclass(slots=True)
class Regrading:
    """What a regrading needs and gathers."""

    revision: KeyRevision
    keys: Mapping[UUID, CompiledKey]
    """The new key of each paper."""
    now: datetime
    done: list[Regraded] = field(default_factory=list)


async def regrade(uow: UnitOfWork, parts: Components, regrading: Regrading, attempt_ids: set[UUID]) -> bool:
    """Replace the results of all graded attempts at the papers, and rebuild the histograms last.

    Returns False, and the caller rolls back, if an attempt has a result that was not locked: it was graded
    between the lock of the attempts and that of the keys.
    """
    paper_ids, test_id, after = list(regrading.keys), regrading.revision.test_id, None
    ranks_before: dict[UUID, Mapping[Fraction, Standing]] = {}
    while sheets := await uow.key_revisions.graded_sheets(test_id, paper_ids, after, AT_ONCE):
        if not attempt_ids.issuperset(sheet.attempt_id for sheet in sheets):
            return False
        for cohort_id in {sheet.cohort_id for sheet in sheets} - ranks_before.keys():
            ranks_before[cohort_id] = standings(await uow.attempts.histogram(cohort_id))
        await _replace(uow, parts, regrading, sheets)
        after = sheets[-1].attempt_id
    await _count(uow, regrading.done)
    await _record(uow, regrading, ranks_before)
    return True


async def _replace(
    uow: UnitOfWork, parts: Components, regrading: Regrading, sheets: Sequence[GradedSheet]
) -> None:
    old_keys = {key_id: await parts.papers.key(uow, key_id) for key_id in {sheet.key_id for sheet in sheets}}
    ids = [sheet.attempt_id for sheet in sheets]
    await uow.grading.remove_results(ids)
    rows = await asyncio.to_thread(_regrade_all, regrading, sheets, old_keys)
    await uow.grading.insert_results(rows)
    for first in range(0, len(ids), JOB):
        some = [str(attempt_id) for attempt_id in ids[first : first + JOB]]
        uow.jobs.add("calculate_user_analytics", attempt_ids=some)


def _regrade_all(
    regrading: Regrading,
    sheets: Sequence[GradedSheet],
    old_keys: Mapping[UUID, CompiledKey],
) -> list[dict[str, Any]]:
    rows = []
    for sheet in sheets:
        row, regraded = _regrade(regrading, sheet, old_keys[sheet.key_id])
        rows.append(row)
        regrading.done.append(regraded)
    return rows


def _regrade(
    regrading: Regrading, sheet: GradedSheet, old_key: CompiledKey
) -> tuple[dict[str, Any], Regraded]:
    key = regrading.keys[sheet.paper_id]
    graded = key.grader.grade([answer_of(answer) for answer in sheet.answers])
    kept = regrading.revision.keep == Keep.HIGHER and sheet.score > graded.score
    row = _row(sheet, key, regrading.now)
    if not kept:
        may_count = sheet.counted or (
            sheet.qualification == Qualification.DISQUALIFIED and not sheet.practice and not sheet.was_staff
        )
        row |= {
            "key_id": key.id,
            "counted": may_count and graded.qualification is not Qualification.DISQUALIFIED,
            "qualification": graded.qualification.value,
            "score_numerator": graded.score.numerator,
            "score_denominator": graded.score.denominator,
            "raw_numerator": graded.raw.numerator,
            "raw_denominator": graded.raw.denominator,
            "outcomes": graded.outcomes,
            "marks": list(graded.marks),
            "marks_denominator": graded.denominator,
        }
    standing = old_key if kept else key
    raw = sheet.raw if kept else graded.raw
    score = sheet.score if kept else graded.score
    return row, Regraded(
        attempt_id=sheet.attempt_id,
        key_before=sheet.key_id,
        key_after=key.id,
        kept=kept,
        before=(sheet.cohort_id, sheet.score),
        after=(row["cohort_id"], score),
        was_counted=sheet.counted,
        is_counted=row["counted"],
        printed_before=printed(sheet.raw, old_key.rules.factor, old_key.rules.rounding),
        printed_after=printed(raw, standing.rules.factor, standing.rules.rounding),
    )


def _row(sheet: GradedSheet, key: CompiledKey, now: datetime) -> dict[str, Any]:
    """The row of a result as it was, in the cohort of the new key."""
    return {
        "attempt_id": sheet.attempt_id,
        "cohort_id": sheet.exam_paper_id or key.cohort_id,
        "user_id": sheet.user_id,
        "counted": sheet.counted,
        "was_staff": sheet.was_staff,
        "qualification": sheet.qualification,
        "key_id": sheet.key_id,
        "score_numerator": sheet.score.numerator,
        "score_denominator": sheet.score.denominator,
        "raw_numerator": sheet.raw.numerator,
        "raw_denominator": sheet.raw.denominator,
        "answers": sheet.answers,
        "outcomes": sheet.outcomes,
        "marks": sheet.marks,
        "marks_denominator": sheet.marks_denominator,
        "graded_at": now,
    }


async def _count(uow: UnitOfWork, done: Sequence[Regraded]) -> None:
    """The histograms last (docs/decisions/0014), all scores in one order."""
    changes = Counter(each.after for each in done if each.is_counted)
    changes.subtract(each.before for each in done if each.was_counted)
    await uow.grading.discount_scores({score: -count for score, count in changes.items() if count < 0})
    await uow.grading.count_scores({score: count for score, count in changes.items() if count > 0})


async def _record(
    uow: UnitOfWork, regrading: Regrading, ranks_before: Mapping[UUID, Mapping[Fraction, Standing]]
) -> None:
    """Keep what the results were before, with ranks: see `RevisedResult`."""
    cohorts = {each.after[0] for each in regrading.done}
    ranks_after = {
        cohort_id: standings(await uow.attempts.histogram(cohort_id)) for cohort_id in sorted(cohorts)
    }
    for first in range(0, len(regrading.done), AT_ONCE):
        await uow.key_revisions.add_results(
            [
                {
                    "revision_id": regrading.revision.id,
                    "attempt_id": each.attempt_id,
                    "key_before": each.key_before,
                    "key_after": each.key_after,
                    "kept": each.kept,
                    "score_before": each.printed_before,
                    "score_after": each.printed_after,
                    "exact_before": str(each.before[1]),
                    "exact_after": str(each.after[1]),
                    "rank_before": _rank(ranks_before, each.before) if each.was_counted else None,
                    "rank_after": _rank(ranks_after, each.after) if each.is_counted else None,
                }
                for each in regrading.done[first : first + AT_ONCE]
            ]
        )


def _rank(ranks: Mapping[UUID, Mapping[Fraction, Standing]], score: Score) -> int:
    cohort_id, exact = score
    return ranks[cohort_id][exact].rank
