"""Regrading stored answers by other keys, for a dry run and for a publication.

Answers come from the results, not from the log (docs/decisions/0048), so that nobody reads the log of an old
exam.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from uuid import UUID

import orjson

from app.engine.answers import answer_of
from app.engine.grading import GradedAttempt, Grader
from app.engine.marks import printed
from app.engine.qualifying import Qualification
from app.engine.scoring import PaperKey
from app.models import Keep
from app.repositories.attempts.regrading import StoredGrading
from app.services.components import Components
from app.services.keys.changes import RevisedPaper
from app.services.tests.papers import paper_key
from app.services.unit_of_work import Reading

AT_ONCE = 5_000
FIRST = UUID(int=0)
"""Before the id of each attempt."""


@dataclass(frozen=True, slots=True)
class Marking:
    """What a paper is marked by, and the scores that were printed by it."""

    rules: PaperKey
    scores: dict[tuple[int | str, int | str], str] = field(default_factory=dict)

    def printed(self, numerator: int | str, denominator: int | str) -> str:
        """Raw marks as they are printed. A paper has few scores, so that each is printed once."""
        found = self.scores.get((numerator, denominator))
        if found is None:
            raw = Fraction(int(numerator), int(denominator))
            found = printed(raw, self.rules.factor, self.rules.rounding)
            self.scores[numerator, denominator] = found
        return found


@dataclass(frozen=True, slots=True)
class Regraded:
    """One attempt: its result before, and its grading by the new key. `kept`: the result before stands."""

    stored: StoredGrading
    graded: GradedAttempt
    kept: bool
    is_counted: bool
    exact_before: Fraction
    printed_before: str
    printed_after: str


class Regrader:
    """Grades stored answers by the keys that papers would have, or get. For one thread at a time."""

    def __init__(self, revised: Sequence[RevisedPaper], keep: str) -> None:
        self._new = {each.paper.id: Marking(paper_key(each.paper.rules, each.key)) for each in revised}
        self._graders = {paper_id: Grader(marking.rules) for paper_id, marking in self._new.items()}
        self._old: dict[UUID, Marking] = {}
        self._keeps_higher = keep == Keep.HIGHER

    @property
    def paper_ids(self) -> list[UUID]:
        return sorted(self._new)

    async def load_old_keys(
        self, reads: Reading, parts: Components, gradings: Sequence[StoredGrading]
    ) -> None:
        """Read the keys of these gradings."""
        for key_id in {stored.key_id for stored in gradings} - self._old.keys():
            self._old[key_id] = Marking((await parts.papers.key(reads, key_id)).rules)

    def regrade_all(self, gradings: Sequence[StoredGrading]) -> list[Regraded]:
        """Grade the answers again. The old keys are loaded."""
        return [self._regrade(stored) for stored in gradings]

    def _regrade(self, stored: StoredGrading) -> Regraded:
        graded = self._graders[stored.paper_id].grade(
            [answer_of(each) for each in orjson.loads(stored.answers)]
        )
        exact_before = _exact(stored.score_numerator, stored.score_denominator)
        kept = self._keeps_higher and _is_better(stored, exact_before, graded)
        printed_before = self._old[stored.key_id].printed(stored.raw_numerator, stored.raw_denominator)
        return Regraded(
            stored=stored,
            graded=graded,
            kept=kept,
            is_counted=stored.counted if kept else _counts(stored, graded),
            exact_before=exact_before,
            printed_before=printed_before,
            printed_after=printed_before
            if kept
            else self._new[stored.paper_id].printed(graded.raw.numerator, graded.raw.denominator),
        )


def _is_better(stored: StoredGrading, exact_before: Fraction, graded: GradedAttempt) -> bool:
    """Whether the result before has the higher score, or the same one and only it qualifies."""
    if exact_before != graded.score:
        return exact_before > graded.score
    was_qualified = stored.qualification == Qualification.QUALIFIED
    return was_qualified and graded.qualification is not Qualification.QUALIFIED


def _counts(stored: StoredGrading, graded: GradedAttempt) -> bool:
    """Whether the result by the new key counts: one that was disqualified may count now."""
    if graded.qualification is Qualification.DISQUALIFIED:
        return False
    was_disqualified = stored.qualification == Qualification.DISQUALIFIED
    return stored.counted or (was_disqualified and not stored.practice and not stored.was_staff)


@lru_cache(maxsize=8_192)
def _exact(numerator: str, denominator: str) -> Fraction:
    return Fraction(int(numerator), int(denominator))


def staged_row(each: Regraded) -> Sequence[str | None]:
    """The row of `regraded_results`. Where the score before stands, the last columns stay as they are."""
    stored, graded = each.stored, each.graded
    score = each.exact_before if each.kept else graded.score
    before = (
        str(stored.attempt_id),
        stored.version,
        str(stored.paper_id),
        str(stored.exam_paper_id) if stored.exam_paper_id else None,
        str(stored.key_id),
        str(stored.cohort_id),
        _flag(stored.counted),
        _flag(each.kept),
        _flag(each.is_counted),
        each.printed_before,
        each.printed_after,
        str(each.exact_before),
        str(score),
        str(score.numerator),
        str(score.denominator),
    )
    if each.kept:
        return *before, None, None, None, None, None, None
    return (
        *before,
        str(graded.raw.numerator),
        str(graded.raw.denominator),
        graded.qualification.value,
        graded.outcomes,
        " ".join(map(str, graded.marks)),
        str(graded.denominator),
    )


def _flag(value: bool) -> str:
    return "t" if value else "f"
