"""A person's own attempts whose results are shown to them, with their figures."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Row, Select, Uuid, and_, any_, bindparam, exists, literal, select, text

from app.engine.attempt_figures import SubjectSums, sums_by_subject
from app.engine.ranking import CohortPlace
from app.engine.scores import Score
from app.models import (
    Attempt,
    AttemptFigures,
    AttemptStatus,
    LocalizedText,
    Paper,
    PaperStatistics,
    Result,
    SubjectAbility,
    Test,
)
from app.repositories.base import Repository
from app.repositories.embargo import Reader, shows_ranks, shows_results
from app.repositories.scores import score_of
from app.repositories.tests import Viewer

MAX_ATTEMPTS = 500
"""The newest ones. Who has more of them gets figures of these."""

# How many participants have a higher score, and how many there are, in the cohort of each attempt.
# The lateral joins look up each attempt, and read the histograms of these cohorts and not those of all tests.
# Without OFFSET 0 PostgreSQL may read all results before they are analyzed.
STANDINGS = text(
    """
    select own.attempt_id, counted.participants, counted.above
    from unnest(:attempts) as asked(id) cross join lateral (
      select attempt_id, cohort_id, score_numerator, score_denominator
      from ias.results where attempt_id = asked.id and counted
      offset 0
    ) as own cross join lateral (
      select coalesce(sum(candidates), 0)::int as participants,
        coalesce(sum(candidates) filter (
          where numerator * own.score_denominator > own.score_numerator * denominator), 0)::int as above
      from ias.score_counts where cohort_id = own.cohort_id
    ) as counted
    """
).bindparams(bindparam("attempts", type_=ARRAY(Uuid)))

COLUMNS: tuple[Any, ...] = (
    Attempt.id,
    Attempt.test_id,
    Attempt.paper_id,
    Attempt.exam_paper_id,
    Attempt.number,
    Attempt.practice,
    Attempt.started_at,
    Attempt.submitted_at,
    Test.kind,
    (Test.review != "never").label("may_review"),
    Paper.title,
    Paper.marking,
    Paper.max_marks,
    Result.key_id,
    Result.cohort_id,
    Result.counted,
    Result.outcomes,
    Result.raw_numerator,
    Result.raw_denominator,
    Result.score_numerator,
    Result.score_denominator,
    AttemptFigures.confidence,
    AttemptFigures.language,
    AttemptFigures.subject_ids,
    AttemptFigures.sums,
    AttemptFigures.denominator,
    AttemptFigures.right_to_wrong,
    AttemptFigures.wrong_to_right,
    AttemptFigures.wrong_to_wrong,
    AttemptFigures.net_marks,
    PaperStatistics.attempts.label("analyzed"),
    PaperStatistics.mean,
    PaperStatistics.standard_deviation,
    PaperStatistics.standard_error,
)
"""A statement with these has a column `may_compare` too."""


# Arrays in the order of each paper: a row for each question would cost more than the rest of the overview.
QUESTIONS = text(
    """
    select placed.paper_id, array_agg(subject_id order by position) as subjects,
      array_agg(discrimination order by position) as discriminations,
      array_agg(difficulty order by position) as difficulties,
      array_agg(guessing order by position) as guessings
    from ias.paper_questions as placed join ias.questions on questions.id = placed.question_id
    left join ias.item_parameters on item_parameters.question_id = placed.question_id
    where placed.paper_id = any(:papers) group by placed.paper_id
    """
).bindparams(bindparam("papers", type_=ARRAY(Uuid)))


@dataclass(frozen=True, slots=True)
class PaperQuestions:
    """The questions of a paper in its order: their subjects, and their parameters if they are calibrated."""

    subjects: Sequence[UUID]
    curves: Sequence[tuple[float, float, float] | None]
    """Discrimination, difficulty and guessing."""


@dataclass(frozen=True, slots=True)
class KeptFigures:
    """The figures of an attempt: see `models.AttemptFigures`. Marks are in parts of `1 / denominator`."""

    confidence: str
    language: str | None
    subjects: Mapping[UUID, SubjectSums]
    denominator: int
    right_to_wrong: int
    wrong_to_right: int
    wrong_to_wrong: int
    net_marks: int
    total: SubjectSums
    """The sums of all subjects."""


@dataclass(frozen=True, slots=True)
class TestScale:
    """What the statistics of a test say of its scores, in marks before proration."""

    __test__ = False

    attempts: int
    mean: float | None
    standard_deviation: float | None
    standard_error: float | None


@dataclass(frozen=True, slots=True)
class ShownAttempt:
    """A graded attempt whose result its candidate may see."""

    id: UUID
    test_id: UUID
    paper_id: UUID
    exam_paper_id: UUID | None
    key_id: UUID
    cohort_id: UUID
    number: int
    practice: bool
    counted: bool
    """Whether it is in the histogram of its cohort."""
    started_at: datetime
    submitted_at: datetime
    title: LocalizedText
    kind: str
    may_review: bool
    """Whether the candidate may see the outcomes of single questions."""
    may_compare: bool
    """Whether no version of the paper is withheld, so that a rank tells of no withheld score."""
    marking: Mapping[str, Any]
    """The scheme of the test. Single questions may have other marks."""
    score: Score
    outcomes: str
    figures: KeptFigures | None
    """None until the task has computed them."""
    scale: TestScale | None
    """None if the test has no statistics."""


class ShownRepository(Repository):
    """The attempts that analytics may use for their candidate: graded, not void and not withheld (0021)."""

    async def attempts(
        self,
        viewer: Viewer,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = MAX_ATTEMPTS,
    ) -> Sequence[ShownAttempt]:
        """The viewer's attempts that ended in this time (`until` excluded), newest first."""
        statement = _newest(viewer.reader, limit)
        if since is not None:
            statement = statement.where(Attempt.submitted_at >= since)
        if until is not None:
            statement = statement.where(Attempt.submitted_at < until)
        own = {"user_id": viewer.user_id, "institute_id": viewer.institute_id}
        return [attempt_of(row) for row in await self._session.execute(statement, own)]

    async def questions(self, paper_ids: Collection[UUID]) -> Mapping[UUID, PaperQuestions]:
        """The questions of papers. No parameter rests on a withheld result: see `ItemParameters`."""
        rows = await self._session.execute(QUESTIONS, {"papers": list(paper_ids)})
        return {
            row.paper_id: PaperQuestions(
                row.subjects,
                [
                    curve if curve[0] is not None else None
                    for curve in zip(row.discriminations, row.difficulties, row.guessings, strict=True)
                ],
            )
            for row in rows
        }

    async def spent_ms(self, attempt_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[int]]:
        """The times by question of shown attempts, of those whose log has times."""
        statement = select(AttemptFigures.attempt_id, AttemptFigures.spent_ms).where(
            AttemptFigures.attempt_id == any_(literal(list(attempt_ids), ARRAY(Uuid))),
            AttemptFigures.spent_ms.is_not(None),
        )
        return {row.attempt_id: row.spent_ms for row in await self._session.execute(statement)}

    async def abilities(self, viewer: Viewer) -> Mapping[UUID, SubjectAbility]:
        """The viewer's abilities by subject.

        None while the result of a graded attempt is withheld: an ability may rest on it.
        """
        rows = await self._session.scalars(_abilities(viewer.reader), {"user_id": viewer.user_id})
        return {row.subject_id: row for row in rows}

    async def standings(self, attempt_ids: Sequence[UUID]) -> Mapping[UUID, CohortPlace]:
        """Where shown attempts are in their cohorts now; only those that count have a place.

        The caller asks the embargo about the other versions of the tests.
        """
        if not attempt_ids:
            return {}
        rows = await self._session.execute(STANDINGS, {"attempts": list(attempt_ids)})
        return {row.attempt_id: CohortPlace(row.above, row.participants) for row in rows}


