"""Statements of rosters: the accounts of many candidates at once."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import TEXT, Uuid, any_, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, insert

from app.models import DEFAULT_INSTITUTE_ID, Institute, Membership, User
from app.repositories.base import Repository
from app.repositories.locks import Mode, Rank
from app.repositories.users.users import Member, member_of


class RosterRepository(Repository):
    """Accounts of the candidates of a roster."""

    async def lock_institute(self, institute_id: UUID) -> None:
        """Wait for another import of a roster; those that come later wait for this one."""
        statement = select(Institute.id).where(Institute.id == institute_id)
        await self._lock(Rank.INSTITUTE, Mode.CHANGE, statement)

    async def members(self, emails: Sequence[str], user_ids: Sequence[UUID]) -> Sequence[Member]:
        """The members with these addresses or ids, also banned and deleted ones."""
        statement = (
            select(User, Membership)
            .join(Membership, Membership.user_id == User.id)
            .where(
                Membership.institute_id == DEFAULT_INSTITUTE_ID,
                or_(
                    User.email == any_(literal(list(emails), ARRAY(TEXT))),
                    User.id == any_(literal(list(user_ids), ARRAY(Uuid))),
                ),
            )
            .order_by(User.id)
        )
        fresh = statement.execution_options(populate_existing=True)
        return [member_of(*row) for row in await self._session.execute(fresh)]

    async def lock_users(self, user_ids: Sequence[UUID]) -> None:
        """Lock these users, so that none of them starts a test or is changed until the transaction ends."""
        ids = literal(list(user_ids), ARRAY(Uuid))
        statement = select(User.id).where(User.id == any_(ids)).order_by(User.id)
        await self._lock(Rank.USER, Mode.CHANGE, statement)

    async def add_users(self, people: Sequence[Mapping[str, Any]]) -> int:
        """Insert profiles with a student's membership. Returns how many profiles were new."""
        if not people:
            return 0
        added = insert(User).on_conflict_do_nothing().returning(User.id)
        ids = (await self._session.scalars(added, list(people))).all()
        rows = [{"institute_id": DEFAULT_INSTITUTE_ID, "user_id": user_id} for user_id in ids]
        if rows:
            await self._session.execute(insert(Membership).values(rows).on_conflict_do_nothing())
        return len(ids)
