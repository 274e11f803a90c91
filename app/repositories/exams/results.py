"""Official results: scores to rank, and the results of each release."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    DateTime,
    Integer,
    Select,
    String,
    Uuid,
    bindparam,
    func,
    insert,
    literal,
    select,
    true,
    tuple_,
    type_coerce,
)
from sqlalchemy.orm import aliased

from app.models import (
    Attempt,
    AttemptStatus,
    Exam,
    ExamPaper,
    ExamRelease,
    ExamResult,
    KeyRevision,
    Registration,
    Result,
)
from app.repositories.base import Page, PageRequest, Repository, decode_cursor, encode_cursor

ROWS_AT_ONCE = 1000
MARKED = (
    Result.counted | (Result.qualification == "disqualified") & Attempt.practice.is_(False) | Result.was_staff
)
"""The results of official attempts that an official result shows."""
NO_RANK = 0
"""In a cursor: the place is among the candidates without a rank. Ranks begin at 1."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A candidate's score in one paper: exact for ranking, and raw for rounding."""

    registration_id: UUID
    paper_id: UUID
    attempt_id: UUID
    score: Fraction
    raw: Fraction
    qualification: str
    was_staff: bool


@dataclass(frozen=True, slots=True)
class MeritRow:
    """A candidate in the merit list. Without a rank, `outcome` says why there is none."""

    rank: int | None
    roll_number: str
    name: str
    category: str
    outcome: str
    category_rank: int | None
    pwbd: int | None
    pwbd_rank: int | None
    total: str | None
    percentile: float | None
    cutoff: Mapping[str, Any] | None
    papers: Sequence[Mapping[str, Any]]
    """The papers in the exam's order, as `ExamResult.papers` has them."""


@dataclass(frozen=True, slots=True)
class RegisteredCandidate:
    """What a registration says of a candidate."""

    id: UUID
    roll_number: str
    name: str
    category: str
    pwbd: int | None


@dataclass(frozen=True, slots=True)
class OfficialRevision:
    """What a revision of a key did to an official result. Ranks and scores are None where there is none."""

    test_id: UUID
    number: int
    at: datetime
    reason: str
    score_before: str | None
    score_after: str | None
    rank_before: int | None
    rank_after: int | None


@dataclass(frozen=True, slots=True)
class OwnRelease:
    """A candidate's figures in one release."""

    version: int
    released_at: datetime
    reason: str | None
    percentile_definition: str
    outcome: str
    total: str | None
    rank: int | None
    category_rank: int | None
    pwbd_rank: int | None
    percentile: float | None
    qualified: bool