@lru_cache(maxsize=32)
def _abilities(reader: Reader) -> Select[SubjectAbility]:
    """The abilities of the person `:user_id`."""
    user_id = bindparam("user_id", type_=Uuid)
    withheld = exists().where(
        Attempt.user_id == user_id, Attempt.status == AttemptStatus.GRADED, ~shows_results(reader)
    )
    return select(SubjectAbility).where(SubjectAbility.user_id == user_id, ~withheld)


@lru_cache(maxsize=32)
def _newest(reader: Reader, limit: int) -> Select[Any]:
    """Kept whole: SQLAlchemy computes the key of its own cache once for each statement object."""
    return _shown(reader).order_by(Attempt.id.desc()).limit(limit)


def _shown(reader: Reader) -> Select[Any]:
    """The attempts of the person `:user_id` in the institute `:institute_id`."""
    statistics = and_(
        PaperStatistics.cohort_id == Result.cohort_id, PaperStatistics.paper_id == Attempt.paper_id
    )
    return (
        select(*COLUMNS, shows_ranks(reader, Attempt.test_id).label("may_compare"))
        .select_from(Attempt)
        .join(Test, Test.id == Attempt.test_id)
        .join(Paper, Paper.id == Attempt.paper_id)
        .join(Result, Result.attempt_id == Attempt.id)
        .outerjoin(AttemptFigures, AttemptFigures.attempt_id == Attempt.id)
        .outerjoin(PaperStatistics, statistics)
        .where(
            Attempt.user_id == bindparam("user_id", type_=Uuid),
            Attempt.status == AttemptStatus.GRADED,
            Test.institute_id == bindparam("institute_id", type_=Uuid),
            shows_results(reader),
        )
    )


def attempt_of(row: Row[Any]) -> ShownAttempt:
    """An attempt from a row with `COLUMNS`. The caller asks the embargo."""
    score = score_of(row)
    assert score is not None  # noqa: S101 -- the statement joins results
    return ShownAttempt(
        id=row.id,
        test_id=row.test_id,
        paper_id=row.paper_id,
        exam_paper_id=row.exam_paper_id,
        key_id=row.key_id,
        cohort_id=row.cohort_id,
        number=row.number,
        practice=row.practice,
        counted=row.counted,
        started_at=row.started_at,
        submitted_at=row.submitted_at,
        title=row.title,
        kind=row.kind,
        may_review=row.may_review,
        may_compare=row.may_compare,
        marking=row.marking,
        score=score,
        outcomes=row.outcomes,
        figures=_figures(row),
        scale=_scale(row),
    )


def _figures(row: Row[Any]) -> KeptFigures | None:
    if row.sums is None:
        return None
    subjects = sums_by_subject(row.subject_ids, row.sums)
    return KeptFigures(
        confidence=row.confidence,
        language=row.language,
        subjects=subjects,
        total=sum(subjects.values(), SubjectSums()),
        denominator=row.denominator,
        right_to_wrong=row.right_to_wrong,
        wrong_to_right=row.wrong_to_right,
        wrong_to_wrong=row.wrong_to_wrong,
        net_marks=row.net_marks,
    )


def _scale(row: Row[Any]) -> TestScale | None:
    if row.analyzed is None:
        return None
    return TestScale(row.analyzed, row.mean, row.standard_deviation, row.standard_error)
