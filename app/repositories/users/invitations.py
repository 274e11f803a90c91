"""The queue of invitations."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from app.models import Invitation
from app.repositories.base import Repository


class InvitationRepository(Repository):
    """Mails to people whose account a roster has created."""

    async def add(self, user_ids: Sequence[UUID], now: datetime) -> None:
        """Ask for a mail to each of these users. Nobody is asked for twice."""
        if user_ids:
            rows = [{"user_id": user_id, "created_at": now, "due_at": now} for user_id in user_ids]
            await self._session.execute(insert(Invitation).values(rows).on_conflict_do_nothing())

    async def lease_due(self, now: datetime, lease: timedelta, limit: int) -> Sequence[Invitation]:
        """Return due invitations and lease them: no other worker gets them before the lease ends."""
        due = (
            select(Invitation.user_id)
            .where(Invitation.due_at <= now, Invitation.sent_at.is_(None), Invitation.error.is_(None))
            .order_by(Invitation.due_at, Invitation.user_id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        statement = (
            update(Invitation)
            .where(Invitation.user_id.in_(due))
            .values(due_at=now + lease, tries=Invitation.tries + 1)
            .returning(Invitation)
        )
        return (await self._session.scalars(statement)).all()

    async def mark_sent(self, user_id: UUID, now: datetime) -> None:
        """The mail server has accepted the mail."""
        await self._change(user_id, sent_at=now)

    async def postpone(self, user_id: UUID, due_at: datetime) -> None:
        """Schedule another try."""
        await self._change(user_id, due_at=due_at)

    async def give_up(self, user_id: UUID, error: str) -> None:
        """The mail cannot be sent."""
        await self._change(user_id, error=error)

    async def _change(self, user_id: UUID, **values: datetime | str) -> None:
        await self._session.execute(update(Invitation).where(Invitation.user_id == user_id).values(**values))