class ExamResultRepository(Repository):
    """Official results of exams. Void attempts have no result, and those of staff have no rank."""

    async def scored(self, exam_id: UUID) -> Sequence[Scored]:
        """The results of all papers of an exam: counted, disqualified, or of a candidate who became staff."""
        statement = (
            select(
                Attempt.registration_id,
                Attempt.exam_paper_id,
                Attempt.id,
                Result.score_numerator,
                Result.score_denominator,
                Result.raw_numerator,
                Result.raw_denominator,
                Result.qualification,
                Result.was_staff,
            )
            .join(Result, Result.attempt_id == Attempt.id)
            .join(ExamPaper, ExamPaper.id == Attempt.exam_paper_id)
            .where(ExamPaper.exam_id == exam_id, Attempt.registration_id.is_not(None))
            .where(MARKED)
        )
        rows = await self._session.execute(statement)
        return [
            Scored(
                registration_id=row.registration_id,
                paper_id=row.exam_paper_id,
                attempt_id=row.id,
                score=Fraction(row.score_numerator, row.score_denominator),
                raw=Fraction(row.raw_numerator, row.raw_denominator),
                qualification=row.qualification,
                was_staff=row.was_staff,
            )
            for row in rows
        ]

    async def voided(self, exam_id: UUID) -> set[UUID]:
        """The registrations that have a void official attempt."""
        statement = (
            select(Attempt.registration_id)
            .join(ExamPaper, ExamPaper.id == Attempt.exam_paper_id)
            .where(
                ExamPaper.exam_id == exam_id,
                Attempt.status == AttemptStatus.VOID,
                Attempt.practice.is_(False),
                Attempt.registration_id.is_not(None),
            )
        )
        return {each for each in await self._session.scalars(statement) if each}

    async def sat_as_staff(self, exam: Exam) -> set[UUID]:
        """The registrations of people who were staff when they started a paper of a released exam.

        Before the release nobody else has practice attempts.
        """
        statement = (
            select(Registration.id)
            .join(Attempt, Attempt.user_id == Registration.user_id)
            .join(ExamPaper, ExamPaper.id == Attempt.exam_paper_id)
            .where(
                Registration.exam_id == exam.id,
                ExamPaper.exam_id == exam.id,
                Attempt.practice,
                Attempt.started_at < exam.released_at,
            )
        )
        return set((await self._session.scalars(statement)).all())

    async def registrations(self, exam_id: UUID) -> Sequence[RegisteredCandidate]:
        """All registrations, ordered by roll number."""
        names = ("id", "roll_number", "name", "category", "pwbd")
        statement = select(*(getattr(Registration, name) for name in names)).where(
            Registration.exam_id == exam_id
        )
        rows = await self._session.execute(statement.order_by(Registration.roll_number))
        return [RegisteredCandidate(*row) for row in rows]

    async def add_release(self, release: ExamRelease, results: Sequence[Mapping[str, Any]]) -> None:
        """Insert a release with the results of all candidates."""
        self._session.add(release)
        await self._session.flush()
        for first in range(0, len(results), ROWS_AT_ONCE):
            await self._session.execute(insert(ExamResult), results[first : first + ROWS_AT_ONCE])

    async def release(self, exam: Exam) -> ExamRelease | None:
        """The current release, or None."""
        if exam.results_version is None:
            return None
        return await self._session.get(ExamRelease, (exam.id, exam.results_version))

    async def outcomes(self, exam: Exam) -> Mapping[str, int]:
        """How many candidates have each outcome in the current release."""
        statement = (
            select(ExamResult.outcome, func.count())
            .where(ExamResult.exam_id == exam.id, ExamResult.version == exam.results_version)
            .group_by(ExamResult.outcome)
        )
        return dict((await self._session.execute(statement)).all())

    async def result(self, exam: Exam, registration_id: UUID) -> ExamResult | None:
        """A candidate's result in the current release, or None."""
        if exam.results_version is None:
            return None
        return await self._session.get(ExamResult, (exam.id, exam.results_version, registration_id))

    async def revisions(self, exam_id: UUID, registration_id: UUID) -> Sequence[OfficialRevision]:
        """What revisions of keys did to a candidate's official result, the first one first."""
        values = {"exam_id": exam_id, "exam_key": str(exam_id), "registration_id": registration_id}
        return [OfficialRevision(*row) for row in await self._session.execute(_revisions(), values)]

    async def own_releases(self, exam: Exam, registration_id: UUID) -> Sequence[OwnRelease]:
        """A candidate's figures in all releases until the current one, the first one first."""
        values = {"exam_id": exam.id, "version": exam.results_version, "registration_id": registration_id}
        return [OwnRelease(*row) for row in await self._session.execute(_own_releases(), values)]

    async def merit_list(
        self, exam: Exam, version: int, page: PageRequest, *, everybody: bool = False
    ) -> Page[MeritRow]:
        """The candidates of a release, best first; equal ranks by roll number.

        With `everybody`, those without a rank follow, by roll number.
        """
        rank, roll_number = 0, ""
        if page.cursor is not None:
            rank, roll_number = decode_cursor(page.cursor, [ExamResult.rank, ExamResult.roll_number])
        is_behind_ranks = page.cursor is not None and rank == NO_RANK
        rows: list[MeritRow] = []
        if not is_behind_ranks:
            after = tuple_(ExamResult.rank, ExamResult.roll_number) > tuple_(
                literal(rank), literal(roll_number)
            )
            rows += await self._merit_rows(_merit(exam, version).where(after), page.limit + 1)
            roll_number = ""
        if everybody and len(rows) <= page.limit:
            unranked = _merit(exam, version).where(
                ExamResult.rank.is_(None), ExamResult.roll_number > roll_number
            )
            rows += await self._merit_rows(unranked, page.limit + 1 - len(rows))
        shown = rows[: page.limit]
        more = len(rows) > page.limit
        return Page(
            shown, encode_cursor([shown[-1].rank or NO_RANK, shown[-1].roll_number]) if more else None
        )

    async def whole_merit_list(
        self, exam: Exam, version: int, *, everybody: bool
    ) -> AsyncIterator[Sequence[MeritRow]]:
        """The same in the same order, in batches that a cursor of the database reads."""
        statement = _merit(exam, version)
        if not everybody:
            statement = statement.where(ExamResult.rank.is_not(None))
        async for rows in (await self._session.stream(statement)).partitions(ROWS_AT_ONCE):
            yield [MeritRow(*row) for row in rows]

    async def _merit_rows(self, statement: Select[Any], limit: int) -> list[MeritRow]:
        return [MeritRow(*row) for row in await self._session.execute(statement.limit(limit))]


