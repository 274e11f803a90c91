"""Attempts of an exam, for staff who monitor it and act on attempts."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from itertools import starmap
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    Uuid,
    all_,
    and_,
    any_,
    bindparam,
    exists,
    func,
    literal,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on

from app.models import (
    Attempt,
    AttemptRow,
    AttemptStatus,
    Exam,
    ExamPaper,
    LoggedEvent,
    Registration,
    ResponseEvent,
    Result,
    RevisedResult,
    User,
)
from app.repositories import locks
from app.repositories.attempts import RUNNING
from app.repositories.base import Page, PageRequest, Repository
from app.repositories.locks import Mode, Rank

ATTEMPT_COLUMNS = [getattr(Attempt, each.name) for each in fields(AttemptRow)]

# What an action of staff may change.
_STATE = (
    "status",
    "deadline_at",
    "accommodation_seconds",
    "additions",
    "paused_at",
    "submitted_at",
    "closed_by",
    "voided_from",
)
_STORE = text(
    f"""
    update ias.attempts set updated_at = now(), {", ".join(f"{name} = changed.{name}" for name in _STATE)}
    from unnest(:id, {", ".join(f":{name}" for name in _STATE)}) as changed (id, {", ".join(_STATE)})
    where attempts.id = changed.id
    """  # noqa: S608 -- the names of columns
).bindparams(
    *(bindparam(name, type_=ARRAY(getattr(Attempt, name).type, dimensions=1)) for name in ("id", *_STATE))
)


@dataclass(frozen=True, slots=True)
class ExamAttemptFilter:
    """Which attempts to list: those with any of the statuses. None or no status does not filter."""

    paper_id: UUID | None = None
    statuses: Collection[str] = ()
    query: str | None = None
    only_users: Collection[UUID] | None = None
    except_users: Collection[UUID] = ()


@dataclass(frozen=True, slots=True)
class SaveProgress:
    """How far an attempt is, by its log: no answers, but how many there are. Late ones do not count."""

    answered: int = 0
    marked_for_review: int = 0
    last_saved_at: datetime | None = None
    """The time of the last save, late ones included."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A candidate's attempt for proctors, without answers and score."""

    attempt: Attempt
    registration: Registration | None
    progress: SaveProgress


