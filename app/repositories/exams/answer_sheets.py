"""Imports of answer sheets taken on paper: accounts, registrations, attempts and responses in bulk."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ARRAY, TEXT, Integer, Uuid, any_, bindparam, exists, func, literal, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.elements import CollectionAggregate

from app.models import Attempt, Exam, Membership, Registration, User
from app.repositories.base import Repository
from app.repositories.locks import Mode, Rank

# Sorted by attempt, so that the index grows at its end: new attempts have ascending ids.
ADD_EVENTS = text(
    """
    insert into ias.response_events (attempt_id, question_id, lease, revision, answer, received_at)
    select attempt_id, question_id, lease, 1, nullif(answer::jsonb, 'null'), :now
    from unnest(:attempts, :questions, :leases, :answers) as event(attempt_id, question_id, lease, answer)
    order by attempt_id, question_id
    """
).bindparams(
    bindparam("attempts", type_=ARRAY(Uuid)),
    bindparam("questions", type_=ARRAY(Uuid)),
    bindparam("leases", type_=ARRAY(Integer)),
    bindparam("answers", type_=ARRAY(TEXT)),
)


@dataclass(frozen=True, slots=True)
class Account:
    """An account with its email address."""

    user_id: UUID
    email: str
    role: str


@dataclass(frozen=True, slots=True)
class PaperEvent:
    """One answer of an answer sheet, as a response event. None clears the answer."""

    attempt_id: UUID
    question_id: UUID
    lease: int
    answer: Any


class AnswerSheetRepository(Repository):
    """Statements of an import of answer sheets. The caller holds the exam's lock."""

    async def exam_by_title(self, institute_id: UUID, title: str) -> Exam | None:
        """The latest exam with this title that is not cancelled."""
        statement = select(Exam).where(
            Exam.institute_id == institute_id,
            Exam.title["en"].astext == title,
            Exam.cancelled_at.is_(None),
        )
        return (await self._session.scalars(statement.order_by(Exam.id.desc()).limit(1))).one_or_none()

    async def accounts(self, institute_id: UUID, emails: Collection[str]) -> Sequence[Account]:
        """The institute's accounts with these email addresses. The addresses must be in lower case."""
        statement = (
            select(User.id, func.lower(User.email), Membership.role)
            .join(Membership, Membership.user_id == User.id)
            .where(
                Membership.institute_id == institute_id,
                func.lower(User.email) == _any_text(emails),
                User.deleted_at.is_(None),
            )
        )
        return [Account(*row) for row in await self._session.execute(statement)]

    async def lock_users(self, user_ids: Collection[UUID]) -> None:
        """Lock these users, so that none of them starts an attempt until this transaction ends."""
        statement = select(User.id).where(User.id == _any(user_ids)).order_by(User.id)
        await self._lock(Rank.USER, Mode.CHANGE, statement)

    async def registrations(
        self, exam_id: UUID, roll_numbers: Collection[str], user_ids: Collection[UUID]
    ) -> Sequence[Registration]:
        """The registrations with these roll numbers or of these users."""
        statement = select(Registration).where(
            Registration.exam_id == exam_id,
            (Registration.roll_number == _any_text(roll_numbers)) | (Registration.user_id == _any(user_ids)),
        )
        fresh = statement.execution_options(populate_existing=True)
        return (await self._session.scalars(fresh)).all()

    async def roll_numbers(self, exam_id: UUID) -> Sequence[str]:
        """All roll numbers of the exam."""
        statement = select(Registration.roll_number).where(Registration.exam_id == exam_id)
        return (await self._session.scalars(statement)).all()

    async def expects_candidates(self, exam_id: UUID, device: str) -> bool:
        """Whether anybody is registered without an answer sheet, which is an attempt with this device."""
        from_sheet = exists().where(Attempt.registration_id == Registration.id, Attempt.device == device)
        statement = select(Registration.id).where(Registration.exam_id == exam_id, ~from_sheet).limit(1)
        return await self._session.scalar(statement) is not None

    async def official(self, exam_paper_id: UUID, registration_ids: Iterable[UUID]) -> Sequence[Attempt]:
        """Lock and return the official attempts at a paper, void ones included.

        Attempts at other papers that have no account yet are locked too, in the order of their ids: see
        `claim`.
        """
        statement = select(Attempt).where(
            (Attempt.exam_paper_id == exam_paper_id) | Attempt.user_id.is_(None),
            Attempt.practice.is_(False),
            Attempt.registration_id == _any(registration_ids),
        )
        locked = await self._lock(Rank.ATTEMPT, Mode.EXCLUSIVE, statement.order_by(Attempt.id))
        return [attempt for attempt in locked if attempt.exam_paper_id == exam_paper_id]

    async def last_numbers(self, exam_paper_id: UUID, user_ids: Collection[UUID]) -> Mapping[UUID, int]:
        """The number of each user's last attempt at a paper, of any status."""
        statement = (
            select(Attempt.user_id, func.max(Attempt.number))
            .where(Attempt.exam_paper_id == exam_paper_id, Attempt.user_id == _any(user_ids))
            .group_by(Attempt.user_id)
        )
        return {user_id: number for user_id, number in await self._session.execute(statement) if user_id}

    async def add_registrations(self, rows: Sequence[Mapping[str, Any]]) -> int:
        """Insert registrations and return how many.

        One that another transaction has just inserted is skipped.
        """
        if not rows:
            return 0
        statement = insert(Registration).on_conflict_do_nothing().returning(Registration.id)
        return len((await self._session.scalars(statement, rows)).all())

    async def add_attempts(self, attempts: Sequence[Attempt]) -> None:
        """Insert the attempts of answer sheets."""
        self._session.add_all(attempts)
        await self._session.flush()

    async def add_events(self, events: Sequence[PaperEvent], now: datetime) -> None:
        """Insert the answers of answer sheets as response events."""
        parameters = {
            "attempts": [event.attempt_id for event in events],
            "questions": [event.question_id for event in events],
            "leases": [event.lease for event in events],
            "answers": [orjson.dumps(event.answer).decode() for event in events],
            "now": now,
        }
        if events:
            await self._session.execute(ADD_EVENTS, parameters)


def _any_text(values: Iterable[str]) -> CollectionAggregate[Any]:
    """Compare with an array: one parameter for any number of values."""
    return any_(literal(list(values), ARRAY(TEXT)))


def _any(ids: Iterable[UUID]) -> CollectionAggregate[Any]:
    return any_(literal(list(ids), ARRAY(Uuid)))