# Kept, because each candidate reads them after a release, and to build them takes milliseconds.
@cache
def _revisions() -> Select[*tuple[Any, ...]]:
    """What `OfficialRevision` has, for the exam `:exam_id`, which is also `:exam_key`, and a registration."""
    exam_id, registration_id = bindparam("exam_id", type_=Uuid), bindparam("registration_id", type_=Uuid)
    before, after = aliased(ExamResult), aliased(ExamResult)
    version = KeyRevision.official[bindparam("exam_key", type_=String)].as_integer()
    return (
        select(
            KeyRevision.test_id,
            KeyRevision.number,
            type_coerce(KeyRevision.completed_at, DateTime(timezone=True)),
            KeyRevision.reason,
            before.total,
            after.total,
            before.rank,
            after.rank,
        )
        .join(after, (after.exam_id == exam_id) & (after.version == version))
        .join(before, (before.exam_id == exam_id) & (before.version == version - 1))
        .where(
            KeyRevision.test_id.in_(select(ExamPaper.test_id).where(ExamPaper.exam_id == exam_id)),
            KeyRevision.completed_at.is_not(None),
            after.registration_id == registration_id,
            before.registration_id == registration_id,
        )
        .order_by(version)
    )


@cache
def _own_releases() -> Select[*tuple[Any, ...]]:
    """What `OwnRelease` has of the releases of the exam `:exam_id` until `:version`, for a registration."""
    exam_id = bindparam("exam_id", type_=Uuid)
    # The limit makes PostgreSQL look each row up by its key, even if nothing is analyzed yet.
    own = (
        select(ExamResult)
        .where(
            ExamResult.exam_id == exam_id,
            ExamResult.version == ExamRelease.version,
            ExamResult.registration_id == bindparam("registration_id", type_=Uuid),
        )
        .limit(1)
        .lateral()
    )
    result = aliased(ExamResult, own)
    return (
        select(
            ExamRelease.version,
            ExamRelease.created_at,
            ExamRelease.reason,
            ExamRelease.percentile_definition,
            result.outcome,
            result.total,
            result.rank,
            result.category_rank,
            result.pwbd_rank,
            result.percentile,
            result.qualified,
        )
        .join(result, true())
        .where(ExamRelease.exam_id == exam_id, ExamRelease.version <= bindparam("version", type_=Integer))
        .order_by(ExamRelease.version)
    )


def _merit(exam: Exam, version: int) -> Any:
    """The results of a release in the order of the merit list, with names."""
    return (
        select(
            ExamResult.rank,
            ExamResult.roll_number,
            Registration.name,
            Registration.category,
            ExamResult.outcome,
            ExamResult.category_rank,
            Registration.pwbd,
            ExamResult.pwbd_rank,
            ExamResult.total,
            ExamResult.percentile,
            ExamResult.cutoff,
            ExamResult.papers,
        )
        .join(Registration, Registration.id == ExamResult.registration_id)
        .where(ExamResult.exam_id == exam.id, ExamResult.version == version)
        .order_by(ExamResult.rank, ExamResult.roll_number)
    )