class ExamAttemptRepository(Repository):
    """Official attempts of an exam. Attempts of staff are previews and are left out."""

    async def lock(self, exam_id: UUID, attempt_ids: Sequence[UUID]) -> Sequence[AttemptRow]:
        """Lock those of these attempts that belong to the exam. Saves and submits wait."""
        return await self._locked(_attempts(exam_id).where(Attempt.id == any_(_array(attempt_ids))))

    async def lock_all(self, exam_id: UUID, paper_id: UUID | None) -> Sequence[AttemptRow]:
        """Lock all attempts of the exam, or of one of its papers."""
        return await self._locked(_of_paper(_attempts(exam_id), paper_id))

    async def lock_to_extend(
        self, exam_id: UUID, attempt_ids: Sequence[UUID] | None, paper_id: UUID | None, now: datetime
    ) -> Sequence[AttemptRow]:
        """Lock these attempts, or all of the exam or of one of its papers, to move their deadlines."""
        statement = _of_paper(_attempts(exam_id), paper_id)
        if attempt_ids is not None:
            statement = statement.where(Attempt.id == any_(_array(attempt_ids)))
        return await self._lock_to_extend(statement, now)

    async def lock_with_registrations(
        self, exam_id: UUID, user_ids: Collection[UUID] | None, now: datetime
    ) -> Sequence[tuple[AttemptRow, Registration]]:
        """Lock the attempts of the exam, or those of some users, to move their deadlines."""
        statement = _attempts(exam_id)
        registrations = select(Registration).where(Registration.exam_id == exam_id)
        if user_ids is not None:
            statement = statement.where(Attempt.user_id.in_(user_ids))
        attempts = await self._lock_to_extend(statement, now)
        if user_ids is not None:
            theirs = [each.registration_id for each in attempts if each.registration_id]
            registrations = registrations.where(Registration.id.in_(theirs))
        places = {row.id: row for row in await self._session.scalars(registrations)}
        return [(each, places[each.registration_id]) for each in attempts if each.registration_id]

    async def lock_of_registration(self, exam_id: UUID, registration_id: UUID) -> Sequence[AttemptRow]:
        """Lock the attempts of one registered candidate."""
        return await self._locked(_attempts(exam_id).where(Attempt.registration_id == registration_id))

    async def of_registration(self, exam_id: UUID, registration_id: UUID) -> Sequence[Attempt]:
        """The attempts of one registered candidate."""
        statement = _attempts(exam_id).where(Attempt.registration_id == registration_id)
        return (await self._session.scalars(statement.order_by(Attempt.id))).all()

    async def lock_running(self, exam_id: UUID, paper_id: UUID | None) -> Sequence[AttemptRow]:
        """Lock the attempts that are in progress or paused."""
        statement = _of_paper(_attempts(exam_id), paper_id).where(Attempt.status.in_(RUNNING))
        return await self._locked(statement)

    async def store(self, changed: Sequence[AttemptRow]) -> None:
        """Store the state of locked attempts, by one statement."""
        if changed:
            values = {name: [getattr(attempt, name) for attempt in changed] for name in ("id", *_STATE)}
            await self._session.execute(_STORE, values)

    async def lock_closed(self, exam_id: UUID) -> None:
        """Lock the submitted attempts until the transaction ends."""
        statement = _attempts(exam_id).where(Attempt.status == AttemptStatus.SUBMITTED)
        ids = statement.with_only_columns(Attempt.id).order_by(Attempt.id)
        await self._lock(Rank.ATTEMPT, Mode.EXCLUSIVE, ids, of=Attempt)

    async def count_candidates(self, exam_id: UUID) -> int:
        """How many registered candidates have an official attempt that is over and not void."""
        ended = AttemptStatus.SUBMITTED, AttemptStatus.GRADED
        statement = _attempts(exam_id).where(Attempt.status.in_(ended))
        counted = statement.with_only_columns(func.count(Attempt.registration_id.distinct()))
        return int(await self._session.scalar(counted) or 0)

    async def cancelled_with_attempts(self) -> tuple[UUID, UUID] | None:
        """The institute and id of a cancelled exam that has official attempts which are not void."""
        statement = (
            select(Exam.institute_id, Exam.id)
            .join(ExamPaper, ExamPaper.exam_id == Exam.id)
            .join(Attempt, Attempt.exam_paper_id == ExamPaper.id)
            .where(
                Exam.cancelled_at.is_not(None),
                Attempt.practice.is_(False),
                Attempt.status != AttemptStatus.VOID,
            )
        )
        row = (await self._session.execute(statement.limit(1))).one_or_none()
        return (row.institute_id, row.id) if row is not None else None

    async def page(self, exam_id: UUID, wanted: ExamAttemptFilter, page: PageRequest) -> Page[Candidate]:
        """Attempts with their candidates, newest first."""
        statement = _of_paper(_attempts(exam_id), wanted.paper_id)
        if wanted.statuses:
            statement = statement.where(Attempt.status.in_(wanted.statuses))
        if wanted.query:
            statement = statement.where(_matches_query(wanted.query))
        if wanted.only_users is not None:
            statement = statement.where(Attempt.user_id == any_(_array(wanted.only_users)))
        if wanted.except_users:
            is_other = Attempt.user_id != all_(_array(wanted.except_users))
            statement = statement.where(or_(Attempt.user_id.is_(None), is_other))
        attempts = await self._page(statement, [Attempt.id], page, descending=True)
        return Page(await self._candidates(attempts.items), attempts.next_cursor)

    async def admit_late(self, attempt_id: UUID) -> int:
        """Count the late answers of an attempt. Returns how many there were."""
        statement = (
            update(ResponseEvent)
            .where(ResponseEvent.attempt_id == attempt_id, ResponseEvent.late)
            .values(late=False)
        )
        return int((await self._session.execute(statement)).rowcount)  # type: ignore[attr-defined]

    async def mark_graded(self, exam_id: UUID) -> None:
        """Set the status of official attempts that have a result to graded, after the release.

        Those of candidates who became staff are practice from now on. Until now staff could steer them.
        """
        papers = select(ExamPaper.id).where(ExamPaper.exam_id == exam_id)
        await self._session.execute(
            update(Attempt)
            .where(
                Attempt.exam_paper_id.in_(papers),
                Attempt.status == AttemptStatus.SUBMITTED,
                exists().where(Result.attempt_id == Attempt.id),
            )
            .values(
                status=AttemptStatus.GRADED,
                practice=or_(
                    Attempt.practice, exists().where(Result.attempt_id == Attempt.id, Result.was_staff)
                ),
            )
            .execution_options(synchronize_session=False)
        )

    async def ungraded(self, exam_id: UUID) -> Sequence[Attempt]:
        """Submitted official attempts without a result. `lock_closed` must have locked them."""
        statement = _attempts(exam_id).where(
            Attempt.status == AttemptStatus.SUBMITTED,
            ~exists().where(Result.attempt_id == Attempt.id),
        )
        return (await self._session.scalars(statement.order_by(Attempt.id))).all()

    async def graded_by_others(self, exam_id: UUID, key_ids: Sequence[UUID]) -> Sequence[UUID]:
        """Official attempts that are over and have a result by another key version than these.

        Those whose higher score by an earlier key was kept by the revision that made one of these are right.
        """
        kept = exists().where(
            RevisedResult.attempt_id == Attempt.id, RevisedResult.kept, RevisedResult.key_after.in_(key_ids)
        )
        statement = (
            _attempts(exam_id)
            .join(Result, Result.attempt_id == Attempt.id)
            .where(Attempt.status == AttemptStatus.SUBMITTED, Result.key_id.not_in(key_ids), ~kept)
        )
        return (await self._session.scalars(statement.with_only_columns(Attempt.id))).all()

    async def _candidates(self, attempts: Sequence[Attempt]) -> Sequence[Candidate]:
        ids = [attempt.registration_id for attempt in attempts if attempt.registration_id is not None]
        registrations = {
            row.id: row
            for row in await self._session.scalars(select(Registration).where(Registration.id.in_(ids)))
        }
        progress = await self._progress([attempt.id for attempt in attempts])
        return [
            Candidate(
                attempt,
                registrations.get(attempt.registration_id) if attempt.registration_id else None,
                progress.get(attempt.id, SaveProgress()),
            )
            for attempt in attempts
        ]

    async def _progress(self, attempt_ids: Sequence[UUID]) -> Mapping[UUID, SaveProgress]:
        """The progress of some attempts, in one statement that reads their events only.

        Attempts without an event are left out.
        """
        question = LoggedEvent.attempt_id, LoggedEvent.question_id
        standing = (
            select(
                LoggedEvent.attempt_id,
                and_(LoggedEvent.answer.is_not(None), ~LoggedEvent.late).label("answered"),
                and_(LoggedEvent.marked_for_review, ~LoggedEvent.late).label("marked"),
                func.max(LoggedEvent.received_at).over(partition_by=question).label("saved_at"),
            )
            .where(LoggedEvent.attempt_id.in_(attempt_ids))
            .ext(distinct_on(*question))
            .order_by(*question, LoggedEvent.late, LoggedEvent.lease.desc(), LoggedEvent.revision.desc())
            .subquery()
        )
        statement = select(
            standing.c.attempt_id,
            func.count().filter(standing.c.answered),
            func.count().filter(standing.c.marked),
            func.max(standing.c.saved_at),
        ).group_by(standing.c.attempt_id)
        rows = await self._session.execute(statement)
        return {attempt_id: SaveProgress(*figures) for attempt_id, *figures in rows}

    async def _lock_to_extend(self, statement: Select[Attempt], now: datetime) -> Sequence[AttemptRow]:
        """Lock attempts so that saves go on where time is left (docs/decisions/0097).

        Saves lock KEY_SHARE, so that they wait for EXCLUSIVE only: that of attempts which may begin to take
        answers again, or whose result is deleted.
        """
        found = await self._locked(statement, Mode.CHANGE)
        over = [each.id for each in found if each.status not in RUNNING or each.deadline_at <= now]
        if over:
            await self._locked(select(Attempt).where(Attempt.id == any_(_array(over))))
        return found

    async def _locked(self, statement: Select[Any], mode: Mode = Mode.EXCLUSIVE) -> Sequence[AttemptRow]:
        """Lock in the order of ids, so that concurrent actions do not deadlock."""
        ordered = statement.with_only_columns(*ATTEMPT_COLUMNS).order_by(Attempt.id)
        rows = await locks.lock_rows(self._session, Rank.ATTEMPT, mode, ordered, of=Attempt)
        return list(starmap(AttemptRow, rows))


def _attempts(exam_id: UUID) -> Select[Attempt]:
    return (
        select(Attempt)
        .join(ExamPaper, ExamPaper.id == Attempt.exam_paper_id)
        .where(ExamPaper.exam_id == exam_id, Attempt.practice.is_(False))
    )


def _of_paper(statement: Select[Attempt], paper_id: UUID | None) -> Select[Attempt]:
    return statement if paper_id is None else statement.where(ExamPaper.id == paper_id)


def _matches_query(query: str) -> ColumnElement[bool]:
    """The beginning of a roll number or of an email address, or a part of a name.

    Nobody is found by the address of a deleted account.
    """
    matches = or_(
        Registration.roll_number.startswith(query, autoescape=True),
        Registration.name.icontains(query, autoescape=True),
    )
    has_address = and_(User.email.startswith(query.lower(), autoescape=True), User.deleted_at.is_(None))
    return or_(
        exists().where(Registration.id == Attempt.registration_id, matches),
        exists().where(User.id == Attempt.user_id, has_address),
    )


def _array(ids: Collection[UUID]) -> ColumnElement[Any]:
    """Ids as one parameter, because an exam has many thousands of candidates."""
    return literal(list(ids), ARRAY(Uuid))
