"""Registrations of exams, with the candidate's name and category at the time of registration."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    TEXT,
    ColumnElement,
    Select,
    Uuid,
    any_,
    bindparam,
    delete,
    exists,
    func,
    literal,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import aliased

from app.core.errors import NotFound
from app.core.ids import uuid7
from app.models import Attempt, Registration, Result, User, WithdrawnRegistration
from app.repositories.base import Page, PageRequest, Repository, decode_cursor
from app.repositories.locks import Mode, Rank

# Kept, because to build it takes as long as PostgreSQL's part.
_OF_PERSON = select(Registration).where(
    Registration.exam_id == bindparam("exam_id", type_=Uuid),
    Registration.user_id == bindparam("user_id", type_=Uuid),
)


class RegistrationRepository(Repository):
    """Registrations of exams."""

    async def of(self, exam_id: UUID, user_id: UUID) -> Registration | None:
        """A user's registration for an exam, or None."""
        values = {"exam_id": exam_id, "user_id": user_id}
        return (await self._session.scalars(_OF_PERSON, values)).one_or_none()

    async def of_people(self, exam_id: UUID, user_ids: Collection[UUID]) -> dict[UUID, Registration]:
        """The registrations of these users for an exam, by user."""
        asked = literal(list(user_ids), ARRAY(Uuid))
        statement = select(Registration).where(
            Registration.exam_id == exam_id, Registration.user_id == any_(asked)
        )
        return {row.user_id: row for row in await self._session.scalars(statement) if row.user_id}

    async def among(self, user_id: UUID, exam_ids: Sequence[UUID]) -> dict[UUID, Registration]:
        """A user's registrations for these exams, by exam."""
        statement = select(Registration).where(
            Registration.user_id == user_id, Registration.exam_id.in_(exam_ids)
        )
        return {row.exam_id: row for row in await self._session.scalars(statement)}

    async def exams_of(self, user_id: UUID) -> Sequence[UUID]:
        """The exams for which a user is registered."""
        statement = select(Registration.exam_id).where(Registration.user_id == user_id)
        return (await self._session.scalars(statement.order_by(Registration.exam_id))).all()

    async def with_ids(self, ids: Collection[UUID]) -> dict[UUID, Registration]:
        """Registrations by their ids. The ids are one parameter, because an exam has many thousands."""
        asked = literal(list(ids), ARRAY(Uuid))
        statement = select(Registration).where(Registration.id == any_(asked))
        return {row.id: row for row in await self._session.scalars(statement)}

    async def roll_numbers(self, exam_id: UUID) -> dict[UUID, str]:
        """The roll numbers of an exam, by registration."""
        statement = select(Registration.id, Registration.roll_number).where(Registration.exam_id == exam_id)
        return dict((await self._session.execute(statement)).all())

    async def add(self, exam_id: UUID, user: User, roll_number: str) -> Registration | None:
        """Register a user. Returns None if the user is registered already or the roll number is in use."""
        values = {
            "id": uuid7(),
            "exam_id": exam_id,
            "user_id": user.id,
            "roll_number": roll_number,
            "name": user.name,
            "category": user.category,
            "pwbd": user.pwbd,
        }
        statement = insert(Registration).values(values).on_conflict_do_nothing().returning(Registration)
        return (await self._session.scalars(statement)).one_or_none()

    async def page(self, exam_id: UUID, query: str | None, page: PageRequest) -> Page[Registration]:
        """Registrations of an exam, ordered by id: those that match the query, or all.

        A query is the beginning of a roll number or of an email address, or a part of a name.
        """
        statement = select(Registration).where(Registration.exam_id == exam_id)
        if query:
            statement = statement.where(Registration.id.in_(_matching(exam_id, query, page)))
        return await self._page(statement, [Registration.id], page)

    async def no_shows(
        self, exam_id: UUID, paper_id: UUID | None, query: str | None, page: PageRequest
    ) -> Page[Registration]:
        """Candidates without an official attempt at a paper, or at any paper of the exam, ordered by id."""
        statement = select(Registration).where(Registration.exam_id == exam_id, ~_has_started(paper_id))
        if query:
            by_number = Registration.roll_number.startswith(query, autoescape=True)
            statement = statement.where(by_number | Registration.name.icontains(query, autoescape=True))
        return await self._page(statement, [Registration.id], page)

    async def count_no_shows(self, exam_id: UUID, paper_id: UUID | None) -> int:
        """How many candidates `no_shows` lists without a query."""
        statement = select(func.count()).where(Registration.exam_id == exam_id, ~_has_started(paper_id))
        return int(await self._session.scalar(statement.select_from(Registration)) or 0)

    async def with_roll_number(self, exam_id: UUID, roll_number: str) -> Registration | None:
        """The registration of an exam with this roll number, or None."""
        statement = select(Registration).where(
            Registration.exam_id == exam_id, Registration.roll_number == roll_number
        )
        return (await self._session.scalars(statement)).one_or_none()

    async def lock(self, registration_id: UUID) -> Registration | None:
        """Lock a registration against changes. Returns None if it has been deleted."""
        statement = select(Registration).where(Registration.id == registration_id)
        return (await self._lock(Rank.REGISTRATION, Mode.EXCLUSIVE, statement)).one_or_none()

    async def lock_of(self, exam_id: UUID, user_id: UUID) -> Registration | None:
        """Lock a user's registration for an exam. Returns None if there is none."""
        statement = select(Registration).where(
            Registration.exam_id == exam_id, Registration.user_id == user_id
        )
        return (await self._lock(Rank.REGISTRATION, Mode.EXCLUSIVE, statement)).one_or_none()

    async def has_attempt(self, registration_id: UUID) -> bool:
        """Whether the candidate has an official attempt, of any status."""
        found = exists().where(Attempt.registration_id == registration_id)
        return bool(await self._session.scalar(select(found)))

    async def withdraw(self, registration: Registration, now: datetime) -> None:
        """Delete a registration and keep its roll number, so that nobody else gets it."""
        kept = insert(WithdrawnRegistration).values(
            exam_id=registration.exam_id,
            roll_number=registration.roll_number,
            user_id=registration.user_id,
            withdrawn_at=now,
        )
        await self._session.execute(kept)
        await self._session.execute(delete(Registration).where(Registration.id == registration.id))
        self._session.expunge(registration)

    async def take_back_roll_number(self, exam_id: UUID, user_id: UUID) -> str | None:
        """The last roll number that a user has withdrawn, for a new registration. None if there is none."""
        latest = (
            select(WithdrawnRegistration.roll_number)
            .where(WithdrawnRegistration.exam_id == exam_id, WithdrawnRegistration.user_id == user_id)
            .order_by(WithdrawnRegistration.withdrawn_at.desc())
            .limit(1)
        )
        statement = (
            delete(WithdrawnRegistration)
            .where(
                WithdrawnRegistration.exam_id == exam_id,
                WithdrawnRegistration.roll_number == latest.scalar_subquery(),
            )
            .returning(WithdrawnRegistration.roll_number)
        )
        return (await self._session.scalars(statement)).one_or_none()

    async def withdrawn(self, exam_id: UUID, roll_numbers: Collection[str]) -> set[str]:
        """Those of these roll numbers that belonged to a candidate who has withdrawn."""
        statement = select(WithdrawnRegistration.roll_number).where(
            WithdrawnRegistration.exam_id == exam_id,
            WithdrawnRegistration.roll_number == any_(literal(list(roll_numbers), ARRAY(TEXT))),
        )
        return set((await self._session.scalars(statement)).all())

    async def remove(self, registration: Registration) -> None:
        """Delete a registration that this transaction has added."""
        await self._session.execute(delete(Registration).where(Registration.id == registration.id))
        self._session.expunge(registration)

    async def lock_unclaimed(self, exam_id: UUID, roll_number: str) -> Registration:
        """Lock and return a registration that has no account yet."""
        statement = select(Registration).where(
            Registration.exam_id == exam_id,
            Registration.roll_number == roll_number,
            Registration.user_id.is_(None),
        )
        locked = await self._lock(Rank.REGISTRATION, Mode.EXCLUSIVE, statement)
        registration = locked.one_or_none()
        if registration is None:
            raise NotFound("roll number without an account")
        return registration

    async def claim(self, registration: Registration, user_id: UUID) -> None:
        """Assign a registration and its attempts to an account.

        Their numbers follow the account's own attempts.

        The attempts are locked before their results are updated. A concurrent grading either stores its
        result first, or sees the new account.
        """
        registration.user_id = user_id
        await self._session.flush()
        sat = select(Attempt.id).where(Attempt.registration_id == registration.id).order_by(Attempt.id)
        await self._lock(Rank.ATTEMPT, Mode.EXCLUSIVE, sat)
        theirs = aliased(Attempt)
        before = select(func.coalesce(func.max(theirs.number), 0)).where(
            theirs.user_id == user_id,
            theirs.test_id == Attempt.test_id,
            theirs.exam_paper_id == Attempt.exam_paper_id,
        )
        own = select(Attempt.id).where(Attempt.registration_id == registration.id)
        await self._session.execute(update(Result).where(Result.attempt_id.in_(own)).values(user_id=user_id))
        await self._session.execute(
            update(Attempt)
            .where(Attempt.registration_id == registration.id)
            .values(user_id=user_id, number=Attempt.number + before.scalar_subquery())
        )


