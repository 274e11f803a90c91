"""Leaderboards: who has which place among the participants of a test, and in the merit list of an exam.

The caller asks the embargo (docs/decisions/0021): a place is computed from keys.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Numeric,
    Row,
    Select,
    String,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    func,
    literal,
    literal_column,
    select,
    text,
    true,
    tuple_,
)

from app.core.errors import NotFound
from app.engine.scores import Score
from app.models import Attempt, Exam, ExamResult, Paper, Registration, Result, Test, User
from app.repositories.analytics.read_versions import PROFILE
from app.repositories.base import Repository
from app.repositories.embargo import Reader, withholds_a_version
from app.repositories.scores import score_of
from app.repositories.tests import Viewer
from app.repositories.tests.catalog import is_readable, readable_by
from app.repositories.tests.popularity import published_cohort

# The results with these scores, in the given order of scores, and by id within a score. The histogram gives
# the exact order of scores, so the index need not order fractions, and no more rows are read than requested.
_BY_SCORE = """
    select found.attempt_id
    from unnest(:numerators, :denominators) with ordinality as wanted(numerator, denominator, place)
    cross join lateral (
      select results.attempt_id from ias.results {of_category}
      where results.cohort_id = :cohort_id and results.counted
        and results.score_numerator = wanted.numerator
        and results.score_denominator = wanted.denominator
        and (wanted.place > 1 or cast(:beyond as uuid) is null or results.attempt_id {beyond} :beyond)
        {category}
      order by results.attempt_id {direction} limit :rows
    ) as found
    order by wanted.place, found.attempt_id {direction} limit :rows
    """
_OF_CATEGORY = "join ias.users on users.id = results.user_id"


def _by_score(*, forward: bool, by_category: bool) -> Any:
    sql = _BY_SCORE.format(
        beyond=">" if forward else "<",
        direction="asc" if forward else "desc",
        of_category=_OF_CATEGORY if by_category else "",
        category="and users.category = :category" if by_category else "",
    )
    return text(sql).bindparams(
        bindparam("numerators", type_=ARRAY(Numeric)),
        bindparam("denominators", type_=ARRAY(Numeric)),
        bindparam("beyond", type_=Uuid),
    )


_STATEMENTS = {
    (forward, by_category): _by_score(forward=forward, by_category=by_category)
    for forward in (True, False)
    for by_category in (True, False)
}


@dataclass(frozen=True, slots=True)
class BoardOfTest:
    """Whose attempts the board of a test ranks: those of its published version, and of versions like it."""

    paper_version: int | None
    cohort_id: UUID | None
    """None, as the version, if nothing is published."""
    withholds_rank: bool
    """The embargo withholds a version from the reader now. Check this before showing a rank."""
    own: tuple[UUID, Fraction] | None
    """The reader's attempt in this ranking, and its score."""


@dataclass(frozen=True, slots=True)
class Participant:
    """A ranked attempt at a test with its candidate. `name` is None unless the person shows it."""

    attempt_id: UUID
    user_id: UUID | None
    name: str | None
    profile_version: str | None
    score: Score
    rounding: str


@dataclass(frozen=True, slots=True)
class MeritPlace:
    """A place in the merit list of an exam. `name` is None unless the person shows it."""

    rank: int
    category_rank: int | None
    category_percentile: float | None
    pwbd_rank: int | None
    pwbd_percentile: float | None
    category: str
    total: str
    percentile: float
    roll_number: str
    registration_id: UUID
    user_id: UUID | None
    name: str | None


@dataclass(frozen=True, slots=True)
class RankedGroup:
    """Whose places are shown: everybody's, those of a category, or those with a benchmark disability."""

    category: str | None = None
    pwbd: bool = False

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        """What holds for the members of the group."""
        found: list[ColumnElement[bool]] = []
        if self.category is not None:
            found.append(Registration.category == self.category)
        if self.pwbd:
            found.append(ExamResult.pwbd_rank.is_not(None))
        return found


