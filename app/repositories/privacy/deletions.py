"""Accounts that were deleted: hidden during the legal hold, restored, or leased for their purge."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, select, update

from app.models import AccountDeletion, Attempt, Exam, ExamPaper, Registration, User
from app.repositories import locks
from app.repositories.base import Repository
from app.repositories.locks import Mode, Rank


class DeletionRepository(Repository):
    """Deleted accounts. The caller holds the lock of the user, except in `lease_due`."""

    async def find(self, user_id: UUID) -> AccountDeletion | None:
        """The deletion of an account, or None if it is not deleted."""
        statement = select(AccountDeletion).where(AccountDeletion.user_id == user_id)
        fresh = statement.execution_options(populate_existing=True)
        return (await self._session.scalars(fresh)).one_or_none()

    async def add(self, deletion: AccountDeletion) -> None:
        """Hide an account: it cannot sign in, and lists leave it out."""
        hidden = {"active": False, "deleted_at": deletion.requested_at}
        await self._session.execute(update(User).where(User.id == deletion.user_id).values(**hidden))
        self._session.add(deletion)
        await self._session.flush()

    async def restore(self, deletion: AccountDeletion) -> None:
        """Show a hidden account again."""
        shown = {"active": True, "deleted_at": None}
        await self._session.execute(update(User).where(User.id == deletion.user_id).values(**shown))
        await self._session.delete(deletion)
        await self._session.flush()

    async def lock_entries(self, user_id: UUID, now: datetime) -> None:
        """Lock the entry of the exams that the person may leave. It comes before the lock of the user."""
        for exam_id in sorted(await self._unopened_exams(user_id, now)):
            await locks.lock_entry_shared(self._session, exam_id)

    async def lock_unopened_registrations(self, user_id: UUID, now: datetime) -> Sequence[Registration]:
        """Lock and return the registrations for exams of which no paper has opened."""
        registrations = await self._lock_registrations(user_id)
        exam_ids = set(await self._unopened_exams(user_id, now))
        return [registration for registration in registrations if registration.exam_id in exam_ids]

    async def rename_registrations(self, user_id: UUID, name: str) -> Mapping[UUID, str]:
        """Give the person's registrations another name. Returns the names that they had."""
        registrations = await self._lock_registrations(user_id)
        before = {registration.id: registration.name for registration in registrations}
        for registration in registrations:
            registration.name = name
        await self._session.flush()
        return before

    async def restore_names(self, user_id: UUID, names: Mapping[str, str]) -> None:
        """Give the person's registrations the names that they had."""
        for registration in await self._lock_registrations(user_id):
            registration.name = names.get(str(registration.id), registration.name)
        await self._session.flush()

    async def lease_due(self, now: datetime, lease: timedelta, limit: int) -> Sequence[UUID]:
        """Lease accounts that the purge must look at. No other worker gets them before the lease ends."""
        due = (
            select(AccountDeletion.user_id)
            .where(AccountDeletion.due_at <= now)
            .order_by(AccountDeletion.due_at, AccountDeletion.user_id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        statement = (
            update(AccountDeletion)
            .where(AccountDeletion.user_id.in_(due))
            .values(due_at=now + lease)
            .returning(AccountDeletion.user_id)
        )
        return (await self._session.scalars(statement)).all()

    async def are_deleted(self, addresses: Collection[str]) -> set[str]:
        """Those of the addresses that belong to a deleted account."""
        statement = select(User.email).where(User.email.in_(addresses), User.deleted_at.is_not(None))
        return set((await self._session.scalars(statement)).all())

    async def _unopened_exams(self, user_id: UUID, now: datetime) -> Sequence[UUID]:
        statement = select(Registration.exam_id).where(Registration.user_id == user_id, *_is_unopened(now))
        return (await self._session.scalars(statement)).all()

    async def _lock_registrations(self, user_id: UUID) -> Sequence[Registration]:
        statement = _registrations(user_id).order_by(Registration.id)
        return (await self._lock(Rank.REGISTRATION, Mode.EXCLUSIVE, statement)).all()


def _registrations(user_id: UUID) -> Select[Registration]:
    return select(Registration).where(Registration.user_id == user_id)


def _is_unopened(now: datetime) -> Sequence[ColumnElement[bool]]:
    """Whether the exam of a registration is unreleased, none of its papers has opened, and nobody started."""
    opened = exists().where(ExamPaper.exam_id == Registration.exam_id, ExamPaper.starts_at <= now)
    released = exists().where(Exam.id == Registration.exam_id, Exam.released_at.is_not(None))
    started = exists().where(Attempt.registration_id == Registration.id)
    return ~opened, ~released, ~started
