"""Institutes."""

from uuid import UUID

from sqlalchemy import select

from app.models import Institute
from app.repositories.base import Repository
from app.repositories.locks import Mode, Rank


class InstituteRepository(Repository):
    """The institute of the caller."""

    async def get(self, institute_id: UUID) -> Institute:
        """An institute. Every member has one."""
        return await self._session.get_one(Institute, institute_id)

    async def lock(self, institute_id: UUID) -> Institute:
        """An institute, locked for a change."""
        statement = select(Institute).where(Institute.id == institute_id)
        return (await self._lock(Rank.INSTITUTE, Mode.CHANGE, statement)).one()
