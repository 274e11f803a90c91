"""Mails that the auth server is to be asked for: a queue in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, update

from app.models import AuthMail
from app.repositories.base import Repository


class AuthMailRepository(Repository):
    """Requests wait until the auth server has taken them, or until they are too old to be of use."""

    def add(self, kind: str, email: str, client_address: str | None, now: datetime) -> None:
        """Ask for a mail to an address, whether or not anybody has it."""
        values = {"kind": kind, "email": email, "client_address": client_address}
        self._session.add(AuthMail(**values, created_at=now, due_at=now))

    async def lease_due(self, now: datetime, lease: timedelta, limit: int) -> Sequence[AuthMail]:
        """Return due requests and lease them: no other worker gets them before the lease ends."""
        due = (
            select(AuthMail.id)
            .where(AuthMail.due_at <= now)
            .order_by(AuthMail.due_at, AuthMail.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        statement = (
            update(AuthMail)
            .where(AuthMail.id.in_(due))
            .values(due_at=now + lease, tries=AuthMail.tries + 1)
            .returning(AuthMail)
        )
        return (await self._session.scalars(statement)).all()

    async def done(self, mail_ids: Sequence[UUID]) -> None:
        """The auth server has these requests."""
        await self._session.execute(delete(AuthMail).where(AuthMail.id.in_(mail_ids)))

    async def postpone(self, mail_id: UUID, due_at: datetime) -> None:
        """It is to be tried again."""
        await self._session.execute(update(AuthMail).where(AuthMail.id == mail_id).values(due_at=due_at))

    async def forget(self, before: datetime) -> int:
        """Delete requests that are older; how many there were."""
        deleted = await self._session.execute(
            delete(AuthMail).where(AuthMail.created_at < before).returning(AuthMail.id)
        )
        return len(deleted.all())
