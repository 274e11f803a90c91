"""Whether the official results of released exams can be made with the marks by the keys of a revision.

Some methods of normalization have no result for some marks. The publication could never end then.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from app.engine.merit import Entrant, PaperScore
from app.engine.qualifying import Qualification
from app.models import Exam
from app.repositories.exams import Scored
from app.sentences import Sentence
from app.services.exams import sessions
from app.services.keys.changes import RevisedPaper
from app.services.keys.regrading import Regraded
from app.services.unit_of_work import Reading


class NewScores:
    """The scores of a dry run that official results would be made from."""

    def __init__(self, exams: Sequence[Exam]) -> None:
        self._exams = exams
        self._scores: dict[UUID, tuple[Fraction, Qualification]] = {}

    @classmethod
    async def of(cls, reads: Reading, revised: Sequence[RevisedPaper]) -> "NewScores":
        """No scores yet, for the released exams that normalize scores of a revised paper."""
        return cls(await reads.key_revisions.normalized([each.paper.id for each in revised]))

    def add(self, regraded: Iterable[Regraded]) -> None:
        """Keep the new scores of attempts at exams."""
        if self._exams:
            for each in regraded:
                if each.stored.exam_paper_id is not None and not each.kept:
                    self._scores[each.stored.attempt_id] = each.graded.score, each.graded.qualification

    async def obstacle(self, reads: Reading) -> dict[str, Any] | None:
        """The first method that has no result for the marks, and the papers, as the impact has them."""
        for exam in self._exams:
            papers = await reads.exams.papers(exam.id)
            scored = await reads.exam_results.scored(exam.id)
            entrants = await asyncio.to_thread(_entrants, scored, self._scores)
            if (codes := await asyncio.to_thread(sessions.without_scale, exam, papers, entrants)) is not None:
                return {"method": exam.normalization, "papers": codes}
        return None


def obstacle_of(impact: Mapping[str, Any]) -> Sentence | None:
    """Why a revision with this impact cannot be published, or None."""
    found = impact.get("obstacle")
    if found is None:
        return None
    return Sentence(
        "With the new keys, the method {method} of a released exam has no result for the marks of {papers}."
        " The revision cannot be published.",
        **found,
    )


def _entrants(
    scored: Sequence[Scored], rescored: Mapping[UUID, tuple[Fraction, Qualification]]
) -> list[Entrant]:
    """The candidates of an exam with what decides about a scale."""
    scores: dict[UUID, dict[UUID, PaperScore]] = {}
    for each in scored:
        known = each.score, Qualification(each.qualification)
        exact, qualification = rescored.get(each.attempt_id, known)
        score = PaperScore(exact, Decimal(0), qualification, practice=each.was_staff)
        scores.setdefault(each.registration_id, {})[each.paper_id] = score
    return [Entrant(registration_id, "", papers) for registration_id, papers in scores.items()]
