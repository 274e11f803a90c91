"""What is printed on result sheets and certificates: the results of one release with their candidates."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, literal, select, true, tuple_
from sqlalchemy.orm import aliased

from app.models import (
    Attempt,
    Exam,
    ExamRelease,
    ExamResult,
    Institute,
    Registration,
    User,
    name_on_documents,
)
from app.repositories.base import Repository

_BEFORE = aliased(ExamResult)
_MIN_ID, _MAX_ID = UUID(int=0), UUID(int=2**128 - 1)


@dataclass(frozen=True, slots=True)
class IssuedResult:
    """A candidate's result in a release, and the one in the release before it."""

    result: ExamResult
    registration: Registration
    previous: ExamResult | None


@dataclass(frozen=True, slots=True)
class WantedResults:
    """Whose documents are wanted. An empty field sets no condition."""

    roll_numbers: Sequence[str] = ()
    categories: Sequence[str] = ()
    outcomes: Sequence[str] = ()
    only_qualified: bool = False


class ResultDocumentRepository(Repository):
    """The results of one release of an exam. The caller has checked that it may be shown."""

    async def institute_name(self, institute_id: UUID) -> str:
        """The name that stands on documents of an institute, "" if it was never given one."""
        return name_on_documents((await self._session.get_one(Institute, institute_id)).name)

    async def exam(self, exam_id: UUID) -> Exam:
        """An exam, for the job whose request has checked the permission."""
        return await self._session.get_one(Exam, exam_id)

    async def category_of(self, user_id: UUID) -> str:
        """The category in a person's profile."""
        return (await self._session.scalars(select(User.category).where(User.id == user_id))).one()

    async def attempt(self, attempt_id: UUID) -> Attempt | None:
        """An attempt of any test, or None. The caller checks who may see it."""
        return await self._session.get(Attempt, attempt_id)

    async def release(self, exam_id: UUID, version: int) -> ExamRelease | None:
        """One release of an exam, or None."""
        return await self._session.get(ExamRelease, (exam_id, version))

    async def one(self, exam_id: UUID, version: int, registration_id: UUID) -> IssuedResult | None:
        """A candidate's result, or None."""
        statement = _issued(exam_id, version).where(
            ExamResult.exam_id == exam_id,
            ExamResult.version == version,
            ExamResult.registration_id == registration_id,
        )
        row = (await self._session.execute(statement)).one_or_none()
        return IssuedResult(*row) if row else None

    async def registration(self, registration_id: UUID) -> Registration | None:
        """A registration of any exam, or None. The caller checks who may see its exam."""
        return await self._session.get(Registration, registration_id)

    async def count(self, exam_id: UUID, version: int, wanted: WantedResults) -> int:
        """How many candidates are wanted."""
        statement = (
            select(func.count())
            .select_from(ExamResult)
            .join(Registration, Registration.id == ExamResult.registration_id)
            .where(ExamResult.exam_id == exam_id, ExamResult.version == version, *_conditions(wanted))
        )
        return (await self._session.scalar(statement)) or 0

    async def names(self, exam_id: UUID, version: int, wanted: WantedResults) -> Sequence[str]:
        """The names of those who are wanted."""
        statement = (
            select(Registration.name)
            .join(ExamResult, ExamResult.registration_id == Registration.id)
            .where(ExamResult.exam_id == exam_id, ExamResult.version == version, *_conditions(wanted))
        )
        return (await self._session.scalars(statement)).all()

    async def known_roll_numbers(self, exam_id: UUID, version: int, roll_numbers: Sequence[str]) -> set[str]:
        """Those of the roll numbers that have a result."""
        statement = select(ExamResult.roll_number).where(
            ExamResult.exam_id == exam_id,
            ExamResult.version == version,
            ExamResult.roll_number.in_(roll_numbers),
        )
        return set(await self._session.scalars(statement))

    async def after(
        self, exam_id: UUID, version: int, wanted: WantedResults, last_id: UUID | None, limit: int
    ) -> Sequence[IssuedResult]:
        """The next wanted candidates after a registration, in the order of the primary key.

        Ids are compared as whole keys, so that the primary key is read even if nothing is analyzed yet.
        """
        key = tuple_(ExamResult.exam_id, ExamResult.version, ExamResult.registration_id)
        after, until = (
            tuple_(literal(exam_id), literal(version), literal(each))
            for each in (last_id or _MIN_ID, _MAX_ID)
        )
        statement = (
            _issued(exam_id, version)
            .where(key > after, key <= until, *_conditions(wanted))
            .order_by(ExamResult.exam_id, ExamResult.version, ExamResult.registration_id)
            .limit(limit)
        )
        return [IssuedResult(*row) for row in await self._session.execute(statement)]


def _issued(exam_id: UUID, version: int) -> Select[ExamResult, Registration, ExamResult]:
    # The limit makes PostgreSQL look each row up by its key, even if nothing is analyzed yet.
    before = (
        select(_BEFORE)
        .where(
            _BEFORE.exam_id == exam_id,
            _BEFORE.version == version - 1,
            _BEFORE.registration_id == ExamResult.registration_id,
        )
        .limit(1)
        .lateral()
    )
    previous = aliased(ExamResult, before)
    return (
        select(ExamResult, Registration, previous)
        .join(Registration, Registration.id == ExamResult.registration_id)
        .join(previous, true(), isouter=True)
    )


def _conditions(wanted: WantedResults) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.roll_numbers:
        found.append(ExamResult.roll_number.in_(wanted.roll_numbers))
    if wanted.categories:
        found.append(Registration.category.in_(wanted.categories))
    if wanted.outcomes:
        found.append(ExamResult.outcome.in_(wanted.outcomes))
    if wanted.only_qualified:
        found.append(ExamResult.qualified.is_(True))
    return found