def _has_started(paper_id: UUID | None) -> ColumnElement[bool]:
    """Whether a candidate has an official attempt, of any status, at the paper or at any paper."""
    of_paper = [Attempt.exam_paper_id == paper_id] if paper_id is not None else []
    return exists().where(Attempt.registration_id == Registration.id, ~Attempt.practice, *of_paper)


def _matching(exam_id: UUID, query: str, page: PageRequest) -> Select[Any]:
    """The ids of the registrations that match a query.

    Each way to match has an index of its own. None of them reads more rows than the page needs.
    """
    of_exam = select(Registration.id).where(Registration.exam_id == exam_id)
    if page.cursor is not None:
        [after] = decode_cursor(page.cursor, [Registration.id])
        of_exam = of_exam.where(Registration.id > after)
    by_address = of_exam.join(User, User.id == Registration.user_id)
    ways = (
        of_exam.where(Registration.roll_number.startswith(query, autoescape=True)),
        of_exam.where(Registration.name.icontains(query, autoescape=True)),
        by_address.where(User.email.startswith(query.lower(), autoescape=True), User.deleted_at.is_(None)),
    )
    first = [way.order_by(Registration.id).limit(page.limit + 1).subquery() for way in ways]
    return select(union_all(*(select(each.c.id) for each in first)).subquery().c.id)