class LeaderboardRepository(Repository):
    """Places of all participants. Names are shown only of those who chose it and have an account."""

    async def of_test(self, viewer: Viewer, test_id: UUID, now: datetime) -> BoardOfTest:
        """The ranking of a test that the viewer may take or has taken. Raises NotFound for another one."""
        values = readable_by(viewer, test_id, now)
        row = (await self._session.execute(_board_of_test(viewer.reader), values)).one_or_none()
        if row is None:
            raise NotFound("test")
        score = None if row.attempt_id is None else Fraction(row.score_numerator, row.score_denominator)
        own = None if score is None else (row.attempt_id, score)
        return BoardOfTest(row.paper_version, row.cohort_id, row.withholds_rank, own)

    async def places(
        self,
        cohort_id: UUID,
        scores: Sequence[Fraction],
        rows: int,
        *,
        category: str | None = None,
        beyond: UUID | None = None,
        forward: bool = True,
    ) -> Sequence[UUID]:
        """Attempts with these scores, ordered by score, then id.

        `beyond` starts after this attempt within the first score. If `forward` is false, ids descend.
        """
        if not scores or rows < 1:
            return []
        values = {
            "numerators": [score.numerator for score in scores],
            "denominators": [score.denominator for score in scores],
            "cohort_id": cohort_id,
            "beyond": beyond,
            "rows": rows,
        }
        if category is not None:
            values["category"] = category
        statement = _STATEMENTS[forward, category is not None]
        return (await self._session.scalars(statement, values)).all()

    async def participants(self, attempt_ids: Sequence[UUID]) -> Mapping[UUID, Participant]:
        """What the board shows of these attempts."""
        rows = await self._session.execute(_participants(), {"ids": list(attempt_ids)})
        return {row.id: _participant(row) for row in rows}

    async def histograms_by_category(self, cohort_id: UUID) -> Sequence[tuple[str, Fraction, int]]:
        """How many participants with each category of the profile have each score. Reads all of them."""
        score = Result.score_numerator, Result.score_denominator
        statement = (
            select(User.category, *score, func.count())
            .join(User, User.id == Result.user_id)
            .where(Result.cohort_id == cohort_id, Result.counted)
            .group_by(User.category, *score)
        )
        found = await self._session.execute(statement)
        return [(category, Fraction(n, d), count) for category, n, d, count in found]

    async def exam_place(self, exam: Exam, user_id: UUID) -> MeritPlace | None:
        """A person's place in the merit list of the current release; None without a rank."""
        row = (await self._session.execute(_merit(exam).where(Registration.user_id == user_id))).one_or_none()
        return MeritPlace(*row) if row is not None else None

    async def exam_places(
        self,
        exam: Exam,
        rows: int,
        group: RankedGroup,
        *,
        beyond: MeritPlace | None = None,
        forward: bool = True,
    ) -> Sequence[MeritPlace]:
        """The first rows of the merit list, or those after `beyond` (before it if `forward` is false)."""
        statement = _merit(exam).where(*group.conditions)
        order: list[ColumnElement[Any]] = [ExamResult.rank, ExamResult.roll_number]  # type: ignore[list-item]
        if beyond is not None:
            place, mark = tuple_(*order), tuple_(literal(beyond.rank), literal(beyond.roll_number))
            statement = statement.where(place > mark if forward else place < mark)
        if not forward:
            order = [each.desc() for each in order]
        found = await self._session.execute(statement.order_by(*order).limit(rows))
        return [MeritPlace(*row) for row in found]

    async def ranked_by_group(self, exam: Exam) -> list[tuple[str, int]]:
        """How many candidates of each category, and with a disability (`pwbd`), are ranked. Reads all."""
        statement = (
            select(Registration.category, func.count(), func.count(ExamResult.pwbd_rank))
            .select_from(ExamResult)
            .join(Registration, Registration.id == ExamResult.registration_id)
            .where(_of_release(exam))
            .group_by(Registration.category)
        )
        rows = (await self._session.execute(statement)).all()
        return [
            *((category, count) for category, count, _ in rows),
            ("pwbd", sum(pwbd for *_, pwbd in rows)),
        ]


@lru_cache(maxsize=32)
def _board_of_test(reader: Reader) -> Select[Any]:
    """The fields of `BoardOfTest` for the test `:test_id` and the reader `:user_id`."""
    cohort = published_cohort().lateral()
    own = and_(
        Result.cohort_id == cohort.c.cohort_id,
        Result.counted,
        Result.user_id == bindparam("user_id", type_=Uuid),
    )
    return (
        select(
            Test.paper_version,
            cohort.c.cohort_id,
            withholds_a_version(reader, Test.id).label("withholds_rank"),
            Result.attempt_id,
            Result.score_numerator,
            Result.score_denominator,
        )
        .select_from(Test)
        .outerjoin(cohort, true())
        .outerjoin(Result, own)
        .where(is_readable(reader))
    )


@lru_cache(maxsize=1)
def _participants() -> Select[Any]:
    """The fields of `Participant` for the attempts `:ids`."""
    return (
        select(
            Attempt.id,
            Attempt.user_id,
            _shown_name(User.name).label("name"),
            literal_column(PROFILE, String).label("profile_version"),
            Paper.marking["rounding"].astext.label("rounding"),
            Paper.max_marks,
            Result.raw_numerator,
            Result.raw_denominator,
            Result.score_numerator,
            Result.score_denominator,
        )
        .join(Result, Result.attempt_id == Attempt.id)
        .join(Paper, Paper.id == Attempt.paper_id)
        .outerjoin(User, User.id == Attempt.user_id)
        .where(Attempt.id == any_(bindparam("ids", type_=ARRAY(Uuid))))
    )


def _of_release(exam: Exam) -> ColumnElement[bool]:
    return and_(
        ExamResult.exam_id == exam.id,
        ExamResult.version == exam.results_version,
        ExamResult.rank.is_not(None),
    )


def _merit(exam: Exam) -> Any:
    """The ranked candidates, in the order of the fields of `MeritPlace`."""
    return (
        select(
            ExamResult.rank,
            ExamResult.category_rank,
            ExamResult.category_percentile,
            ExamResult.pwbd_rank,
            ExamResult.pwbd_percentile,
            Registration.category,
            ExamResult.total,
            ExamResult.percentile,
            ExamResult.roll_number,
            ExamResult.registration_id,
            Registration.user_id,
            _shown_name(Registration.name),
        )
        .join(Registration, Registration.id == ExamResult.registration_id)
        .outerjoin(User, User.id == Registration.user_id)
        .where(_of_release(exam))
    )


def _shown_name(name: ColumnElement[str] | Any) -> ColumnElement[str | None]:
    """The name of those who chose to show it. A deleted account shows none, whatever it chose."""
    chose = User.preferences.contains({"show_name": True})
    return case((and_(chose, User.deleted_at.is_(None)), name), else_=literal(None, String))


def _participant(row: Row[Any]) -> Participant:
    score = score_of(row)
    assert score is not None  # noqa: S101 -- the statement joins results
    return Participant(row.id, row.user_id, row.name, row.profile_version, score, row.rounding)
