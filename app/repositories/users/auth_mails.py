"""The queue of mails that the auth server must send."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, update

from app.models import AuthMail
from app.repositories.base import Repository


class AuthMailRepository(Repository):
    """Requests for mails. They stay until the auth server accepts them or they are too old."""

    def add(self, kind: str, email: str, client_address: str | None, now: datetime) -> None:
        """Request a mail to an address, whether or not it belongs to an account."""
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

    async def delete(self, mail_ids: Sequence[UUID]) -> None:
        """Delete requests that the auth server has accepted."""
        await self._session.execute(delete(AuthMail).where(AuthMail.id.in_(mail_ids)))

    async def postpone(self, mail_id: UUID, due_at: datetime) -> None:
        """Schedule another try of a request."""
        await self._session.execute(update(AuthMail).where(AuthMail.id == mail_id).values(due_at=due_at))

    async def delete_before(self, before: datetime) -> int:
        """Delete requests older than `before`. Returns how many there were."""
        deleted = await self._session.execute(
            delete(AuthMail).where(AuthMail.created_at < before).returning(AuthMail.id)
        )
        return len(deleted.all())
